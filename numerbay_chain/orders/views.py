"""Orders as they stand, put together from the contract and its logs for people to look at.

What is read and shown grows with what happened, never with the rounds that an order was sold for: strangers can give
away free orders of 65,535 rounds.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.paging import MOST, Page
from numerbay_chain.index.questions import (
    SALES,
    read_about,
    read_orders,
    read_purchases,
    require_orders,
    require_rounds,
)
from numerbay_chain.orders.results import OrderView, RoundView
from numerbay_chain.protocol.facts import Facts, ListingFacts, OrderFacts, RoundFacts
from numerbay_chain.protocol.rules import (
    bucket_of,
    challengeable_from,
    declinable_until,
    dispute_deadline,
    dispute_state,
)
from numerbay_chain.protocol.types import Listing, Order, Release, Settlement, Token
from numerbay_chain.session import Session

_SHOWN: Final = (
    "Released", "Skipped", "RoundFaulty", "Delivered", "CopyDelivered", "Challenged", "Responded", "CopyFaulty",
    "ChallengeEnded", "RoundRefunded", "MissedRefunded",
)  # fmt: skip


def view_bought(session: Session, limit: int | None = MOST) -> Page[OrderView]:
    """Return the account's orders as they stand, by id: `limit` of them, those that were paid for before those that
    were free, the newest of each, with their newest rounds; `.more` counts the others. None: all orders, with all
    rounds that are over."""
    buyer, look = session.account, session.contract.look()
    return _page(session, look, read_purchases(session.index, buyer, last=look.block), limit)


def view_sold(session: Session, listing_id: int, limit: int | None = MOST) -> Page[OrderView]:
    """Return the orders of a listing as they stand: as `Buyer.orders`. Raises `RevertedError` where there is no such
    listing."""
    look = session.contract.look()
    ids = look.listing(listing_id).order_ids()
    return _page(session, look, read_orders(session.index, ids, last=look.block), limit)


def view_order(session: Session, order: int) -> OrderView:
    """Return one order, anybody's, with all rounds that are over. Raises `RevertedError` where there is no such
    order."""
    look = session.contract.look()
    look.load(("order", order), ("listing", order >> 32))
    (view,) = _views(look, _read(session, look, [order], {order: look.order(order)}), None)
    return view


def _page(session: Session, look: Snapshot, sold: Facts, limit: int | None) -> Page[OrderView]:
    ranked = sorted(sold.orders.values(), key=lambda one: (one.sold.price > 0, one.block, one.id), reverse=True)
    ids = sorted(one.id for one in ranked[:limit])
    shown = _read(session, look, ids, {})
    return Page(_views(look, shown, None if limit is None else MOST), len(ranked) - len(ids))


def _read(session: Session, look: Snapshot, ids: Sequence[int], known: Mapping[int, Order]) -> list["_Shown"]:
    """`known`: orders as the contract has them."""
    listings = {listing.id: listing for listing in look.listings(sorted({order >> 32 for order in ids}))}
    facts = read_about(session.index, [*listings, *ids], SALES + _SHOWN, last=look.block)
    require_orders(session.index, facts, ids)
    for listing in listings.values():
        require_rounds(session.index, facts, listing)
    return [
        _Shown(
            listings[id >> 32],
            facts.listing(id >> 32),
            known.get(id) or facts.order(id).sold,
            facts.order(id),
            look.time,
        )
        for id in ids
    ]


def _views(look: Snapshot, shown: Sequence["_Shown"], most: int | None) -> Iterator[OrderView]:
    tokens = look.tokens(of.listing.terms.token for of in shown)
    return (_view(of, token, most) for of, token in zip(shown, tokens, strict=True))


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is shown of an order: its listing with that one's `past`, and the order with its `facts`."""

    listing: Listing
    past: ListingFacts
    order: Order
    facts: OrderFacts
    now: int


def _view(of: _Shown, token: Token, most: int | None) -> OrderView:
    """`most`: how many of the rounds that are over are shown, the newest; and those that wait for a step."""
    order, listing, next_round = of.order, of.listing, of.listing.next_round
    over = range(order.first, min(order.end, next_round))
    newest = over if most is None else over[max(len(over) - most, 0) :]
    # a faulty round that was the order's last one is no longer covered once it was paid back
    waiting = {round for round, known in of.facts.rounds.items() if _waits(known, round in over)}
    waiting |= {round for round in of.past.faulty if round in over and round not in of.facts.rounds}
    late = listing.overdue(of.now)
    overdue = range(max(order.first, late.start), min(order.end, late.stop))
    shown = [*sorted({*newest, *waiting}), *([next_round] if next_round < order.end else [])]
    ended = order.end <= next_round
    status = "ended" if ended else "cancelled" if order.cancelled_at else "active"
    reclaimable = None if ended or not order.cancelled_at else order.cancelled_at + listing.terms.notice_period
    return OrderView(
        order=order,
        token=token,
        rounds=tuple(_view_round(of, round) for round in shown),
        status=status,
        reclaimable_from=reclaimable,
        earlier=len(over) - sum(round in over for round in shown),
        to_come=range(next_round, max(order.end, next_round)),
        overdue=overdue,
        unpaid=len(overdue) + _missed_unpaid(of, over),
    )


def _waits(known: RoundFacts, covered: bool) -> bool:
    """Whether a round is shown however old it is: it waits for something, or a fault of it was paid back."""
    return known.settlement is Settlement.CHALLENGED or (known.ground is not None and not covered)


def _missed_unpaid(of: _Shown, over: range) -> int:
    missed = bisect_left(of.past.missed, over.stop) - bisect_left(of.past.missed, over.start)
    return missed - sum(known.missed for known in of.facts.rounds.values())


def _view_round(of: _Shown, round: int) -> RoundView:
    order, terms, known = of.order, of.listing.terms, of.facts.at(round)
    release, opened = of.past.releases.get(round), known.challenge
    matures_at = None if release is None else terms.maturity_of(bucket_of(order, release))
    settlement = Settlement.PAID_BACK if known.repaid else known.settlement
    untouched = settlement is Settlement.NONE
    faulty_at = of.past.faulty.get(round) or known.faulty_at or None
    ended = known.ground is not None
    state = dispute_state(terms, of.now, settlement, opened, ended, faulty_at or 0, matures_at or 0)
    copy = known.copy.content_hash if known.copy else None
    return RoundView(
        round=round,
        due=terms.due(round),
        released_at=release.released_at if release else None,
        missed=of.past.is_missed(round),
        settlement=settlement,
        declinable_until=declinable_until(of.listing, order, release, of.now) if untouched else None,
        matures_at=matures_at,
        content_hash=copy if terms.copies else release.content_hash if release else None,
        envelopes=_posted_since_bought(of, round) if copy or not terms.copies else 0,
        challenged_at=opened.challenged_at if opened else None,
        answered_at=opened.responded_at if opened and opened.responded else None,
        ground=known.ground,
        faulty_at=faulty_at,
        refundable=state == "refundable",
        dispute=state,
        dispute_until=dispute_deadline(terms, state, opened),
        challengeable_until=_challengeable_until(of, release, matures_at) if state == "none" and untouched else None,
        overdue=round in of.listing.overdue(of.now),
        too_late=terms.adjudicated and untouched and state == "none" and 0 < (matures_at or 0) <= of.now,
    )


def _posted_since_bought(of: _Shown, round: int) -> int:
    return sum(posted.block >= of.facts.block for posted in of.past.postings.get(round, ()))


def _challengeable_until(of: _Shown, release: Release | None, matures_at: int | None) -> int | None:
    """The last second in which a round that nothing was settled about can be challenged; None where it can't be now."""
    terms, now = of.listing.terms, of.now
    if release is None or matures_at is None or not terms.adjudicated or now >= matures_at:
        return None
    faulty = release.round in of.past.faulty and not terms.copies
    return None if faulty or now < challengeable_from(of.listing, release) else matures_at - 1
