"""What the calls of a dispute take, in units of gas: docs/gas.json's figures, rounded up. A test compares.

For what is said before a call is sent; a proof is not estimated by a node, which would be told it that way.
"""

from collections.abc import Mapping
from typing import Final

DISPUTE_GAS: Final[Mapping[str, int]] = {
    "challenge": 80_000,
    "respond": 80_000,
    "claimTimeout": 75_000,
    "proveWrongKey": 85_000,
    "settleChallenge": 75_000,
    "proveWrongContent": 650_000,
    "proveWrongCopy": 700_000,
    "refundFaulty": 75_000,
}
BUYER_GAS: Final = DISPUTE_GAS["challenge"] + DISPUTE_GAS["proveWrongKey"]
"""What a dispute over a wrong key takes of its buyer."""
