"""Where JSON-RPC goes: an address over HTTP, or a socket on this machine.

A request is sent again where the connection broke or the node is busy: all of ours can be sent twice, since a signed
transaction is known by its hash.
"""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final, Protocol

from numerbay_chain.chain.node.endpoint import Endpoint
from numerbay_chain.chain.node.rpc import (
    SERVER_BUSY,
    Answer,
    Request,
    RpcError,
    body_of,
    is_busy,
    result_of,
    understood,
    understood_batch,
)
from numerbay_chain.core.files.jsontext import Whole
from numerbay_chain.core.network.failures import OversizedError, SlowError, TransportError
from numerbay_chain.core.network.retry import Retry, pause_words, wanted_pause
from numerbay_chain.core.network.session import HttpSession
from numerbay_chain.core.policy import Policy

TRIES: Final = 4
ANSWER_LIMIT: Final = 32 << 20
"""Bytes of the longest answer: 10,000 logs of 3 KiB."""
CALL_LIMIT: Final = 4 << 20
"""Bytes of the longest answer to calls: contracts say how long it is. 256 of 4 KiB, in digits, are half of it."""
_CALLS: Final = frozenset({"eth_call", "eth_estimateGas"})
_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "numerbay_chain"}


class BusyAnswer(Exception):
    """A rate limit or an overload in the node's words; `pause` is what to say of the time that it asks for."""

    def __init__(self, words: str, pause: str = "") -> None:
        super().__init__(words)
        self.words, self.pause = words, pause


class Transport(Protocol):
    """What a `Connection` asks. Parameters and results are JSON's."""

    def request(self, method: str, params: Sequence[Any]) -> Any:
        """Return the result. Raises `RpcError`, `TransportError`, `BusyAnswer`, and `NoAnswer` for what is none."""

    def batch(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """Return the result or the error of each, asked in one exchange. Raises as `request`, and `RpcError` where
        all of it was refused."""

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Give each exchange in the block at most so many seconds, where that can be bounded."""


def opened(endpoint: Endpoint, policy: Policy) -> "Transport":
    """Return the transport to a node; nothing is asked yet."""
    return SocketTransport(endpoint, policy) if endpoint.is_socket else HttpTransport(endpoint, policy)


def limit_of(body: Any) -> int:
    """Return how many bytes the answer to a request, or to a batch of them, may have."""
    requests = body if isinstance(body, list) else [body]
    return CALL_LIMIT if all(one["method"] in _CALLS for one in requests) else ANSWER_LIMIT


class _Timed:
    """`seconds`: how long one request may take, all tries together."""

    def __init__(self, policy: Policy) -> None:
        self.seconds, self._policy = policy.request, policy

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """As `Transport.within`."""
        before, self.seconds = self.seconds, min(seconds, self.seconds)
        try:
            yield
        finally:
            self.seconds = before


class HttpTransport(_Timed):
    """JSON-RPC over a session of ours."""

    def __init__(self, endpoint: Endpoint, policy: Policy) -> None:
        super().__init__(policy)
        self._session = HttpSession(
            endpoint.address,
            limit=ANSWER_LIMIT,
            seconds=policy.request,
            tries=TRIES,
            busy=SERVER_BUSY,
            pause=policy.broken,
            sleep=policy.sleep,
        )
        self._address = endpoint.address

    def request(self, method: str, params: Sequence[Any]) -> Any:
        """As `Transport.request`."""
        ends = time.monotonic() + self.seconds
        retry = Retry(self._policy.pauses, ends, self._policy.sleep)
        while True:
            response = self._post(body_of(method, params), ends)
            answer = understood(response.status_code, response.content)
            if not is_busy(method, response.status_code, answer):
                return result_of(method, answer)
            self._wait(retry, response, answer)

    def batch(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """As `Transport.batch`. Entries that the node was too busy for are asked again, alone."""
        found: dict[int, Any | RpcError] = {}
        ends = time.monotonic() + self.seconds
        retry = Retry(self._policy.pauses, ends, self._policy.sleep)
        while True:
            places = [place for place in range(len(requests)) if place not in found]
            response = self._post([body_of(*requests[place], id) for id, place in enumerate(places, 1)], ends)
            answers = understood_batch(response.status_code, response.content, len(places))
            if isinstance(answers, dict):
                if not is_busy("", response.status_code, answers):
                    return [result_of(requests[0][0], answers)]  # never: it is an error, which this raises
                self._wait(retry, response, answers)
                continue
            busy = None
            for place, answer in zip(places, answers, strict=True):
                if is_busy(requests[place][0], response.status_code, answer):
                    busy = answer
                    continue
                try:
                    found[place] = result_of(requests[place][0], answer)
                except RpcError as error:
                    found[place] = error
            if busy is None:
                return [found[place] for place in range(len(requests))]
            self._wait(retry, response, busy)

    def _post(self, body: Any, ends: float) -> Any:
        left = max(ends - time.monotonic(), 0.001)
        self._session.limit = limit_of(body)
        return self._session.post(self._address, data=json.dumps(body), headers=_HEADERS, timeout=left)

    def _wait(self, retry: Retry, response: Any, answer: Answer) -> None:
        # a host that says so by its status was asked again by the session
        if response.status_code in SERVER_BUSY or not retry.again(wanted_pause(response)):
            raise BusyAnswer(str(answer["error"]["message"]), pause_words(response))


class SocketTransport(_Timed):
    """JSON-RPC over a socket of this machine."""

    def __init__(self, endpoint: Endpoint, policy: Policy) -> None:
        super().__init__(policy)
        self._path = endpoint.address
        self._socket: socket.socket | None = None

    def request(self, method: str, params: Sequence[Any]) -> Any:
        """As `Transport.request`."""
        return result_of(method, understood(200, self._exchange(body_of(method, params))))

    def batch(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """As `Transport.batch`."""
        body = self._exchange([body_of(*one, id) for id, one in enumerate(requests, 1)])
        answers = understood_batch(200, body, len(requests))
        if isinstance(answers, dict):
            return [result_of(requests[0][0], answers)]  # never: it is an error, which this raises
        found: list[Any | RpcError] = []
        for (method, _), answer in zip(requests, answers, strict=True):
            try:
                found.append(result_of(method, answer))
            except RpcError as error:
                found.append(error)
        return found

    def _exchange(self, body: Any) -> bytes:
        """One answer. A node that was started again since is connected to again, once."""
        data = json.dumps(body).encode()
        for is_last in (self._socket is None, True):
            try:
                return self._ask(data, limit_of(body))
            except TransportError:
                raise
            except TimeoutError:
                raise SlowError("gave no whole answer", f"it did not end within {self.seconds:g} s") from None
            except OSError:
                if is_last:
                    raise TransportError("can't be reached") from None
        raise AssertionError  # the last one returns or raises

    def _ask(self, data: bytes, limit: int) -> bytes:
        whole = False
        try:
            answer = self._answer(data, limit)
            whole = True
            return answer
        finally:
            if not whole:
                self._close()  # what comes later would be taken for the next answer

    def _answer(self, data: bytes, limit: int) -> bytes:
        end, shape = time.monotonic() + self.seconds, Whole()
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(self._path)
        self._socket.settimeout(max(self.seconds, 0.001))
        self._socket.sendall(data)
        answer = bytearray()
        while True:
            if (left := end - time.monotonic()) <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            piece = self._socket.recv(1 << 16)
            if not piece:
                raise ConnectionError("closed")
            answer += piece
            if len(answer) > limit:
                raise OversizedError("gives too long an answer", hint="use another one")
            if shape.ends_with(piece):
                return bytes(answer)

    def _close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket = None
