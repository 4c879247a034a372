"""HTTP for the stores: what fails becomes one of our errors, and a source that is slow is waited for less and less."""

import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Final

from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError, SlowSourceError
from numerbay_chain.core.network.failures import OversizedError, SlowError, TransportError
from numerbay_chain.ipfs.cid import Cid

_MOST_ABSENT = 1024


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a source is waited for, in seconds.

    `pauses`: before the second try, and the third. `idle`: without a byte; `block`: for a whole block, because a host
    that drips bytes is as good as none. A source that is slow gets less, down to `shortest_idle` and `shortest_block`;
    it counts as slow for `slow`, and an object that did not come is not asked for again for `absent`. `slowest`: bytes
    a second that a file as a whole must come at, on top of `block`.
    """

    pauses: tuple[float, ...] = (0.5, 1.0)
    idle: float = 60.0
    block: float = 300.0
    shortest_idle: float = 5.0
    shortest_block: float = 30.0
    slow: float = 600.0
    absent: float = 60.0
    slowest: int = 64 << 10


WAITS: Final = Waits()


class IdleError(NotFoundError, code="slow-source"):
    """No answer in time: from an IPFS node it means that nobody has the content."""


@contextmanager
def network_errors(name: str, hint: str) -> Iterator[None]:
    """Turns a `TransportError` into `NetworkError`, into `IdleError` where the answer did not come in time, and into
    `ContentError` where it was too long."""
    try:
        yield
    except SlowError as error:
        raise IdleError(f"{error.sentence(name)}; it does not seem to have the content", hint) from None
    except OversizedError as error:
        raise ContentError(error.sentence(name), "try another --store", code=error.code) from None
    except TransportError as error:
        raise NetworkError(error.sentence(name), error.hint or hint, code=error.code) from None


class Patience:
    """How long one source is waited for. What is not there costs one long wait: after each object that did not come
    in time the next one is given half of the time, down to a floor that is long enough for what is there; and the
    object itself is not asked for again for a minute."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._failures: deque[float] = deque(maxlen=8)
        self._absent: OrderedDict[Cid, float] = OrderedDict()
        self._lock = Lock()

    def idle(self) -> float:
        """Seconds without a byte."""
        return max(self._waits.idle / (1 << self._recent()), min(self._waits.shortest_idle, self._waits.idle))

    def deadline(self) -> float:
        """Seconds for a block in all."""
        return max(self._waits.block / (1 << self._recent()), min(self._waits.shortest_block, self._waits.block))

    def require(self, name: str, cid: Cid) -> None:
        """Raise `IdleError` for an object that did not come in time a moment ago."""
        with self._lock:
            since = self._absent.get(cid)
        if since is not None and time.monotonic() - since < self._waits.absent:
            raise IdleError(f"{name} did not give {cid} in time a moment ago", "try another --store, or again later")

    def failed(self, cid: Cid) -> None:
        """Remember that an object did not come in time."""
        with self._lock:
            now = time.monotonic()
            self._failures.append(now)
            self._absent.pop(cid, None)
            self._absent[cid] = now
            if len(self._absent) > _MOST_ABSENT:
                self._absent.popitem(last=False)

    @contextmanager
    def watching(self, cid: Cid) -> Iterator[None]:
        """Remember the object where the block ends for want of time."""
        began = time.monotonic()
        try:
            yield
        except IdleError:
            self.failed(cid)
            raise
        except SlowSourceError:
            # the reader's own time was over: that says something only after a while
            if time.monotonic() - began >= self._waits.shortest_idle:
                self.failed(cid)
            raise

    def _recent(self) -> int:
        with self._lock:
            now = time.monotonic()
            return sum(now - failure < self._waits.slow for failure in self._failures)
