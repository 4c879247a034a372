"""Listings and orders as they stand, put together from the contract and its logs for people to look at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.events import MOST_TOPICS
from numerbay_chain.chain.types import Listing, Order, Release, Settlement, Token
from numerbay_chain.description import read_description
from numerbay_chain.market import Market
from numerbay_chain.results import ListingView, OrderView, RoundView
from numerbay_chain.terms import explain


def view_listing(market: Market, listing_id: int) -> ListingView:
    """Raises `RevertedError` for a listing that does not exist."""
    listing = market.contract.listing(listing_id)
    token = market.token(listing.terms.token)
    description, trouble = read_description(market.store_or_none, listing.offer.details)
    words = explain(listing.terms, listing.offer.price, token)
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
    postings: dict[int, int]  # round → how often envelopes were posted
    now: int

    @classmethod
    def read(cls, market: Market, listing_id: int) -> "ListingLog":
        contract = market.contract
        postings: dict[int, int] = {}
        for event in contract.events(["Delivered"], listing=listing_id):
            postings[event["round"]] = postings.get(event["round"], 0) + 1
        listing = contract.listing(listing_id)
        return cls(
            listing,
            market.token(listing.terms.token),
            {release.round: release for release in contract.releases(listing_id)},
            frozenset(event["round"] for event in contract.events(["Skipped"], listing=listing_id)),
            postings,
            market.connection.now(),
        )


def view_orders(market: Market, orders: Sequence[Order]) -> list[OrderView]:
    """The orders with their rounds, in the order given."""
    logs = {listing: ListingLog.read(market, listing) for listing in {order.listing for order in orders}}
    paid_back, copies = _settlements(market.contract, [order.id for order in orders])
    return [_view(logs[order.listing], order, paid_back, copies) for order in orders]


def _settlements(
    contract: MarketplaceContract, ids: Sequence[int]
) -> tuple[set[tuple[int, int]], dict[tuple[int, int], bytes]]:
    """The (order, round)s that were paid back one by one, and the copies' content hashes."""
    paid_back: set[tuple[int, int]] = set()
    copies: dict[tuple[int, int], bytes] = {}
    for start in range(0, len(ids), MOST_TOPICS):
        chunk = list(ids[start : start + MOST_TOPICS])
        for event in contract.events(["RoundRefunded", "MissedRefunded", "CopyDelivered"], order=chunk):
            place = (event["order"], event["round"])
            if event.name == "CopyDelivered":
                copies[place] = event["contentHash"]
            else:
                paid_back.add(place)
    return paid_back, copies


def _view(
    log: ListingLog, order: Order, paid_back: set[tuple[int, int]], copies: dict[tuple[int, int], bytes]
) -> OrderView:
    rounds = tuple(
        _view_round(log, order, round, (order.id, round) in paid_back, copies.get((order.id, round)))
        for round in range(order.first, order.end)
    )
    ended = order.end <= log.listing.next_round
    status = "ended" if ended else "cancelled" if order.cancelled_at else "active"
    reclaimable = None if ended or not order.cancelled_at else order.cancelled_at + log.listing.terms.notice_period
    return OrderView(order, log.token, rounds, status, reclaimable)


def _view_round(log: ListingLog, order: Order, round: int, paid_back: bool, copy: bytes | None) -> RoundView:
    release, terms = log.releases.get(round), log.listing.terms
    return RoundView(
        round=round,
        due=terms.due(round),
        released_at=release.released_at if release else None,
        missed=round in log.missed,
        settlement=Settlement.PAID_BACK if paid_back else Settlement.NONE,
        declinable_until=None if paid_back else declinable_until(log.listing, order, release, log.now),
        matures_at=None if release is None else terms.maturity_of(bucket_of(order, release)),
        content_hash=copy if terms.copies else release.content_hash if release else None,
        envelopes=log.postings.get(round, 0),
    )


def bought_when_out(order: Order, round: int) -> bool:
    """Whether the round was out when the order was bought: such a one can't be declined."""
    return order.bucket != 0 and round == order.first


def bucket_of(order: Order, release: Release) -> int:
    """Where the order's money for a released round lies."""
    return order.bucket if bought_when_out(order, release.round) else release.bucket


def declinable_until(listing: Listing, order: Order, release: Release | None, now: int) -> int | None:
    """Until when (Unix seconds) the order's buyer can decline the round; None where that can't be (any more)."""
    if release is None or release.round != listing.next_round - 1 or not order.covers(release.round):
        return None
    end = release.released_at + listing.terms.decline_window
    return end if now < end and not bought_when_out(order, release.round) else None
