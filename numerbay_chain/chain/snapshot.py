"""What the marketplace holds after a block: typed questions, and many of a kind in one request.

A `MarketplaceContract` reads whatever is the newest when it is asked, and its `at(block)` any block. Its `look()` gives
a `Snapshot` of the newest block, in which each value is asked for once.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from numerbay_chain.chain import tokens
from numerbay_chain.chain.batches import Read
from numerbay_chain.chain.connection import Connection, checksummed
from numerbay_chain.chain.encoding import abi, codec
from numerbay_chain.chain.node.blocks import Block
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.protocol.types import Listing, Order, Pot, Settlement, Token, Voucher, abi_tuple

_NAMES: Final = {
    "listing_count": "listingCount",
    "listing": "getListing",
    "order": "getOrder",
    "current_key": "currentKey",
    "key_at": "keyAt",
    "registration_nonce": "registrationNonce",
    "leaving": "leaving",
    "pot": "pot",
    "bucket_at": "bucketAt",
    "maturity_of": "maturityOf",
    "is_missed": "isMissed",
    "hash_of": "hashOf",
    "settled": "settled",
    "challenge_of": "challengeOf",
    "faulty_at": "faultyAt",
    "copy_faulty_at": "copyFaultyAt",
    "credit": "credit",
    "voucher_digest": "voucherDigest",
    "voucher_uses": "voucherUses",
}
"""Solidity's names of the questions."""
_LISTING_BITS: Final = 32
Pairs = Iterable[tuple[int, int]]


class Reads:
    """Questions about the state after `block`; None: the newest one, whenever something is asked.

    They raise `RevertedError` for what does not exist (NoListing, NoOrder, NoKey), also where it is one of many, and
    `NetworkError`. A plural takes the arguments of each, and answers in their order, by one request for all.
    """

    def __init__(self, connection: Connection, address: str, block: int | None, known: dict[str, Token]) -> None:
        self.connection, self.address, self.block, self._tokens = connection, address, block, known

    # ------------------------------------------------------------------------------------------- listings and orders

    def listing_count(self) -> int:
        """Listings have the ids 1 to it. Raises `NetworkError` (bad-answer) for more than there can be."""
        count = int(self._one("listing_count"))
        if count >> _LISTING_BITS:
            raise NetworkError(
                f"{self.connection.name} answered that there are {count} listings",
                "use another node",
                code="bad-answer",
            )
        return count

    def listing(self, listing: int) -> Listing:
        """The listing as it stands."""
        return self.listings([listing])[0]

    def listings(self, ids: Iterable[int]) -> list[Listing]:
        """Listings as they stand."""
        asked = [(id,) for id in ids]
        return [Listing(id, *fields) for (id,), (fields,) in self._each("listing", asked)]

    def order(self, order: int) -> Order:
        """The order as it stands."""
        return self.orders([order])[0]

    def orders(self, ids: Iterable[int]) -> list[Order]:
        """Orders as they stand."""
        return [Order(id, *fields) for (id,), (fields,) in self._each("order", [(id,) for id in ids])]

    def hash_of(self, order: int, round: int) -> bytes:
        """The content hash promised to an order for a round that it covers; 32 zeros where there is none yet."""
        return self.hashes_of([(order, round)])[0]

    def hashes_of(self, places: Pairs) -> list[bytes]:
        """`hash_of`, of orders and rounds."""
        return self._values("hash_of", places)

    def settled(self, order: int, round: int) -> Settlement:
        """How the order's money for the round was settled, where that was done one by one."""
        return self.settlements([(order, round)])[0]

    def settlements(self, places: Pairs) -> list[Settlement]:
        """`settled`, of orders and rounds."""
        return self._values("settled", places)

    # -------------------------------------------------------------------------------------------------------- rounds

    def is_missed(self, listing: int, round: int) -> bool:
        """Whether the round was skipped."""
        return self.are_missed([(listing, round)])[0]

    def are_missed(self, places: Pairs) -> list[bool]:
        """`is_missed`, of listings and rounds."""
        return self._values("is_missed", places)

    def challenge_of(self, order: int, round: int) -> bytes:
        """The hash of the open challenge of an order's round; 32 zeros where there is none."""
        return self.challenges_of([(order, round)])[0]

    def challenges_of(self, places: Pairs) -> list[bytes]:
        """`challenge_of`, of orders and rounds."""
        return self._values("challenge_of", places)

    def faulty_at(self, listing: int, round: int) -> int:
        """When the round was proven faulty; 0 = never."""
        return self.faults_at([(listing, round)])[0]

    def faults_at(self, places: Pairs) -> list[int]:
        """`faulty_at`, of listings and rounds."""
        return self._values("faulty_at", places)

    def copy_faulty_at(self, order: int, round: int) -> int:
        """When a challenged copy was proven faulty; 0 = never."""
        return self.copy_faults_at([(order, round)])[0]

    def copy_faults_at(self, places: Pairs) -> list[int]:
        """`copy_faulty_at`, of orders and rounds."""
        return self._values("copy_faulty_at", places)

    # ---------------------------------------------------------------------------------------------------------- keys

    def current_key(self, owner: str) -> tuple[int, bytes] | None:
        """The owner's newest X25519 key: its epoch, and 32 bytes; None where there is none."""
        return self.current_keys([owner])[0]

    def current_keys(self, owners: Iterable[str]) -> list[tuple[int, bytes] | None]:
        """`current_key`, of owners."""
        found = self._each("current_key", [(owner,) for owner in owners])
        return [(int(epoch), key) if epoch else None for _, (epoch, key) in found]

    def key_at(self, owner: str, epoch: int) -> bytes:
        """The owner's X25519 key of an epoch, 32 bytes."""
        return self.keys_at([(owner, epoch)])[0]

    def keys_at(self, places: Iterable[tuple[str, int]]) -> list[bytes]:
        """`key_at`, of owners and epochs."""
        return self._values("key_at", places)

    def registration_nonce(self, owner: str) -> int:
        """What the owner's next signed registration must carry."""
        return int(self._one("registration_nonce", owner))

    # --------------------------------------------------------------------------------------------------------- money

    def leaving(self, listing: int, round: int) -> int:
        """The sum of the prices of the orders whose last round is `round - 1`."""
        return int(self._one("leaving", listing, round))

    def pot(self, listing: int, round: int, bucket: int) -> Pot:
        """Earned money of a round that matures with the bucket."""
        return self.pots([(listing, round, bucket)])[0]

    def pots(self, places: Iterable[tuple[int, int, int]]) -> list[Pot]:
        """`pot`, of listings, rounds and buckets."""
        return [Pot(*fields) for _, fields in self._each("pot", places)]

    def bucket_at(self, listing: int, timestamp: int) -> int:
        """The bucket of money that is earned at `timestamp`."""
        return int(self._one("bucket_at", listing, timestamp))

    def maturity_of(self, listing: int, bucket: int) -> int:
        """When the bucket's money can be withdrawn, in Unix seconds."""
        return self.maturities_of([(listing, bucket)])[0]

    def maturities_of(self, places: Pairs) -> list[int]:
        """`maturity_of`, of listings and buckets."""
        return self._values("maturity_of", places)

    def credit(self, account: str, token: str) -> int:
        """What the account can collect."""
        return self.credits([(account, token)])[0]

    def credits(self, places: Iterable[tuple[str, str]]) -> list[int]:
        """`credit`, of accounts and tokens."""
        return self._values("credit", places)

    def voucher_digest(self, voucher: Voucher) -> bytes:
        """The voucher's EIP-712 digest."""
        return bytes(self._one("voucher_digest", abi_tuple(voucher)))

    def voucher_uses(self, digest: bytes) -> int:
        """How often the voucher was used; 2^256 - 1 if it was revoked."""
        return int(self._one("voucher_uses", digest))

    def holdings(self, token: str) -> int:
        """What the marketplace holds of a token, or of the native coin (address 0)."""
        return tokens.balance_of(self.connection, checksummed(token), self.address, self.block)

    def token(self, address: str) -> Token:
        """What amounts of a listing with that token are counted in."""
        return self.tokens([address])[0]

    def tokens(self, addresses: Iterable[str]) -> list[Token]:
        """`token`, of addresses. What was learned of one is kept for the session, but within a decision it is asked
        anew: a second node is asked the same."""
        wanted = [checksummed(address, "address of a token") for address in addresses]
        if self.connection.decision is not None:
            return tokens.read_tokens(self.connection, wanted)
        if missing := [address for address in dict.fromkeys(wanted) if address not in self._tokens]:
            self._tokens.update(zip(missing, tokens.read_tokens(self.connection, missing), strict=True))
        return [self._tokens[address] for address in wanted]

    # ------------------------------------------------------------------------------------------------------- private

    def _one(self, name: str, *arguments: Any) -> Any:
        return self._values(name, [arguments])[0]

    def _values(self, name: str, places: Iterable[tuple[Any, ...]]) -> list[Any]:
        return [value for _, (value,) in self._each(name, places)]

    def _each(self, name: str, places: Iterable[tuple[Any, ...]]) -> list[tuple[tuple[Any, ...], list[Any]]]:
        """The arguments of each question, and its answers."""
        places, item = [*places], abi.functions()[_NAMES[name]]
        what, found = f"the marketplace's answer to {item['name']}", []
        for place, answer in zip(
            places, self._answers([self._question(name, *place) for place in places]), strict=True
        ):
            if isinstance(answer, RevertedError):
                raise answer
            found.append((place, abi.decode(item["outputs"], answer, what)))
        return found

    def _question(self, name: str, *arguments: Any) -> Read:
        item = abi.functions()[_NAMES[name]]
        call = abi.selector(item) + abi.encode(item["inputs"], arguments)
        return Read(self.address, call, codec.usual_size(item["outputs"]))

    def _answers(self, questions: Sequence[Read]) -> list[bytes | RevertedError]:
        if len(questions) != 1:
            return self.connection.read_many(questions, self.block)
        try:
            return [self.connection.read(questions[0].address, questions[0].data, self.block)]
        except RevertedError as error:
            return [error]


class Snapshot(Reads):
    """One look: `block`, its `hash`, and the `time` that a transaction meets now, in Unix seconds.

    What was asked for is kept, and costs nothing any more. One that a decision over two nodes rests on is made within
    it: of one from before, the second node would be asked nothing.
    """

    block: int

    def __init__(self, connection: Connection, address: str, block: Block, known: dict[str, Token]) -> None:
        super().__init__(connection, address, block.number, known)
        self.hash, self.time = block.hash, block.timestamp
        self._decision = connection.decision
        self._kept: dict[Read, bytes | RevertedError] = {}

    def __repr__(self) -> str:
        return f"Snapshot(block {self.block} of chain {self.connection.chain_id})"

    def repeats(self, other: "Snapshot") -> bool:
        """Whether `other` says all that this one would: it is of the same block, for the same decision."""
        return self.hash == other.hash and self._decision is other._decision

    def is_agreed(self) -> bool:
        """Whether a second node, if there is one, is asked the same: the look was taken within a decision."""
        return self.connection.second is None or self._decision is not None

    def load(self, *questions: tuple[Any, ...]) -> None:
        """Ask for all of these in one request: each a name of the questions above, singular, and its arguments, as in
        `load(("order", id), ("settled", id, round))`. What does not exist raises when it is read."""
        self._answers([self._question(*question) for question in questions])

    def forget(self) -> None:
        """Keep no answers any more: for whoever asks for more than memory should hold."""
        self._kept.clear()

    def _answers(self, questions: Sequence[Read]) -> list[bytes | RevertedError]:
        missing = [one for one in dict.fromkeys(questions) if one not in self._kept]
        decision = self.connection.decision
        if decision is not self._decision and (missing or decision is not None):
            # never: of a look from before, or after its end, the second node would be asked nothing
            raise RuntimeError("a snapshot from outside of the decision")
        if missing:
            self._kept.update(zip(missing, super()._answers(missing), strict=True))
        return [self._kept[one] for one in questions]
