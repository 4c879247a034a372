"""The marketplace as it stands, and as its logs tell it: typed, frozen answers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from numerbay_chain.chain.connection import Connection, checksummed
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.encoding.codec import Item
from numerbay_chain.chain.logs import MOST_TOPICS, read_events
from numerbay_chain.chain.reading import Question
from numerbay_chain.chain.snapshot import Reads, Snapshot
from numerbay_chain.core.errors import NetworkError, RefusedError, RevertedError, UsageError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.core.units import format_order_id
from numerbay_chain.protocol.events import Event, challenge_after, release_of
from numerbay_chain.protocol.types import (
    Challenge,
    CopyDelivery,
    Delivery,
    Listing,
    Order,
    Pot,
    Release,
    Settlement,
    Token,
    Voucher,
    abi_tuple,
)

_ORDER_EVENTS = ("Bought", "Declined", "Cancelled", "Reclaimed", "Refunded", "FaultyRefunded")
_MOST_LISTINGS = 2**32


class MarketplaceContract:
    """The marketplace at `address`, whose logs begin in block `from_block`.

    Reads answer for the latest block, or for `block` where it is given. They raise `RevertedError` for what does not
    exist (NoListing, NoOrder, NoKey) and `NetworkError`. Making one raises `UsageError` where there is no marketplace.
    """

    def __init__(self, connection: Connection, address: str, from_block: int = 0) -> None:
        self.connection = connection
        self.address = checksummed(address, "address of a contract")
        self.from_block = from_block
        self._tokens: dict[str, Token] = {}
        missing = UsageError(
            f"no marketplace at {self.address} on chain {connection.chain_id}",
            "check contract, rpc and chain_id",
            code="contract-unknown",
        )
        try:
            answer = connection.read(self.address, abi.selector(_function("listingCount")))
        except RevertedError:
            raise missing from None
        if len(answer) != 32:
            raise missing

    def __repr__(self) -> str:
        return f"MarketplaceContract({self.address} on chain {self.connection.chain_id})"

    # ---------------------------------------------------------------------------------------------------------- looks

    def at(self, block: int | None = None) -> Reads:
        """Questions about the state after a block; None: whatever is the newest one when it is asked."""
        return Reads(self.connection, self.address, block, self._tokens)

    def look(self) -> Snapshot:
        """The newest block, by one request; within a decision, its block. On a development chain, whose blocks stand
        still while nothing happens, its time is the next block's."""
        return Snapshot(self.connection, self.address, self.connection.present(), self._tokens)

    # --------------------------------------------------------------------------------------------------------- reads

    def listing_count(self, *, block: int | None = None) -> int:
        """`Reads.listing_count`, of `block`."""
        return self.at(block).listing_count()

    def listing(self, listing: int, *, block: int | None = None) -> Listing:
        """`Reads.listing`, of `block`."""
        return self.at(block).listing(listing)

    def order(self, order: int, *, block: int | None = None) -> Order:
        """`Reads.order`, of `block`."""
        return self.at(block).order(order)

    def current_key(self, owner: str, *, block: int | None = None) -> tuple[int, bytes] | None:
        """`Reads.current_key`, of `block`."""
        return self.at(block).current_key(owner)

    def key_at(self, owner: str, epoch: int, *, block: int | None = None) -> bytes:
        """`Reads.key_at`, of `block`."""
        return self.at(block).key_at(owner, epoch)

    def registration_nonce(self, owner: str, *, block: int | None = None) -> int:
        """`Reads.registration_nonce`, of `block`."""
        return self.at(block).registration_nonce(owner)

    def leaving(self, listing: int, round: int, *, block: int | None = None) -> int:
        """`Reads.leaving`, of `block`."""
        return self.at(block).leaving(listing, round)

    def pot(self, listing: int, round: int, bucket: int, *, block: int | None = None) -> Pot:
        """`Reads.pot`, of `block`."""
        return self.at(block).pot(listing, round, bucket)

    def bucket_at(self, listing: int, timestamp: int) -> int:
        """`Reads.bucket_at`."""
        return self.at().bucket_at(listing, timestamp)

    def maturity_of(self, listing: int, bucket: int) -> int:
        """`Reads.maturity_of`."""
        return self.at().maturity_of(listing, bucket)

    def is_missed(self, listing: int, round: int, *, block: int | None = None) -> bool:
        """`Reads.is_missed`, of `block`."""
        return self.at(block).is_missed(listing, round)

    def hash_of(self, order: int, round: int, *, block: int | None = None) -> bytes:
        """`Reads.hash_of`, of `block`."""
        return self.at(block).hash_of(order, round)

    def settled(self, order: int, round: int, *, block: int | None = None) -> Settlement:
        """`Reads.settled`, of `block`."""
        return self.at(block).settled(order, round)

    def challenge_of(self, order: int, round: int, *, block: int | None = None) -> bytes:
        """`Reads.challenge_of`, of `block`."""
        return self.at(block).challenge_of(order, round)

    def faulty_at(self, listing: int, round: int, *, block: int | None = None) -> int:
        """`Reads.faulty_at`, of `block`."""
        return self.at(block).faulty_at(listing, round)

    def copy_faulty_at(self, order: int, round: int, *, block: int | None = None) -> int:
        """`Reads.copy_faulty_at`, of `block`."""
        return self.at(block).copy_faulty_at(order, round)

    def credit(self, account: str, token: str, *, block: int | None = None) -> int:
        """`Reads.credit`, of `block`."""
        return self.at(block).credit(account, token)

    def voucher_digest(self, voucher: Voucher) -> bytes:
        """`Reads.voucher_digest`."""
        return self.at().voucher_digest(voucher)

    def voucher_uses(self, digest: bytes, *, block: int | None = None) -> int:
        """`Reads.voucher_uses`, of `block`."""
        return self.at(block).voucher_uses(digest)

    def token(self, address: str) -> Token:
        """`Reads.token`."""
        return self.at().token(address)

    def holdings(self, token: str, *, block: int | None = None) -> int:
        """`Reads.holdings`, of `block`."""
        return self.at(block).holdings(token)

    # ---------------------------------------------------------------------------------------------------------- logs

    def events(
        self,
        names: Sequence[str] | None = None,
        from_block: int | None = None,
        to_block: int | None = None,
        **indexed: Any,
    ) -> Iterator[Event]:
        """Events in the chain's order, from the deployment to the latest block if nothing else is said.

        `indexed`: arguments that the ABI indexes, each a value or a list of values to choose from.
        """
        first = self.from_block if from_block is None else max(from_block, self.from_block)
        last = self.connection.block_number() if to_block is None else to_block
        if (decision := self.connection.decision) is None:
            return read_events(self.connection, self.address, names, first, last, indexed)

        def asked(node: Connection, _: object) -> list[Event]:
            return [*read_events(node, self.address, names, first, last, indexed)]

        return iter(decision.ask(Question("events", {"names": names, **indexed}, last, asked)))

    def releases(self, listing: int, *, to_block: int | None = None) -> list[Release]:
        """All released rounds of a listing, in order; missed ones are left out."""
        return [release_of(event) for event in self.events(["Released"], to_block=to_block, listing=listing)]

    def release(self, listing: int, round: int, *, to_block: int | None = None) -> Release | None:
        """A round's release, None where it was not released."""
        found = [*self.events(["Released"], to_block=to_block, listing=listing, round=round)]
        if len(found) > 1:
            raise NetworkError(
                f"{self.connection.name} answered with {len(found)} releases of round {round}", code="node-incomplete"
            )
        return release_of(found[0]) if found else None

    def deliveries(self, listing: int, round: int, *, to_block: int | None = None) -> list[Delivery]:
        """All envelopes posted for a round, the first ones first."""
        return [
            Delivery(listing, round, event["digest"], event["count"], event.block, event.transaction)
            for event in self.events(["Delivered"], to_block=to_block, listing=listing, round=round)
        ]

    def copies_of(self, listing: int, round: int, *, to_block: int | None = None) -> list[CopyDelivery]:
        """The copies posted for a round to the orders of a listing."""
        last, orders = self._orders_at(listing, to_block)
        return [
            CopyDelivery(event["order"], round, event["contentHash"], event.block, event.transaction)
            for ids in _chunks(orders)
            for event in self.events(["CopyDelivered"], to_block=last, order=ids, round=round)
        ]

    def challenge(self, order: int, round: int, *, to_block: int | None = None) -> Challenge | None:
        """The open challenge of an order's round, out of the logs; None where none is open.

        Raises `NetworkError` where the logs do not give what the contract holds.
        """
        last = self.connection.block_number() if to_block is None else to_block
        held = self.challenge_of(order, round, block=last)
        if held == bytes(32):
            return None
        found: Challenge | None = None
        for event in self.events(["Challenged", "Responded"], to_block=last, order=order, round=round):
            found = challenge_after(found, event)
        if found is None or challenge_hash(found) != held:
            raise NetworkError(
                f"{self.connection.name} left out logs of the challenge of order {format_order_id(order)}",
                "use another node",
                code="node-incomplete",
            )
        return found

    def orders_of(self, listing: int, *, to_block: int | None = None) -> list[Order]:
        """All orders of a listing as they stand, by id, out of the logs."""
        last, ids = self._orders_at(listing, to_block)
        return self._from_logs(ids, last)

    def orders_by(self, buyer: str, *, to_block: int | None = None) -> list[Order]:
        """All orders of a buyer as they stand, by id, out of the logs."""
        last = self.connection.block_number() if to_block is None else to_block
        bought = self.events(["Bought"], to_block=last, buyer=checksummed(buyer))
        return self._from_logs(sorted(event["order"] for event in bought), last)

    # ------------------------------------------------------------------------------------------------------- private

    def _orders_at(self, listing: int, to_block: int | None) -> tuple[int, range]:
        """The block that is looked at, and the ids of all orders that the listing had sold by then."""
        if not 0 < listing < _MOST_LISTINGS:
            raise RefusedError(
                f"there is no listing {listing}", "look at the listings that there are", code="no-listing"
            )
        last = self.connection.block_number() if to_block is None else to_block
        return last, self.listing(listing, block=last).order_ids()

    def _from_logs(self, ids: Sequence[int], last: int) -> list[Order]:
        orders: dict[int, Order] = {}
        for chunk in _chunks(ids):
            for event in self.events(_ORDER_EVENTS, to_block=last, order=chunk):
                id = event["order"]
                if event.name != "Bought" and id not in orders:
                    raise NetworkError(
                        f"{self.connection.name} left out logs of order {id}",
                        "use another node",
                        code="node-incomplete",
                    )
                orders[id] = _bought(event) if event.name == "Bought" else _changed(orders[id], event)
        if missing := [id for id in ids if id not in orders]:
            raise NetworkError(
                f"{self.connection.name} left out the logs of {len(missing)} orders",
                "check from_block: it must be the block of the deployment or an earlier one",
                code="node-incomplete",
            )
        return [orders[id] for id in ids]


def _function(name: str) -> Item:
    return abi.functions()[name]


def _chunks(ids: Sequence[int]) -> Iterable[list[int]]:
    return (list(ids[start : start + MOST_TOPICS]) for start in range(0, len(ids), MOST_TOPICS))


def challenge_hash(challenge: Challenge) -> bytes:
    """What the contract keeps of a challenge: keccak256 of its ABI encoding, 32 bytes."""
    (parameter,) = [item for item in _function("settleChallenge")["inputs"] if item["name"] == "opened"]
    return keccak(abi.encode([parameter], [abi_tuple(challenge)]))


def _bought(event: Event) -> Order:
    return Order(
        id=event["order"],
        buyer=event["buyer"],
        first=event["first"],
        rounds=event["rounds"],
        price=event["price"],
        version=event["version"],
        epoch=event["epoch"],
        bucket=event["bucket"],
        cancelled_at=0,
    )


def _changed(order: Order, event: Event) -> Order:
    """Every way of ending early says where the order ends now; declining ends it before the round."""
    end = event["round"] if event.name == "Declined" else event["end"]
    cancelled_at = event["cancelledAt"] if event.name == "Cancelled" else order.cancelled_at
    return replace(order, rounds=end - order.first, cancelled_at=cancelled_at)
