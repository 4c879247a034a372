"""What a delivery does when a node, a gateway, a store or the clock is not as it should be: no round twice, no key to
who was paid back, and nobody left without one."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.connection import Connection
from numerbay_chain.core.errors import AccountError, NetworkError, RefusedError
from numerbay_chain.delivery.journal import RoundJournal
from numerbay_chain.delivery.results import Delivered
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.ipfs import Cid, EmbeddedStore
from numerbay_chain.protocol.events import Event
from numerbay_chain.seller import Seller
from tests.support.codes import fails_with
from tests.support.dying import KilledError, death
from tests.support.gateways import Request, serving
from tests.support.places import OPERATOR, PRICE, Place
from tests.support.told import Told
from tests.support.wrapped import altered, with_policy

HOUR, DAY = 3_600, 86_400


@pytest.fixture
def slow_gateway(place: Place) -> Iterator[tuple[str, Callable[[], None]]]:
    """A real gateway on loopback that shows what was pinned only after it was told to look."""
    seen: dict[str, bytes] = {}

    def look() -> None:
        blocks = (path for path in (place.folder / "store").rglob("*") if path.is_file())
        for content in [path.read_bytes() for path in blocks]:
            digest = sha256(content).digest()
            seen.update({str(Cid.raw(digest)): content, str(Cid("dag-pb", digest)): content})

    def answer(request: Request) -> None:
        found = seen.get(request.cid)
        if found is None:
            request.answer(status=404)
        else:
            request.answer(found, Content_Type="application/vnd.ipld.raw")

    with serving(answer) as server:
        yield f"gateway:{server.url}", look


def envelopes_of(place: Place, listing: int, round: int = 0) -> list[int]:
    return [delivery.count for delivery in Told(place.contract).deliveries(listing, round)]


# ------------------------------------------------------------------------------------------------ a round goes out once


def test_a_round_that_was_missed_is_set_aside(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, min_interval=60)
    place.buyer().buy(listing.id, rounds=2)
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        place.seller.deliver(place.file(), listing.id)
    place.seller.skip(listing.id)
    place.chain.advance(60)
    assert place.seller.deliver(place.file(), listing.id).round == 1
    assert "entry-set-aside" in place.noted


@pytest.mark.parametrize("decline_window", [0, 600])
def test_a_round_that_somebody_else_releases_while_it_is_sealed_is_not_released_again(
    place: Place, decline_window: int
) -> None:
    hot_key = place.chain.signer(OPERATOR).address
    listing = place.seller.create_listing(PRICE, decline_window=decline_window, operator=hot_key).id
    order = place.buyer().buy(listing, rounds=2).order.id
    operator = Seller(place.session("operator", OPERATOR))
    left = [place.file("other.csv", b"from elsewhere")]

    def meanwhile(step: str, done: int, total: int) -> None:
        if step == "seal" and left:
            operator.deliver(left.pop(), listing)

    with fails_with(RefusedError, "round-moved", 0, listing):
        place.seller.deliver(place.file(), listing, progress=meanwhile)
    assert [release.round for release in Told(place.contract).releases(listing)] == [0]
    place.chain.advance(DAY)
    assert [one.newly_posted for one in operator.serve(listing).rounds] == ([(order,)] if decline_window else [])
    assert place.seller.deliver(place.file(), listing).round == 1
    assert place.buyer().fetch(order, 0, path=place.output()).size == len(b"from elsewhere")


# ------------------------------------------------------------------------------------------ no key to who was paid back


def test_who_declines_while_the_seller_waits_gets_no_key(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    declined, kept = (place.buyer(number).buy(listing.id).order for number in (1, 2))

    def time_passes(seconds: float) -> None:
        if place.contract.order(declined.id).rounds:
            place.buyer(1).decline(declined.id)
        place.chain.advance(300)

    with_policy(monkeypatch, place.chain.connection, sleep=time_passes)
    delivered = place.seller.deliver(place.file(), listing.id, wait=True)
    assert (delivered.state, delivered.newly_posted) == ("delivered", (kept.id,))
    assert envelopes_of(place, listing.id) == [1]
    assert [problem.kind for problem in place.buyer(1).verify(declined.id, 0).problems] == ["not-covered"]


def test_with_a_short_notice_period_no_key_is_shown_before_the_release_counts(place: Place) -> None:
    """A buyer who sees the release on its way could cancel and reclaim before it is mined."""
    listing = place.seller.create_listing(PRICE, notice_period=HOUR)
    leaver, stayer = place.buyer(1), place.buyer(2)
    order = leaver.buy(listing.id).order
    kept = stayer.buy(listing.id).order
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        place.seller.deliver(place.file(), listing.id)  # it is stuck, for all to see
    entry = RoundJournal(place.seller.session.journal_folder(listing.id), listing.id).load(0)
    assert entry is not None
    assert entry.envelopes == {}
    leaver.cancel(order.id)
    place.chain.advance(HOUR)
    leaver.reclaim(order.id)
    delivered = place.seller.deliver(place.file(), listing.id)
    assert delivered.newly_posted == (kept.id,)
    assert delivered.release is not None
    assert delivered.release.event("Delivered") is None, "the key follows the release"


def test_with_a_notice_period_above_the_margin_keys_come_with_the_release(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, preset="test")
    place.buyer().buy(listing.id)
    release = place.seller.deliver(place.file(), listing.id).release
    assert release is not None
    assert release.event("Delivered") is not None


def test_keys_wait_until_no_decline_can_slip_into_a_block_that_is_made_anew(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    order = place.buyer().buy(listing.id).order
    place.seller.deliver(place.file(), listing.id)
    for _ in range(4):
        place.chain.advance(1)  # the release itself is deep enough
    place.chain.advance(700)
    (waiting,) = place.seller.serve(listing.id, confirmations=3).rounds
    assert waiting.state == "waiting"
    assert waiting.waiting_for is not None
    assert waiting.waiting_for.code == "not-final"
    for _ in range(4):
        place.chain.advance(1)
    assert [one.newly_posted for one in place.seller.serve(listing.id, confirmations=3).rounds] == [(order.id,)]


# ----------------------------------------------------------------------------------------------- nobody is left without


def test_envelopes_that_the_store_lost_are_handed_out_again(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    order = place.buyer().buy(listing.id).order
    place.seller.deliver(place.file(), listing.id)
    store = place.store
    assert isinstance(store, EmbeddedStore)
    (posted,) = Told(place.contract).events(["Delivered"])
    (lost,) = (path for path in (place.folder / "store").rglob("*") if path.is_file() and path.stat().st_size == 88)
    lost.unlink()
    assert [problem.fault for problem in place.buyer().verify(order.id).problems] == [True]
    assert [one.newly_posted for one in place.seller.serve(listing.id).rounds] == [(order.id,)]
    assert place.buyer().verify(order.id).problems == ()
    assert [event["digest"] == posted["digest"] for event in Told(place.contract).events(["Delivered"])] == [
        True,
        False,
    ]
    assert place.seller.serve(listing.id).rounds == ()


def test_a_store_that_can_t_be_asked_is_no_reason_to_hand_out_keys_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = place.seller.create_listing(PRICE)
    place.buyer().buy(listing.id)
    place.seller.deliver(place.file(), listing.id)

    def gone(*_: object, **__: object) -> bytes:
        raise NetworkError("the daemon can't be reached")

    altered(monkeypatch, place.store, "read_bytes", gone)
    assert place.seller.serve(listing.id).rounds == ()
    assert envelopes_of(place, listing.id) == [1]


def test_a_slow_gateway_does_not_hold_up_the_release_and_the_same_envelopes_are_posted(
    place: Place, slow_gateway: tuple[str, Callable[[], None]]
) -> None:
    spec, look = slow_gateway
    listing = place.seller.create_listing(PRICE)
    order = place.buyer().buy(listing.id).order

    def deliver() -> Delivered:
        return place.seller.deliver(place.file(), listing.id, read_back=spec)

    with pytest.raises(RefusedError) as refused:
        deliver()
    assert refused.value.code == "not-read-back"
    assert Told(place.contract).releases(listing.id) == []
    look()
    released = deliver()
    assert (released.state, released.release is not None) == ("waiting", True)
    assert released.waiting_for is not None
    assert released.waiting_for.code == "not-read-back"
    before = sorted(path for path in (place.folder / "store").rglob("*") if path.is_file())
    assert deliver().state == "waiting"
    assert sorted(path for path in (place.folder / "store").rglob("*") if path.is_file()) == before, "none sealed anew"
    look()
    delivered = deliver()
    assert (delivered.state, delivered.newly_posted) == ("delivered", (order.id,))
    assert place.buyer().verify(order.id).problems == ()


def test_the_seller_may_wait_for_a_slow_gateway(
    place: Place, slow_gateway: tuple[str, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, look = slow_gateway
    listing = place.seller.create_listing(PRICE, instant=True)
    place.seller.deliver(place.file(), listing.id)
    late = place.buyer().buy(listing.id).order
    with_policy(monkeypatch, place.chain.connection, sleep=lambda _: look())
    served = place.seller.serve(listing.id, read_back=spec, wait=True)
    assert [one.newly_posted for one in served.rounds] == [(late.id,)]


def test_envelopes_of_a_file_that_was_sealed_again_are_not_posted(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    order = place.buyer().buy(listing.id).order
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        place.seller.deliver(place.file(), listing.id)
    journal = RoundJournal(place.seller.session.journal_folder(listing.id), listing.id)
    entry = journal.load(0)
    assert entry is not None
    assert len(entry.envelopes) == 1
    lost = Manifest.decode(entry.sealed.manifest).ciphertext_cid
    assert isinstance(place.store, EmbeddedStore)
    place.store.block_path(lost).unlink()
    place.seller.deliver(place.file(), listing.id)
    assert place.buyer().fetch(order.id, path=place.output()).size == 24


def test_envelopes_of_a_round_that_was_released_from_elsewhere_are_not_posted(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, operator=place.chain.signer(OPERATOR).address, decline_window=600)
    order = place.buyer().buy(listing.id).order
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        place.seller.deliver(place.file(), listing.id)
    operator = Seller(place.session("operator", OPERATOR))
    operator.session.home.import_seller_secret(place.seller.session.home.export_seller_secret())
    operator.deliver(place.file("other.csv", b"from elsewhere"), listing.id)
    place.chain.advance(601)
    assert [one.newly_posted for one in place.seller.serve(listing.id).rounds] == [(order.id,)]
    assert place.buyer().fetch(order.id, path=place.output()).size == 14
    assert "entry-set-aside" in place.noted


def test_one_round_s_failure_does_not_stop_serving_the_next(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600, operator=place.chain.signer(OPERATOR).address)
    place.buyer(1).buy(listing.id)
    other = Seller(place.session("operator", OPERATOR))
    other.deliver(place.file("first.csv", b"another secret's"), listing.id)
    place.chain.advance(DAY)
    second = place.buyer(2).buy(listing.id).order
    place.seller.deliver(place.file(), listing.id)
    place.chain.advance(601)
    with fails_with(AccountError, "wrong-secret", 0, 1):
        place.seller.serve(listing.id)
    assert envelopes_of(place, listing.id, 0) == []
    assert place.buyer(2).verify(second.id).problems == ()
    assert "keys-sent" in place.noted


def test_serving_ends_when_the_node_is_gone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = place.seller.create_listing(PRICE, min_interval=60, instant=True)
    for number in (1, 2):  # each round is waited for by somebody who came when it was out
        place.buyer(number).buy(listing.id, rounds=2)
        place.chain.advance(60)
        place.seller.deliver(place.file(), listing.id, again=True)
    place.buyer(3).buy(listing.id)
    asked_for: list[str] = []

    def unreachable(*_: object) -> int:
        raise NetworkError("the node can't be reached")

    class GoneFromHere(NodeEvents):
        def events(self, *asked: Any, **more: Any) -> Iterator[Event]:
            if "owner" not in more:
                return super().events(*asked, **more)
            asked_for.extend(more["owner"])
            altered(monkeypatch, place.chain.connection, "block_number", unreachable)
            raise NetworkError("the node can't be reached")

    place.index = GoneFromHere(place.contract.connection, place.contract.address, place.contract.from_block)
    with fails_with(NetworkError, "network"):
        place.seller.serve(listing.id)
    assert len(asked_for) == 2, "the buyers who wait for round 0 alone"


def test_a_new_secret_is_said_with_how_to_keep_it(place: Place, tmp_path: Path) -> None:
    listing = place.seller.create_listing(PRICE)
    place.seller.deliver(place.file(), listing.id)
    (line,) = (note for note in place.told if note.code == "secret-made")
    assert str(tmp_path / "seller" / "seller-secret") in line
    assert "seller-secret export -o FILE" in line
