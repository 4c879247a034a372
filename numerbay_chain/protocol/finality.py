"""How long it takes until a block is final, where nobody can be asked."""

from typing import Final

FINALITY: Final = 1_200
"""Seconds until a block is final on Ethereum and the rollups above it, and what is said of an unknown network."""
FINALITY_ENDS: Final = 600
"""Seconds before a deadline in which what must meet it waits for no finality any more."""
