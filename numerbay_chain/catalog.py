"""Listings as they stand, with what their sellers say about them and what their terms mean."""

from collections.abc import Sequence
from typing import Any, Final

from numerbay_chain.description import read_description
from numerbay_chain.ipfs import ContentStore, PatientStore
from numerbay_chain.market import Market
from numerbay_chain.paging import MOST, Page
from numerbay_chain.results import ListingView
from numerbay_chain.terms import explain

_PATIENCE: Final = {"waits": 3, "each": 5.0, "total": 30.0}
"""What a list waits for descriptions: objects that do not come, seconds for one and for all."""
_ALONE: Final = {"waits": 1, "each": 30.0}


def view_listing(market: Market, listing_id: int) -> ListingView:
    """Return a listing as it stands. Raises `RevertedError` for one that does not exist."""
    return _view_listing(market, listing_id, _patient(market, _ALONE), market.connection.now(), market.gas_price())


def view_listings(market: Market, seller: str | None = None, limit: int | None = MOST) -> Page[ListingView]:
    """Return all listings, or one seller's, by id: the newest `limit` of them (None: all)."""
    if seller is None:
        ids: Sequence[int] = range(1, market.contract.listing_count() + 1)
    else:
        ids = sorted(event["listing"] for event in market.contract.events(["ListingCreated"], seller=seller))
    chosen = ids if limit is None else ids[max(len(ids) - limit, 0) :]
    store, now, gas_price = _patient(market, _PATIENCE), market.connection.now(), market.gas_price()
    return Page((_view_listing(market, one, store, now, gas_price) for one in chosen), len(ids) - len(chosen))


def _patient(market: Market, patience: dict[str, Any]) -> ContentStore | None:
    return None if market.store_or_none is None else PatientStore(market.store_or_none, **patience)


def _view_listing(market: Market, listing_id: int, store: ContentStore | None, now: int, gas_price: int) -> ListingView:
    listing = market.contract.listing(listing_id)
    token = market.token(listing.terms.token)
    description, trouble = read_description(store, listing.offer.details)
    words = explain(listing.terms, listing.offer.price, token, gas_price)
    due = listing.terms.due(listing.next_round)
    return ListingView(listing, token, description, trouble, tuple(words), due, listing.overdue(now))
