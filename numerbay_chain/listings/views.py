"""Listings as they stand, with what their sellers say about them and what their terms mean."""

from collections.abc import Sequence
from typing import Any, Final

from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.core.paging import MOST, Page
from numerbay_chain.index.questions import read_listings
from numerbay_chain.ipfs import PatientStore
from numerbay_chain.listings.description import read_description
from numerbay_chain.listings.results import ListingView
from numerbay_chain.listings.words import explain
from numerbay_chain.session import Session

_PATIENCE: Final = {"waits": 3, "each": 5.0, "total": 30.0}
"""What a list waits for descriptions: objects that do not come, seconds for one and for all."""
_ALONE: Final = {"waits": 1, "each": 30.0}


def view_listing(session: Session, listing_id: int) -> ListingView:
    """Return a listing, its description (read from the store and checked) and its terms in words. Raises
    `RevertedError` for one that does not exist."""
    return _views(session, session.contract.look(), [listing_id], _ALONE)[0]


def view_listings(session: Session, seller: str | None = None, limit: int | None = MOST) -> Page[ListingView]:
    """Return all listings, or one seller's, by id: the newest `limit` of them (None: all)."""
    look = session.contract.look()
    if seller is None:
        ids: Sequence[int] = range(1, look.listing_count() + 1)
    else:
        ids = sorted(read_listings(session.index, seller, last=look.block).listings)
    chosen = ids if limit is None else ids[max(len(ids) - limit, 0) :]
    try:
        return Page(_views(session, look, chosen, _PATIENCE), len(ids) - len(chosen))
    except RevertedError as error:
        raise NetworkError(
            f"{session.connection.name} tells of {len(ids)} listings, and does not know one of them",
            "wait a moment, or use another node",
            code="bad-answer",
        ) from error


def _views(session: Session, look: Snapshot, ids: Sequence[int], patience: dict[str, Any]) -> list[ListingView]:
    """Descriptions of listings that sold most are read first: anybody can make listings whose description nobody has,
    and patience ends."""
    store = None if session.content.store_or_none is None else PatientStore(session.content.store_or_none, **patience)
    listings, gas_price, views = look.listings(ids), session.connection.gas_price(), dict[int, ListingView]()
    look.tokens(listing.terms.token for listing in listings)  # all at once
    for listing in sorted(listings, key=lambda listing: (-listing.orders, listing.id)):
        token, late = look.token(listing.terms.token), listing.overdue(look.time)
        description, trouble = read_description(store, listing.offer.details)
        words = explain(listing.terms, listing.offer.price, token, gas_price, session.connection.coin)
        due = listing.terms.due(listing.next_round)
        views[listing.id] = ListingView(listing, token, description, trouble, tuple(words), due, late)
    return [views[listing.id] for listing in listings]
