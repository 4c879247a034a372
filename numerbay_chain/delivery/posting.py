"""Envelopes: sealing a round's key to its buyers, pinning them, and who has one (docs/protocol.md §3, "envelopes").

Every object that is posted holds all who have a right to the key at that time: a buyer reads the newest one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.sending.outbox import Sent
from numerbay_chain.core.errors import AccountError, ContentError, NetworkError, NotFoundError
from numerbay_chain.core.progress import Note
from numerbay_chain.crypto.content_key import ContentKey, derive_content_key
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE, seal_envelopes
from numerbay_chain.delivery.journal import RoundEntry, RoundJournal
from numerbay_chain.delivery.recipients import Sales
from numerbay_chain.ipfs import Cid, ContentStore
from numerbay_chain.protocol.types import Delivery, Order
from numerbay_chain.session import Session

Keys = ContentKey | Mapping[int, ContentKey]
"""The round's key, or one for each order where copies are sold."""


@dataclass(frozen=True, slots=True)
class Envelopes:
    """An object of `count` records; `digest` is the one of its root block."""

    digest: bytes
    count: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * ENVELOPE_SIZE

    @property
    def cid(self) -> Cid:
        return Cid.of(self.digest, self.size)

    def orders(self, store: ContentStore) -> list[int]:
        """The orders that are in it. Raises `NotFoundError`, `ContentError` and `NetworkError`."""
        records = store.read_bytes(self.cid, self.size)
        return [int.from_bytes(records[start : start + 8], "big") for start in range(0, len(records), ENVELOPE_SIZE)]

    def trouble_at(self, second: ContentStore | None, seconds: float | None = None) -> Note | None:
        """Why they do not come back a second way (yet), where they have to do so within that many `seconds` (None: as
        long as it takes); None: they do, or there is no second way."""
        if second is None:
            return None
        try:
            with nullcontext() if seconds is None else second.within(max(seconds, 1)):
                second.read_bytes(self.cid, self.size)
        except (NetworkError, ContentError) as error:
            return Note(f"the envelopes could not be read back from {second.name} yet: {error}", "not-read-back")
        return None


def content_key(session: Session, manifest: Manifest, listing: int, round: int, order: int = 0) -> ContentKey:
    """The key that a manifest commits to, out of the seller secret. Raises `AccountError` if that secret did not
    make it."""
    secret = bytes.fromhex(session.home.export_seller_secret())
    key = derive_content_key(secret, manifest.key_salt, session.context(listing, round, order))
    if key.commitment != manifest.key_commitment:
        raise AccountError(
            f"round {round} of listing {listing} was sealed with another seller secret than that in "
            f"{session.home.path}",
            "import the right one from its backup with `seller-secret import`",
            code="wrong-secret",
        )
    return key


def pin_envelopes(
    session: Session,
    journal: RoundJournal,
    entry: RoundEntry,
    sales: Sales,
    orders: Iterable[Order],
    keys: Callable[[], Keys],
) -> Envelopes:
    """Envelopes for exactly these orders, pinned, and written down before anybody is told. Ends the decision that says
    whose they are (`Session.decision`). Those of an earlier run are
    taken again while the store has them: sealing is random, so new ones would have to find their way anew."""
    chosen = sorted(orders, key=lambda order: order.id)
    ids = [order.id for order in chosen]
    sales.require_keys(session.index, chosen)
    session.confirm()  # what is pinned may be read by anybody
    for digest in [digest for digest, known in entry.envelopes.items() if known == ids]:
        envelopes = Envelopes(bytes.fromhex(digest), len(ids))
        try:
            if envelopes.orders(session.content.store) == ids:
                return envelopes
        except (NetworkError, ContentError):
            continue
    records = _seal(session, sales, entry.round, chosen, keys())
    root = session.content.store.add(records, f"envelopes of round {entry.round} of listing {sales.listing.id}")
    entry.envelopes[root.cid.digest.hex()] = ids
    journal.save(entry)
    return Envelopes(root.cid.digest, len(ids))


def _seal(session: Session, sales: Sales, round: int, chosen: Sequence[Order], keys: Keys) -> bytes:
    context = session.context(sales.listing.id, round)
    if isinstance(keys, ContentKey):
        return seal_envelopes(keys, context, [(order.id, sales.key_of(order)) for order in chosen])
    return b"".join(seal_envelopes(keys[order.id], context, [(order.id, sales.key_of(order))]) for order in chosen)


def posted_orders(
    deliveries: Sequence[Delivery],
    known: Mapping[str, list[int]],
    store: ContentStore | None,
    most: int,
    wanted: Iterable[int],
) -> set[int]:
    """The orders that have an envelope, by the objects themselves: one that is not available counts for nobody. The
    journal (`known`: digest in hex → order ids) answers only where the store can't be asked. `most`: orders of the
    listing; looking ends when all that are `wanted` were found."""
    found: set[int] = set()
    missing = set(wanted)
    doubt: NetworkError | None = None
    for delivery in reversed(deliveries):
        if not missing:
            break
        if not 0 < delivery.count <= most:
            continue
        ids = known.get(delivery.digest.hex(), [])
        if store is not None:
            try:
                ids = Envelopes(delivery.digest, delivery.count).orders(store)
            except (NotFoundError, ContentError):
                continue
            except NetworkError as error:
                doubt = doubt or error
        found.update(ids)
        missing.difference_update(ids)
    if doubt is not None and not found:
        raise doubt  # a store that answers nothing says nothing about who has a key
    return found


def post(session: Session, listing: int, round: int, envelopes: Envelopes) -> Sent:
    """Posts envelopes for a released round."""
    call = calls.deliver(listing=listing, round=round, digest=envelopes.digest, count=envelopes.count)
    return session.sending.send(post_label(listing, round), call)


def post_label(listing: int, round: int) -> str:
    """What the outbox calls it."""
    return f"deliver-{listing}-{round}"
