"""What every content store can do: write a file and pin it, and read one back with every block checked."""

import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from numerbay_chain.core.errors import ContentError, NotFoundError, SlowSourceError, UsageError
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.ipfs.unixfs import Root, checked_block, read_file

SLOW_HINT = "try another --store, or again later"


class ContentWriter(Protocol):
    """Takes one file as a stream. As a context manager it aborts what was not finished.

    Every call can raise `RefusedError` (disk full) or `NetworkError`; nothing is pinned then.
    """

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Takes the next bytes; the caller may reuse the buffer afterwards."""

    def finish(self) -> Root:
        """Ends the file. It is durable and pinned when this returns."""

    def abort(self) -> None:
        """Forgets the file. Does nothing after `finish`; may be called again."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ContentStore(Protocol):
    """A place where content lies, by CID."""

    @property
    def name(self) -> str:
        """For messages: "embedded store at PATH", "kubo at …", "gateway …"."""

    @property
    def writable(self) -> bool: ...

    def writer(self, label: str = "") -> ContentWriter:
        """Begins a file; `label` names its pin for people. Raises `UsageError` where nothing can be written."""

    def add(self, data: bytes, label: str = "") -> Root:
        """Pins `data` as one file."""

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of a file of `size` bytes, in pieces; each is checked before it is given.

        Raises `NotFoundError` for content that is not available here, `ContentError` for bytes that are not what the
        CID promises, `NetworkError`, and `ValueError` for a range outside of the file.
        """

    def read_bytes(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> bytes:
        """The same as `read`, in one piece."""

    def read_block(self, cid: Cid) -> bytes:
        """A file of one raw block, checked, where its size is not known. Raises as `read` does."""

    def holds(self, cid: Cid) -> bool:
        """Return whether the file is pinned on this machine's own disk: nobody else can make it go away."""

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Bound all reads in the `with` block by this total time, in seconds; of two nested bounds the earlier ends.

        A read that is not done by then raises `SlowSourceError`.
        """


class Writer(ABC):
    """The half of a `ContentWriter` that is the same for every store."""

    @abstractmethod
    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    @abstractmethod
    def finish(self) -> Root: ...

    @abstractmethod
    def abort(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


# When the time for reading a store ends, by the store's identity: of the task or thread that set it, not of others.
_ENDS: ContextVar[Mapping[int, float]] = ContextVar("_ENDS", default={})  # noqa: B039  # never changed, only replaced


class Store(ABC):
    """The half of a `ContentStore` that follows from `writer` and `read`."""

    name: str
    writable: bool = False

    def writer(self, label: str = "") -> ContentWriter:
        raise UsageError(
            f"{self.name} can only be read", "pin to an embedded or a kubo store instead", code="read-only-store"
        )

    def add(self, data: bytes, label: str = "") -> Root:
        with self.writer(label) as writer:
            writer.write(data)
            return writer.finish()

    @abstractmethod
    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]: ...

    def read_bytes(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> bytes:
        return b"".join(self.read(cid, size, offset, length))

    @abstractmethod
    def read_block(self, cid: Cid) -> bytes: ...

    def holds(self, cid: Cid) -> bool:
        return False

    def within(self, seconds: float) -> AbstractContextManager[None]:
        return self._bounded_by(seconds)

    @contextmanager
    def _bounded_by(self, seconds: float) -> Iterator[None]:
        before = self._ends
        ends = time.monotonic() + seconds
        self._set_ends(ends if before is None else min(ends, before))
        try:
            yield
        finally:
            self._set_ends(before)

    @property
    def _ends(self) -> float | None:
        """When reading has to be over, by `time.monotonic`; None: whenever it is."""
        return _ENDS.get().get(id(self))

    def _set_ends(self, ends: float | None) -> None:
        others = {store: end for store, end in _ENDS.get().items() if store != id(self)}
        _ENDS.set(others if ends is None else {**others, id(self): ends})

    def _require_time(self) -> None:
        """Raise `SlowSourceError` where the time for reading is over."""
        if self._ends is not None and time.monotonic() >= self._ends:
            raise self._too_slow()

    def _time_left(self, most: float) -> float:
        """Seconds that are left for reading, at most `most`. Raises `SlowSourceError` where there are none."""
        self._require_time()
        return most if self._ends is None else min(most, max(self._ends - time.monotonic(), 0.001))

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Turns an error of the block into `SlowSourceError` where the time for reading is over by then."""
        try:
            yield
        except NotFoundError as error:
            if error.code == SlowSourceError.code and self._ends is not None and time.monotonic() >= self._ends:
                raise self._too_slow() from None
            raise

    def _too_slow(self) -> SlowSourceError:
        return SlowSourceError(f"{self.name} did not give the content in the time that was left for it", SLOW_HINT)


class BlockStore(Store):
    """A store that is read block by block: `_fetch` gets one, not yet checked, of at most `MAX_BLOCK_SIZE` bytes."""

    _ahead = 0
    """Leaves that are fetched at the same time."""
    _remembered = 0
    """Blocks kept in memory, for readers that come back for small ranges."""

    def __init__(self) -> None:
        self._recent: OrderedDict[Cid, bytes] = OrderedDict()
        self._recent_lock = Lock()

    @abstractmethod
    def _fetch(self, cid: Cid) -> bytes: ...

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        with self._named_errors():
            for piece in read_file(self._get_block, cid, size, offset, length, ahead=self._ahead):
                self._require_time()
                yield piece

    def read_block(self, cid: Cid) -> bytes:
        if cid.codec != "raw":
            raise ValueError(f"{cid} is not the CID of a raw block")
        with self._named_errors():
            return checked_block(self._get_block, cid)

    def _get_block(self, cid: Cid) -> bytes:
        self._require_time()
        with self._recent_lock:
            block = self._recent.pop(cid, None)
        if block is None:
            block = self._fetch(cid)
        if self._remembered:
            with self._recent_lock:
                self._recent[cid] = block
                if len(self._recent) > self._remembered:
                    self._recent.popitem(last=False)
        return block

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except ContentError as error:
            with self._recent_lock:
                self._recent.clear()  # the store may give the right bytes next time
            words = str(error) if str(error).startswith(self.name) else f"{self.name}: {error}"
            raise ContentError(words, error.hint or "try another --store", code=error.code) from error
