"""Whatever ends a run, wherever: run again, it ends as an undisturbed run does. Nothing happens twice."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from numerbay_chain import delivery
from numerbay_chain.errors import NetworkError, RefusedError
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.journal import Entry
from numerbay_chain.rounds import RoundJournal
from numerbay_chain.seller import Seller
from tests.e2e.dying import QUESTIONS, WRITES, KilledError, death, node_is_gone
from tests.places import PRICE, Place

CONTENT = b"id,prediction\n" + b"n0001,0.5\n" * 900


@contextmanager
def rehearsal(place: Place) -> Iterator[Place]:
    """The same place, chain, disk and all; what happens in the block never happened."""
    tester = place.chain._tester  # type: ignore[attr-defined]  # a snapshot of the chain, which only tests want
    snapshot = tester.take_snapshot()
    aside = place.folder.with_name(place.folder.name + "-aside")
    shutil.copytree(place.folder, aside)
    try:
        yield place
    finally:
        tester.revert_to_snapshot(snapshot)
        shutil.rmtree(place.folder)
        aside.rename(place.folder)


def facts(place: Place) -> dict[str, Any]:
    """What counts in the end, but for what is random (salts) or costs (gas)."""
    contract = place.contract
    orders = contract.orders_of(1) if contract.listing_count() and contract.listing(1).orders else []
    return {
        "names": [event.name for event in contract.events()],
        "orders": orders,
        "held": contract.holdings("0x" + 40 * "0"),
        "posted": [event["count"] for event in contract.events(["Delivered"])],
        "next nonces": [
            place.chain.connection.transaction_count(place.chain.signer(number).address) for number in (0, 1, 2)
        ],
    }


def refusal_of(run: Callable[[], object]) -> str:
    """The sentence that it refuses with, or nothing."""
    try:
        run()
    except RefusedError as refusal:
        return str(refusal)
    return ""


def survives(place: Place, run: Callable[[], object], questions_asked: int = 4, every: int = 1) -> int:
    """`run` is ended before every write (or every `every`th), after the last one, and at some of its questions; then
    run again. How many tries."""
    with rehearsal(place):
        with death(WRITES) as writes:
            run()
        expected = facts(place)
    with rehearsal(place), death(QUESTIONS) as questions:
        run()
    assert writes.passed >= 3
    assert questions.passed >= questions_asked
    cases: list[tuple[list[tuple[Any, str]], int, bool, Callable[[], BaseException]]]
    # between the end of a write and the beginning of the next one nothing is kept
    cases = [(WRITES, number, False, KilledError) for number in range(1, writes.passed + 1, every)]
    cases += [(WRITES, writes.passed, True, KilledError)]
    step = questions.passed // questions_asked
    cases += [(QUESTIONS, number, True, node_is_gone) for number in range(1, questions.passed + 1, step)]
    for places, number, after, make in cases:
        with rehearsal(place):
            # a node that is gone for one question, while a transaction is waited for, is asked again
            ended = pytest.raises(KilledError) if make is KilledError else suppress(NetworkError)
            with ended, death(places, number, after=after, make=make) as one:
                run()
            assert one.passed >= number
            # what was done to the end before it was killed says so instead of being done again
            refusal = refusal_of(run)
            assert not refusal or "was delivered as round" in refusal or "holds order" in refusal
            assert facts(place) == expected, f"{make} at place {number}, after: {after}"
    return len(cases)


def test_a_delivery_with_its_keys_in_the_release(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    order = place.buyer(1).buy(listing.id).order
    path = place.file(content=CONTENT)
    assert survives(place, lambda: place.seller.deliver(path, listing.id)) > 25
    place.seller.deliver(path, listing.id)
    assert place.buyer(1).verify(order.id).problems == ()


def test_a_release_whose_keys_come_later(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    place.buyer(1).buy(listing.id)
    path = place.file(content=CONTENT)
    assert survives(place, lambda: place.seller.deliver(path, listing.id)) > 15
    place.seller.deliver(path, listing.id)
    place.chain.advance(601)
    assert survives(place, lambda: place.seller.deliver(path, listing.id)) > 10


def test_keys_for_whoever_waits(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, instant=True)
    place.buyer(1).buy(listing.id)
    place.seller.deliver(place.file(content=CONTENT), listing.id)
    late = place.buyer(2).buy(listing.id).order
    assert survives(place, lambda: place.seller.serve(listing.id)) > 10
    place.seller.serve(listing.id)
    assert place.buyer(2).verify(late.id).problems == ()


def test_a_purchase_is_paid_once(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    buyer = place.buyer(1)
    assert survives(place, lambda: buyer.buy(listing.id, rounds=2), questions_asked=10) > 12


def test_copies_are_posted_once(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, dispute_window=0)
    orders = [place.buyer(number).buy(listing.id).order for number in (1, 2)]
    files = {order.id: place.file(f"{order.id}.csv", b"copy %d" % order.id) for order in orders}

    def deliver() -> None:
        try:
            place.seller.deliver_copies(listing.id, files)
        except RefusedError as refusal:
            raise RefusedError(f"was delivered as round 0: {refusal}") from refusal

    assert survives(place, deliver, every=5) > 10


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
    with death([(delivery, "_release")], 1), pytest.raises(KilledError):
        place.seller.deliver(path, listing.id)
    with pytest.raises(
        RefusedError, match=r"delivery of predictions\.csv as round 0 of listing 1 is unfinished"
    ) as refusal:
        place.seller.deliver(other, listing.id)
    assert place.contract.releases(listing.id) == []
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
    with pytest.raises(RefusedError, match="same file was delivered as round 0"):
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
    with death([(delivery, "_release")], 1), pytest.raises(KilledError):
        place.seller.deliver(path, listing.id)
    shutil.rmtree(tmp_path / "store")
    place.store = EmbeddedStore(tmp_path / "store")
    assert place.seller.deliver(path, listing.id).resumed
    assert place.buyer(1).verify(order.id).problems == ()


def test_a_round_that_was_released_from_elsewhere_is_not_released_again(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, operator=place.chain.signer(9).address, min_interval=60)
    place.buyer(1).buy(listing.id, rounds=2)
    path = place.file(content=CONTENT)
    with death([(delivery, "_release")], 1), pytest.raises(KilledError):
        place.seller.deliver(path, listing.id)
    operator = Seller(place.market("operator", 9))
    operator.deliver(place.file("other.csv", b"from elsewhere"), listing.id)
    place.chain.advance(60)
    assert place.seller.deliver(path, listing.id).round == 1
    assert any("released from elsewhere" in line for line in place.told)


def test_two_at_once_are_refused(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    journal = RoundJournal(place.seller.market.journal_folder(listing.id), listing.id)
    with journal.exclusive(), pytest.raises(RefusedError, match="another process is delivering listing 1"):
        place.seller.deliver(place.file(), listing.id)
    assert place.seller.deliver(place.file(), listing.id).state == "delivered"


def test_an_earlier_purchase_of_something_else_is_told(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    buyer = place.buyer(1)
    with death([(Entry, "remove")], 1), pytest.raises(KilledError):
        buyer.buy(listing.id, rounds=2)
    with pytest.raises(
        RefusedError, match="earlier purchase was still on its way, and has gone through: it is order 1-0"
    ):
        buyer.buy(listing.id, rounds=3)
    assert len(buyer.orders()) == 1
