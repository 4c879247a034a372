"""What is expected of a public chain's blocks, for what has to wait for some."""

from typing import Final

CONFIRMATIONS: Final = 12
"""How many blocks on top make a block final."""
BLOCK_TIME: Final = 15
"""Seconds between two blocks."""
FINALITY: Final = CONFIRMATIONS * BLOCK_TIME
"""Seconds until a block is final."""
