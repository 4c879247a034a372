"""Delivering a round, in steps that can be interrupted anywhere: seal and pin, read back, release, hand out the
keys.

What is done is asked of the chain; the journal (`rounds`) says what a round is. docs/architecture.md, "A delivery
is a journal entry".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from numerbay_chain import artifact, handout
from numerbay_chain.chain import calls
from numerbay_chain.chain.types import Delivery, Listing, Order, Receipt, Release
from numerbay_chain.crypto.content_key import ContentKey, Context
from numerbay_chain.errors import ContentError, NetworkError, NotFoundError, RefusedError, UsageError
from numerbay_chain.handout import Sales
from numerbay_chain.ipfs import Cid, ContentStore, open_store
from numerbay_chain.manifest import Manifest
from numerbay_chain.market import Market
from numerbay_chain.progress import Progress
from numerbay_chain.results import Delivered, Left, Served
from numerbay_chain.rounds import RoundEntry, RoundJournal, SealedFile
from numerbay_chain.source import open_source
from numerbay_chain.units import format_duration, format_order_id

_POLL: Final = 2.0  # seconds between two looks at the chain's time


@dataclass(frozen=True, slots=True)
class Choices:
    """How a delivery is done. `second` is another way to what was pinned; None on a development chain that asked
    for none."""

    confirmations: int
    second: ContentStore | None
    wait: bool
    progress: Progress

    @classmethod
    def make(
        cls, market: Market, confirmations: int | None, read_back: str | None, wait: bool, progress: Progress
    ) -> "Choices":
        """Raises `UsageError` where, off a development chain, the store was not chosen or there is no second way to
        it."""
        if market.dry_run:
            raise UsageError("a delivery can't be planned without being sealed", "leave --dry-run out")
        spec = read_back or market.read_back
        second = open_store(spec) if spec else None
        if second is not None and second.name == market.store.name:
            raise UsageError(
                f"{second.name} is the store itself, not a second way to it", "name a gateway that others read from"
            )
        if not market.is_development:
            if not market.explicit_store:
                raise UsageError(
                    "no store was chosen: content that lies on this machine alone can't be sold",
                    "give --store kubo:URL, or embedded:PATH if that folder is served to others",
                )
            if second is None:
                raise UsageError(
                    "no second way to the content is set: what can't be read back is not sold",
                    "give --read-back gateway:https://HOST",
                )
        return cls(market.confirmations(confirmations), second, wait, progress)

    def step(self, label: str) -> Callable[[int, int], None]:
        """Progress under a label."""
        return lambda done, total: self.progress(label, done, total)


def deliver(market: Market, path: Path, listing_id: int, note: str, again: bool, choices: Choices) -> Delivered:
    """See `Seller.deliver`."""
    journal = RoundJournal(market.journal_folder(listing_id), listing_id)
    with journal.exclusive():
        listing = open_listing(market, listing_id)
        if listing.terms.copies:
            raise RefusedError(f"listing {listing_id} is sold as copies", "give a file for each order, as ORDER=FILE")
        digest, size = digest_of(path, choices)
        entry = unfinished(market, journal, listing, digest, size, again)
        resumed = entry is not None
        if entry is None:
            require_releasable(market, listing)
            entry = RoundEntry(listing.next_round, _seal(market, path, listing, note, choices, (digest, size)))
            journal.save(entry)
        release, receipt = find_release(market, journal, listing_id, entry), None
        if release is None:
            if resumed and _was_lost(market, entry, choices):
                entry.file = _seal(market, path, listing, note, choices, (digest, size))
                journal.save(entry)
            _read_back(market, journal, entry, choices)
            receipt = _release(market, journal, listing_id, entry, choices)
            release = find_release(market, journal, listing_id, entry)
            if release is None:
                raise NetworkError("the release was mined, but the node does not show it", "run this again")
        outcome = hand_out(market, journal, listing_id, release, entry, choices)
    if receipt is not None and (posted := receipt.event("Delivered")):
        newly = tuple(entry.envelopes.get(posted["digest"].hex(), ())) + outcome.newly_posted
        outcome = replace(outcome, delivery=outcome.delivery or receipt, newly_posted=newly)
    return replace(outcome, release=receipt, resumed=resumed)


def serve(market: Market, listing_id: int, choices: Choices) -> Served:
    """See `Seller.serve`."""
    journal = RoundJournal(market.journal_folder(listing_id), listing_id)
    with journal.exclusive():
        open_listing(market, listing_id)
        served = [
            hand_out(market, journal, listing_id, release, journal.load(release.round), choices)
            for release in market.contract.releases(listing_id)
        ]
    return Served(listing_id, tuple(one for one in served if one.newly_posted or one.left or one.state == "waiting"))


# ---------------------------------------------------------------------------------------------------------- the steps


def open_listing(market: Market, listing_id: int) -> Listing:
    """The listing, once an earlier release is known to have gone through or not. Raises `RefusedError` where the
    account may not deliver."""
    listing = market.contract.listing(listing_id)
    if market.account not in (listing.seller, listing.operator):
        raise RefusedError(
            f"listing {listing.id} belongs to {listing.seller}, and {market.account} is not its operator",
            "use the seller's account, or have the seller name this one as operator",
        )
    if market.resume(release_label(listing_id, listing.next_round)) is None:
        return listing
    return market.contract.listing(listing_id)


def release_label(listing_id: int, round: int) -> str:
    """What the outbox calls the release."""
    return f"release-{listing_id}-{round}"


def require_releasable(market: Market, listing: Listing) -> None:
    """Raises `RefusedError` where the next round can't be released now: that is better known before hours of
    sealing."""
    now, terms, round = market.connection.now(), listing.terms, listing.next_round
    due = terms.due(round)
    if due is not None and now > due:
        raise RefusedError(
            f"it is {format_duration(now - due)} too late to release round {round} of listing {listing.id}",
            "skip it, so that its buyers are paid back, then deliver the next one",
        )
    earliest = terms.release_from(round, listing.last_turn)
    if now < earliest:
        raise RefusedError(
            f"round {round} of listing {listing.id} can be released in {format_duration(earliest - now)}",
            f"run this again from {earliest} on (Unix seconds)",
        )


def digest_of(path: Path, choices: Choices) -> tuple[bytes, int]:
    """sha256 and size of what would be sealed: a file's bytes, or a folder's tar."""
    source, digest, done = open_source(path), sha256(), 0
    for block in source.blocks():
        digest.update(block)
        done += len(block)
        choices.progress("read", done, source.size)
    return digest.digest(), source.size


def unfinished(
    market: Market, journal: RoundJournal, listing: Listing, digest: bytes, size: int, again: bool
) -> RoundEntry | None:
    """The entry to go on with, or None to begin a round. Raises `RefusedError` for another file while one is
    unfinished, and for a file that an earlier round was, unless `again`."""
    for entry in journal.all():
        same = entry.file is not None and entry.file.same_as(digest, size)
        if not entry.done and _is_stale(market, listing, entry):
            aside = journal.set_aside(entry.round)
            market.notify(f"round {entry.round} was missed or released from elsewhere: its entry is now {aside}")
        elif not entry.done:
            if same:
                return entry
            raise another_unfinished(journal, listing.id, entry)
        elif same and not again:
            raise RefusedError(
                f"the same file was delivered as round {entry.round} of listing {listing.id}",
                "give --again if it is meant for another round",
            )
    return None


def another_unfinished(journal: RoundJournal, listing_id: int, entry: RoundEntry) -> RefusedError:
    """The sentence for it."""
    name = entry.file.name if entry.file else "copies"
    return RefusedError(
        f"the delivery of {name} as round {entry.round} of listing {listing_id} is unfinished",
        f"deliver that first, or hand out its keys; to drop it, move {journal.path(entry.round)} away",
    )


def _is_stale(market: Market, listing: Listing, entry: RoundEntry) -> bool:
    """Whether the round became something else than what was sealed for it."""
    if entry.round >= listing.next_round:
        return False
    release = market.contract.release(listing.id, entry.round)
    if release is None:
        return True
    return entry.file is not None and release.content_hash != Manifest.decode(entry.file.manifest).content_hash


def _seal(
    market: Market, path: Path, listing: Listing, note: str, choices: Choices, expected: tuple[bytes, int]
) -> SealedFile:
    file = seal_file(market, path, market.context(listing.id, listing.next_round), note, choices)
    if (file.sha256, file.size) != expected:
        raise RefusedError(f"{path} changed while it was read", "wait until nothing writes to it, then run it again")
    return file


def _was_lost(market: Market, entry: RoundEntry, choices: Choices) -> bool:
    """Whether the store has not all of what was pinned for a round that was not released yet."""
    manifest = Manifest.decode(entry.sealed.manifest)
    try:
        market.store.read_block(manifest.cid)
    except (NotFoundError, ContentError):
        return True
    return bool(artifact.check(entry.sealed.manifest, manifest.content_hash, market.store, choices.step("check")))


def seal_file(market: Market, path: Path, context: Context, note: str, choices: Choices) -> SealedFile:
    """Seals and pins a file under a fresh key. The seller secret is made on first need, and that is said."""
    secret, made = market.home.seller_secret()
    if made:
        market.notify(
            f"a seller secret was made in {market.home.secret_path}: every key derives from it, so back it up now with "
            "`seller-secret export`"
        )
    sealed = artifact.seal(path, market.store, secret, context, note=note, progress=choices.step("seal"))
    return SealedFile(path.name, sealed.sha256, sealed.size, sealed.manifest.encode())


def _read_back(market: Market, journal: RoundJournal, entry: RoundEntry, choices: Choices) -> None:
    file = entry.sealed
    if not file.read_back:
        entry.file = read_back_file(market, file, choices)
        journal.save(entry)


def read_back_file(market: Market, file: SealedFile, choices: Choices) -> SealedFile:
    """Reads all that was pinned a second way, if there is one. Raises `RefusedError` unless every byte comes back."""
    if choices.second is not None:
        manifest = Manifest.decode(file.manifest)
        try:
            choices.second.read_block(manifest.cid)
        except (NotFoundError, ContentError) as error:
            raise _not_back(choices.second, str(error)) from error
        problems = artifact.check(file.manifest, manifest.content_hash, choices.second, choices.step("read back"))
        if problems:
            raise _not_back(choices.second, problems[0].message)
    return replace(file, read_back=True)


def _not_back(second: ContentStore, why: str) -> RefusedError:
    return RefusedError(
        f"what was pinned does not come back from {second.name}: {why}",
        "nothing was posted: wait until it can be had there, or name another way, and run this again",
    )


def find_release(market: Market, journal: RoundJournal, listing_id: int, entry: RoundEntry) -> Release | None:
    """The round's release, None while it is to come. Raises `RefusedError` where the round became something else."""
    listing = market.contract.listing(listing_id)
    if listing.next_round <= entry.round:
        return None
    if _is_stale(market, listing, entry):
        aside = journal.set_aside(entry.round)
        raise RefusedError(
            f"round {entry.round} of listing {listing_id} was missed or released from elsewhere",
            f"what was sealed for it is in {aside}; deliver the file again for the next round",
        )
    return market.contract.release(listing_id, entry.round)


def _release(market: Market, journal: RoundJournal, listing_id: int, entry: RoundEntry, choices: Choices) -> Receipt:
    """Releases the round, with its envelopes where both may be public at once."""
    manifest = entry.sealed.manifest
    label = release_label(listing_id, entry.round)
    call = calls.release(listing=listing_id, round=entry.round, manifest=manifest)
    listing, now = market.contract.listing(listing_id), market.connection.now()
    due = listing.terms.due(entry.round)
    if listing.terms.decline_window == 0 and (due is None or now + handout.MARGIN <= due):
        sales = Sales.read(market.contract, listing_id, choices.confirmations)
        chosen, _ = handout.choose(sales, entry.round, now, before_release=True)
        if chosen:
            key = handout.content_key(market, Manifest.decode(manifest), listing_id, entry.round)
            records = handout.seal_for(market, sales, entry.round, chosen, key)
            digest = handout.pin_envelopes(market, records, listing_id, entry.round, choices.second)
            entry.envelopes[digest.hex()] = [order.id for order in chosen]
            journal.save(entry)
            call = calls.release_and_deliver(
                listing=listing_id, round=entry.round, manifest=manifest, digest=digest, count=len(chosen)
            )
    return market.send(label, call).receipt


# ----------------------------------------------------------------------------------------------------------- the keys


def hand_out(
    market: Market,
    journal: RoundJournal,
    listing_id: int,
    release: Release,
    entry: RoundEntry | None,
    choices: Choices,
) -> Delivered:
    """Posts envelopes for all who have a right to the round's key and none yet, as soon as it may go out."""
    entry = entry or RoundEntry(release.round)
    market.resume(f"deliver-{listing_id}-{release.round}")
    while True:
        # asked before the orders are read: who declined until then is not among them
        waiting = _what_to_wait_for(market, listing_id, release, choices)
        sales, chosen, left, copies = _who_has_a_right(market, listing_id, release, choices)
        deliveries = market.contract.deliveries(listing_id, release.round)
        have = handout.posted_orders(deliveries, entry.envelopes, market.store_or_none, sales.listing.orders)
        fresh = tuple(order.id for order in chosen if order.id not in have)
        if not fresh or not waiting:
            break
        if not choices.wait:
            return _outcome(release, entry, deliveries, None, (), left, waiting)
        while _what_to_wait_for(market, listing_id, release, choices):
            time.sleep(_POLL)
    receipt = None
    if fresh:
        keys: ContentKey | dict[int, ContentKey]
        if copies is None:
            keys = handout.content_key(market, Manifest.decode(release.manifest), listing_id, release.round)
        else:
            keys = _copy_keys(
                market, listing_id, release.round, entry, {order.id: copies[order.id] for order in chosen}
            )
        records = handout.seal_for(market, sales, release.round, chosen, keys)
        digest = handout.pin_envelopes(market, records, listing_id, release.round, choices.second)
        entry.envelopes[digest.hex()] = [order.id for order in chosen]
        journal.save(entry)
        receipt = handout.post(market, listing_id, release.round, digest, len(chosen)).receipt
        deliveries = market.contract.deliveries(listing_id, release.round)
    if not entry.done:
        entry.done = True
        journal.save(entry)
    return _outcome(release, entry, deliveries, receipt, fresh, left, None)


def _who_has_a_right(
    market: Market, listing_id: int, release: Release, choices: Choices
) -> tuple[Sales, list[Order], list[Left], dict[int, bytes] | None]:
    """Sales, the orders whose key may go out, the others with the reason, and the copies' hashes if copies are sold."""
    sales = Sales.read(market.contract, listing_id, choices.confirmations)
    chosen, left = handout.choose(sales, release.round, market.connection.now(), before_release=False)
    if not sales.listing.terms.copies:
        return sales, chosen, left, None
    copies = {copy.order: copy.content_hash for copy in market.contract.copies_of(listing_id, release.round)}
    left += [Left(order.id, f"order {order} has no copy of this round") for order in chosen if order.id not in copies]
    return sales, [order for order in chosen if order.id in copies], left, copies


def _what_to_wait_for(
    market: Market, listing_id: int, release: Release, choices: Choices
) -> tuple[int | None, str] | None:
    connection, listing = market.connection, market.contract.listing(listing_id)
    return handout.when_keys_go_out(
        release, listing, connection.now(), connection.block_number(), choices.confirmations
    )


def _copy_keys(
    market: Market, listing_id: int, round: int, entry: RoundEntry, hashes: dict[int, bytes]
) -> dict[int, ContentKey]:
    keys = {}
    for order, content_hash in hashes.items():
        copy = entry.copies.get(order)
        block = copy.manifest if copy else market.store.read_block(Cid.raw(content_hash))
        if sha256(block).digest() != content_hash:
            raise RefusedError(
                f"order {format_order_id(order)} was posted another copy than this machine sealed",
                "hand out its key from where the copy was made",
            )
        keys[order] = handout.content_key(market, Manifest.decode(block), listing_id, round, order)
    return keys


def _outcome(
    release: Release,
    entry: RoundEntry,
    deliveries: list[Delivery],
    receipt: Receipt | None,
    fresh: tuple[int, ...],
    left: list[Left],
    waiting: tuple[int | None, str] | None,
) -> Delivered:
    manifest = Manifest.decode(release.manifest) if release.manifest else None
    until, reason = waiting or (None, None)
    return Delivered(
        listing=release.listing,
        round=release.round,
        state="waiting" if waiting else "delivered",
        content_hash=release.content_hash if manifest else None,
        cid=manifest.cid if manifest else None,
        ciphertext_cid=manifest.ciphertext_cid if manifest else None,
        size=manifest.size if manifest else None,
        sha256=entry.file.sha256 if entry.file else None,
        release=None,
        delivery=receipt,
        envelopes=deliveries[-1].count if deliveries else 0,
        newly_posted=fresh,
        left=tuple(left),
        waiting_until=until,
        waiting_for=reason,
        resumed=False,
    )
