"""What is read is kept: from a folder on this machine first, then from the user's store, with a copy of what comes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final, TypeVar

from numerbay_chain.core.errors import NumerbayChainError
from numerbay_chain.ipfs.cid import LEAF_SIZE, Cid
from numerbay_chain.ipfs.stores.base import ContentStore, ContentWriter, Store
from numerbay_chain.ipfs.stores.embedded import EmbeddedStore
from numerbay_chain.ipfs.stores.fallback import FallbackStore

_Result = TypeVar("_Result")
_SMALL: Final = LEAF_SIZE
"""Bytes of a file of which any part is read as the whole of it: it comes as one block anyway."""
_LOOK_AGAIN: Final = 64 << 20
"""Bytes after which the room on the disk is looked at again: others write to it too."""


class KeepingStore(FallbackStore):
    """Reads from `kept` first, then from `source`. With `failed`, files that are read to their end from `source` are
    added to `kept`; where that fails, `failed` is told once, and reading goes on. `room` raises where there is none for
    that many bytes more."""

    def __init__(
        self,
        kept: EmbeddedStore,
        source: ContentStore,
        failed: Callable[[Exception], None] | None = None,
        room: Callable[[int], None] = lambda _: None,
    ) -> None:
        super().__init__([kept, source if failed is None else _Copying(kept, source, failed, room)])
        self.name, self.writable = source.name, False


class _Copying(Store):
    """`source`, with a copy of each file that was read to its end."""

    def __init__(
        self,
        kept: EmbeddedStore,
        source: ContentStore,
        failed: Callable[[Exception], None],
        room: Callable[[int], None],
    ) -> None:
        self._kept, self._source, self._failed, self._room = kept, source, failed, room
        self._keeps = True
        self.name = source.name

    def within(self, seconds: float) -> AbstractContextManager[None]:
        return self._source.within(seconds)

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        length = size - offset if length is None else length
        if size <= _SMALL:
            data = self._source.read_bytes(cid, size)
            self._add(data)
            yield data[offset : offset + length]
            return
        whole = not offset and length == size
        writer, left = self._try(self._kept.writer) if whole else None, length
        try:
            for piece in self._source.read(cid, size, offset, length):
                if writer is not None and not self._wrote(writer, piece, left):
                    writer = None
                left -= len(piece)
                yield piece
            if writer is not None:
                self._try(writer.finish)
        finally:
            if writer is not None:
                writer.abort()  # nothing is left of a file that was not read to its end

    def read_block(self, cid: Cid) -> bytes:
        block = self._source.read_block(cid)
        self._add(block)
        return block

    def _add(self, data: bytes) -> None:
        self._try(lambda: self._kept.add(data))

    def _wrote(self, writer: ContentWriter, piece: bytes, left: int) -> bool:
        """Whether it is kept; `left` counts the bytes that are to come, this piece among them."""
        if left // _LOOK_AGAIN != (left - len(piece)) // _LOOK_AGAIN:
            self._try(lambda: self._room(left))
        self._try(lambda: writer.write(piece))
        if not self._keeps:
            writer.abort()
        return self._keeps

    def _try(self, step: Callable[[], _Result]) -> _Result | None:
        """What a step of keeping gives; None once one has failed: a full disk is no reason to stop reading."""
        if not self._keeps:
            return None
        try:
            return step()
        except (NumerbayChainError, OSError) as error:
            self._keeps = False
            self._failed(error)
            return None
