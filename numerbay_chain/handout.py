"""Who has a right to a round's key, who has it already, and posting it to whoever has not (docs/protocol.md §3,
"envelopes").

Every object that is posted holds all who have a right to the key at that time: a buyer reads the newest one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from numerbay_chain.chain import calls
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.types import Delivery, Event, Listing, Order, Release
from numerbay_chain.crypto.content_key import ContentKey, derive_content_key
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE, seal_envelopes
from numerbay_chain.errors import AccountError, ContentError, NetworkError, NotFoundError
from numerbay_chain.ipfs import Cid, ContentStore
from numerbay_chain.manifest import Manifest
from numerbay_chain.market import Market
from numerbay_chain.outbox import Sent
from numerbay_chain.results import Left

_IDS_A_QUERY: Final = 500
MARGIN: Final = 3_600
"""Seconds. Keys go out together with a release only that long before it is due, and not to an order that could be
reclaimed by then."""


@dataclass(frozen=True, slots=True)
class Sales:
    """A listing's orders and their buyers' keys, as they stand; `settled_orders` are deep enough in the chain to
    count on."""

    listing: Listing
    orders: tuple[Order, ...]
    settled_orders: frozenset[int]
    keys: Mapping[tuple[str, int], bytes]  # (owner, epoch) → X25519 public key
    paid_back: frozenset[tuple[int, int]]  # (order, round)

    @classmethod
    def read(cls, contract: MarketplaceContract, listing_id: int, confirmations: int) -> "Sales":
        """Raises `NetworkError`, and `RevertedError` for a listing that does not exist."""
        head = contract.connection.block_number()
        listing = contract.listing(listing_id, block=head)
        orders = tuple(contract.orders_of(listing_id, to_block=head)) if listing.orders else ()
        deep = frozenset(order.id for order in orders)
        if confirmations:
            bought = _events(contract, "Bought", "order", [order.id for order in orders], head)
            deep = frozenset(event["order"] for event in bought if event.block <= head - confirmations)
        owners = sorted({order.buyer for order in orders})
        registered = _events(contract, "KeyRegistered", "owner", owners, head)
        refunds = _events(contract, "RoundRefunded", "order", [order.id for order in orders], head)
        return cls(
            listing,
            orders,
            deep,
            {(event["owner"], event["epoch"]): event["publicKey"] for event in registered},
            frozenset((event["order"], event["round"]) for event in refunds),
        )

    def rightful(self, round: int) -> list[Order]:
        """The orders that cover the round and were not paid back for it: declined and refunded ones end before it."""
        return [order for order in self.orders if order.covers(round) and (order.id, round) not in self.paid_back]

    def key_of(self, order: Order) -> bytes:
        """The public key that the order was bought with."""
        key = self.keys.get((order.buyer, order.epoch))
        if key is None:
            raise NetworkError(f"the node left out the key of order {order}", "check from_block, or use another node")
        return key


def _events(
    contract: MarketplaceContract, name: str, argument: str, values: Sequence[int | str], head: int
) -> Iterator[Event]:
    for start in range(0, len(values), _IDS_A_QUERY):
        yield from contract.events([name], to_block=head, **_where(argument, values[start : start + _IDS_A_QUERY]))


def _where(argument: str, values: Sequence[int | str]) -> dict[str, Any]:
    return {argument: list(values)}


def choose(sales: Sales, round: int, now: int, *, before_release: bool) -> tuple[list[Order], list[Left]]:
    """The orders whose key may go out now, and those that must wait, with the reason."""
    chosen: list[Order] = []
    left: list[Left] = []
    for order in sales.rightful(round):
        if order.id not in sales.settled_orders:
            left.append(Left(order.id, f"order {order} was bought too recently: its block could still vanish"))
        elif before_release and _could_be_reclaimed(order, sales.listing, now):
            left.append(
                Left(order.id, f"order {order} was cancelled and could be reclaimed until the release is final")
            )
        else:
            chosen.append(order)
    return chosen, left


def _could_be_reclaimed(order: Order, listing: Listing, now: int) -> bool:
    return order.cancelled_at > 0 and now + MARGIN >= order.cancelled_at + listing.terms.notice_period


def content_key(market: Market, manifest: Manifest, listing: int, round: int, order: int = 0) -> ContentKey:
    """The key that a manifest commits to, out of the seller secret. Raises `AccountError` if that secret did not
    make it."""
    secret = bytes.fromhex(market.home.export_seller_secret())
    key = derive_content_key(secret, manifest.key_salt, market.context(listing, round, order))
    if key.commitment != manifest.key_commitment:
        raise AccountError(
            f"round {round} of listing {listing} was sealed with another seller secret than that in {market.home.path}",
            "import the right one from its backup with `seller-secret import`",
        )
    return key


def seal_for(
    market: Market, sales: Sales, round: int, orders: Iterable[Order], keys: ContentKey | Mapping[int, ContentKey]
) -> bytes:
    """The records of those orders, sorted. `keys`: the round's key, or one per order where copies are sold."""
    context = market.context(sales.listing.id, round)
    chosen = sorted(orders, key=lambda order: order.id)
    if isinstance(keys, ContentKey):
        return seal_envelopes(keys, context, [(order.id, sales.key_of(order)) for order in chosen])
    return b"".join(seal_envelopes(keys[order.id], context, [(order.id, sales.key_of(order))]) for order in chosen)


def posted_orders(
    deliveries: Iterable[Delivery], known: Mapping[str, list[int]], store: ContentStore | None, most: int
) -> set[int]:
    """The orders that have an envelope, by the journal (`known`: digest in hex → order ids) or, where it does not
    know, the objects themselves. An object that is not to be had counts for nobody."""
    found: set[int] = set()
    for delivery in deliveries:
        ids = known.get(delivery.digest.hex())
        if ids is None and store is not None and 0 < delivery.count <= most:
            ids = _read_ids(store, delivery)
        found.update(ids or ())
    return found


def _read_ids(store: ContentStore, delivery: Delivery) -> list[int]:
    size = delivery.count * ENVELOPE_SIZE
    try:
        records = store.read_bytes(Cid.of(delivery.digest, size), size)
    except (NotFoundError, ContentError):
        return []
    return [int.from_bytes(records[start : start + 8], "big") for start in range(0, len(records), ENVELOPE_SIZE)]


def pin_envelopes(market: Market, records: bytes, listing: int, round: int, second: ContentStore | None) -> bytes:
    """Pins the records and reads them back a second way, if there is one; the digest to post."""
    root = market.store.add(records, f"envelopes of round {round} of listing {listing}")
    if second is not None and second.read_bytes(root.cid, root.size) != records:
        raise ContentError(
            f"{second.name} gave other envelopes than were pinned", "do not post them: look at that gateway"
        )
    return root.cid.digest


def post(market: Market, listing: int, round: int, digest: bytes, count: int) -> Sent:
    """Posts envelopes for a released round."""
    call = calls.deliver(listing=listing, round=round, digest=digest, count=count)
    return market.send(f"deliver-{listing}-{round}", call)


def when_keys_go_out(
    release: Release, listing: Listing, now: int, head: int, confirmations: int
) -> tuple[int | None, str] | None:
    """None: now. Else what is waited for, and until when (Unix seconds) if that is known."""
    over = release.released_at + listing.terms.decline_window
    if now < over:
        return over, "the decline window is open: buyers check the content now, and the keys go out when it is over"
    missing = confirmations - (head - release.block)
    if missing > 0:
        return None, f"the release is not final yet: {missing} more blocks must follow it before the keys go out"
    return None
