"""How much one question covers, blocks of logs or calls: as much as the node answers for, found out by halving."""

from typing import Final

FIRST_PAGE: Final = 65_536  # blocks
_PAGES_BEFORE_GROWTH: Final = 8
_PAGES_BEFORE_DOUBT: Final = 64
_AFTER_SILENCE: Final = 4


class PageSizes:
    """The sizes for one node. What was learned with one question is kept for the next ones.

    `size` is the number of blocks to ask about now. It halves with each refusal and grows again after some answers: to
    what was refused once after many of them, since that may have been a dense range, and never to where the node gave
    no answer at all, since finding that out takes seconds.
    """

    def __init__(self, most: int = FIRST_PAGE) -> None:
        self.size = most
        self._most, self._answers = most, 0
        self._refused: int | None = None

    def answered(self) -> None:
        """The node answered."""
        self._answers += 1
        if self._refused is not None and self.size >= self._refused:
            self._refused = None  # what was refused were the logs there, not so many blocks
        larger = min(2 * self.size, self._most)
        is_doubtful = self._refused is not None and larger >= self._refused
        if self._answers >= (_PAGES_BEFORE_DOUBT if is_doubtful else _PAGES_BEFORE_GROWTH):
            self.size, self._answers = larger, 0

    def refused(self, blocks: int) -> None:
        """The node refused so many blocks, or cut its answer off."""
        self.size, self._answers, self._refused = max(blocks // 2, 1), 0, blocks

    def silent(self, blocks: int) -> None:
        """The node gave no answer in time for so many blocks."""
        self._most = max(blocks // 2, 1)
        self.size, self._answers = max(blocks // _AFTER_SILENCE, 1), 0
