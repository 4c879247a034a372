"""The marketplace as it stands: typed, frozen answers. What its events tell is asked of an index (`index/`)."""

from numerbay_chain.chain.connection import Connection, checksummed
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.encoding.codec import Item
from numerbay_chain.chain.snapshot import Reads, Snapshot
from numerbay_chain.core.errors import RevertedError, UsageError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.protocol.types import Challenge, abi_tuple


class MarketplaceContract(Reads):
    """The marketplace at `address`, whose logs begin in block `from_block`.

    It answers for the newest block, whenever something is asked. Making one raises `UsageError` where there is no
    marketplace.
    """

    def __init__(self, connection: Connection, address: str, from_block: int = 0) -> None:
        super().__init__(connection, checksummed(address, "address of a contract"), None, {})
        self.from_block = from_block
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
        self._found = connection.known()

    def __repr__(self) -> str:
        return f"MarketplaceContract({self.address} on chain {self.connection.chain_id})"

    def at(self, block: int | None) -> Reads:
        """Questions about the state after a block; None: whatever is the newest one when it is asked."""
        return Reads(self.connection, self.address, block, self._tokens)

    def look(self) -> Snapshot:
        """The newest block, by one request; within a decision, its block. On a development chain, whose blocks stand
        still while nothing happens, its time is the next block's. On any other, the first look is at the block in which
        the contract was found, if that was just now."""
        found, self._found = self._found, None
        return Snapshot(self.connection, self.address, self.connection.present(found), self._tokens)


def _function(name: str) -> Item:
    return abi.functions()[name]


def challenge_hash(challenge: Challenge) -> bytes:
    """What the contract keeps of a challenge: keccak256 of its ABI encoding, 32 bytes."""
    (parameter,) = [item for item in _function("settleChallenge")["inputs"] if item["name"] == "opened"]
    return keccak(abi.encode([parameter], [abi_tuple(challenge)]))
