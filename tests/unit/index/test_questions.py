"""Questions to a source of events: how many they are, what they are about, and what an answer must hold."""

from collections.abc import Callable
from typing import Any

import pytest

from numerbay_chain.core.errors import NetworkError
from numerbay_chain.index import questions
from numerbay_chain.index.questions import MOST_VALUES, ROUNDS, SALES
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.types import ZERO_ADDRESS, Listing, Offer, Terms
from tests.support.recorded import Recorded

BUYER = "0x" + "11" * 20
FIRST = 1 << 32
TERMS = Terms(ZERO_ADDRESS, 0, 999, False, False, 0, 0, 60, 0, 60, 0, 0, 0)


def event(name: str, block: int, **arguments: Any) -> Event:
    return Event(name, arguments, block, 0, f"0x{block:064x}", ZERO_ADDRESS)


def bought(order: int, block: int = 1) -> Event:
    terms = {"first": 0, "rounds": 3, "price": 5, "version": 0, "epoch": 1, "bucket": 0}
    return event("Bought", block, order=order, buyer=BUYER, **terms)


def released(round: int, block: int, listing: int = 1) -> Event:
    told = {"contentHash": bytes([round]) * 32, "bucket": 9, "releasedAt": 100 + block, "manifest": b""}
    return event("Released", block, listing=listing, round=round, **told)


def listing(orders: int = 0, next_round: int = 0) -> Listing:
    return Listing(1, BUYER, BUYER, BUYER, TERMS, Offer(5, True), 0, next_round, orders, 0, 0, 0)


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(NetworkError) as error:
        ask()
    return error.value.code


@pytest.mark.parametrize(("orders", "asked"), [(0, 1), (1, 1), (MOST_VALUES - 1, 1), (MOST_VALUES, 2), (1_200, 3)])
def test_a_listing_and_all_its_orders_are_one_question_for_500_subjects(orders: int, asked: int) -> None:
    source = Recorded([*(bought(FIRST + index) for index in range(orders)), released(0, 2)])
    facts = questions.read_listing(source, listing(orders), ROUNDS)
    assert (len(source.asked), len(facts.orders), [*facts.listing(1).releases]) == (asked, orders, [0])
    assert all(len(one["about"]) <= MOST_VALUES for one in source.asked)
    assert sorted(id for one in source.asked for id in one["about"]) == [1, *listing(orders).order_ids()]


@pytest.mark.parametrize("orders", [MOST_VALUES + 1, (1 << 24) - 1])
def test_orders_that_nobody_bought_are_missed_after_one_question(orders: int) -> None:
    for ask in (
        lambda source: questions.read_listing(source, listing(orders), ROUNDS),
        lambda source: questions.read_orders(source, listing(orders).order_ids()),
    ):
        source = Recorded([])
        assert refused(lambda ask=ask, source=source: ask(source)) == "node-incomplete"
        assert len(source.asked) == 1


def test_no_subject_is_no_question() -> None:
    source = Recorded([bought(FIRST)])
    assert questions.read_orders(source, []).orders == {}
    assert source.asked == []


def test_a_name_and_a_subject_are_asked_for_once() -> None:
    source = Recorded([bought(FIRST)])
    questions.read_about(source, [FIRST, FIRST], (*SALES, *SALES))
    assert source.asked == [{"names": [*SALES], "about": [FIRST]}]


def test_an_order_that_nobody_tells_of_is_noticed() -> None:
    source = Recorded([bought(FIRST)])
    assert refused(lambda: questions.read_orders(source, [FIRST, FIRST + 1])) == "node-incomplete"
    assert refused(lambda: questions.read_listing(source, listing(2), ())) == "node-incomplete"
    assert questions.read_orders(source, [FIRST]).order(FIRST).sold.end == 3


@pytest.mark.parametrize(
    "end",
    [
        event("Declined", 2, order=FIRST, round=1, paid=5),
        event("Cancelled", 2, order=FIRST, end=1, cancelledAt=7, paid=5),
        event("Refunded", 2, order=FIRST, end=1, paid=5),
        event("FaultyRefunded", 2, order=FIRST, round=2, bucket=9, end=2, paid=5),
    ],
    ids=lambda end: end.name,
)
def test_an_order_that_ends_before_it_was_sold_is_noticed(end: Event) -> None:
    assert refused(lambda: questions.read_orders(Recorded([end]), [FIRST])) == "node-incomplete"
    assert refused(lambda: questions.read_orders(Recorded([end, bought(FIRST, 3)]), [FIRST])) == "node-incomplete"
    held = questions.read_orders(Recorded([bought(FIRST), end]), [FIRST]).order(FIRST).sold
    assert held.end == (2 if end.name == "FaultyRefunded" else 1)
    assert held.cancelled_at == (7 if end.name == "Cancelled" else 0)


@pytest.mark.parametrize(
    "told",
    [
        [released(0, 1)],
        [released(0, 1), event("Skipped", 2, listing=1, round=0, lastTurn=9)],
        [released(0, 1), released(0, 2)],
        [released(0, 1), released(1, 2), released(1, 3)],
    ],
    ids=["left out", "released and skipped", "released twice", "told twice beside all others"],
)
def test_rounds_that_are_left_out_or_told_twice_are_noticed(told: list[Event]) -> None:
    source = Recorded(told)
    facts = questions.read_listing(source, listing(next_round=2), ROUNDS)
    assert refused(lambda: questions.require_rounds(source, facts, listing(next_round=2))) == "node-incomplete"
    questions.require_rounds(source, questions.read_listing(source, listing(), ()), listing())


def test_a_round_has_one_release() -> None:
    source = Recorded([released(0, 1), released(1, 2), released(1, 3), released(0, 4, listing=2)])
    found = questions.read_release(source, 1, 0)
    assert found is not None
    assert (found.block, found.released_at) == (1, 101)
    assert questions.read_release(source, 1, 2) is None
    assert refused(lambda: questions.read_release(source, 1, 1)) == "node-incomplete"


def test_envelopes_that_were_posted_before_an_order_was_bought_hold_no_key_of_it() -> None:
    posted = [event("Delivered", block, listing=1, round=0, digest=bytes(32), count=1) for block in (1, 2, 3)]
    source = Recorded([posted[0], bought(FIRST, 2), *posted[1:]])
    order = questions.read_orders(source, [FIRST]).order(FIRST).sold

    def told(round: int, last: int | None = None) -> list[int]:
        facts = questions.read_rounds(source, [(order, round)], last=last)
        return [one.block for one in questions.envelopes_in(facts, order, round)]

    assert told(0) == [2, 3]
    assert told(0, last=2) == [2]
    assert told(1) == []
