"""Delivering a round, in steps that can be interrupted anywhere: seal and pin, read back, release, hand out the
keys.

What is done is asked of the chain; the journal (`journal`) says what a round is. docs/architecture.md, "A delivery
is a journal entry".
"""

from dataclasses import replace
from pathlib import Path
from time import monotonic

from numerbay_chain.artifacts.source import Measured, open_source
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import NetworkError, RefusedError
from numerbay_chain.delivery.distribute import hand_out, left_out, set_aside
from numerbay_chain.delivery.distribute import serve as serve_rounds
from numerbay_chain.delivery.journal import RoundEntry, RoundJournal, SealedFile
from numerbay_chain.delivery.options import Choices, DeliveryRequest, ServeRequest
from numerbay_chain.delivery.recipients import Sales
from numerbay_chain.delivery.release import release_label, release_round, require_releasable
from numerbay_chain.delivery.results import Delivered, Served
from numerbay_chain.delivery.sealing import measure, read_back, seal_file, was_lost
from numerbay_chain.index.questions import read_release, release_in
from numerbay_chain.protocol.rules import require_operator
from numerbay_chain.protocol.types import Listing, Release
from numerbay_chain.session import Session


def deliver(session: Session, request: DeliveryRequest, choices: Choices | None = None) -> Delivered:
    """Seal a file or folder for the next round, pin it, release the round, and hand out the keys when they may go out.

    A call that was killed is taken up by the next one with the same file: no second release, no second key. Where the
    decline window (or `confirmations`) must pass first, the state that is returned is "waiting", unless `wait`.

    Raises `RefusedError` for an unfinished delivery of another file, for the same file as a new round without `again`,
    and for content that does not read back; `UsageError` where there is no second way to the content and must be one.
    """
    choices = choices or Choices.make(session, request)
    listing_id, again = request.listing_id, request.again
    journal = RoundJournal(session.journal_folder(listing_id), listing_id)
    with journal.exclusive():
        look = open_listing(session, listing_id)
        listing, began = look.listing(listing_id), monotonic()
        if listing.terms.copies:
            raise RefusedError(
                f"listing {listing_id} is sold as copies",
                "give a file for each order, as ORDER=FILE",
                code="copies-wanted",
            )
        source = open_source(Path(request.path))
        if not (journal.unfinished() or (not again and _may_be_an_earlier_round(journal, source.size))):
            require_releasable(listing, look.time)
        measured = measure(source, choices)
        entry, receipt = _unfinished(session, journal, look, listing, measured, again), None
        resumed = entry is not None
        if entry is None:
            require_releasable(listing, look.time + int(monotonic() - began))  # reading it took its time
            entry = RoundEntry.begun(listing.next_round, _seal(session, request, listing, choices, measured))
            journal.save(entry)
        if entry.round >= listing.next_round:
            if resumed and was_lost(session.content.store, entry.sealed, choices):
                entry.seal(_seal(session, request, listing, choices, measured))
                journal.save(entry)
            read_back(journal, entry, choices)
            receipt = release_round(session, journal, listing, entry, choices)
        sales = Sales.of_round(session, session.contract.look(), listing_id, entry.round, choices.finality)
        outcome = hand_out(session, journal, find_release(session, journal, sales, entry), entry, choices, sales)
    receipt = receipt or outcome.release
    if receipt is not None and (posted := receipt.event("Delivered")):
        newly = tuple(entry.envelopes.get(posted["digest"].hex(), ())) + outcome.newly_posted
        outcome = replace(outcome, delivery=outcome.delivery or receipt, newly_posted=newly)
    return replace(outcome, release=receipt, resumed=resumed)


def serve(session: Session, request: ServeRequest, choices: Choices | None = None) -> Served:
    """Hand out keys to whoever waits: buyers of a round that was out, and all after the decline window."""
    choices = choices or Choices.make(session, request)
    journal = RoundJournal(session.journal_folder(request.listing_id), request.listing_id)
    with journal.exclusive():
        look = open_listing(session, request.listing_id)
        return serve_rounds(session, journal, look, request.listing_id, choices)


# ---------------------------------------------------------------------------------------------------------- the steps


def open_listing(session: Session, listing_id: int) -> Snapshot:
    """Look at the listing, once an earlier release is known to have gone through or not. Raises `RefusedError` where
    the account may not deliver."""
    look = session.contract.look()
    listing = look.listing(listing_id)
    require_operator(listing, session.account)
    resumed = session.sending.resume(release_label(listing_id, listing.next_round))
    return look if resumed is None else session.contract.look()


def _may_be_an_earlier_round(journal: RoundJournal, size: int) -> bool:
    """Whether a file of that size (bytes) may be what was delivered before: only reading it tells."""
    return any(entry.file is not None and entry.file.size == size for entry in journal.all())


def _unfinished(
    session: Session, journal: RoundJournal, look: Snapshot, listing: Listing, file: Measured, again: bool
) -> RoundEntry | None:
    """The entry to go on with, or None to begin a round. Raises `RefusedError` for another file while
    one is unfinished, and for a file that an earlier round was, unless `again`."""
    for entry in journal.all():
        same = entry.file is not None and entry.file.same_as(file.sha256, file.size)
        if not entry.done and entry.round < listing.next_round and not _is_released(session, look, listing, entry):
            set_aside(session, journal, entry)
        elif not entry.done:
            if same:
                return entry
            raise another_unfinished(journal, listing.id, entry)
        elif same and not again:
            raise RefusedError(
                f"the same file was delivered as round {entry.round} of listing {listing.id}",
                "hand out its keys with `deliver` without a file, or give --again if it is meant for another round",
                code="same-file",
            )
    return None


def another_unfinished(journal: RoundJournal, listing_id: int, entry: RoundEntry) -> RefusedError:
    """Return the error for an unfinished delivery of a different file."""
    name = entry.file.name if entry.file else "copies"
    return RefusedError(
        f"the delivery of {name} as round {entry.round} of listing {listing_id} is unfinished",
        f"deliver that first, or hand out its keys; to drop it, move {journal.path(entry.round)} away",
        code="unfinished-delivery",
    )


def _seal(
    session: Session, request: DeliveryRequest, listing: Listing, choices: Choices, measured: Measured
) -> SealedFile:
    context = session.context(listing.id, listing.next_round)
    return seal_file(session, Path(request.path), context, request.note, choices, measured)


def find_release(session: Session, journal: RoundJournal, sales: Sales, entry: RoundEntry) -> Release:
    """The release of a round that is over. Raises `RefusedError` where the round became something else, and
    `NetworkError` where the node does not show it yet."""
    listing, round = sales.listing, entry.round
    if listing.next_round <= round:
        raise NetworkError("the release was mined, but the node does not show it", "run this again", code="node-behind")
    release = _as_sealed(sales.look, listing, entry, release_in(session.index, sales.facts, listing.id, round))
    if release is None:
        aside = journal.set_aside(round)
        raise RefusedError(
            f"round {round} of listing {listing.id} was missed or released from elsewhere",
            f"what was sealed for it is in {aside}; deliver the file again for the next round",
            code="round-moved",
        )
    return release


def _is_released(session: Session, look: Snapshot, listing: Listing, entry: RoundEntry) -> bool:
    """Whether a round that is over was released as it was sealed. Raises `NetworkError` where the logs lack it."""
    release = read_release(session.index, listing.id, entry.round, last=look.block)
    return _as_sealed(look, listing, entry, release) is not None


def _as_sealed(look: Snapshot, listing: Listing, entry: RoundEntry, release: Release | None) -> Release | None:
    """The release that the logs tell of, None if the round was missed, or is not what was sealed for it. Raises
    `NetworkError` where the logs lack it: to take it for missed would release the file once more."""
    if release is not None:
        return release if entry.fits(release.content_hash) else None
    if look.is_missed(listing.id, entry.round):
        return None
    raise left_out(listing.id, entry.round)
