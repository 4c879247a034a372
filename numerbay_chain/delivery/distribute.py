"""Handing out the keys of rounds that are out: to all who have a right to one and none yet, as soon as it may be
public."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.sending.outbox import Sent
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import AccountError, ContentError, NetworkError, NumerbayChainError
from numerbay_chain.core.progress import Note
from numerbay_chain.core.units import format_duration
from numerbay_chain.delivery import posting
from numerbay_chain.delivery.journal import RoundEntry, RoundJournal
from numerbay_chain.delivery.options import Choices
from numerbay_chain.delivery.posting import Keys
from numerbay_chain.delivery.recipients import POSTED, Sales, choose
from numerbay_chain.delivery.release import release_label
from numerbay_chain.delivery.results import Delivered, Left, Served
from numerbay_chain.index.questions import ROUNDS, release_in
from numerbay_chain.orders.manifests import resolve_manifest
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.types import Delivery, Listing, Order, Release
from numerbay_chain.session import Session

_POLL: Final = 2.0  # seconds between two looks at what is waited for

Waiting = tuple[int | None, Note]
"""Until when (Unix seconds) if that is known, and what for."""


def serve(session: Session, journal: RoundJournal, look: Snapshot, listing_id: int, choices: Choices) -> Served:
    """Hands out keys round by round: one look at the listing tells for which rounds somebody waits. One round's failure
    is raised after all others were served, unless the node is gone."""
    served: list[Delivered] = []
    failures: list[tuple[int, NumerbayChainError]] = []
    with session.agreed():  # that nobody waits is believed of both nodes alone
        look = look if look.is_agreed() else session.contract.look()
        sales = Sales.read(session, look, listing_id, choices.finality, more=(*ROUNDS, *POSTED))
    past = sales.facts.listing(listing_id)
    for release in past.releases.values():
        try:
            entry = fitting_entry(session, journal, release)
            served.append(hand_out(session, journal, release, entry, choices, sales))
        except NumerbayChainError as error:
            failures.append((release.round, error))
            session.connection.block_number()
    left = next((round for round in range(sales.listing.next_round) if not past.is_over(round)), None)
    if left is not None:
        failures.append((left, left_out(listing_id, left)))
    for round, failure in failures[1:]:
        session.notify(Note(f"round {round} of listing {listing_id} has trouble too: {failure}", failure.code))
    if failures:
        for one in served:
            if one.newly_posted:
                sent = f"round {one.round}: keys went out to {len(one.newly_posted)} orders all the same"
                session.notify(Note(sent, "keys-sent"))
        raise failures[0][1]
    return Served(listing_id, tuple(one for one in served if one.newly_posted or one.left or one.state == "waiting"))


def left_out(listing_id: int, round: int) -> NetworkError:
    """For a round that is out by the contract and not by the logs."""
    return NetworkError(
        f"the node left out the release of round {round} of listing {listing_id}",
        "check from_block, use another node, or run this again",
        code="node-incomplete",
    )


def fitting_entry(session: Session, journal: RoundJournal, release: Release) -> RoundEntry | None:
    """What was written down of a round, if it is this release: else it is set aside, for its envelopes hold another
    key."""
    entry = journal.load(release.round)
    if entry is None or entry.fits(release.content_hash):
        return entry
    set_aside(session, journal, entry)
    return None


def set_aside(session: Session, journal: RoundJournal, entry: RoundEntry) -> None:
    """Takes an entry out of the way whose round became something else, and says so."""
    aside = journal.set_aside(entry.round)
    said = f"round {entry.round} was missed or released from elsewhere: its entry is now {aside}"
    session.notify(Note(said, "entry-set-aside"))


@dataclass(frozen=True, slots=True)
class _Rights:
    """Who has a right to the round's key, by the chain alone: `chosen` are all whose key may go out."""

    sales: Sales
    chosen: list[Order]
    left: list[Left]
    copies: dict[int, Manifest] | None  # by order, where copies are sold

    @classmethod
    def at(cls, session: Session, release: Release, entry: RoundEntry, sales: Sales) -> "_Rights":
        """By `sales`, which know the copies that were posted for the round."""
        round = release.round
        chosen, left = choose(sales, round)
        if not sales.listing.terms.copies:
            return cls(sales, chosen, left, None)
        hashes = sales.copies(round)
        left += [
            Left(order.id, f"order {order} has no copy of this round", "no-copy")
            for order in chosen
            if order.id not in hashes
        ]
        copies, failure = dict[int, Manifest](), None
        for order in chosen:
            if order.id in hashes:
                try:
                    copies[order.id] = _own_copy(session, sales.listing, release, entry, order.id, hashes[order.id])
                except (NetworkError, ContentError, AccountError) as error:
                    failure = failure or error  # it keeps nobody else from a key
                    reason = f"the copy of order {order} can't be opened here: {error}"
                    left.append(Left(order.id, reason, error.code))
        if failure is not None and not copies:
            raise failure
        return cls(sales, [order for order in chosen if order.id in copies], left, copies)

    @property
    def ids(self) -> list[int]:
        return [order.id for order in self.chosen]


@dataclass(frozen=True, slots=True)
class _State:
    """What chain and store show; `fresh` are those who have a right to a key and none yet."""

    rights: "_Rights"
    deliveries: list[Delivery]
    fresh: tuple[int, ...]

    @classmethod
    def of(cls, session: Session, release: Release, entry: RoundEntry, sales: Sales) -> "_State":
        rights = _Rights.at(session, release, entry, sales)
        deliveries = sales.facts.listing(release.listing).postings.get(release.round, [])
        ids, most = rights.ids, rights.sales.listing.orders
        have = posting.posted_orders(deliveries, entry.envelopes, session.content.store_or_none, most, ids)
        return cls(rights, deliveries, tuple(order for order in ids if order not in have))


def hand_out(
    session: Session,
    journal: RoundJournal,
    release: Release,
    entry: RoundEntry | None,
    choices: Choices,
    sales: Sales | None = None,
) -> Delivered:
    """Posts envelopes for all who have a right to the round's key and none yet, as soon as it may go out. The answer's
    `release` is one that an earlier call had sent without being told what became of it. `sales`: what the chain said
    just now of the listing, the release and all that was posted for it."""
    entry = entry or RoundEntry.begun(release.round)
    released = session.sending.resume(release_label(release.listing, release.round))
    posted = session.sending.resume(posting.post_label(release.listing, release.round))
    if released or posted:
        sales = None  # it is older than that
    envelopes, waiting = None, None
    while True:
        if sales is None:
            look = session.contract.look()
            sales = Sales.of_round(session, look, release.listing, release.round, choices.finality)
        state = _State.of(session, release, entry, sales)
        if not state.fresh and not sales.look.is_agreed():
            sales = _agreed(session, release, choices)
            continue
        if not state.fresh:
            break
        waiting = _until(session.connection, release, sales, choices)
        if waiting is None:
            envelopes, state, waiting = _pin(session, journal, release, entry, state, choices)
            if not state.fresh:
                sales = _agreed(session, release, choices)  # by what both nodes say, nobody has a right to a key yet
                continue
            if envelopes is not None:
                trouble = envelopes.trouble_at(choices.second)
                if trouble is None and _still_rightful(session, release, state):
                    break
                # else, without trouble, somebody was paid back, or challenged, while the envelopes were pinned
                waiting = None if trouble is None else (None, trouble)
        if waiting is not None:
            if not choices.wait:
                return _outcome(release, entry, state, released, None, (), waiting)
            session.connection.policy.sleep(_POLL)
        sales = None
    receipt = None
    if state.fresh and envelopes is not None:
        receipt = posting.post(session, release.listing, release.round, envelopes).receipt
    if not entry.done:
        entry.done = True
        journal.save(entry)
    return _outcome(release, entry, state, released, receipt, state.fresh, None)


def _agreed(session: Session, release: Release, choices: Choices) -> Sales:
    """What both nodes say of the round: a node that hides an order, or says that its keys were posted, would keep its
    buyer from the key."""
    with session.agreed():
        sales = Sales.of_round(session, session.contract.look(), release.listing, release.round, choices.finality)
        if release_in(session.index, sales.facts, release.listing, release.round) != release:
            raise _another_release(release)
    return sales


def _another_release(release: Release) -> NetworkError:
    """For a round whose release changed while it was looked at."""
    return NetworkError(f"the release of round {release.round} is another one by now", "run this again")


def _still_rightful(session: Session, release: Release, state: "_State") -> bool:
    """Whether all whose key is in the envelopes have a right to it still, after the time that pinning took."""
    look = session.contract.look()
    if look.hash == state.rights.sales.look.hash:
        return True
    ids = {order.id for order in Sales.read(session, look, release.listing).rightful(release.round)}
    return all(order in ids for order in state.rights.ids)


def _until(connection: Connection, release: Release, sales: Sales, choices: Choices) -> Waiting | None:
    """None: keys may go out now, as far as the chain's time and depth say. Off a development chain that is the time of
    the block that the orders were read at: whoever declined until then is not among them."""
    window = sales.listing.terms.decline_window
    over = release.released_at + window
    if sales.now < over:
        open_ = "the decline window is open: buyers check the content now, and the keys go out when it is over"
        return over, Note(open_, "decline-window")
    if sales.final is None:
        return None
    if release.block > sales.final:
        left = format_duration(choices.finality.seconds_left(release.block))
        young = f"the release is not final yet: that takes about {left} more, and the keys go out then"
        return None, Note(young, "not-final")
    # a block that the chain could still take back must not be able to hold a decline
    if window and connection.timestamp(sales.final) < over:
        return None, Note("the end of the decline window is not final yet: the keys go out when it is", "not-final")
    return None


def _pin(
    session: Session, journal: RoundJournal, release: Release, entry: RoundEntry, state: _State, choices: Choices
) -> tuple[posting.Envelopes | None, _State, Waiting | None]:
    """Envelopes for all who have a right to the key by a last look at the chain, which both nodes must agree on, and
    that state. Whoever bought meanwhile is served too: strangers who buy all the time must not hold up the others.
    No envelopes: nobody has that right by then, or it has to wait for what stands last: a second node may be further
    from calling a block final. Raises `NetworkError` where another release is there."""
    with session.decision():
        look = session.contract.look()
        sales = state.rights.sales.seen_at(look)
        if sales is None:
            sales = Sales.of_round(session, look, release.listing, release.round, choices.finality)
        if release_in(session.index, sales.facts, release.listing, release.round) != release:
            raise _another_release(release)
        rights = _Rights.at(session, release, entry, sales)
        seen = {*state.rights.ids}
        fresh = [order for order in rights.chosen if order.id in state.fresh or order.id not in seen]
        state = replace(state, rights=rights, fresh=tuple(order.id for order in fresh))
        waiting = _until(session.connection, release, sales, choices)
        if waiting is not None or not fresh:
            return None, state, waiting
        rights.sales.require_all_for(release, fresh)
        keys: Callable[[], Keys]
        if rights.copies is None:
            manifest = Manifest.decode(release.manifest)
            keys = partial(posting.content_key, session, manifest, release.listing, release.round)
        else:
            keys = partial(_copy_keys, session, release, rights.copies)
        envelopes = posting.pin_envelopes(session, journal, entry, rights.sales, rights.chosen, keys)
    return envelopes, state, None


def _own_copy(
    session: Session, listing: Listing, release: Release, entry: RoundEntry, order: int, content_hash: bytes
) -> Manifest:
    """The manifest of an order's copy. Raises `NetworkError` or `ContentError` where it is not available, and
    `AccountError` where it was sealed elsewhere, with another seller secret."""
    manifest = Manifest.decode(resolve_manifest(session, listing, release, content_hash, entry.copy_manifest(order)))
    posting.content_key(session, manifest, release.listing, release.round, order)
    return manifest


def _copy_keys(session: Session, release: Release, copies: dict[int, Manifest]) -> Keys:
    return {
        order: posting.content_key(session, copy, release.listing, release.round, order)
        for order, copy in copies.items()
    }


def _outcome(
    release: Release,
    entry: RoundEntry,
    state: _State,
    released: Sent | None,
    receipt: Receipt | None,
    fresh: tuple[int, ...],
    waiting: Waiting | None,
) -> Delivered:
    manifest = Manifest.decode(release.manifest) if release.manifest else None
    until, reason = waiting or (None, None)
    posted = len(state.rights.chosen) if receipt else state.deliveries[-1].count if state.deliveries else 0
    return Delivered(
        listing=release.listing,
        round=release.round,
        state="waiting" if waiting else "delivered",
        content_hash=release.content_hash if manifest else None,
        cid=manifest.cid if manifest else None,
        ciphertext_cid=manifest.ciphertext_cid if manifest else None,
        size=manifest.size if manifest else None,
        sha256=entry.file.sha256 if entry.file else None,
        release=released.receipt if released else None,
        delivery=receipt,
        envelopes=posted,
        newly_posted=fresh,
        left=tuple(state.rights.left),
        waiting_until=until,
        waiting_for=reason,
        resumed=False,
    )
