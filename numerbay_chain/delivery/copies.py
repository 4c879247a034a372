"""Delivering copies: each order gets a file of its own, sealed under a key of its own (docs/protocol.md §2,
`deliverCopies`)."""

from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.source import Measured, Source, open_source
from numerbay_chain.chain.clock import Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import RefusedError, TooLateError, UsageError
from numerbay_chain.core.units import format_order_id
from numerbay_chain.delivery.deliver import (
    another_unfinished,
    find_release,
    open_listing,
)
from numerbay_chain.delivery.distribute import hand_out, left_out
from numerbay_chain.delivery.journal import RoundEntry, RoundJournal
from numerbay_chain.delivery.options import Choices, CopiesRequest
from numerbay_chain.delivery.recipients import Sales
from numerbay_chain.delivery.release import require_releasable, send_release
from numerbay_chain.delivery.results import Delivered, Left
from numerbay_chain.delivery.sealing import measure, read_back, seal_file
from numerbay_chain.index.questions import release_in
from numerbay_chain.protocol.types import Listing, Release
from numerbay_chain.session import Session

_COPIES_A_TRANSACTION: Final = 100

Digests = dict[int, Measured]
"""Order → sha256 and size of its file."""


def deliver_copies(session: Session, request: CopiesRequest, choices: Choices | None = None) -> Delivered:
    """Start the round of a listing that is sold as copies, and post each order its own file.

    It goes on, waits and raises as `deliver`. Orders that have a right to the round that is out, and no copy of it yet,
    get theirs for that one; `again`: the next round is meant.
    """
    choices = choices or Choices.make(session, request)
    listing_id, again = request.listing_id, request.again
    paths = {order: Path(path) for order, path in request.copies.items()}
    if not paths:
        raise UsageError("no copy was given", "give a file for each order, as ORDER=FILE")
    journal = RoundJournal(session.journal_folder(listing_id), listing_id)
    with journal.exclusive():
        look = open_listing(session, listing_id)
        listing, began = look.listing(listing_id), monotonic()
        if not listing.terms.copies:
            raise RefusedError(
                f"listing {listing_id} is not sold as copies", "deliver one file for all", code="not-copies"
            )
        sources = {order: open_source(path) for order, path in paths.items()}
        unfinished = journal.unfinished()
        late = not (unfinished or again) and _latest_lacks(session, look, listing, sources.keys())
        if not (unfinished or late or (not again and _may_be_an_earlier_round(journal, sources))):
            require_releasable(listing, look.time)
        digests = {order: measure(source, choices) for order, source in sources.items()}
        entry = _unfinished(journal, listing_id, digests)
        resumed = entry is not None and bool(entry.copies)
        entry = entry or (_of_latest(journal, listing, digests) if late else RoundEntry.begun(listing.next_round))
        if entry.round == listing.next_round and not resumed and not again:
            _refuse_the_same(journal, listing_id, digests)
        if entry.round < listing.next_round:
            find_release(session, journal, Sales.of_round(session, look, listing_id, entry.round), entry)
        else:
            require_releasable(listing, look.time + int(monotonic() - began))  # reading them took its time
        _seal_all(session, journal, look, listing, entry, paths, digests, request.note, choices)
        read_back(journal, entry, choices)
        current, receipt = session.contract.listing(listing_id), None
        if entry.round >= current.next_round:
            call = calls.release(listing=listing_id, round=entry.round)
            receipt = send_release(session, current, entry.round, call)
        session.sending.resume(_post_label(listing_id, entry.round))  # before the look that shows what is there
        sales = Sales.of_round(session, session.contract.look(), listing_id, entry.round, choices.finality)
        release = find_release(session, journal, sales, entry)
        posted = _post(session, sales, entry, release)
        if posted:
            sales = Sales.of_round(session, session.contract.look(), listing_id, entry.round, choices.finality)
        outcome = hand_out(session, journal, release, entry, choices, sales)
    without = _without(sales, entry.round)
    left = tuple(one for one in outcome.left if one.order not in {other.order for other in without}) + without
    receipt, posted = receipt or outcome.release, posted or outcome.newly_posted
    return replace(outcome, release=receipt, newly_posted=posted, left=left, resumed=resumed)


def _without(sales: Sales, round: int) -> tuple[Left, ...]:
    there = sales.copies(round)
    return tuple(
        Left(order.id, f"order {order} has no copy of this round: its buyer can decline", "no-copy")
        for order in sales.rightful(round)
        if order.id not in there
    )


def _unfinished(journal: RoundJournal, listing_id: int, digests: Digests) -> RoundEntry | None:
    """The round that is unfinished; copies of orders that it lacks are added to it. Raises `RefusedError` where
    another file is given for an order."""
    for entry in journal.all():
        if not entry.done:
            if _changed(entry, digests):
                raise another_unfinished(journal, listing_id, entry)
            return entry
    return None


def _may_be_an_earlier_round(journal: RoundJournal, sources: Mapping[int, Source]) -> bool:
    """Whether files of these sizes may be copies that were delivered before: only reading them tells."""
    return any(
        all(order in entry.copies and entry.copies[order].size == source.size for order, source in sources.items())
        for entry in journal.all()
    )


def _latest_lacks(session: Session, look: Snapshot, listing: Listing, orders: Set[int]) -> bool:
    """Whether these orders have a right to the round that is out and no copy of it yet, and it is not too late for one:
    they were forgotten, or came when it was out."""
    round = listing.next_round - 1
    if round < 0:
        return False
    sales = Sales.of_round(session, look, listing.id, round)
    release = release_in(session.index, sales.facts, listing.id, round)
    if release is None:
        if look.is_missed(listing.id, round):
            return False
        raise left_out(listing.id, round)
    if not orders <= {left.order for left in _without(sales, round)}:
        return False
    until = _post_until(listing, release)
    return until is None or not session.clock.is_late(until, 0, look.time)


def _of_latest(journal: RoundJournal, listing: Listing, digests: Digests) -> RoundEntry:
    """The round that is out, to which copies are added."""
    round = listing.next_round - 1
    entry = journal.load(round) or RoundEntry.begun(round)
    if _changed(entry, digests):
        raise another_unfinished(journal, listing.id, entry)
    entry.done = False
    return entry


def _changed(entry: RoundEntry, digests: Digests) -> bool:
    given = ((copy, digests[order]) for order, copy in entry.copies.items() if order in digests)
    return any(not copy.same_as(file.sha256, file.size) for copy, file in given)


def _refuse_the_same(journal: RoundJournal, listing_id: int, digests: Digests) -> None:
    for entry in journal.all():
        if digests.keys() <= entry.copies.keys() and not _changed(entry, digests):
            raise RefusedError(
                f"the same copies were delivered as round {entry.round} of listing {listing_id}",
                "give --again if they are meant for another round",
                code="same-file",
            )


def _seal_all(
    session: Session,
    journal: RoundJournal,
    look: Snapshot,
    listing: Listing,
    entry: RoundEntry,
    paths: dict[int, Path],
    digests: Digests,
    note: str,
    choices: Choices,
) -> None:
    rightful = {order.id for order in Sales.read(session, look, listing.id).rightful(entry.round)}
    for order in paths:
        if order not in rightful:
            raise RefusedError(
                f"order {format_order_id(order)} has no right to round {entry.round} of listing {listing.id}",
                "leave it out, or check its number",
                code="not-covered",
            )
    for order, path in paths.items():
        if order not in entry.copies:
            context = session.context(listing.id, entry.round, order)
            entry.copies[order] = seal_file(session, path, context, note, choices, digests[order])
            journal.save(entry)


def _post_until(listing: Listing, release: Release) -> int | None:
    """The last second in which copies can be posted; None: there is none."""
    return release.released_at + listing.terms.decline_window // 2 - 1 if listing.terms.adjudicated else None


def _post(session: Session, sales: Sales, entry: RoundEntry, release: Release) -> tuple[int, ...]:
    """Posts the copies' content hashes, each once. Answers with the orders whose copy this call posted."""
    listing, there = sales.listing, sales.copies(entry.round)
    missing = [order for order in sorted(entry.copies) if order not in there]
    until = _post_until(listing, release)
    if missing and until is not None and session.clock.is_late(until, 0, sales.now):
        raise TooLateError(
            f"copies of round {entry.round} could be posted in the first half of its decline window only",
            "refund that round to the orders without a copy",
        )
    prices = {order.id: order.price for order in sales.rightful(entry.round)}
    for start in range(0, len(missing), _COPIES_A_TRANSACTION):
        orders = missing[start : start + _COPIES_A_TRANSACTION]
        hashes = [Manifest.decode(entry.copies[order].manifest).content_hash for order in orders]
        call = calls.deliver_copies(listing=listing.id, round=entry.round, orders=orders, hashes=hashes)
        lost = sum(prices.get(order, 0) for order in orders)  # an order without its copy is paid back
        stake = session.sending.at_stake(listing.terms.token, lost) if until is not None else None
        window = Window(until=until, stake=stake)
        session.sending.send(_post_label(listing.id, entry.round), call, window=window)
    return tuple(missing)


def _post_label(listing: int, round: int) -> str:
    """What the outbox calls it."""
    return f"copies-{listing}-{round}"
