"""Disputes to look at: one, a buyer's, a seller's."""

from collections.abc import Iterator
from typing import Final

from numerbay_chain.core.paging import Page
from numerbay_chain.disputes.advice import describe, refusal_to_open
from numerbay_chain.disputes.docket import buyers_cases, sellers_cases
from numerbay_chain.disputes.results import Dispute
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.rounds import read_many, read_round
from numerbay_chain.protocol.rules import Step
from numerbay_chain.session import Session

_AT_ONCE: Final = 16
"""Rounds that are looked at together: the money for most of them has matured."""


def show_dispute(session: Session, order: int, round: int | None = None, *, step: Step | None = None) -> Dispute:
    """Return how a dispute stands, anybody's: whose turn it is, until when, what can be done. `round` None: the newest
    one that waits for `step`, else whose dispute is open, else that has no key and can be challenged (without `step`),
    else that had one, else that was released."""
    case = read_round(session, order, round, "disputed", step)
    if round is not None and case.state == "none" and not case.order.covers(round):
        raise case.not_covered()
    view = describe(session, case)
    if round is None and step is None and view.ended:
        keyless = newest_keyless(session, read_round(session, order, None))
        return describe(session, keyless) if keyless else view
    return view


def list_disputes(session: Session, *, ended: bool = False) -> Page[Dispute]:
    """Return the account's disputes and what faulty rounds owe it, the most urgent first; with `ended`, past ones too.
    Of faulty rounds 100, those that most was paid for; `.more` counts the others."""
    cases = buyers_cases(session, ended=ended)
    return Page((describe(session, case) for case in cases), cases.more)


def list_sold(session: Session, *listings: int, ended: bool = False) -> list[Dispute]:
    """Return open disputes about the listings that the account looks after (`looks_after`), what must be answered
    soonest first. With `ended`, past ones too. These are what the node's logs tell of: `require_all_challenges` says
    whether there are more."""
    return [describe(session, case) for case in sellers_cases(session, listings, ended=ended)]


def newest_keyless(session: Session, newest: OrderRound) -> OrderRound | None:
    """The newest round of its order that can be challenged now and for which no keys were posted."""
    for case in _unmatured(session, newest):
        if refusal_to_open(case) is None and not case.keys_posted:
            return case
    return None


def _unmatured(session: Session, newest: OrderRound) -> Iterator[OrderRound]:
    """The order's rounds whose money a challenge could still bring back, the newest first."""
    if not newest.terms.adjudicated:
        return
    for case in _backwards(session, newest):
        if case.release and case.now >= case.matures_at:
            return  # and so did the money for all rounds before it
        yield case


def _backwards(session: Session, newest: OrderRound) -> Iterator[OrderRound]:
    yield newest
    order, earlier = newest.order.id, range(newest.order.first, newest.round)[::-1]
    for start in range(0, len(earlier), _AT_ONCE):
        yield from read_many(session, [(order, round) for round in earlier[start : start + _AT_ONCE]])
