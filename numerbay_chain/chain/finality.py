"""When a block stays in the chain for good: one policy for all that waits for it.

Off a development chain the node is asked for the chain's own word: its `finalized` block, where that is at most 30
minutes old, else its `safe` one, likewise. A chain that names neither is trusted by depth. On a development chain no
block is taken back: its finality is 0, and no node is asked for it.
"""

from dataclasses import dataclass
from typing import Final, Literal

from numerbay_chain.chain.connection import Connection, NodeRefusedError, NodeTimeoutError
from numerbay_chain.chain.networks import Network, network
from numerbay_chain.chain.node.blocks import Block
from numerbay_chain.chain.node.errors import UnknownBlockError
from numerbay_chain.protocol.finality import FINALITY

OLDEST: Final = 1_800
"""Seconds: a finalized block that is older says that the chain does not finalize, or that the node lags behind."""
_BLOCK_TIME: Final = 12.0  # Ethereum's
_Word = Literal["finalized", "safe"]
_WORDS: Final[tuple[_Word, ...]] = ("finalized", "safe")


@dataclass(frozen=True, slots=True)
class Finality:
    """`depth`: how many blocks on top make a block final, where a user said so; None: as the chain says it."""

    connection: Connection
    depth: int | None = None

    @property
    def is_instant(self) -> bool:
        """Whether each block is final at once."""
        return self._depth == 0

    def block(self) -> int:
        """Return the number of the newest block that is final; below 0 where none is.

        Within a decision over two nodes, the one that both call final. Raise `NetworkError`.
        """
        decision = self.connection.decision
        nodes = [self.connection, *([decision.second] if decision is not None else [])]
        return min(self._of(node) for node in nodes)

    def is_final(self, block: int) -> bool:
        """Whether a block that the node told of stays in the chain."""
        return self.is_instant or block <= self.block()

    def seconds_left(self, block: int) -> int:
        """Return about how many seconds it takes until `block` is final; 0: it is."""
        if self.is_instant:
            return 0
        final = self.block()
        if block <= final:
            return 0
        known: Network | None = network(self.connection.chain_id)
        block_time = known.block_time if known else _BLOCK_TIME
        if self._depth is not None:
            return max(round((block - final) * block_time), 1)
        age = self.connection.now() - self.connection.timestamp(block)
        return max((known.finality if known else FINALITY) - age, round(block_time), 1)

    @property
    def _depth(self) -> int | None:
        if self.depth is None and self.connection.is_development:
            return self.connection.confirmations
        return self.depth

    def _of(self, node: Connection) -> int:
        depth = self._depth
        if depth is None:
            for tag in _WORDS:
                block = _named(node, tag)
                if block is not None and self.connection.policy.time() - block.timestamp <= OLDEST:
                    return block.number
            depth = node.confirmations
        return node.block_number() - depth


def _named(node: Connection, word: _Word) -> Block | None:
    """What the node calls so; None where it knows no such word."""
    try:
        found = node.believed(word)
        return Block(found.number, found.hash, found.timestamp)
    except UnknownBlockError:
        return None
    except NodeTimeoutError:
        raise
    except NodeRefusedError:
        return None
