"""The one reducer of events: what each of them changes in what is known (`protocol.facts`).

Pure: no node, no clock. Events come in the chain's order, in as many calls as is convenient.
"""

from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, TypeVar, overload

from numerbay_chain.protocol.events import Event, challenge_after, order_of, release_of
from numerbay_chain.protocol.facts import Facts, Offering, OrderFacts, RoundFacts
from numerbay_chain.protocol.types import CopyDelivery, Delivery, Ground, Settlement

State = TypeVar("State", bound=Facts)


@overload
def replay(events: Iterable[Event]) -> Facts: ...
@overload
def replay(events: Iterable[Event], state: State) -> State: ...
def replay(events: Iterable[Event], state: Facts | None = None) -> Facts:
    """Return `state` (empty facts by default) after the events.

    Give a `Ledger` for a whole history: it keeps the sums too, and notes what does not add up. Never raises for what a
    contract may have written.
    """
    known = Facts() if state is None else state
    for event in events:
        change = _CHANGES.get(event.name)
        if known.admit(event) and change is not None:
            change(known, event)
    return known


def _of_order(facts: Facts, event: Event) -> RoundFacts:
    return facts.order(event["order"]).rounds.setdefault(event["round"], RoundFacts())


# ----------------------------------------------------------------------------------------------------------- listings


def _listing_created(facts: Facts, event: Event) -> None:
    facts.listing(event["listing"]).offering = Offering(
        event["seller"], event["operator"], event["payout"], event["terms"], event["offer"], 0, event.block
    )


def _offering_changed(facts: Facts, event: Event) -> None:
    """An offer with its version, an operator or a payout address: arguments have the names of what they change."""
    if offering := facts.listing(event["listing"]).offering:
        for name, value in event.arguments.items():
            if name != "listing":
                setattr(offering, name, value)


def _released(facts: Facts, event: Event) -> None:
    listing, round = facts.listing(event["listing"]), event["round"]
    if listing.is_over(round):
        listing.doubled.add(round)
    listing.releases[round] = release_of(event)


def _skipped(facts: Facts, event: Event) -> None:
    listing, round = facts.listing(event["listing"]), event["round"]
    if listing.is_over(round):
        listing.doubled.add(round)
    if not listing.is_missed(round):
        insort(listing.missed, round)


def _round_faulty(facts: Facts, event: Event) -> None:
    facts.listing(event["listing"]).faulty[event["round"]] = event["faultyAt"]


def _delivered(facts: Facts, event: Event) -> None:
    posted = Delivery(event["listing"], event["round"], event["digest"], event["count"], event.block, event.transaction)
    facts.listing(posted.listing).postings.setdefault(posted.round, []).append(posted)


def _withdrawn(facts: Facts, event: Event) -> None:
    facts.listing(event["listing"]).withdrawn.add((event["round"], event["bucket"]))


# ------------------------------------------------------------------------------------------------------------- orders


def _bought(facts: Facts, event: Event) -> None:
    made = facts.order(event["order"])
    made.order = order_of(event)
    made.block, made.transaction = event.block, event.transaction


def _end(known: OrderFacts, end: int, cancelled_at: int | None = None) -> None:
    """The order ends before round `end`."""
    order = known.order
    if order is None:
        known.cut = True
        return
    at = order.cancelled_at if cancelled_at is None else cancelled_at
    known.order = replace(order, rounds=end - order.first, cancelled_at=at)


def _declined(facts: Facts, event: Event) -> None:
    _end(facts.order(event["order"]), event["round"])


def _ended_early(facts: Facts, event: Event) -> None:
    _end(facts.order(event["order"]), event["end"])


def _cancelled(facts: Facts, event: Event) -> None:
    _end(facts.order(event["order"]), event["end"], event["cancelledAt"])


def _paid_back(facts: Facts, event: Event) -> None:
    _of_order(facts, event).settlement = Settlement.PAID_BACK


def _missed_refunded(facts: Facts, event: Event) -> None:
    _paid_back(facts, event)
    _of_order(facts, event).missed = True


def _copy_delivered(facts: Facts, event: Event) -> None:
    place = event["order"], event["round"]
    _of_order(facts, event).copy = CopyDelivery(*place, event["contentHash"], event.block, event.transaction)


# ----------------------------------------------------------------------------------------------------------- disputes


def _challenged(facts: Facts, event: Event) -> None:
    known = _of_order(facts, event)
    known.challenge, known.ended = challenge_after(None, event), None
    known.opened = known.opened or event
    known.settlement = Settlement.CHALLENGED


def _responded(facts: Facts, event: Event) -> None:
    known = _of_order(facts, event)
    known.challenge = challenge_after(known.open_challenge, event) or known.challenge
    known.answered = known.answered or event


def _challenge_ended(facts: Facts, event: Event) -> None:
    known = _of_order(facts, event)
    known.ended = event
    to_seller = event["ground"] == Ground.NOTHING_PROVEN
    known.settlement = Settlement.PAID_TO_SELLER if to_seller else Settlement.PAID_BACK


def _copy_faulty(facts: Facts, event: Event) -> None:
    known = _of_order(facts, event)
    known.faulty_at = known.faulty_at or event["faultyAt"]


def _faulty_refunded(facts: Facts, event: Event) -> None:
    """An order's last round is paid back by ending the order before it, which settles nothing."""
    known = _of_order(facts, event)
    known.repaid = event
    if event["end"] > event["round"]:
        known.settlement = Settlement.PAID_BACK
    else:
        _end(facts.order(event["order"]), event["end"])


# ------------------------------------------------------------------------------------------------- keys and vouchers


def _key_registered(facts: Facts, event: Event) -> None:
    facts.keys[event["owner"], event["epoch"]] = event["publicKey"]


def _voucher_used(facts: Facts, event: Event) -> None:
    digest = event["digest"]
    facts.order(event["order"]).voucher = digest
    facts.voucher_uses[digest] = facts.voucher_uses.get(digest, 0) + 1


def _voucher_revoked(facts: Facts, event: Event) -> None:
    facts.revoked.add(event["digest"])


_CHANGES: Final[dict[str, Callable[[Facts, Event], None]]] = {
    "ListingCreated": _listing_created,
    "OfferChanged": _offering_changed,
    "OperatorChanged": _offering_changed,
    "PayoutChanged": _offering_changed,
    "KeyRegistered": _key_registered,
    "Bought": _bought,
    "VoucherUsed": _voucher_used,
    "VoucherRevoked": _voucher_revoked,
    "Released": _released,
    "Skipped": _skipped,
    "Delivered": _delivered,
    "CopyDelivered": _copy_delivered,
    "Declined": _declined,
    "Cancelled": _cancelled,
    "Reclaimed": _ended_early,
    "Refunded": _ended_early,
    "RoundRefunded": _paid_back,
    "MissedRefunded": _missed_refunded,
    "Challenged": _challenged,
    "Responded": _responded,
    "ChallengeEnded": _challenge_ended,
    "RoundFaulty": _round_faulty,
    "CopyFaulty": _copy_faulty,
    "FaultyRefunded": _faulty_refunded,
    "Withdrawn": _withdrawn,
}
