"""Times, buckets and bounds of a listing's terms. docs/protocol.md §2 "Listing terms" and "Money, in O(1)"."""

from typing import Any

from tests.support.model.rules import Rules

Terms = dict[str, Any]

DAY = 86_400
TERMS = [
    "token",
    "supply",
    "maxRounds",
    "instant",
    "copies",
    "firstDue",
    "period",
    "minInterval",
    "declineWindow",
    "noticePeriod",
    "disputeWindow",
    "responseWindow",
    "challengeBond",
]


def bucket_length(terms: Terms) -> int:
    return max(terms["disputeWindow"] // 4, 60)


def bucket_at(terms: Terms, time: int) -> int:
    return (time + terms["declineWindow"] + terms["disputeWindow"]) // bucket_length(terms) + 1


def maturity(terms: Terms, bucket: int) -> int:
    return bucket * bucket_length(terms)


def due(terms: Terms, round_: int) -> int | None:
    """The last second at which the round can be released; None without a schedule."""
    return terms["firstDue"] + round_ * terms["period"] if terms["period"] else None


def check_bounds(rules: Rules, terms: Terms, now: int) -> None:
    """Every term within its bounds; what a listing does not use is 0."""

    def bound(term: str, least: int, most: int) -> None:
        rules(least <= terms[term] <= most, "TermOutOfBounds", term, terms[term], least, most)

    adjudicated = terms["disputeWindow"] > 0
    bound("maxRounds", 1, 2**16 - 1)
    bound("declineWindow", 0, 7 * DAY)
    bound("minInterval", max(60, terms["declineWindow"]), 365 * DAY)
    bound("noticePeriod", 60, 90 * DAY)
    if adjudicated:
        bound("disputeWindow", max(120, 2 * terms["declineWindow"]), 90 * DAY)
        bound("responseWindow", max(60, terms["declineWindow"]), terms["disputeWindow"] // 2)
    else:
        bound("responseWindow", 0, 0)
        bound("challengeBond", 0, 0)
    if terms["period"] or terms["firstDue"]:
        bound("period", terms["minInterval"], 2**32 - 1)
        bound("firstDue", now + 1, 2**40 - 1)
    copies_ok = not (terms["copies"] and adjudicated) or (terms["declineWindow"] >= 2 and not terms["instant"])
    rules(copies_ok, "CopiesNeedDeclineWindow", terms["declineWindow"], 2)
