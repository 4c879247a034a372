"""Reads of many objects that strangers name: whoever names what nobody has must not take all of the reader's time."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final

from numerbay_chain.core.errors import NetworkError, SlowSourceError
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.ipfs.http import IdleError
from numerbay_chain.ipfs.stores.base import ContentStore, Store

_SLOWEST: Final = 1 << 17
"""Bytes a second: a file that comes slower counts as one that does not come."""


class PatientStore(Store):
    """Reads from `store` while its patience lasts: `waits` objects that do not come in time, and no more.

    An object has `each` seconds, and the time that its size takes at 128 KiB/s; all of them together `total` seconds of
    waiting (None: no bound). After that every read raises `SlowSourceError` without asking, and `exhausted` is true.
    One may wrap another: what it waits for counts in both.
    """

    def __init__(self, store: ContentStore, *, waits: int, each: float, total: float | None = None) -> None:
        self._store, self._waits, self._each, self._left = store, waits, each, total
        self.name = store.name

    @property
    def exhausted(self) -> bool:
        """Whether nothing is asked any more."""
        return self._waits <= 0 or (self._left is not None and self._left <= 0)

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        left = self._each + (size - offset if length is None else length) / _SLOWEST
        self._require_patience()
        pieces = self._store.read(cid, size, offset, length)
        while True:
            started = time.monotonic()
            try:
                with self._bounded(left):
                    piece = next(pieces, None)
            except NetworkError as error:
                self._count(error)
                raise
            finally:
                left -= self._passed(started)
            if piece is None:
                return
            yield piece

    def read_block(self, cid: Cid) -> bytes:
        self._require_patience()
        started = time.monotonic()
        try:
            with self._bounded(self._each):
                return self._store.read_block(cid)
        except NetworkError as error:
            self._count(error)
            raise
        finally:
            self._passed(started)

    def _bounded(self, seconds: float) -> AbstractContextManager[None]:
        ends = [seconds if self._left is None else min(seconds, self._left)]
        if self._ends is not None:
            ends.append(self._ends - time.monotonic())
        return self._store.within(min(ends))

    def _passed(self, started: float) -> float:
        passed = time.monotonic() - started
        if self._left is not None:
            self._left -= passed
        return passed

    def _count(self, error: NetworkError) -> None:
        if isinstance(error, (IdleError, SlowSourceError)):
            self._waits -= 1

    def _require_patience(self) -> None:
        if self.exhausted:
            raise SlowSourceError(
                f"{self.name} kept this waiting too often: it is asked for nothing more", "ask for one thing alone"
            )
