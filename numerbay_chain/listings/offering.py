"""Listings as their sellers make and change them."""

from dataclasses import replace
from typing import Unpack

from numerbay_chain.chain.encoding import calls
from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.ipfs import Cid
from numerbay_chain.listings.description import Description
from numerbay_chain.listings.results import Created
from numerbay_chain.listings.terms import Preset, TermChanges, build_terms
from numerbay_chain.listings.views import view_listing
from numerbay_chain.listings.words import explain
from numerbay_chain.protocol.events import Done, event_of
from numerbay_chain.protocol.rules import require_seller
from numerbay_chain.protocol.types import ZERO_ADDRESS, Offer
from numerbay_chain.session import Session


def create_listing(
    session: Session,
    price: int | str,
    *,
    preset: Preset | None = None,
    name: str = "",
    description: str = "",
    media_type: str = "",
    opened: bool = True,
    operator: str | None = None,
    payout: str | None = None,
    **terms: Unpack[TermChanges],
) -> Created:
    """Create a listing at `price` per round: wei, or text with a unit ("0.05 ether", "12 NMR").

    `terms` change what the preset says; durations are seconds or text ("5m"). Where `name` or `description` is given,
    they are pinned to the store as the listing's public description. `payout` is the caller unless said. Raises
    `UsageError` for a term out of its bounds.
    """
    about = Description(name, description, media_type)
    operator, payout = (checksummed(one) if one else None for one in (operator, payout))
    token = session.contract.token(terms.get("token") or ZERO_ADDRESS)
    offer = Offer(token.amount(price), opened)
    built = build_terms(session.connection.now(), preset, terms, token)
    cid = None
    if about != Description():
        offer = replace(offer, details=_pin(session, about))
        cid = Cid.raw(offer.details)
    call = calls.create_listing(
        terms=built, offer=offer, operator=operator or ZERO_ADDRESS, payout=payout or session.account
    )
    asked = repr((offer, preset, sorted(terms.items()), operator, payout))  # first_due may count from now
    receipt = session.sending.send("create-listing", call, asked).receipt
    listing = session.contract.listing(event_of(receipt, "ListingCreated")["listing"])
    words = explain(listing.terms, listing.offer.price, token, session.connection.gas_price(), session.connection.coin)
    return Created(listing, tuple(words), cid, receipt)


def explain_terms(
    session: Session, price: int | str, *, preset: Preset | None = None, **terms: Unpack[TermChanges]
) -> tuple[str, ...]:
    """Return what a listing with these terms would mean for both sides, in plain words. Sends nothing; raises as
    `create_listing`."""
    token = session.contract.token(terms.get("token") or ZERO_ADDRESS)
    built = build_terms(session.connection.now(), preset, terms, token)
    return tuple(explain(built, token.amount(price), token, session.connection.gas_price(), session.connection.coin))


def edit_listing(
    session: Session,
    listing_id: int,
    *,
    price: int | str | None = None,
    opened: bool | None = None,
    name: str | None = None,
    description: str | None = None,
    media_type: str | None = None,
) -> Done | None:
    """Change the offer for later orders; what is not given stays. Return None where nothing was to be changed. Raise
    `RefusedError` (`not-seller`) for another account than the seller's."""
    view = view_listing(session, listing_id)
    require_seller(view.listing, session.account)
    before, offer = view.description or Description(), view.listing.offer
    about = {"name": name, "description": description, "media_type": media_type}
    given = {field: value for field, value in about.items() if value is not None}
    if given:
        if view.description is None and view.trouble is not None and len(given) < len(about):
            raise RefusedError(
                f"the listing's description is not available: {view.trouble}",
                "give name, description and media type, all three",
                code="not-found",
            )
        offer = replace(offer, details=_pin(session, replace(before, **given)))
    if price is not None:
        offer = replace(offer, price=view.token.amount(price))
    if opened is not None:
        offer = replace(offer, open=opened)
    if offer == view.listing.offer:
        return None
    call = calls.change_offer(listing=listing_id, offer=offer)
    return Done(session.sending.send(f"change-offer-{listing_id}", call).receipt)


def set_operator(session: Session, listing_id: int, operator: str | None) -> Done:
    """Name a hot key that may release, deliver, skip, refund; None: nobody."""
    call = calls.set_operator(listing=listing_id, operator=checksummed(operator) if operator else ZERO_ADDRESS)
    return Done(session.sending.send(f"set-operator-{listing_id}", call).receipt)


def set_payout(session: Session, listing_id: int, payout: str) -> Done:
    """Send later withdrawals elsewhere."""
    call = calls.set_payout(listing=listing_id, payout=checksummed(payout))
    return Done(session.sending.send(f"set-payout-{listing_id}", call).receipt)


def _pin(session: Session, description: Description) -> bytes:
    if session.dry_run:
        return description.digest
    return session.content.store.add(description.encode(), "description of a listing").cid.digest
