"""Blocks, and what kind of chain they belong to."""

from dataclasses import dataclass
from typing import Final

DEVELOPMENT_CHAIN_IDS: Final = frozenset({31337, 1337, 131277322940537})
"""anvil and hardhat, geth --dev and ganache, eth-tester."""
CONFIRMATIONS: Final = 96
"""How many blocks on top make a block final where the node does not say what is final, and nothing is known of the
network: as many as on Ethereum."""


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
