"""Sockets with a deadline and an allowance, and connections to addresses that were looked at.

`requests` and urllib3 count a timeout anew for each byte, and resolve a name after anybody could have checked it. Here
the total time and the bytes of an exchange are kept where bytes come in, so that neither a body nor a header, a status
line or a proxy's answer that drips can prolong it; and the address that was checked is the one that is connected to.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from numerbay_chain.core.network.hosts import is_loopback, number

if TYPE_CHECKING:  # what the mixins below are mixed into
    _SocketBase = socket.socket
    _ConnectionBase = HTTPConnection
else:
    _SocketBase = _ConnectionBase = object

CONNECT_SECONDS = 10.0
"""For finding the host's addresses and for connecting to one of them, each."""
PIECE_SECONDS = 120.0
"""For handing over one piece of an upload: a busy daemon may stop reading for a while."""
OVERHEAD = 1 << 20
"""Bytes that status line, headers, chunk sizes and trailers may take, besides a quarter of the body."""

Places = Sequence[tuple[Any, ...]]  # as socket.getaddrinfo gives them


class DeadlineError(TimeoutError):
    """The total time of an exchange is over."""


class OversizeError(OSError):
    """More bytes than an exchange may bring."""


class UnresolvedError(OSError):
    """A host's name that leads to no address."""


class UnreachableError(OSError):
    """No connection to any of a host's addresses; `error` is the last reason."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class Exchange:
    """A question and its answer: until `ends` (`time.monotonic`), `idle` seconds without a byte, `allowance` bytes.

    `ends` None: an upload, whose time begins when all of it is handed over, and is `seconds` then. `check` is given
    host, port and addresses before one of them is connected to.
    """

    seconds: float
    idle: float
    allowance: int
    ends: float | None = None
    check: Callable[[str, int, Places], None] | None = None

    def begin_answer(self) -> None:
        """An upload is handed over: its answer has to come in time."""
        if self.ends is None:
            self.ends = time.monotonic() + self.seconds

    def left(self, most: float) -> float:
        """Seconds to wait now, at most `most`. Raises `DeadlineError`."""
        if self.ends is None:
            return most
        left = self.ends - time.monotonic()
        if left <= 0:
            raise DeadlineError("the total time is over")
        return min(most, left)

    def take(self, count: int) -> None:
        """Counts bytes that came in. Raises `OversizeError`."""
        self.allowance -= count
        if self.allowance < 0:
            raise OversizeError("more bytes than the answer may have")


CURRENT: ContextVar[Exchange | None] = ContextVar("CURRENT", default=None)
"""The exchange that this thread begins: for the connection that it will go over."""


class _Bounded(_SocketBase):
    """What a socket's methods do with an exchange; before `socket.socket` or `ssl.SSLSocket`."""

    exchange: Exchange | None = None

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        exchange = self.exchange
        if exchange is not None:
            self.settimeout(exchange.left(exchange.idle))
        try:
            count: int = super().recv_into(*arguments, **named)
        except TimeoutError:
            if exchange is not None:
                exchange.left(exchange.idle)  # the total time, or only a while without a byte
            raise
        if exchange is not None:
            exchange.take(count)
        return count

    def sendall(self, data: Any, flags: int = 0) -> None:
        exchange = self.exchange
        if exchange is None:
            super().sendall(data, flags)
            return
        ends, view = time.monotonic() + PIECE_SECONDS, memoryview(data).cast("B")
        while len(view):
            self.settimeout(exchange.left(max(ends - time.monotonic(), 0.001)))
            view = view[self.send(view, flags) :]


class BoundedSocket(_Bounded, socket.socket):
    """A plain socket of an exchange."""


class BoundedTLSSocket(_Bounded, ssl.SSLSocket):
    """One behind TLS."""


def _give(sock: Any, exchange: Exchange | None) -> None:
    while sock is not None and not isinstance(sock, _Bounded):
        sock = getattr(sock, "socket", None)  # TLS within TLS: the socket of the proxy
    if sock is not None:
        sock.exchange = exchange


class _Connection(_ConnectionBase):
    """What connections do with an exchange; before urllib3's classes."""

    sock: Any

    def _new_conn(self) -> socket.socket:
        exchange = CURRENT.get()
        if exchange is None:
            raise RuntimeError("a connection is made within an exchange")
        places = resolve(self._dns_host, self.port, exchange.left(CONNECT_SECONDS))
        if exchange.check is not None and self.proxy is None:
            exchange.check(self._dns_host, self.port, places)
        return _connect(places, exchange, self.socket_options or ())

    def connect(self) -> None:
        super().connect()
        _give(self.sock, CURRENT.get())

    def request(self, *arguments: Any, **named: Any) -> None:
        _give(self.sock, CURRENT.get())  # a connection that an earlier exchange left open
        super().request(*arguments, **named)

    def getresponse(self) -> Any:
        exchange = CURRENT.get()
        if exchange is not None:
            exchange.begin_answer()
        return super().getresponse()


class _PlainConnection(_Connection, HTTPConnection):
    pass


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


POOLS: dict[str, Any] = {"http": _PlainPool, "https": _TLSPool}
"""For urllib3's `PoolManager.pool_classes_by_scheme`."""


def resolve(host: str, port: int, seconds: float) -> Places:
    """Return the places of a host, as `socket.getaddrinfo`. Raises `UnresolvedError`.

    In a thread of its own: the system's resolver takes as long as its servers make it. Names of this machine (RFC
    6761) are not looked up: few systems know all of them.
    """
    name = "localhost" if is_loopback(host) and number(host) is None else host.strip("[]")
    answers: queue.SimpleQueue[Places | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(name, port, socket.AF_UNSPEC, socket.SOCK_STREAM))
        except (OSError, UnicodeError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise UnresolvedError("its name can't be looked up: no answer in time") from None
    if isinstance(answer, Exception) or not answer:
        raise UnresolvedError("its name can't be looked up")
    return answer


def _connect(places: Places, exchange: Exchange, options: Any) -> socket.socket:
    ends = time.monotonic() + exchange.left(CONNECT_SECONDS)
    failure: OSError = OSError("no address")
    for tried, (family, kind, protocol, _, place) in enumerate(places):
        sock = None
        try:
            sock = BoundedSocket(family, kind, protocol)
            for option in options:
                sock.setsockopt(*option)
            # each gets its share of the time: one that swallows packets leaves some for the next
            sock.settimeout(max((ends - time.monotonic()) / (len(places) - tried), 0.001))
            sock.connect(place)
        except OSError as error:
            failure = error
            if sock is not None:
                sock.close()
            continue
        sock.exchange = exchange
        sock.settimeout(exchange.left(CONNECT_SECONDS))  # for TLS, whose greeting is timed as a whole
        return sock
    raise UnreachableError(failure)
