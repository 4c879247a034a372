"""Delivering copies: each order gets a file of its own, sealed under a key of its own (docs/protocol.md §2,
`deliverCopies`)."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from numerbay_chain.chain import calls
from numerbay_chain.chain.types import Listing
from numerbay_chain.delivery import (
    Choices,
    another_unfinished,
    digest_of,
    find_release,
    hand_out,
    open_listing,
    read_back_file,
    release_label,
    require_releasable,
    seal_file,
)
from numerbay_chain.errors import NetworkError, RefusedError, UsageError
from numerbay_chain.handout import Sales
from numerbay_chain.manifest import Manifest
from numerbay_chain.market import Market
from numerbay_chain.results import Delivered, Left
from numerbay_chain.rounds import RoundEntry, RoundJournal
from numerbay_chain.units import format_order_id

_COPIES_A_TRANSACTION: Final = 100


def deliver_copies(
    market: Market, listing_id: int, paths: dict[int, Path], note: str, again: bool, choices: Choices
) -> Delivered:
    """See `Seller.deliver_copies`."""
    if not paths:
        raise UsageError("no copy was given", "give a file for each order, as ORDER=FILE")
    journal = RoundJournal(market.journal_folder(listing_id), listing_id)
    with journal.exclusive():
        listing = open_listing(market, listing_id)
        if not listing.terms.copies:
            raise RefusedError(f"listing {listing_id} is not sold as copies", "deliver one file for all")
        entry = _entry_for(market, journal, listing, again, paths, choices)
        resumed = bool(entry.copies)
        release, receipt = find_release(market, journal, listing_id, entry), None
        if release is None:
            require_releasable(market, listing)
        _seal_all(market, journal, listing, entry, paths, note, choices)
        _read_back(market, journal, entry, choices)
        if release is None:
            call = calls.release(listing=listing_id, round=entry.round)
            receipt = market.send(release_label(listing_id, entry.round), call).receipt
            release = find_release(market, journal, listing_id, entry)
            if release is None:
                raise NetworkError("the release was mined, but the node does not show it", "run this again")
        posted = _post(market, listing, entry, release.released_at)
        outcome = hand_out(market, journal, listing_id, release, entry, choices)
    without = tuple(
        Left(order.id, f"order {order} has no copy of this round: its buyer can decline")
        for order in Sales.read(market.contract, listing_id, 0).rightful(entry.round)
        if order.id not in entry.copies
    )
    left = tuple(one for one in outcome.left if one.order not in {other.order for other in without}) + without
    return replace(outcome, release=receipt, newly_posted=posted or outcome.newly_posted, left=left, resumed=resumed)


def _entry_for(
    market: Market, journal: RoundJournal, listing: Listing, again: bool, paths: dict[int, Path], choices: Choices
) -> RoundEntry:
    """The round that is unfinished, or a new one; copies of orders that the unfinished one lacks are added to it."""
    digests = {order: digest_of(path, choices) for order, path in paths.items()}
    for entry in journal.all():
        changed = [
            order for order, copy in entry.copies.items() if order in digests and not copy.same_as(*digests[order])
        ]
        if not entry.done:
            if changed:
                raise another_unfinished(journal, listing.id, entry)
            return entry
        if not again and not changed and entry.copies and digests.keys() <= entry.copies.keys():
            raise RefusedError(
                f"the same copies were delivered as round {entry.round} of listing {listing.id}",
                "give --again if they are meant for another round",
            )
    return RoundEntry(listing.next_round)


def _seal_all(
    market: Market,
    journal: RoundJournal,
    listing: Listing,
    entry: RoundEntry,
    paths: dict[int, Path],
    note: str,
    choices: Choices,
) -> None:
    rightful = {order.id for order in Sales.read(market.contract, listing.id, 0).rightful(entry.round)}
    for order in paths:
        if order not in rightful:
            raise RefusedError(
                f"order {format_order_id(order)} has no right to round {entry.round} of listing {listing.id}",
                "leave it out, or check its number",
            )
    for order, path in paths.items():
        if order not in entry.copies:
            context = market.context(listing.id, entry.round, order)
            entry.copies[order] = seal_file(market, path, context, note, choices)
            journal.save(entry)


def _read_back(market: Market, journal: RoundJournal, entry: RoundEntry, choices: Choices) -> None:
    for order, copy in entry.copies.items():
        if not copy.read_back:
            entry.copies[order] = read_back_file(market, copy, choices)
            journal.save(entry)


def _post(market: Market, listing: Listing, entry: RoundEntry, released_at: int) -> tuple[int, ...]:
    """Posts the copies' content hashes, each once. Answers with the orders whose copy this call posted."""
    label = f"copies-{listing.id}-{entry.round}"
    market.resume(label)
    there = {copy.order: copy.content_hash for copy in market.contract.copies_of(listing.id, entry.round)}
    missing = [order for order in sorted(entry.copies) if order not in there]
    late = market.connection.now() - (released_at + listing.terms.decline_window // 2)
    if missing and listing.terms.adjudicated and late >= 0:
        raise RefusedError(
            f"copies of round {entry.round} could be posted in the first half of its decline window only",
            "refund that round to the orders without a copy",
        )
    for start in range(0, len(missing), _COPIES_A_TRANSACTION):
        orders = missing[start : start + _COPIES_A_TRANSACTION]
        hashes = [Manifest.decode(entry.copies[order].manifest).content_hash for order in orders]
        call = calls.deliver_copies(listing=listing.id, round=entry.round, orders=orders, hashes=hashes)
        market.send(label, call)
    return tuple(missing)
