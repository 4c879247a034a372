"""The marketplace as it stands, and as its logs tell it: typed, frozen answers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from numerbay_chain.chain import tokens
from numerbay_chain.chain.connection import Connection, checksummed
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.encoding.codec import Item
from numerbay_chain.chain.logs import MOST_TOPICS, read_events
from numerbay_chain.chain.reading import Question
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

    # --------------------------------------------------------------------------------------------------------- reads

    def listing_count(self, *, block: int | None = None) -> int:
        """Listings have the ids 1 to it."""
        return self._integer("listingCount", block=block)

    def listing(self, listing: int, *, block: int | None = None) -> Listing:
        """The listing as it stands."""
        (fields,) = self._read("getListing", listing, block=block)
        return Listing(listing, *fields)

    def order(self, order: int, *, block: int | None = None) -> Order:
        """The order as it stands."""
        (fields,) = self._read("getOrder", order, block=block)
        return Order(order, *fields)

    def current_key(self, owner: str, *, block: int | None = None) -> tuple[int, bytes] | None:
        """The owner's newest X25519 key: its epoch, and 32 bytes; None where there is none."""
        epoch, key = self._read("currentKey", checksummed(owner), block=block)
        return (int(epoch), bytes(key)) if epoch else None

    def key_at(self, owner: str, epoch: int, *, block: int | None = None) -> bytes:
        """The owner's X25519 key of an epoch, 32 bytes."""
        return bytes(self._read("keyAt", checksummed(owner), epoch, block=block)[0])

    def registration_nonce(self, owner: str, *, block: int | None = None) -> int:
        """What the owner's next signed registration must carry."""
        return self._integer("registrationNonce", checksummed(owner), block=block)

    def leaving(self, listing: int, round: int, *, block: int | None = None) -> int:
        """The sum of the prices of the orders whose last round is `round - 1`."""
        return self._integer("leaving", listing, round, block=block)

    def pot(self, listing: int, round: int, bucket: int, *, block: int | None = None) -> Pot:
        """Earned money of a round that matures with the bucket."""
        return Pot(*self._read("pot", listing, round, bucket, block=block))

    def bucket_at(self, listing: int, timestamp: int) -> int:
        """The bucket of money that is earned at `timestamp`."""
        return self._integer("bucketAt", listing, timestamp)

    def maturity_of(self, listing: int, bucket: int) -> int:
        """When the bucket's money can be withdrawn, in Unix seconds."""
        return self._integer("maturityOf", listing, bucket)

    def is_missed(self, listing: int, round: int, *, block: int | None = None) -> bool:
        """Whether the round was skipped."""
        return bool(self._read("isMissed", listing, round, block=block)[0])

    def hash_of(self, order: int, round: int, *, block: int | None = None) -> bytes:
        """The content hash promised to an order for a round that it covers; 32 zeros where there is none yet."""
        return bytes(self._read("hashOf", order, round, block=block)[0])

    def settled(self, order: int, round: int, *, block: int | None = None) -> Settlement:
        """How the order's money for the round was settled, where that was done one by one."""
        settled: Settlement = self._read("settled", order, round, block=block)[0]
        return settled

    def challenge_of(self, order: int, round: int, *, block: int | None = None) -> bytes:
        """The hash of the open challenge of an order's round; 32 zeros where there is none."""
        return bytes(self._read("challengeOf", order, round, block=block)[0])

    def faulty_at(self, listing: int, round: int, *, block: int | None = None) -> int:
        """When the round was proven faulty; 0 = never."""
        return self._integer("faultyAt", listing, round, block=block)

    def copy_faulty_at(self, order: int, round: int, *, block: int | None = None) -> int:
        """When a challenged copy was proven faulty; 0 = never."""
        return self._integer("copyFaultyAt", order, round, block=block)

    def credit(self, account: str, token: str, *, block: int | None = None) -> int:
        """What the account can collect."""
        return self._integer("credit", checksummed(account), checksummed(token), block=block)

    def voucher_digest(self, voucher: Voucher) -> bytes:
        """The voucher's EIP-712 digest."""
        return bytes(self._read("voucherDigest", abi_tuple(voucher))[0])

    def voucher_uses(self, digest: bytes, *, block: int | None = None) -> int:
        """How often the voucher was used; 2^256 - 1 if it was revoked."""
        return self._integer("voucherUses", digest, block=block)

    def token(self, address: str) -> Token:
        """What amounts of a listing with that token are counted in."""
        address = checksummed(address, "address of a token")
        if address not in self._tokens:
            self._tokens[address] = tokens.read_token(self.connection, address)
        return self._tokens[address]

    def holdings(self, token: str, *, block: int | None = None) -> int:
        """What the marketplace holds of a token, or of the native coin (address 0)."""
        return tokens.balance_of(self.connection, checksummed(token), self.address, block)

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

    def _read(self, function: str, *arguments: Any, block: int | None = None) -> list[Any]:
        item = _function(function)
        data = abi.selector(item) + abi.encode(item["inputs"], arguments)
        answer = self.connection.read(self.address, data, block)
        return abi.decode(item["outputs"], answer, f"the marketplace's answer to {function}")

    def _integer(self, function: str, *arguments: Any, block: int | None = None) -> int:
        return int(self._read(function, *arguments, block=block)[0])

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
