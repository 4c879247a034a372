"""Delivering a round, in steps that can be interrupted anywhere: seal and pin, read back, release, hand out the
keys.

What is done is asked of the chain; the journal (`journal`) says what a round is. docs/architecture.md, "A delivery
is a journal entry".
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.source import Measured, open_source
from numerbay_chain.chain.clock import MINING_TIME
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.core.errors import NetworkError, RefusedError, TooLateError
from numerbay_chain.core.units import format_duration, format_time
from numerbay_chain.delivery import posting
from numerbay_chain.delivery.distribute import hand_out, left_out, set_aside
from numerbay_chain.delivery.distribute import serve as serve_rounds
from numerbay_chain.delivery.journal import RoundEntry, RoundJournal, SealedFile
from numerbay_chain.delivery.options import Choices, DeliveryRequest, ServeRequest
from numerbay_chain.delivery.recipients import MARGIN, Sales, choose, keys_until
from numerbay_chain.delivery.results import Delivered, Served
from numerbay_chain.delivery.sealing import measure, read_back, seal_file, was_lost
from numerbay_chain.index.questions import read_release
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.rules import require_operator
from numerbay_chain.protocol.types import Listing, Order, Release
from numerbay_chain.session import Market


def deliver(market: Market, request: DeliveryRequest, choices: Choices | None = None) -> Delivered:
    """Seal a file or folder for the next round, pin it, release the round, and hand out the keys when they may go out.

    A call that was killed is taken up by the next one with the same file: no second release, no second key. Where the
    decline window (or `confirmations`) must pass first, the state that is returned is "waiting", unless `wait`.

    Raises `RefusedError` for an unfinished delivery of another file, for the same file as a new round without `again`,
    and for content that does not read back; `UsageError` where there is no second way to the content and must be one.
    """
    choices = choices or Choices.make(market, request)
    listing_id, again = request.listing_id, request.again
    journal = RoundJournal(market.journal_folder(listing_id), listing_id)
    with journal.exclusive():
        listing = open_listing(market, listing_id)
        if listing.terms.copies:
            raise RefusedError(
                f"listing {listing_id} is sold as copies",
                "give a file for each order, as ORDER=FILE",
                code="copies-wanted",
            )
        source = open_source(Path(request.path))
        if not (journal.unfinished() or (not again and _may_be_an_earlier_round(journal, source.size))):
            require_releasable(market, listing)
        measured = measure(source, choices)
        entry = _unfinished(market, journal, listing, measured, again)
        resumed = entry is not None
        if entry is None:
            require_releasable(market, listing)
            entry = RoundEntry.begun(listing.next_round, _seal(market, request, listing, choices, measured))
            journal.save(entry)
        release, receipt = find_release(market, journal, listing_id, entry), None
        if release is None:
            if resumed and was_lost(market.store, entry.sealed, choices):
                entry.seal(_seal(market, request, listing, choices, measured))
                journal.save(entry)
            read_back(journal, entry, choices)
            receipt = _release(market, journal, listing_id, entry, choices)
            release = find_release(market, journal, listing_id, entry)
            if release is None:
                raise not_shown()
        outcome = hand_out(market, journal, release, entry, choices)
    receipt = receipt or outcome.release
    if receipt is not None and (posted := receipt.event("Delivered")):
        newly = tuple(entry.envelopes.get(posted["digest"].hex(), ())) + outcome.newly_posted
        outcome = replace(outcome, delivery=outcome.delivery or receipt, newly_posted=newly)
    return replace(outcome, release=receipt, resumed=resumed)


def serve(market: Market, request: ServeRequest, choices: Choices | None = None) -> Served:
    """Hand out keys to whoever waits: buyers of a round that was out, and all after the decline window."""
    choices = choices or Choices.make(market, request)
    journal = RoundJournal(market.journal_folder(request.listing_id), request.listing_id)
    with journal.exclusive():
        return serve_rounds(market, journal, open_listing(market, request.listing_id), choices)


# ---------------------------------------------------------------------------------------------------------- the steps


def open_listing(market: Market, listing_id: int) -> Listing:
    """The listing, once an earlier release is known to have gone through or not. Raises `RefusedError` where the
    account may not deliver."""
    listing = market.contract.listing(listing_id)
    require_operator(listing, market.account)
    if market.resume(posting.release_label(listing_id, listing.next_round)) is None:
        return listing
    return market.contract.listing(listing_id)


def require_releasable(market: Market, listing: Listing) -> None:
    """Raises `RefusedError` where the next round can't be released now: that is better known before hours of
    sealing."""
    now, terms, round = market.connection.now(), listing.terms, listing.next_round
    due = terms.due(round)
    if due is not None and now > due:
        raise RefusedError(
            f"it is {format_duration(now - due)} too late to release round {round} of listing {listing.id}",
            "skip it, so that its buyers are paid back, then deliver the next one",
            code="too-late",
        )
    earliest = terms.release_from(round, listing.last_turn)
    if now < earliest:
        raise RefusedError(
            f"round {round} of listing {listing.id} can be released in {format_duration(earliest - now)}",
            f"run this again from {format_time(earliest)} on",
            code="too-early",
        )


def _may_be_an_earlier_round(journal: RoundJournal, size: int) -> bool:
    """Whether a file of that size (bytes) may be what was delivered before: only reading it tells."""
    return any(entry.file is not None and entry.file.size == size for entry in journal.all())


def _unfinished(
    market: Market, journal: RoundJournal, listing: Listing, file: Measured, again: bool
) -> RoundEntry | None:
    """The entry to go on with, or None to begin a round. Raises `RefusedError` for another file while
    one is unfinished, and for a file that an earlier round was, unless `again`."""
    for entry in journal.all():
        same = entry.file is not None and entry.file.same_as(file.sha256, file.size)
        if not entry.done and entry.round < listing.next_round and _as_sealed(market, listing.id, entry) is None:
            set_aside(market, journal, entry)
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
    """The sentence for it."""
    name = entry.file.name if entry.file else "copies"
    return RefusedError(
        f"the delivery of {name} as round {entry.round} of listing {listing_id} is unfinished",
        f"deliver that first, or hand out its keys; to drop it, move {journal.path(entry.round)} away",
        code="unfinished-delivery",
    )


def _seal(
    market: Market, request: DeliveryRequest, listing: Listing, choices: Choices, measured: Measured
) -> SealedFile:
    context = market.context(listing.id, listing.next_round)
    return seal_file(market, Path(request.path), context, request.note, choices, measured)


def find_release(market: Market, journal: RoundJournal, listing_id: int, entry: RoundEntry) -> Release | None:
    """The round's release, None while it is to come. Raises `RefusedError` where the round became something else."""
    if market.contract.listing(listing_id).next_round <= entry.round:
        return None
    release = _as_sealed(market, listing_id, entry)
    if release is None:
        aside = journal.set_aside(entry.round)
        raise RefusedError(
            f"round {entry.round} of listing {listing_id} was missed or released from elsewhere",
            f"what was sealed for it is in {aside}; deliver the file again for the next round",
            code="round-moved",
        )
    return release


def _as_sealed(market: Market, listing_id: int, entry: RoundEntry) -> Release | None:
    """The release of a round that is over, None if it was missed, or is not what was sealed for it. Raises
    `NetworkError` where the logs lack it: to take it for missed would release the file once more."""
    release = read_release(market.index, listing_id, entry.round)
    if release is None:
        if market.contract.is_missed(listing_id, entry.round):
            return None
        raise left_out(listing_id, entry.round)
    return release if entry.fits(release.content_hash) else None


def not_shown() -> NetworkError:
    """For a release that was mined, and is not there yet in what the node answers."""
    return NetworkError("the release was mined, but the node does not show it", "run this again", code="node-behind")


def _release(market: Market, journal: RoundJournal, listing_id: int, entry: RoundEntry, choices: Choices) -> Receipt:
    """Releases the round, with its envelopes where both may be public at once. Envelopes that do not come back a
    second way yet, or for which time ran out meanwhile, do not hold it up: they follow."""
    manifest = entry.sealed.manifest
    envelopes = _pin_before(market, journal, listing_id, entry, choices)
    if envelopes is not None:
        with market.decision():
            together = _with_keys(market, listing_id, entry, envelopes, choices)
            if together is not None:
                try:
                    return send_release(market, listing_id, entry.round, *together)
                except TooLateError:
                    market.notify("the keys go out after the release: with it they could come too late")
    return send_release(
        market, listing_id, entry.round, calls.release(listing=listing_id, round=entry.round, manifest=manifest)
    )


def send_release(market: Market, listing_id: int, round: int, call: Call, keys_until: int | None = None) -> Receipt:
    """Sends a release. `keys_until`: the last second in which one that shows keys may leave."""
    listing = market.contract.listing(listing_id)
    first = listing.terms.release_from(round, listing.last_turn) if round == listing.next_round else None
    due, label = listing.terms.due(round), posting.release_label(listing_id, round)
    stake = market.at_stake(listing.terms.token, listing.active) if due else None
    if keys_until is None:
        return market.send(label, call, after=first, until=due, stake=stake).receipt
    return market.send_secret(label, call, after=first, until=keys_until, stake=stake).receipt


def _pin_before(
    market: Market, journal: RoundJournal, listing_id: int, entry: RoundEntry, choices: Choices
) -> posting.Envelopes | None:
    """The envelopes for a release that shows the keys too; None where the keys have to follow it."""
    with market.decision():
        chosen = _chosen_before(market, listing_id, entry, choices)
        if chosen is None:
            return None
        sales, orders = chosen
        sales.require_all_for_next()
        manifest = Manifest.decode(entry.sealed.manifest)
        key = partial(posting.content_key, market, manifest, listing_id, entry.round)
        due = sales.listing.terms.due(entry.round)
        left = None if due is None else market.clock.left(due - MARGIN) - MINING_TIME
        with market.reading(left):
            envelopes = posting.pin_envelopes(market, journal, entry, sales, orders, key)
    return envelopes if envelopes.trouble_at(choices.second, left) is None else None


def _chosen_before(
    market: Market, listing_id: int, entry: RoundEntry, choices: Choices
) -> tuple[Sales, list[Order]] | None:
    """The orders whose key may be shown with the release; None: there is none, or it has to wait."""
    listing = market.contract.listing(listing_id)
    due = listing.terms.due(entry.round)
    if listing.terms.decline_window or (due is not None and market.clock.is_late(due - MARGIN, MINING_TIME)):
        return None
    sales = Sales.read(market, listing_id, choices.finality)
    chosen, _ = choose(sales, entry.round, released_at=market.connection.now())
    if not chosen or sales.listing.next_round != entry.round:
        return None
    return sales, chosen


def _with_keys(
    market: Market, listing_id: int, entry: RoundEntry, envelopes: posting.Envelopes, choices: Choices
) -> tuple[Call, int] | None:
    """The release with the envelopes in it, and the last second in which it may leave. Whoever has a right to the key
    is asked for again after the envelopes were pinned, which may have taken long: None where somebody cancelled
    meanwhile, or could reclaim."""
    again = _chosen_before(market, listing_id, entry, choices)
    if again is None:
        return None
    sales, chosen = again
    if {*entry.envelopes[envelopes.digest.hex()]} - {order.id for order in chosen}:
        return None
    sales.require_all_for_next()
    sales.require_keys(market, chosen)
    call = calls.release_and_deliver(
        listing=listing_id,
        round=entry.round,
        manifest=entry.sealed.manifest,
        digest=envelopes.digest,
        count=envelopes.count,
    )
    due = sales.listing.terms.due(entry.round)
    return call, keys_until(sales, chosen, market.connection.now(), due)
