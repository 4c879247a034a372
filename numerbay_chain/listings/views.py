"""Listings as they stand, with what their sellers say about them and what their terms mean."""

from collections.abc import Sequence
from typing import Any, Final

from numerbay_chain.core.paging import MOST, Page
from numerbay_chain.index.questions import read_listings
from numerbay_chain.ipfs import PatientStore
from numerbay_chain.listings.description import read_description
from numerbay_chain.listings.results import ListingView
from numerbay_chain.listings.words import explain
from numerbay_chain.protocol.types import Listing
from numerbay_chain.session import Market

_PATIENCE: Final = {"waits": 3, "each": 5.0, "total": 30.0}
"""What a list waits for descriptions: objects that do not come, seconds for one and for all."""
_ALONE: Final = {"waits": 1, "each": 30.0}


def view_listing(market: Market, listing_id: int) -> ListingView:
    """Return a listing, its description (read from the store and checked) and its terms in words. Raises
    `RevertedError` for one that does not exist."""
    return _views(market, [market.contract.listing(listing_id)], _ALONE)[0]


def view_listings(market: Market, seller: str | None = None, limit: int | None = MOST) -> Page[ListingView]:
    """Return all listings, or one seller's, by id: the newest `limit` of them (None: all)."""
    if seller is None:
        ids: Sequence[int] = range(1, market.contract.listing_count() + 1)
    else:
        ids = sorted(read_listings(market.index, seller).listings)
    chosen = ids if limit is None else ids[max(len(ids) - limit, 0) :]
    return Page(_views(market, [market.contract.listing(id) for id in chosen], _PATIENCE), len(ids) - len(chosen))


def _views(market: Market, listings: Sequence[Listing], patience: dict[str, Any]) -> list[ListingView]:
    """Descriptions of listings that sold most are read first: anybody can make listings whose description nobody has,
    and patience ends."""
    store = None if market.store_or_none is None else PatientStore(market.store_or_none, **patience)
    now, gas_price = market.connection.now(), market.gas_price()
    views: dict[int, ListingView] = {}
    for listing in sorted(listings, key=lambda listing: (-listing.orders, listing.id)):
        token = market.token(listing.terms.token)
        description, trouble = read_description(store, listing.offer.details)
        words = explain(listing.terms, listing.offer.price, token, gas_price, market.coin)
        due = listing.terms.due(listing.next_round)
        views[listing.id] = ListingView(listing, token, description, trouble, tuple(words), due, listing.overdue(now))
    return [views[listing.id] for listing in listings]
