"""Requests and batches over HTTP and a socket, to nodes that answer in the ways of the world."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from requests import Response

from numerbay_chain.chain.node.endpoint import parse_endpoint
from numerbay_chain.chain.node.rpc import RpcError, understood_batch
from numerbay_chain.chain.node.transport import BusyAnswer, HttpTransport, SocketTransport
from numerbay_chain.chain.node.values import NoAnswer
from numerbay_chain.core.network.failures import TransportError
from numerbay_chain.core.policy import Policy

POLICY = Policy(sleep=lambda _: None)
ASKED = [("eth_call", [number]) for number in range(3)]


def result(id: Any, value: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "result": value if value is not None else hex(id)}


def error(id: Any, code: int, words: str, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": words, **more}}


def answering(monkeypatch: pytest.MonkeyPatch, *bodies: Any, status: int = 200) -> tuple[HttpTransport, list[Any]]:
    """A node that gives these answers, one after the other, and what it is asked."""
    http = HttpTransport(parse_endpoint("http://127.0.0.1:9"), POLICY)
    left, seen = list(bodies), []

    def post(*_: Any, data: str, **__: Any) -> Response:
        seen.append(json.loads(data))
        answer = Response()
        answer.status_code, answer._content = status, json.dumps(left.pop(0)).encode()
        return answer

    monkeypatch.setattr(http._session, "post", post)
    return http, seen


def batched(monkeypatch: pytest.MonkeyPatch, *bodies: Any, status: int = 200) -> list[Any]:
    return answering(monkeypatch, *bodies, status=status)[0].batch(ASKED)


def test_a_batch_s_answers_come_in_the_order_of_its_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert batched(monkeypatch, [result(3), result(1), result(2)]) == ["0x1", "0x2", "0x3"]
    assert batched(monkeypatch, [result("2", "b"), result("3", "c"), result("1", "a")]) == ["a", "b", "c"]


def test_one_entry_s_error_spoils_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    reverted = error(2, 3, "execution reverted", data="0x52df9fe5")
    first, second, third = batched(monkeypatch, [result(1), reverted, error(3, -32000, "header not found")])
    assert first == "0x1"
    assert (second.data, third.code, third.words) == (bytes.fromhex("52df9fe5"), -32000, "header not found")


@pytest.mark.parametrize(
    "body",
    [
        [],
        [result(1), result(2)],
        [result(1), result(2), result(2)],
        [result(1), result(2), result(3), result(3)],
        [result(1), result(2), result(4)],
        [result(0), result(1), result(2)],
        [result(1), result(2), {"result": "0x3"}],
        [result(1), result(2), "0x3"],
        [result(1), result(2), {"id": 3}],
        result(1),
        "words",
        None,
    ],
)
def test_answers_that_can_t_be_told_apart_are_none(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    with pytest.raises(NoAnswer):
        batched(monkeypatch, body)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("status", [200, 400, 413])
def test_one_error_for_all_of_it_is_a_refusal(monkeypatch: pytest.MonkeyPatch, status: int, wrapped: bool) -> None:
    refusal = error(None, -32600, "batches are not supported")
    with pytest.raises(RpcError) as refused:
        batched(monkeypatch, [refusal] if wrapped else refusal, status=status)
    assert (refused.value.code, refused.value.data) == (-32600, None)


@pytest.mark.parametrize(
    "words",
    ["The batch size limit was exceeded", "too many requests in batch, at most 10", "batch call limit exceeded"],
)
@pytest.mark.parametrize("status", [200, 413])
def test_a_batch_that_is_too_large_is_no_rate_limit(monkeypatch: pytest.MonkeyPatch, words: str, status: int) -> None:
    http, seen = answering(monkeypatch, error(None, -32005, words), status=status)
    with pytest.raises(RpcError) as refused:
        http.batch(ASKED)
    assert (refused.value.code, len(seen)) == (-32005, 1)
    http, _ = answering(monkeypatch, [error(id, -32005, words) for id in (1, 2, 3)])
    assert [one.code for one in http.batch(ASKED)] == [-32005] * 3


def test_entries_that_the_node_was_too_busy_for_are_asked_again_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = error(2, 429, "too many requests")
    http, seen = answering(monkeypatch, [result(1, "a"), busy, result(3, "c")], [result(1, "b")])
    assert http.batch(ASKED) == ["a", "b", "c"]
    assert [one["params"] for one in seen[1]] == [[1]]
    http, seen = answering(monkeypatch, *([busy | {"id": None}] * 4))
    with pytest.raises(BusyAnswer):
        http.batch(ASKED)
    assert len(seen) == len(POLICY.pauses) + 1


def test_no_try_begins_after_the_time_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for ask in (lambda http: http.batch(ASKED), lambda http: http.request(*ASKED[0])):
        http, seen = answering(monkeypatch, *[error(None, 429, "too many requests")] * 4)
        with pytest.raises(BusyAnswer), http.within(sum(POLICY.pauses[:1]) / 2):
            ask(http)
        assert len(seen) == 1


def test_a_batch_of_one_may_come_back_bare() -> None:
    assert understood_batch(200, json.dumps([result(1)]).encode(), 1) == [{"result": "0x1"}]
    assert understood_batch(502, b"<html>", 1) == {"error": {"code": 502, "message": "HTTP status 502"}}


# -------------------------------------------------------------------------------------------------------- the socket


@contextmanager
def listening(path: Path, speak: Callable[[socket.socket], None]) -> Iterator[str]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def accept() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(BrokenPipeError):
                        speak(connection)
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield str(path)
        listener.shutdown(socket.SHUT_RDWR)


def spoken(connection: socket.socket) -> Any:
    return json.loads(connection.recv(1 << 16))


def test_a_socket_s_answer_comes_in_pieces(tmp_path: Path) -> None:
    def speak(connection: socket.socket) -> None:
        for _ in range(2):
            asked = spoken(connection)
            answers = [result(one["id"], "}" * 100_000) for one in (asked if isinstance(asked, list) else [asked])]
            text = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
            for start in range(0, len(text), 30_000):
                connection.sendall(text[start : start + 30_000])

    with listening(tmp_path / "node.ipc", speak) as path:
        node = SocketTransport(parse_endpoint(path), Policy())
        assert node.request("eth_chainId", []) == "}" * 100_000
        assert node.batch(ASKED) == ["}" * 100_000] * 3


@pytest.mark.parametrize("pieces", [[b"[", *[b"{},{}"] * 10**6], [b" " * 8] * 10**7, [b'"', *[b"}"] * 10**7]])
def test_a_socket_that_never_ends_is_left_in_time(tmp_path: Path, pieces: list[bytes]) -> None:
    def speak(connection: socket.socket) -> None:
        spoken(connection)
        for piece in pieces:
            connection.sendall(piece)

    with listening(tmp_path / "node.ipc", speak) as path:
        node, started = SocketTransport(parse_endpoint(path), Policy()), time.monotonic()
        with pytest.raises(TransportError) as slow, node.within(1):
            node.request("eth_chainId", [])
    assert slow.value.code == "slow-source"
    assert time.monotonic() - started < 5


def test_a_socket_that_was_closed_is_opened_again_once(tmp_path: Path) -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(json.dumps(result(spoken(connection)["id"])).encode())

    with listening(tmp_path / "node.ipc", speak) as path:
        node = SocketTransport(parse_endpoint(path), Policy())
        assert [node.request("eth_chainId", []) for _ in range(3)] == ["0x1"] * 3

    with listening(tmp_path / "gone.ipc", lambda connection: None) as path, pytest.raises(TransportError) as gone:
        SocketTransport(parse_endpoint(path), Policy()).request("eth_chainId", [])
    assert gone.value.code == "network"


def test_a_late_answer_is_not_taken_for_the_next_one(tmp_path: Path) -> None:
    told = threading.Event()

    def speak(connection: socket.socket) -> None:
        asked = spoken(connection)
        if asked["method"] == "eth_slow":
            told.wait(5)
        connection.sendall(json.dumps(result(asked["id"], asked["method"])).encode())

    with listening(tmp_path / "node.ipc", speak) as path:
        node = SocketTransport(parse_endpoint(path), Policy())
        with pytest.raises(TransportError) as slow, node.within(0.2):
            node.request("eth_slow", [])
        assert slow.value.code == "slow-source"
        told.set()
        assert node.request("eth_chainId", []) == "eth_chainId"
