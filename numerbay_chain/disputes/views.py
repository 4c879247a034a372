"""Disputes to look at: one, a buyer's, a seller's."""

from collections.abc import Collection, Iterator

from numerbay_chain.core.paging import Page
from numerbay_chain.disputes.advice import describe, keys_posted, refusal_to_open
from numerbay_chain.disputes.docket import buyers_cases, sellers_cases
from numerbay_chain.disputes.results import Dispute
from numerbay_chain.orders.order_round import Case, read_case
from numerbay_chain.protocol.rules import Step
from numerbay_chain.session import Market


def show_dispute(market: Market, order: int, round: int | None, step: Step | None) -> Dispute:
    """See `Buyer.show_dispute`."""
    case = read_case(market, order, round, "disputed", step)
    if round is not None and case.state == "none" and not case.order.covers(round):
        raise case.not_covered()
    view = describe(case)
    if round is None and step is None and view.ended:
        keyless = newest_keyless(read_case(market, order, None))
        return describe(keyless) if keyless else view
    return view


def list_disputes(market: Market, *, ended: bool) -> Page[Dispute]:
    """See `Buyer.disputes`."""
    cases = buyers_cases(market, ended=ended)
    return Page((describe(case) for case in cases), cases.more)


def list_sold(market: Market, listings: Collection[int], *, ended: bool) -> list[Dispute]:
    """See `Seller.disputes`."""
    return [describe(case) for case in sellers_cases(market, listings, ended=ended)]


def newest_keyless(newest: Case) -> Case | None:
    """The newest round of its order that can be challenged now and for which no keys were posted."""
    for case in _unmatured(newest):
        if refusal_to_open(case) is None and not keys_posted(case):
            return case
    return None


def _unmatured(newest: Case) -> Iterator[Case]:
    """The order's rounds whose money a challenge could still bring back, the newest first."""
    if not newest.terms.adjudicated:
        return
    for round in range(newest.round, newest.order.first - 1, -1):
        case = newest if round == newest.round else read_case(newest.market, newest.order.id, round)
        if case.release and case.now >= case.matures_at:
            return  # and so did the money for all rounds before it
        yield case
