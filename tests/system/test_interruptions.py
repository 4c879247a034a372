"""Whatever ends a run, wherever: run again, it ends as an undisturbed run does. Nothing happens twice."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.local.devnet import Devnet
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files.journal import Entry
from numerbay_chain.delivery import deliver
from numerbay_chain.delivery.journal import RoundJournal
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.seller import Seller
from tests.support.codes import fails_with
from tests.support.dying import WRITES, KilledError, death
from tests.support.places import PRICE, Place
from tests.support.plugins.toolchain import anvil_binary, require
from tests.support.told import Told
from tests.system.interruptions import CASES, CONTENT, interrupt, prepared


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet(binary=str(require("anvil", anvil_binary()))) as running:
        yield running


@contextmanager
def rehearsal(place: Place) -> Iterator[Place]:
    """The same place, chain, disk and all; what happens in the block never happened."""
    restore = place.chain.snapshot()  # type: ignore[attr-defined]  # which a devnet has not
    aside = place.folder.with_name(place.folder.name + "-aside")
    shutil.copytree(place.folder, aside)
    try:
        yield place
    finally:
        restore()
        shutil.rmtree(place.folder)
        aside.rename(place.folder)


def facts(place: Place) -> dict[str, Any]:
    """What counts in the end, but for what is random (salts) or costs (gas)."""
    contract = place.contract
    orders = Told(contract).orders_of(1) if contract.listing_count() and contract.listing(1).orders else []
    return {
        "names": [event.name for event in Told(contract).events()],
        "orders": orders,
        "held": contract.holdings("0x" + 40 * "0"),
        "posted": [event["count"] for event in Told(contract).events(["Delivered"])],
        "next nonces": [
            place.chain.connection.transaction_count(place.chain.signer(number).address) for number in (0, 1, 2)
        ],
    }


@pytest.mark.anvil
@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_an_interrupted_run_ends_as_an_undisturbed_one_when_it_is_run_again(
    devnet: Devnet, tmp_path: Path, number: int
) -> None:
    """A sample, elsewhere in each case; `make interrupt` goes through every step of all."""
    with prepared(CASES[number], devnet, tmp_path / "place") as (case, stage):
        outcome = interrupt(case, stage, sample=number / len(CASES))
    assert outcome.differences == []
    assert outcome.steps.keys() >= {"disk write", "transaction", "question"}
    assert outcome.tries > 5


def test_a_release_that_nobody_was_told_of_is_told_by_the_next_call(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    order = place.buyer(1).buy(listing.id).order
    path = place.file(content=CONTENT)
    with death([(Connection, "send_raw")], 1, after=True), pytest.raises(KilledError):
        place.seller.deliver(path, listing.id)
    delivered = place.seller.deliver(path, listing.id)
    assert delivered.release is not None
    assert (delivered.resumed, delivered.release.transaction) == (True, Told(place.contract).releases(1)[0].transaction)
    assert delivered.newly_posted == (order.id,)
    assert list(place.folder.glob("seller/outbox/*/*.json")) == [], "nothing is on its way any more"


@pytest.mark.parametrize(
    "name", ["create_listing", "register_key", "edit_listing", "cancel", "refund", "withdraw", "skip"]
)
def test_everything_else_that_sends(place: Place, name: str) -> None:
    seller, buyer = place.seller, place.buyer(1)
    listing = seller.create_listing(PRICE, min_interval=60)
    order = buyer.buy(listing.id, rounds=4).order
    seller.deliver(place.file(content=CONTENT), listing.id)
    place.chain.advance(3 * 86_400)
    actions: dict[str, Callable[[], object]] = {
        "create_listing": lambda: seller.create_listing(PRICE, preset="weekly", name="another"),
        "register_key": lambda: place.buyer(2, registered=False).register_key(),
        "edit_listing": lambda: seller.edit_listing(listing.id, price=2 * PRICE),
        "cancel": lambda: buyer.cancel(order.id),
        "refund": lambda: seller.refund(order.id),
        "withdraw": lambda: seller.withdraw(listing.id),
        "skip": lambda: seller.skip(listing.id),
    }
    action = actions[name]
    with rehearsal(place):
        with death(WRITES) as writes:
            action()
        expected = facts(place)
    for number in range(1, writes.passed + 1):
        with rehearsal(place):
            with pytest.raises(KilledError), death(WRITES, number):
                action()
            action()
            assert facts(place) == expected, f"at write {number}"


def test_another_file_is_refused_while_a_delivery_is_unfinished(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    place.buyer(1).buy(listing.id)
    path, other = place.file(content=CONTENT), place.file("other.csv", b"another one")
    with death([(deliver, "release_round")], 1), pytest.raises(KilledError):
        place.seller.deliver(path, listing.id)
    with fails_with(RefusedError, "unfinished-delivery", "predictions.csv", 0, 1) as refusal:
        place.seller.deliver(other, listing.id)
    assert Told(place.contract).releases(listing.id) == []
    entry = Path(str(refusal.value.hint).split("move ")[1].split(" away")[0])
    assert entry.stat().st_mode & 0o777 == 0o600
    entry.unlink()
    assert place.seller.deliver(other, listing.id).round == 0


def test_the_same_file_as_a_new_round_must_be_meant(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    place.buyer(1).buy(listing.id, rounds=2)
    path = place.file(content=CONTENT)
    first = place.seller.deliver(path, listing.id)
    place.chain.advance(86_400)
    with fails_with(RefusedError, "same-file", 0):
        place.seller.deliver(path, listing.id)
    second = place.seller.deliver(path, listing.id, again=True)
    assert (first.round, second.round) == (0, 1)
    assert first.ciphertext_cid != second.ciphertext_cid, "no key meets a second file, not even the same one"


def test_a_file_that_changed_since_it_was_sealed_gets_a_fresh_key(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    order = place.buyer(1).buy(listing.id).order
    path = place.file(content=CONTENT)
    with death([(EmbeddedStore, "add")], 2), pytest.raises(KilledError):
        place.seller.deliver(path, listing.id)
    path.write_bytes(CONTENT + b"n0002,0.1\n")
    place.seller.deliver(path, listing.id)
    place.buyer(1).fetch(order.id, path=place.output())
    assert place.output().read_bytes() == path.read_bytes()


def test_what_the_store_lost_before_the_release_is_sealed_again(place: Place, tmp_path: Path) -> None:
    listing = place.seller.create_listing(PRICE)
    order = place.buyer(1).buy(listing.id).order
    path = place.file(content=CONTENT)
    with death([(deliver, "release_round")], 1), pytest.raises(KilledError):
        place.seller.deliver(path, listing.id)
    shutil.rmtree(tmp_path / "store")
    place.store = EmbeddedStore(tmp_path / "store")
    assert place.seller.deliver(path, listing.id).resumed
    assert place.buyer(1).verify(order.id).problems == ()


def test_a_round_that_was_released_from_elsewhere_is_not_released_again(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, operator=place.chain.signer(9).address, min_interval=60)
    place.buyer(1).buy(listing.id, rounds=2)
    path = place.file(content=CONTENT)
    with death([(deliver, "release_round")], 1), pytest.raises(KilledError):
        place.seller.deliver(path, listing.id)
    operator = Seller(place.session("operator", 9))
    operator.deliver(place.file("other.csv", b"from elsewhere"), listing.id)
    place.chain.advance(60)
    assert place.seller.deliver(path, listing.id).round == 1
    assert "entry-set-aside" in place.noted


def test_two_at_once_are_refused(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    journal = RoundJournal(place.seller.session.journal_folder(listing.id), listing.id)
    with journal.exclusive(), fails_with(RefusedError, "busy", 1):
        place.seller.deliver(place.file(), listing.id)
    assert place.seller.deliver(place.file(), listing.id).state == "delivered"


def test_an_earlier_purchase_of_something_else_is_told(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    buyer = place.buyer(1)
    with death([(Entry, "remove")], 1), pytest.raises(KilledError):
        buyer.buy(listing.id, rounds=2)
    with fails_with(RefusedError, "earlier-transaction", "1-0"):
        buyer.buy(listing.id, rounds=3)
    assert len(buyer.orders()) == 1
