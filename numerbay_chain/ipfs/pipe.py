"""A file that one thread writes and another iterates over, so that hashing, disk and network overlap."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

Result = TypeVar("Result")

_PIECE_SIZE = 1 << 20
_DEPTH = 6  # pieces in flight


class PipeAborted(Exception):
    """What the pulling side meets where the pushing side gave up."""


class Pipe(Generic[Result]):
    """Runs `consume` over the bytes that are written, in a thread of its own.

    What `consume` raises is raised again by the next `write`, or by `finish`.
    """

    def __init__(self, consume: Callable[[Iterator[bytes]], Result], name: str) -> None:
        self._queue: queue.Queue[bytes | None] = queue.Queue(_DEPTH)
        self._small = bytearray()
        self._aborted = False
        self._ended = threading.Event()
        self._result: Result | None = None
        self._error: BaseException | None = None
        # A daemon thread: a writer that its caller forgot must not keep the process alive.
        self._thread = threading.Thread(target=self._run, args=(consume,), name=name, daemon=True)
        self._thread.start()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Waits while the other side is more than a few MiB behind."""
        if len(self._small) + len(data) < _PIECE_SIZE:
            self._small += data
            return
        if self._small:
            self._put(bytes(self._small))
            self._small.clear()
        self._put(bytes(data))  # bytes are not copied by this

    def finish(self) -> Result:
        """Waits for the other side's result."""
        if self._small:
            self._put(bytes(self._small))
            self._small.clear()
        self._put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # a Result, unless there was an error

    def abort(self, timeout: float | None = None) -> None:
        """Stops the other side at its next piece, and waits for it, at most `timeout` seconds."""
        self._aborted = True
        with suppress(queue.Full):  # then it sees the flag when it takes the next piece
            self._queue.put_nowait(None)
        self._thread.join(timeout)

    def _put(self, piece: bytes | None) -> None:
        while True:
            if self._ended.is_set():
                raise self._error or RuntimeError("the writer is closed")
            try:
                return self._queue.put(piece, timeout=0.2)
            except queue.Full:
                continue

    def _pieces(self) -> Iterator[bytes]:
        while True:
            piece = self._queue.get()
            if self._aborted:
                raise PipeAborted
            if piece is None:
                return
            yield piece

    def _run(self, consume: Callable[[Iterator[bytes]], Result]) -> None:
        try:
            self._result = consume(self._pieces())
        except BaseException as error:  # the writing thread raises it
            self._error = error
        finally:
            self._ended.set()
