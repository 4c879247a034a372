"""The reducer takes whatever a contract may have written, in any order, and says what does not add up."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerbay_chain.chain.encoding import abi
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.facts import Facts
from numerbay_chain.protocol.ledger import Ledger
from numerbay_chain.protocol.replay import replay
from numerbay_chain.protocol.types import ZERO_ADDRESS, Ground, Offer, Settlement, Terms

TERMS = Terms(ZERO_ADDRESS, 0, 9, False, False, 0, 0, 60, 0, 60, 0, 60, 1)
ORDER = 1 << 32
PEOPLE = [f"0x{number:040x}" for number in (1, 2)]


def argument(name: str, kind: str) -> st.SearchStrategy[Any]:
    """Few different values, so that events meet."""
    match name:
        case "terms":
            return st.just(TERMS)
        case "offer":
            return st.builds(Offer, st.integers(0, 2), st.booleans())
        case "ground":
            return st.sampled_from(Ground)
        case "order":
            return st.integers(ORDER, ORDER + 2)
        case "listing":
            return st.integers(1, 2)
    if kind == "address":
        return st.sampled_from(PEOPLE)
    return st.binary(max_size=2) if kind.startswith("bytes") else st.integers(0, 3)


@st.composite
def told(draw: st.DrawFn) -> Event:
    name = draw(st.sampled_from(sorted(abi.events())))
    inputs = abi.events()[name]["inputs"]
    arguments = {one["name"]: draw(argument(one["name"], one["type"])) for one in inputs}
    return Event(name, arguments, draw(st.integers(0, 9)), 0, "", ZERO_ADDRESS)


@given(st.lists(told(), max_size=40), st.integers(0, 40))
@settings(deadline=None)
def test_nonsense_raises_nothing_and_pages_make_no_difference(events: list[Event], cut: int) -> None:
    for kind in (Facts, Ledger):
        whole, pages = replay(events, kind()), replay(events[cut:], replay(events[:cut], kind()))
        assert whole.listings == pages.listings
        assert whole.orders == pages.orders
        assert (whole.keys, whole.voucher_uses, whole.revoked) == (pages.keys, pages.voucher_uses, pages.revoked)
        if isinstance(whole, Ledger) and isinstance(pages, Ledger):
            assert whole.discrepancies == pages.discrepancies
            assert [whole.owed(token) for token in whole.tokens] == [pages.owed(token) for token in pages.tokens]


def event(name: str, **arguments: Any) -> Event:
    return Event(name, arguments, 7, 0, "", ZERO_ADDRESS)


def sale() -> list[Event]:
    created = event(
        "ListingCreated", listing=1, seller=PEOPLE[0], operator=PEOPLE[0], payout=PEOPLE[0], terms=TERMS,
        offer=Offer(5, True),
    )  # fmt: skip
    key = event("KeyRegistered", owner=PEOPLE[1], epoch=1, publicKey=bytes(32), backup=b"")
    terms = {"first": 0, "rounds": 2, "price": 5, "version": 0, "epoch": 1, "bucket": 0}
    release = event("Released", listing=1, round=0, contentHash=b"", bucket=9, releasedAt=3, manifest=b"")
    return [created, key, event("Bought", order=ORDER, buyer=PEOPLE[1], **terms), release]


def test_what_no_event_before_made_changes_nothing_in_a_whole_history() -> None:
    cut = event("Declined", order=ORDER, round=1, paid=5)
    books = replay([cut, *sale()], Ledger())
    assert [doubt.subject for doubt in books.discrepancies] == ["block 7"]
    assert books.order(ORDER).sold.end == 2
    assert not books.order(ORDER).cut
    assert replay([cut, *sale()]).order(ORDER).cut, "a part does not know what came before it: who asked looks"


@pytest.mark.parametrize(("rounds", "settled"), [(2, Settlement.PAID_BACK), (1, Settlement.NONE)])
def test_a_faulty_round_is_paid_back_by_settling_it_or_by_ending_the_order(rounds: int, settled: Settlement) -> None:
    told, end = sale(), 0 if rounds == 1 else rounds
    told[2].arguments["rounds"] = rounds
    marked = event("RoundFaulty", listing=1, round=0, chunk=0, faultyAt=4)
    repaid = event("FaultyRefunded", order=ORDER, round=0, bucket=9, end=end, paid=5)
    books = replay([*told, marked, repaid], Ledger())
    known = books.order(ORDER)
    assert books.discrepancies == []
    assert (known.at(0).settlement, known.at(0).ground, known.sold.end) == (settled, Ground.WRONG_CONTENT, end)
    assert (books.pots(ZERO_ADDRESS), books.owed(ZERO_ADDRESS)) == (0, 5 * (rounds - 1))


def test_an_owed_sum_is_no_part_s_to_tell() -> None:
    assert not hasattr(replay(sale()), "owed")
    assert replay(sale(), Ledger()).owed(ZERO_ADDRESS) == 10
