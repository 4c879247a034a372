"""Listings and orders as they stand, put together from the contract and its logs for people to look at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from numerbay_chain.chain.contract import MarketplaceContract, challenge_after
from numerbay_chain.chain.events import MOST_TOPICS
from numerbay_chain.chain.types import (
    Challenge,
    Delivery,
    Event,
    Ground,
    Listing,
    Order,
    Release,
    Settlement,
    Terms,
    Token,
)
from numerbay_chain.description import read_description
from numerbay_chain.market import Market
from numerbay_chain.results import ListingView, OrderView, RoundView
from numerbay_chain.terms import explain
from numerbay_chain.verdicts import DisputeState


def view_listing(market: Market, listing_id: int) -> ListingView:
    """Raises `RevertedError` for a listing that does not exist."""
    listing = market.contract.listing(listing_id)
    token = market.token(listing.terms.token)
    description, trouble = read_description(market.store_or_none, listing.offer.details)
    words = explain(listing.terms, listing.offer.price, token, market.gas_price())
    return ListingView(listing, token, description, trouble, tuple(words))


def view_listings(market: Market, seller: str | None = None) -> list[ListingView]:
    """All listings, or one seller's, by id."""
    if seller is None:
        ids: Iterable[int] = range(1, market.contract.listing_count() + 1)
    else:
        ids = [event["listing"] for event in market.contract.events(["ListingCreated"], seller=seller)]
    return [view_listing(market, listing_id) for listing_id in ids]


@dataclass(frozen=True, slots=True)
class ListingLog:
    """What the logs tell about a listing's rounds."""

    listing: Listing
    token: Token
    releases: dict[int, Release]
    missed: frozenset[int]
    faulty: dict[int, int]  # round → when it was proven faulty
    postings: dict[int, list[int]]  # round → the blocks in which envelopes were posted
    now: int

    @classmethod
    def read(cls, market: Market, listing_id: int) -> "ListingLog":
        contract = market.contract
        postings: dict[int, list[int]] = {}
        for event in contract.events(["Delivered"], listing=listing_id):
            postings.setdefault(event["round"], []).append(event.block)
        listing = contract.listing(listing_id)
        return cls(
            listing,
            market.token(listing.terms.token),
            {release.round: release for release in contract.releases(listing_id)},
            frozenset(event["round"] for event in contract.events(["Skipped"], listing=listing_id)),
            {event["round"]: event["faultyAt"] for event in contract.events(["RoundFaulty"], listing=listing_id)},
            postings,
            market.connection.now(),
        )


def view_orders(market: Market, orders: Sequence[Order]) -> list[OrderView]:
    """The orders with their rounds, in the order given."""
    logs = {listing: ListingLog.read(market, listing) for listing in {order.listing for order in orders}}
    ids = [order.id for order in orders]
    fates, bought = _fates(market.contract, ids), bought_in(market.contract, ids)
    return [_view(logs[order.listing], order, fates, bought.get(order.id, 0)) for order in orders]


@dataclass(slots=True)
class _Fate:
    """What happened to one round of one order alone, by the logs."""

    settlement: Settlement = Settlement.NONE
    copy: bytes | None = None
    challenge: Challenge | None = None
    ground: Ground | None = None
    faulty_at: int | None = None

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
                self.settlement = Settlement.PAID_BACK


_FATEFUL: Final = (
    "CopyDelivered", "Challenged", "Responded", "CopyFaulty", "ChallengeEnded", "FaultyRefunded", "RoundRefunded",
    "MissedRefunded",
)  # fmt: skip
_Fates = dict[tuple[int, int], _Fate]


def _fates(contract: MarketplaceContract, ids: Sequence[int]) -> _Fates:
    fates: _Fates = {}
    for start in range(0, len(ids), MOST_TOPICS):
        for event in contract.events(_FATEFUL, order=list(ids[start : start + MOST_TOPICS])):
            fates.setdefault((event["order"], event["round"]), _Fate()).meet(event)
    return fates


def bought_in(contract: MarketplaceContract, ids: Sequence[int]) -> dict[int, int]:
    """The block of each order's purchase: what was posted before it can't hold the order's key."""
    blocks: dict[int, int] = {}
    for start in range(0, len(ids), MOST_TOPICS):
        for event in contract.events(["Bought"], order=list(ids[start : start + MOST_TOPICS])):
            blocks[event["order"]] = event.block
    return blocks


def deliveries_to(contract: MarketplaceContract, order: Order, round: int) -> list[Delivery]:
    """The envelopes of a round in which the order's key may be: all that were posted since it was bought."""
    bought = bought_in(contract, [order.id]).get(order.id, 0)
    return [one for one in contract.deliveries(order.listing, round) if one.block >= bought]


def _view(log: ListingLog, order: Order, fates: _Fates, bought: int) -> OrderView:
    # a faulty round that was the order's last one is no longer covered once it was paid back
    mine = [(round, fate) for (id, round), fate in fates.items() if id == order.id]
    refunded = sorted(round for round, fate in mine if fate.ground is not None and round >= order.end)
    rounds = tuple(
        _view_round(log, order, round, fates.get((order.id, round), _Fate()), bought)
        for round in (*range(order.first, order.end), *refunded)
    )
    ended = order.end <= log.listing.next_round
    status = "ended" if ended else "cancelled" if order.cancelled_at else "active"
    reclaimable = None if ended or not order.cancelled_at else order.cancelled_at + log.listing.terms.notice_period
    return OrderView(order, log.token, rounds, status, reclaimable)


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
        missed=round in log.missed,
        settlement=fate.settlement,
        declinable_until=declinable_until(log.listing, order, release, log.now) if untouched else None,
        matures_at=matures_at,
        content_hash=fate.copy if terms.copies else release.content_hash if release else None,
        envelopes=sum(block >= bought for block in log.postings.get(round, ())) if has_copy else 0,
        challenged_at=opened.challenged_at if opened else None,
        answered_at=opened.responded_at if opened and opened.responded else None,
        ground=fate.ground,
        faulty_at=faulty_at,
        refundable=state == "refundable",
        dispute=state,
        dispute_until=dispute_deadline(terms, state, opened),
        challengeable_until=_challengeable_until(log, release, matures_at) if state == "none" and untouched else None,
        too_late=terms.adjudicated and untouched and state == "none" and 0 < (matures_at or 0) <= log.now,
    )


def _challengeable_until(log: ListingLog, release: Release | None, matures_at: int | None) -> int | None:
    """The last second in which a round that nothing was settled about can be challenged; None where it can't be now."""
    terms, now = log.listing.terms, log.now
    if release is None or matures_at is None or not terms.adjudicated or now >= matures_at:
        return None
    faulty = release.round in log.faulty and not terms.copies
    return None if faulty or now < challengeable_from(log.listing, release) else matures_at - 1


# ----------------------------------------------------------------------------------------------------------- disputes


def dispute_state(
    terms: Terms,
    now: int,
    settlement: Settlement,
    opened: Challenge | None,
    ended: bool,
    faulty_at: int,
    matures_at: int,
) -> DisputeState:
    """How a round stands for one order. `ended`: by a log; `matures_at`: 0 for a round that is not out."""
    if settlement is Settlement.PAID_TO_SELLER:
        return "paid-to-seller"
    if ended:
        return "paid-to-buyer"
    if settlement is Settlement.PAID_BACK:
        return "paid-back"
    if settlement is Settlement.NONE or opened is None:
        return "refundable" if 0 < faulty_at < matures_at else "none"
    if faulty_at and (not opened.responded or faulty_at <= terms.proof_deadline(opened)):
        return "faulty"
    if not opened.responded:
        return "challenged" if now <= terms.response_deadline(opened.challenged_at) else "unanswered"
    return "answered" if now <= terms.proof_deadline(opened) else "unproven"


def dispute_deadline(terms: Terms, state: DisputeState, opened: Challenge | None) -> int | None:
    """The last second for what comes next; None where there is nothing, or no hurry."""
    if opened is not None and state == "challenged":
        return terms.response_deadline(opened.challenged_at)
    if opened is not None and state == "answered":
        return terms.proof_deadline(opened)
    return None


def challengeable_from(listing: Listing, release: Release) -> int:
    """The first second for a challenge: only the latest round can be within its decline window."""
    latest = release.round == listing.next_round - 1
    return listing.terms.challenge_from(release.released_at) if latest else release.released_at


# -------------------------------------------------------------------------------------------------------------- rounds


def bought_when_out(order: Order, round: int) -> bool:
    """Whether the round was out when the order was bought: such a one can't be declined."""
    return order.bucket != 0 and round == order.first


def bucket_of(order: Order, release: Release) -> int:
    """Where the order's money for a released round lies."""
    return order.bucket if bought_when_out(order, release.round) else release.bucket


def declinable_until(listing: Listing, order: Order, release: Release | None, now: int) -> int | None:
    """The last second in which the order's buyer can decline the round; None where that can't be (any more)."""
    if release is None or release.round != listing.next_round - 1 or not order.covers(release.round):
        return None
    end = release.released_at + listing.terms.decline_window
    return end - 1 if now < end and not bought_when_out(order, release.round) else None


def newest_round(market: Market, order: Order, listing: Listing) -> int:
    """The newest released round that the order covers, else its next one."""
    for round in range(min(order.end, listing.next_round) - 1, order.first - 1, -1):
        if not market.contract.is_missed(listing.id, round):
            return round
    return max(order.first, min(listing.next_round, order.end - 1))
