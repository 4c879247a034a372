"""A host that serves everything until the money is there, and nothing afterwards: what was checked is still here."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from numerbay_chain import Buyer
from numerbay_chain.artifacts import kept
from numerbay_chain.core.errors import NotFoundError, NumerbayChainError, RefusedError, WrongContentError
from numerbay_chain.core.files import stored
from numerbay_chain.ipfs import Cid, EmbeddedStore
from numerbay_chain.ipfs.stores.base import BlockStore
from tests.support.adversary import DAY, HOUR, Cheat
from tests.support.codes import fails_with
from tests.support.noise import noise
from tests.support.places import PRICE, Place
from tests.support.programs import InsideShell

CONTENT = noise(2_500_000)
DISPUTED = {"dispute_window": DAY, "response_window": HOUR}


class Host(BlockStore):
    """Serves what the place's store has, until it is `silent` about everything that is larger than an envelope."""

    def __init__(self, store: EmbeddedStore) -> None:
        super().__init__()
        self.name, self.behind, self.silent, self.served = "the host", store, False, 0

    def _fetch(self, cid: Cid) -> bytes:
        block = self.behind._fetch(cid)
        if self.silent and len(block) > 2_000:
            raise NotFoundError("it is silent")
        self.served += len(block)
        return block


class Once(Host):
    """Serves each block of the content once."""

    def __init__(self, store: EmbeddedStore) -> None:
        super().__init__(store)
        self.given: set[Cid] = set()

    def _fetch(self, cid: Cid) -> bytes:
        block = super()._fetch(cid)
        if len(block) > 2_000 and cid in self.given:
            raise NotFoundError("it was served before")
        self.given.add(cid)
        return block


@pytest.fixture
def host(place: Place) -> Host:
    assert isinstance(place.store, EmbeddedStore)
    place.buyer()  # registers a key
    return Host(place.store)


def reader(place: Place, host: Host, **more: object) -> Buyer:
    return Buyer(place.session("buyer-1", 1, store=host, **more))


def entries(place: Place) -> list[kept.Kept]:
    return reader(place, Host(place.store)).session.content.keep.entries()  # type: ignore[arg-type]  # the place's is one


def bought_when_out(place: Place, host: Host, **more: object) -> int:
    listing = place.seller.create_listing(PRICE, instant=True, **DISPUTED).id
    place.seller.deliver(place.file(content=CONTENT), listing)
    return reader(place, host, **more).buy(listing).order.id


def verified(place: Place, host: Host) -> int:
    """An order whose round was verified within its decline window, which is over now."""
    listing = place.seller.create_listing(PRICE, decline_window=600, **DISPUTED).id
    order = reader(place, host).buy(listing).order.id
    place.seller.deliver(place.file("second", CONTENT), listing)
    assert reader(place, host).verify(order).checked_content
    place.chain.advance(601)
    return order


@pytest.mark.parametrize("way", [bought_when_out, verified])
def test_what_was_checked_opens_after_the_host_went_silent(way: object, place: Place, host: Host) -> None:
    assert callable(way)
    order = way(place, host)
    place.seller.serve(order >> 32)
    host.silent = True
    reader(place, host).fetch(order, path=place.output())
    assert place.output().read_bytes() == CONTENT
    assert reader(place, host).verify(order).ok
    with fails_with(RefusedError, "nothing-to-prove"):
        reader(place, host).judge(order)
    (entry,) = entries(place)
    assert (entry.listing, entry.round, entry.order, entry.settled(0)) == (order >> 32, 0, None, False)


def test_without_it_the_silent_host_keeps_price_and_content(place: Place, host: Host) -> None:
    order = bought_when_out(place, host, keep=0)
    place.seller.serve(order >> 32)
    host.silent = True
    with pytest.raises(NotFoundError):
        reader(place, host, keep=0).fetch(order, path=place.output())
    assert entries(place) == []
    assert not (place.folder / "buyer-1" / "kept").exists()


@pytest.mark.parametrize("checked", ["bought", "verified", "fetched", "judged"])
def test_wrong_content_is_proven_from_what_was_kept(checked: str, place: Place, cheat: Cheat, host: Host) -> None:
    listing = place.seller.create_listing(PRICE, instant=checked == "bought", **DISPUTED).id
    early = None if checked == "bought" else reader(place, host).buy(listing).order.id
    _, key = cheat.release_junk(listing, CONTENT, chunk=300)
    order = early or reader(place, host).buy(listing).order.id
    cheat.hand_out(key, [order])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host, "silent", False)
        if checked == "verified":
            assert [one.kind for one in reader(place, host).verify(order).problems] == ["wrong-content"]
        if checked == "fetched":
            with pytest.raises(NumerbayChainError) as caught:
                reader(place, host).fetch(order, path=place.output())
            assert caught.value.code == "wrong-content"
        if checked == "judged":
            assert reader(place, host).judge(order).chunk == 300
    host.silent = True
    proven = reader(place, host).prove(order, publish_key=True)
    assert (proven.kind, proven.chunk, proven.paid) == ("wrong-content", 300, PRICE)


@pytest.mark.parametrize("step", ["fetch", "judge"])
def test_wrong_content_is_kept_by_the_reading_that_finds_it(step: str, place: Place, cheat: Cheat, host: Host) -> None:
    once, content = Once(host.behind), noise(6_000_000)
    listing = place.seller.create_listing(PRICE, **DISPUTED).id
    order = reader(place, once).buy(listing).order.id
    _, key = cheat.release_junk(listing, content, chunk=2)
    cheat.hand_out(key, [order])
    if step == "fetch":
        with fails_with(WrongContentError, "wrong-content"):
            reader(place, once).fetch(order, path=place.output())
    if step == "judge":
        assert reader(place, once).judge(order).chunk == 2
    once.behind = EmbeddedStore(place.folder / "empty")  # the envelope is kept too
    proven = reader(place, once).prove(order, publish_key=True)
    assert (proven.chunk, proven.paid) == (2, PRICE)
    assert once.served < 1.02 * len(content)


def test_a_copy_is_kept_with_its_manifest(place: Place, host: Host) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, decline_window=600, **DISPUTED).id
    order = reader(place, host).buy(listing).order.id
    place.seller.deliver_copies(listing, {order: place.file(content=CONTENT)})
    assert reader(place, host).verify(order).checked_content
    place.chain.advance(601)
    place.seller.serve(listing)
    reader(place, host).verify(order)
    host.behind = EmbeddedStore(place.folder / "empty")
    reader(place, host).fetch(order, path=place.output())
    assert place.output().read_bytes() == CONTENT
    assert [entry.order for entry in entries(place)] == [order]


def test_the_envelope_is_kept_too(place: Place, host: Host) -> None:
    order = verified(place, host)
    place.seller.serve(order >> 32)
    assert reader(place, host).verify(order).key_opened
    host.behind = EmbeddedStore(place.folder / "empty")
    reader(place, host).fetch(order, path=place.output())
    assert place.output().read_bytes() == CONTENT


def test_each_byte_is_asked_of_the_host_once(place: Place, host: Host) -> None:
    order = verified(place, host)
    place.seller.serve(order >> 32)
    served = host.served
    assert served < 1.02 * len(CONTENT), "kept in the same pass that checked it"
    reader(place, host).verify(order)
    reader(place, host).fetch(order, path=place.output())
    assert host.served - served < 1_000, "the envelope alone"


def test_what_a_store_on_this_machine_has_is_not_kept_twice(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, instant=True, **DISPUTED).id
    place.seller.deliver(place.file(content=CONTENT), listing)
    place.buyer().buy(listing)
    assert entries(place) == []


def test_a_check_that_finds_something_missing_leaves_nothing(place: Place, host: Host) -> None:
    listing = place.seller.create_listing(PRICE, instant=True, **DISPUTED).id
    place.seller.deliver(place.file(content=CONTENT), listing)
    host.silent = True
    with pytest.raises(RefusedError):
        reader(place, host).buy(listing)
    assert [path for path in (place.folder / "buyer-1" / "kept").rglob("*") if path.is_file()] == []


def test_a_full_disk_stops_no_purchase(place: Place, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    listing = place.seller.create_listing(PRICE, instant=True, **DISPUTED).id
    place.seller.deliver(place.file(content=CONTENT), listing)
    monkeypatch.setattr("numerbay_chain.ipfs.stores.embedded._EmbeddedWriter._write_block", full)
    assert reader(place, host).buy(listing).order.listing == listing
    monkeypatch.undo()
    assert entries(place) == []
    assert place.noted.count("not-kept") == 1


def test_gc_removes_what_is_settled_and_what_was_never_complete(place: Place, host: Host) -> None:
    order = bought_when_out(place, host)
    home = place.folder / "buyer-1"
    here = InsideShell(place.folder, {**os.environ, "NUMERBAY_CHAIN_HOME": str(home)})
    partial = home / "kept" / ("ab" * 32)
    EmbeddedStore(partial).add(b"part")
    shown = here.nbc("store", "gc", "--dry-run", "--json").object
    assert [(one["reason"], one["content_hash"]) for one in shown["removed"]] == [("incomplete", "0x" + "ab" * 32)]
    assert [one["listing"] for one in shown["kept"]] == [order >> 32]
    assert shown["size"] >= len(CONTENT)
    assert partial.exists()
    here.nbc("store", "gc", "--json")
    assert not partial.exists()
    (entry,) = entries(place)
    (entry_file,) = (home / "kept").glob("*/entry")
    entry_file.write_text(stored.encode(replace(entry, needed_until=1), 1))
    gone = here.nbc("store", "gc", "--json").object
    assert [one["reason"] for one in gone["removed"]] == ["settled"]
    assert gone["freed"] == entry.size
    assert [path.name for path in (home / "kept").iterdir()] == []


def test_a_setting_says_how_much_is_kept(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from numerbay_chain.core.errors import UsageError
    from numerbay_chain.core.home.config import load_settings
    from numerbay_chain.core.units import parse_size

    home = tmp_path / "home"
    home.mkdir()
    (home / "profiles.toml").write_text('[a]\nkeep = "2 GiB"\n[b]\nkeep = 0\n')
    here = {"NUMERBAY_CHAIN_HOME": str(home)}
    assert [load_settings(name, {}, here).keep for name in "ab"] == ["2 GiB", "0"]
    assert load_settings("a", {}, {**here, "NUMERBAY_CHAIN_KEEP": "1MB"}).keep == "1MB"
    assert load_settings("a", {"keep": 7}, here).keep == "7"
    with pytest.raises(UsageError):
        load_settings("a", {"keep": "much"}, here)
    sizes = {"10GiB": 10 << 30, "500 MB": 500_000_000, "0": 0, "1kib": 1_024, "12b": 12, "1TB": 10**12}
    assert {text: parse_size(text) for text in sizes} == sizes
    for text in ("", "1.5GiB", "-1", "GiB", "1 XiB", "1e3", "٣"):
        with pytest.raises(UsageError):
            parse_size(text)
