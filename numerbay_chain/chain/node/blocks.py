"""Blocks, and what kind of chain they belong to."""

from dataclasses import dataclass
from typing import Final

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.units import format_duration, format_time

DEVELOPMENT_CHAIN_IDS: Final = frozenset({31337, 1337, 131277322940537})
"""anvil and hardhat, geth --dev and ganache, eth-tester."""
CONFIRMATIONS: Final = 96
"""How many blocks on top make a block final where the node does not say what is final, and nothing is known of the
network: as many as on Ethereum."""

LONGEST_ADVANCE: Final = 10 * 365 * 86_400
"""Seconds by which a development chain's clock can be moved at a time: 10 years."""
LATEST_TIME: Final = 2**32 - 1
"""The last second that a development chain's clock is moved to, in 2106."""

_ETHEREUM_BEGAN: Final = 1_438_269_973
_SHORTEST_BLOCK_TIME: Final = 0.2
"""Seconds, of chains that are not known here."""
_FEW_BLOCKS: Final = 1 << 20
"""What any chain may have, whatever this machine's clock says."""


@dataclass(frozen=True, slots=True)
class Block:
    """`timestamp` in Unix seconds."""

    number: int
    hash: bytes
    timestamp: int


def is_development_chain(chain_id: int, *, local: bool) -> bool:
    """Return whether a chain is there for trials alone: its id is one that development chains have, and its node runs
    on this machine. On any other chain something can be lost, on a remote development chain too."""
    return local and chain_id in DEVELOPMENT_CHAIN_IDS


def require_advance(seconds: int, now: int) -> None:
    """Raise `UsageError` unless a development chain's clock can be moved forward by `seconds` from `now` (Unix
    seconds): by at least one (no-clock), by 10 years at most and not beyond 2106 (out-of-range)."""
    if seconds < 1:
        raise UsageError(f"the clock can't be moved by {seconds} seconds", "only forward", code="no-clock")
    if seconds > LONGEST_ADVANCE or now + seconds > LATEST_TIME:
        raise UsageError(
            f"the clock can't be moved by {format_duration(seconds)}",
            f"by {format_duration(LONGEST_ADVANCE)} at most at a time, and to {format_time(LATEST_TIME)} at most",
            code="out-of-range",
        )


def most_blocks(now: float, block_time: float | None) -> int:
    """Return how many blocks a chain can have at `now` (Unix seconds), at twice the usual pace since Ethereum began;
    `block_time` in seconds, None where it is not known."""
    return max(round((now - _ETHEREUM_BEGAN) * 2 / (block_time or _SHORTEST_BLOCK_TIME)), _FEW_BLOCKS)
