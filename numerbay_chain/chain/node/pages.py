"""How much one question covers, blocks of logs or calls: as much as the node answers for, found out by halving."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from numerbay_chain.core.errors import NumerbayChainError
from numerbay_chain.core.files.journal import Entry

FIRST_PAGE: Final = 65_536  # blocks
_PAGES_BEFORE_GROWTH: Final = 8
_PAGES_BEFORE_DOUBT: Final = 64
_AFTER_SILENCE: Final = 4


@dataclass(frozen=True, slots=True)
class Learned:
    """What a node has shown: it is asked for `size` blocks, has given so many `answers` since that changed, and
    `refused` that many, or was silent about them; None: it refuses none."""

    size: int
    answers: int = 0
    refused: int | None = None

    @property
    def is_sound(self) -> bool:
        """Whether a node can have shown it: a file may hold anything."""
        return 1 <= self.size <= FIRST_PAGE and self.answers >= 0 and (self.refused is None or self.refused >= 1)


class PageSizes:
    """The sizes for one node. What was learned with one question is kept for the next ones, and with `keep` for the
    next run.

    `size` is the number of blocks to ask about now. It halves with each refusal and grows again after some answers: to
    what was refused once after many of them, since that may have been a dense range, and never to where the node gave
    no answer at all, since finding that out takes seconds.
    """

    def __init__(self, most: int = FIRST_PAGE) -> None:
        self.size = most
        self._most, self._answers = most, 0
        self._refused: int | None = None
        self._entry: Entry[Learned] | None = None
        self._kept: Learned | None = None

    def keep(self, path: Path) -> None:
        """Begin with what an earlier run learned, and let `save` write to the same file. One that is missing or broken
        counts for nothing."""
        self._entry = Entry(path, Learned)
        with suppress(NumerbayChainError):
            known = self._entry.read()
            if known is not None and known.is_sound:
                self._kept = known
                self.size, self._answers, self._refused = known.size, known.answers, known.refused

    def save(self) -> None:
        """Write down what was learned, where that is something new. A file that can't be written stops nobody: the next
        run learns it again."""
        if self._entry is None:
            return
        # a node that was silent may be faster another day: it is tried again as one that refused
        silent = None if self._most >= FIRST_PAGE else 2 * self._most
        refused = min(filter(None, (self._refused, silent)), default=None)
        learned = Learned(self.size, self._answers, refused)
        limited = refused is not None or self.size < FIRST_PAGE
        if learned == self._kept or not (limited or self._kept):
            return
        with suppress(NumerbayChainError, OSError):
            self._entry.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if limited:
                self._entry.save(learned)
            else:
                self._entry.remove()
            self._kept = learned if limited else None

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
