"""The two large parts of an artifact, ciphertext and commitments, read side by side out of a store."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.core.errors import ContentError, NotFoundError
from numerbay_chain.crypto.container import CHUNK_SIZE, COMMITMENT_SIZE, chunk_count, commitments_size
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.ipfs.stores.base import ContentStore

_AHEAD: Final = 2  # blocks of 1 MiB that wait for the other thread
_Input = TypeVar("_Input")
_Result = TypeVar("_Result")


class PartError(Exception):
    """A part of an artifact that is not available as promised: `code` and message say which and how."""

    def __init__(self, part: str, error: NotFoundError | ContentError) -> None:
        missing = isinstance(error, NotFoundError)
        what = f"{part} not available" if missing else f"{part} not as promised"
        super().__init__(f"{what}: {error}")
        self.error, self.code = error, f"{part}-{'missing' if missing else 'altered'}"


def pairs(manifest: Manifest, store: ContentStore) -> Iterator[tuple[bytes, bytes]]:
    """Ciphertext as the store gives it, each piece with the commitments of the chunks that it completes."""
    size, promised = manifest.size, commitments_size(manifest.size)
    promises = _Taker(_part("commitments", store, manifest.commitments_cid, promised))
    received = given = 0
    for text in _part("ciphertext", store, manifest.ciphertext_cid, size):
        received += len(text)
        due = COMMITMENT_SIZE * (chunk_count(size) if received == size else received // CHUNK_SIZE)
        yield text, promises.take(due - given)
        given = due
    if given < promised:  # a store may give an empty file as no piece at all
        yield b"", promises.take(promised - given)
    promises.finish()


def _part(part: str, store: ContentStore, cid: Cid, size: int) -> Iterator[bytes]:
    try:
        yield from store.read(cid, size)
    except (NotFoundError, ContentError) as error:
        raise PartError(part, error) from error


class _Taker:
    """Pieces as they come, given out in the sizes that are asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")

    def take(self, size: int) -> bytes:
        """`size` bytes, or fewer at the end."""
        parts: list[memoryview] = []
        while size:
            if not self._left:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._left = memoryview(piece)
            part, self._left = self._left[:size], self._left[size:]
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def finish(self) -> None:
        """Reads to the end, where a store may make its last check."""
        for _ in self._pieces:
            pass


def in_background(function: Callable[[_Input], _Result], inputs: Iterator[_Input]) -> Iterator[_Result]:
    """`map`, with `function` in a thread of its own: hashing lets go of the interpreter, so both sides run at once."""
    with ThreadPoolExecutor(1, "artifact") as worker:
        pending: deque[Future[_Result]] = deque()
        for item in inputs:
            pending.append(worker.submit(function, item))
            if len(pending) > _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


ByteProgress = Callable[[int, int], None]
"""Called with the bytes of plaintext done so far, and in all."""
