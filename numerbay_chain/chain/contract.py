"""The marketplace as it stands: typed, frozen answers. What its events tell is asked of an index (`index/`)."""

from numerbay_chain.chain.connection import Connection, checksummed
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.encoding.codec import Item
from numerbay_chain.chain.snapshot import Reads, Snapshot
from numerbay_chain.core.errors import RevertedError, UsageError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.protocol.types import (
    Challenge,
    Listing,
    Order,
    Pot,
    Settlement,
    Token,
    Voucher,
    abi_tuple,
)


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


def _function(name: str) -> Item:
    return abi.functions()[name]


def challenge_hash(challenge: Challenge) -> bytes:
    """What the contract keeps of a challenge: keccak256 of its ABI encoding, 32 bytes."""
    (parameter,) = [item for item in _function("settleChallenge")["inputs"] if item["name"] == "opened"]
    return keccak(abi.encode([parameter], [abi_tuple(challenge)]))
