"""Releasing a round: its manifest on chain, with the envelopes beside it where keys may be public at once."""

from functools import partial

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.clock import MINING_TIME, Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.core.errors import RefusedError, TooLateError
from numerbay_chain.core.progress import Note
from numerbay_chain.core.units import format_duration, format_time
from numerbay_chain.delivery import posting
from numerbay_chain.delivery.journal import RoundEntry, RoundJournal
from numerbay_chain.delivery.options import Choices
from numerbay_chain.delivery.recipients import MARGIN, Sales, choose, keys_until
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.types import Listing, Order
from numerbay_chain.session import Session


def require_releasable(listing: Listing, now: int) -> None:
    """Raises `RefusedError` where the next round can't be released at `now` (Unix seconds): that is better known before
    hours of sealing."""
    terms, round = listing.terms, listing.next_round
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


def release_round(
    session: Session, journal: RoundJournal, listing: Listing, entry: RoundEntry, choices: Choices
) -> Receipt | None:
    """Releases the round, with its envelopes where both may be public at once; None: it is over by now. Envelopes that
    do not come back a second way yet, or for which time ran out meanwhile, do not hold it up: they follow."""
    pinned = None if listing.terms.decline_window else _pin_before(session, journal, listing, entry, choices)
    if pinned is not None:
        with session.decision():
            together = _with_keys(session, entry, *pinned, choices)
            if together is not None:
                current, call, until = together
                try:
                    return send_release(session, current, entry.round, call, until)
                except TooLateError:
                    late = "the keys go out after the release: with it they could come too late"
                    session.notify(Note(late, "keys-after-release"))
    current = session.contract.listing(listing.id)  # sealing took its time
    if current.next_round > entry.round:
        return None
    call = calls.release(listing=listing.id, round=entry.round, manifest=entry.sealed.manifest)
    return send_release(session, current, entry.round, call)


def send_release(session: Session, listing: Listing, round: int, call: Call, keys_until: int | None = None) -> Receipt:
    """Sends a release. `keys_until`: the last second in which one that shows keys may leave."""
    first = listing.terms.release_from(round, listing.last_turn) if round == listing.next_round else None
    due, label = listing.terms.due(round), release_label(listing.id, round)
    stake = session.sending.at_stake(listing.terms.token, listing.active) if due else None
    if keys_until is None:
        return session.sending.send(label, call, window=Window(first, due, stake=stake)).receipt
    return session.sending.send_secret(label, call, Window(first, keys_until, MINING_TIME, stake)).receipt


def release_label(listing: int, round: int) -> str:
    """What the outbox calls the release."""
    return f"release-{listing}-{round}"


def _pin_before(
    session: Session, journal: RoundJournal, listing: Listing, entry: RoundEntry, choices: Choices
) -> tuple[Sales, posting.Envelopes] | None:
    """The envelopes for a release that shows the keys too, and what they rest on; None where the keys have to follow
    it."""
    with session.decision():
        chosen = _chosen_before(session, listing, entry, choices)
        if chosen is None:
            return None
        sales, orders = chosen
        sales.require_all_for_next()
        manifest = Manifest.decode(entry.sealed.manifest)
        key = partial(posting.content_key, session, manifest, listing.id, entry.round)
        due = listing.terms.due(entry.round)
        left = None if due is None else session.clock.left(due - MARGIN, now=sales.now) - MINING_TIME
        with session.content.reading(left):
            envelopes = posting.pin_envelopes(session, journal, entry, sales, orders, key)
    return (sales, envelopes) if envelopes.trouble_at(choices.second, left) is None else None


def _chosen_before(
    session: Session, listing: Listing, entry: RoundEntry, choices: Choices, before: Sales | None = None
) -> tuple[Sales, list[Order]] | None:
    """The orders whose key may be shown with the release; None: there is none, or it has to wait. `before`: what a look
    before this one showed."""
    look, due = session.contract.look(), listing.terms.due(entry.round)
    if due is not None and session.clock.is_late(due - MARGIN, MINING_TIME, look.time):
        return None
    sales = before.seen_at(look) if before is not None else None
    if sales is None:
        sales = Sales.read(session, look, listing.id, choices.finality)
    chosen, _ = choose(sales, entry.round, released_at=sales.now)
    return (sales, chosen) if chosen and sales.listing.next_round == entry.round else None


def _with_keys(
    session: Session, entry: RoundEntry, before: Sales, envelopes: posting.Envelopes, choices: Choices
) -> tuple[Listing, Call, int] | None:
    """The listing, the release with the envelopes in it, and the last second in which it may leave. Whoever has a right
    to the key is asked for again after the envelopes were pinned, which may have taken long: None where somebody
    cancelled meanwhile, or could reclaim."""
    again = _chosen_before(session, before.listing, entry, choices, before)
    if again is None:
        return None
    sales, chosen = again
    if {*entry.envelopes[envelopes.digest.hex()]} - {order.id for order in chosen}:
        return None
    sales.require_all_for_next()
    sales.require_keys(session.index, chosen)
    call = calls.release_and_deliver(
        listing=sales.listing.id,
        round=entry.round,
        manifest=entry.sealed.manifest,
        digest=envelopes.digest,
        count=envelopes.count,
    )
    return sales.listing, call, keys_until(sales, chosen, sales.listing.terms.due(entry.round))
