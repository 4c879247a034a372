"""What declines, disputes and reclaims take, in units of gas: docs/gas.json's figures, rounded up. A test compares.

For what is said before a call is sent; a proof is not estimated by a node, which would be told it that way.
"""

from collections.abc import Mapping
from typing import Final

DISPUTE_GAS: Final[Mapping[str, int]] = {
    "decline": 70_000,
    "challenge": 80_000,
    "respond": 60_000,
    "claimTimeout": 55_000,
    "proveWrongKey": 70_000,
    "settleChallenge": 60_000,
    "proveWrongContent": 600_000,
    "proveWrongCopy": 600_000,
    "refundFaulty": 80_000,
}
RECLAIM_GAS: Final[Mapping[str, int]] = {"skip": 70_000, "refundMissed": 70_000}
BUYER_GAS: Final = DISPUTE_GAS["challenge"] + DISPUTE_GAS["proveWrongKey"]
"""What a dispute over a wrong key takes of its buyer."""


def gas_limit(gas: int) -> int:
    """What is allowed, and must be held, for a call that should take `gas`: the state may change meanwhile."""
    return gas + gas // 4 + 10_000
