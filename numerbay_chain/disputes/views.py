"""Disputes to look at: one, a buyer's, a seller's."""

from collections.abc import Iterator

from numerbay_chain.core.paging import Page
from numerbay_chain.disputes.advice import describe, keys_posted, refusal_to_open
from numerbay_chain.disputes.docket import buyers_cases, sellers_cases
from numerbay_chain.disputes.results import Dispute
from numerbay_chain.orders.order_round import Case, read_case
from numerbay_chain.protocol.rules import Step
from numerbay_chain.session import Market


def show_dispute(market: Market, order: int, round: int | None = None, *, step: Step | None = None) -> Dispute:
    """Return how a dispute stands, anybody's: whose turn it is, until when, what can be done. `round` None: the newest
    one that waits for `step`, else whose dispute is open, else that has no key and can be challenged (without `step`),
    else that had one, else that was released."""
    case = read_case(market, order, round, "disputed", step)
    if round is not None and case.state == "none" and not case.order.covers(round):
        raise case.not_covered()
    view = describe(case)
    if round is None and step is None and view.ended:
        keyless = newest_keyless(read_case(market, order, None))
        return describe(keyless) if keyless else view
    return view


def list_disputes(market: Market, *, ended: bool = False) -> Page[Dispute]:
    """Return the account's disputes and what faulty rounds owe it, the most urgent first; with `ended`, past ones too.
    Of faulty rounds 100, those that most was paid for; `.more` counts the others."""
    cases = buyers_cases(market, ended=ended)
    return Page((describe(case) for case in cases), cases.more)


def list_sold(market: Market, *listings: int, ended: bool = False) -> list[Dispute]:
    """Return open disputes about the listings that the account looks after (`looks_after`), what must be answered
    soonest first. With `ended`, past ones too. These are what the node's logs tell of: `require_all_challenges` says
    whether there are more."""
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
