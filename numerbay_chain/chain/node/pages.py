"""How much one question covers, blocks of logs or calls: as much as the node answers for, found out by halving."""

from typing import Final

FIRST_PAGE: Final = 65_536  # blocks
_PAGES_BEFORE_GROWTH: Final = 8
_AFTER_SILENCE: Final = 4


class PageSizes:
    """The sizes for one node. What was learned with one question is kept for the next ones.

    `size` is the number of blocks to ask about now. It halves with each refusal and grows again after some answers,
    but never to where the node gave no answer at all: finding that out takes seconds.
    """

    def __init__(self, most: int = FIRST_PAGE) -> None:
        self.size = most
        self._most, self._answers = most, 0

    def answered(self) -> None:
        """The node answered."""
        self._answers += 1
        if self._answers >= _PAGES_BEFORE_GROWTH:
            self.size, self._answers = min(2 * self.size, self._most), 0

    def refused(self, blocks: int) -> None:
        """The node refused so many blocks, or cut its answer off."""
        self.size, self._answers = max(blocks // 2, 1), 0

    def silent(self, blocks: int) -> None:
        """The node gave no answer in time for so many blocks."""
        self._most = max(blocks // 2, 1)
        self.size, self._answers = max(blocks // _AFTER_SILENCE, 1), 0
