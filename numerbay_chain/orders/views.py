"""Orders as they stand, put together from the contract and its logs for people to look at.

What is read and shown grows with what happened, never with the rounds that an order was sold for: strangers can give
away free orders of 65,535 rounds.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.logs import MOST_TOPICS
from numerbay_chain.core.paging import MOST, Page
from numerbay_chain.orders.history import ListingLog, bought_in, read_logs
from numerbay_chain.orders.results import OrderView, RoundView
from numerbay_chain.protocol.events import Event, challenge_after
from numerbay_chain.protocol.rules import (
    bucket_of,
    challengeable_from,
    declinable_until,
    dispute_deadline,
    dispute_state,
    is_in,
)
from numerbay_chain.protocol.types import Challenge, Ground, Order, Release, Settlement
from numerbay_chain.session import Market


def view_orders(market: Market, orders: Sequence[Order], limit: int | None = None) -> Page[OrderView]:
    """Return the orders with their rounds, in the order given. With `limit`, that many of them at most: those that
    were paid for before those that were free, the newest of each; and the newest rounds of each."""
    blocks = bought_in(market.contract, [order.id for order in orders])
    chosen = orders
    if limit is not None and len(orders) > limit:
        ranked = sorted(orders, key=lambda one: (one.price > 0, blocks.get(one.id, 0), one.id), reverse=True)
        kept = {order.id for order in ranked[:limit]}
        chosen = [order for order in orders if order.id in kept]
    logs = read_logs(market, (order.listing for order in chosen))
    fates = _fates(market.contract, [order.id for order in chosen])
    rounds = None if limit is None else MOST
    return Page(
        (_view(logs[one.listing], one, fates.get(one.id, {}), blocks.get(one.id, 0), rounds) for one in chosen),
        len(orders) - len(chosen),
    )


@dataclass(slots=True)
class _Fate:
    """What happened to one round of one order alone, by the logs."""

    settlement: Settlement = Settlement.NONE
    copy: bytes | None = None
    challenge: Challenge | None = None
    ground: Ground | None = None
    faulty_at: int | None = None
    missed: bool = False  # and paid back

    def is_shown(self, covered: bool) -> bool:
        """Whether a round is shown however old it is: it waits for something, or a fault of it was paid back."""
        return self.settlement is Settlement.CHALLENGED or (self.ground is not None and not covered)

    def meet(self, event: Event) -> None:
        if event.name in ("Challenged", "Responded"):
            self.challenge = challenge_after(self.challenge, event)
        match event.name:
            case "CopyDelivered":
                self.copy = event["contentHash"]
            case "Challenged":
                self.settlement = Settlement.CHALLENGED
            case "Responded":
                pass
            case "CopyFaulty":
                self.faulty_at = self.faulty_at or event["faultyAt"]
            case "ChallengeEnded":
                self.ground = event["ground"]
                lost = self.ground is Ground.NOTHING_PROVEN
                self.settlement = Settlement.PAID_TO_SELLER if lost else Settlement.PAID_BACK
            case "FaultyRefunded":
                self.settlement, self.ground = Settlement.PAID_BACK, Ground.WRONG_CONTENT
            case _:
                self.settlement, self.missed = Settlement.PAID_BACK, event.name == "MissedRefunded"


_FATEFUL: Final = (
    "CopyDelivered", "Challenged", "Responded", "CopyFaulty", "ChallengeEnded", "FaultyRefunded", "RoundRefunded",
    "MissedRefunded",
)  # fmt: skip
_Fates = dict[int, _Fate]
"""By round."""


def _fates(contract: MarketplaceContract, ids: Sequence[int]) -> dict[int, _Fates]:
    """By order."""
    fates: dict[int, _Fates] = {}
    for start in range(0, len(ids), MOST_TOPICS):
        for event in contract.events(_FATEFUL, order=list(ids[start : start + MOST_TOPICS])):
            fates.setdefault(event["order"], {}).setdefault(event["round"], _Fate()).meet(event)
    return fates


def _view(log: ListingLog, order: Order, fates: _Fates, bought: int, most: int | None) -> OrderView:
    """`most`: how many of the rounds that are over are shown, the newest; and those that wait for a step."""
    next_round = log.listing.next_round
    over = range(order.first, min(order.end, next_round))
    newest = over if most is None else over[max(len(over) - most, 0) :]
    # a faulty round that was the order's last one is no longer covered once it was paid back
    open_ = {round for round, fate in fates.items() if round not in newest and fate.is_shown(round in over)}
    open_ |= {round for round in log.faulty if round in over and round not in newest and round not in fates}
    late = log.listing.overdue(log.now)
    overdue = range(max(order.first, late.start), min(order.end, late.stop))
    shown = [*sorted({*newest, *open_}), *([next_round] if next_round < order.end else [])]
    rounds = tuple(_view_round(log, order, round, fates.get(round, _Fate()), bought) for round in shown)
    ended = order.end <= next_round
    status = "ended" if ended else "cancelled" if order.cancelled_at else "active"
    reclaimable = None if ended or not order.cancelled_at else order.cancelled_at + log.listing.terms.notice_period
    return OrderView(
        order=order,
        token=log.token,
        rounds=rounds,
        status=status,
        reclaimable_from=reclaimable,
        earlier=len(over) - sum(round in over for round in shown),
        to_come=range(next_round, max(order.end, next_round)),
        overdue=overdue,
        unpaid=len(overdue) + _missed_unpaid(log, over, fates),
    )


def _missed_unpaid(log: ListingLog, over: range, fates: _Fates) -> int:
    missed = bisect_left(log.missed, over.stop) - bisect_left(log.missed, over.start)
    return missed - sum(fate.settlement is Settlement.PAID_BACK and fate.missed for fate in fates.values())


def _view_round(log: ListingLog, order: Order, round: int, fate: _Fate, bought: int) -> RoundView:
    release, terms, opened = log.releases.get(round), log.listing.terms, fate.challenge
    matures_at = None if release is None else terms.maturity_of(bucket_of(order, release))
    untouched = fate.settlement is Settlement.NONE
    faulty_at = log.faulty.get(round) or fate.faulty_at
    ended = fate.ground is not None
    state = dispute_state(terms, log.now, fate.settlement, opened, ended, faulty_at or 0, matures_at or 0)
    has_copy = not terms.copies or fate.copy is not None
    return RoundView(
        round=round,
        due=terms.due(round),
        released_at=release.released_at if release else None,
        missed=is_in(log.missed, round),
        settlement=fate.settlement,
        declinable_until=declinable_until(log.listing, order, release, log.now) if untouched else None,
        matures_at=matures_at,
        content_hash=fate.copy if terms.copies else release.content_hash if release else None,
        envelopes=_posted_since(log.postings.get(round, []), bought) if has_copy else 0,
        challenged_at=opened.challenged_at if opened else None,
        answered_at=opened.responded_at if opened and opened.responded else None,
        ground=fate.ground,
        faulty_at=faulty_at,
        refundable=state == "refundable",
        dispute=state,
        dispute_until=dispute_deadline(terms, state, opened),
        challengeable_until=_challengeable_until(log, release, matures_at) if state == "none" and untouched else None,
        overdue=round in log.listing.overdue(log.now),
        too_late=terms.adjudicated and untouched and state == "none" and 0 < (matures_at or 0) <= log.now,
    )


def _posted_since(blocks: list[int], bought: int) -> int:
    return len(blocks) - bisect_left(blocks, bought)


def _challengeable_until(log: ListingLog, release: Release | None, matures_at: int | None) -> int | None:
    """The last second in which a round that nothing was settled about can be challenged; None where it can't be now."""
    terms, now = log.listing.terms, log.now
    if release is None or matures_at is None or not terms.adjudicated or now >= matures_at:
        return None
    faulty = release.round in log.faulty and not terms.copies
    return None if faulty or now < challengeable_from(log.listing, release) else matures_at - 1
