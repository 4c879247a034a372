"""What is read last holds nothing up, and verify stops while there is time to decline."""

from collections.abc import Iterator

import pytest

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.core.errors import (
    NetworkError,
    NumerbayChainError,
    RefusedError,
)
from numerbay_chain.disputes.recourse import RECOURSE
from numerbay_chain.ipfs import Cid, EmbeddedStore
from numerbay_chain.retrieval.content import verify_margin
from numerbay_chain.retrieval.promise import Promise
from tests.support.adversary import ANOTHER_KEY, CONTENT, HOUR, Cheat, sold
from tests.support.fixtures import Says
from tests.support.noise import noise
from tests.support.places import PRICE, Place
from tests.support.told import Told
from tests.support.wrapped import altered

# -------------------------------------------------------------------------------------------------------------- details


def test_details_that_hang_hold_up_no_proof(place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place)
    manifest, key = cheat.release_junk(listing, CONTENT, chunk=2)
    cheat.hand_out(key, [order])
    real = EmbeddedStore.read_block

    def hang(store: EmbeddedStore, cid: Cid) -> bytes:
        assert cid != manifest.details_cid, "a proof has no need of them"
        return real(store, cid)

    altered(monkeypatch, place.store, "read_block", hang)
    assert place.buyer().prove(order, publish_key=True).paid == PRICE


def test_missing_details_keep_nobody_from_buying_a_round_that_is_out(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, instant=True).id
    place.buyer(2).buy(listing)
    place.seller.deliver(place.file(), listing)
    release = Told(place.contract).release(listing, 0)
    assert release is not None
    promise = Promise.open(place.buyer(2).session, Told(place.contract).orders_of(listing)[0].id, 0, RECOURSE)
    assert isinstance(place.store, EmbeddedStore)
    place.store.block_path(promise.manifest(release).details_cid).unlink()
    assert place.buyer().buy(listing).order.first == 0
    assert place.noted[-1] == "details-missing"


def test_details_that_a_store_can_t_be_asked_for_are_no_fault_of_the_seller_s(
    place: Place, nbc: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, _ = sold(place, decline_window=600)
    place.seller.deliver(place.file(), listing)
    lost = Manifest.decode(Told(place.contract).releases(listing)[0].manifest).details_cid
    real = EmbeddedStore.read_block

    def busy(store: EmbeddedStore, cid: Cid) -> bytes:
        if cid == lost:
            raise NetworkError("HTTP status 503", code="store-busy")
        return real(store, cid)

    altered(monkeypatch, place.store, "read_block", busy)
    told = nbc("buyer-1", 1, "verify", "1-0", "--json", code=3).object
    assert told["checked_content"] is True
    assert [(one["kind"], one["fault"], one["remedy"]) for one in told["problems"][:1]] == [("details", False, None)]
    assert told["next_steps"] == []


# --------------------------------------------------------------------------------------------------------------- verify


def slowly(place: Place, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Every piece of content takes that long."""
    real = EmbeddedStore.read

    def read(store: EmbeddedStore, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        for piece in real(store, cid, size, offset, length):
            if size > 500_000:
                place.chain.advance(seconds)
            yield piece

    altered(monkeypatch, place.store, "read", read)


@pytest.mark.parametrize(("window", "seconds"), [(3_600, 380), (600, 50)])
def test_verify_stops_while_there_is_time_to_decline(
    place: Place, nbc: Says, monkeypatch: pytest.MonkeyPatch, window: int, seconds: int
) -> None:
    listing, (order,) = sold(place, decline_window=window, response_window=2 * HOUR)
    place.seller.deliver(place.file(content=noise(10 << 20)), listing)
    slowly(place, monkeypatch, seconds)
    told = nbc("buyer-1", 1, "verify", "1-0", "--json", code=3).object
    assert told["checked_content"] is False
    assert [one["kind"] for one in told["problems"]] == ["slow", "no-envelope"]
    assert told["problems"][0]["remedy"]["kind"] == "decline"
    until, stopped = told["declinable_until"], told["stopped_at"]
    assert until - verify_margin(window) <= stopped <= until - verify_margin(window) + seconds
    assert place.buyer().decline(order).paid == PRICE


def test_verify_tells_what_can_be_done_as_of_the_end_of_reading(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place, decline_window=3_600, response_window=2 * HOUR)
    place.seller.deliver(place.file(content=noise(600_000)), listing)
    slowly(place, monkeypatch, 3_700)
    checked = place.buyer().verify(order)
    assert checked.checked_content
    assert checked.declinable_until is None


def test_verify_reads_to_the_end_where_there_is_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place, decline_window=3_600, response_window=2 * HOUR)
    place.seller.deliver(place.file(content=noise(2 << 20)), listing)
    slowly(place, monkeypatch, 100)
    checked = place.buyer().verify(order)
    assert (checked.checked_content, checked.stopped_at, checked.ok) == (True, None, True)


@pytest.mark.parametrize("part", ["ciphertext", "commitments"])
@pytest.mark.parametrize("code", ["store-busy", "store-refused", "bad-answer", "slow-source", "too-large"])
def test_content_that_a_store_does_not_give_is_said_with_the_time_to_decline(
    place: Place, nbc: Says, monkeypatch: pytest.MonkeyPatch, part: str, code: str
) -> None:
    kind = RefusedError if code == "too-large" else NetworkError  # a claim of more than the disk has room for
    listing, (order,) = sold(place, decline_window=600)
    place.seller.deliver(place.file(content=CONTENT), listing)
    lost = Manifest.decode(Told(place.contract).releases(listing)[0].manifest)
    refuse(place, monkeypatch, getattr(lost, f"{part}_cid"), kind("the store gives nothing", code=code))
    told = nbc("buyer-1", 1, "verify", "1-0", "--json", code=3).object
    assert (told["checked_content"], told["stopped_at"] < told["declinable_until"]) == (False, True)
    first = told["problems"][0]
    assert (first["kind"], first["remedy"]["kind"]) == ("slow", "decline")
    assert place.buyer().decline(order).paid == PRICE


def test_content_that_a_store_does_not_give_hides_no_wrong_key(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    sealed = cheat.release(listing, str(place.file(content=CONTENT)))
    cheat.hand_out(ANOTHER_KEY, [order])
    refuse(place, monkeypatch, sealed.manifest.ciphertext_cid, NetworkError("the store gives nothing"))
    remedies = {one.kind: one.remedy.kind for one in place.buyer().verify(order).problems if one.remedy}
    assert remedies["key"] == "dispute"


def refuse(place: Place, monkeypatch: pytest.MonkeyPatch, lost: Cid, error: NumerbayChainError) -> None:
    """No store gives `lost`: that ends in an error."""
    real = EmbeddedStore.read

    def read(store: EmbeddedStore, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        if cid == lost:
            raise error
        yield from real(store, cid, size, offset, length)

    altered(monkeypatch, place.store, "read", read)
