"""Answers of nodes in the shapes that they have in the world, read into one."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from requests import Response

from numerbay_chain.chain.connection import connect
from numerbay_chain.chain.encoding.reverts import reverted
from numerbay_chain.chain.node.endpoint import parse_endpoint
from numerbay_chain.chain.node.errors import NodeRefusedError, translated
from numerbay_chain.chain.node.rpc import MOST_PARTS, RpcError, result_of, understood
from numerbay_chain.chain.node.transport import BusyAnswer, HttpTransport
from numerbay_chain.chain.node.values import NoAnswer
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.core.policy import Policy

WORDS = "query returned more than 10000 results"
ERROR = {"code": -32005, "message": WORDS}

REFUSALS: dict[str, tuple[int, Any, int, str]] = {
    "as it should be": (200, {"jsonrpc": "2.0", "id": 1, "error": ERROR}, -32005, WORDS),
    "no id": (200, {"jsonrpc": "2.0", "error": ERROR}, -32005, WORDS),
    "id null": (200, {"jsonrpc": "2.0", "id": None, "error": ERROR}, -32005, WORDS),
    "no version": (200, {"id": 1, "error": ERROR}, -32005, WORDS),
    "result null beside it": (200, {"jsonrpc": "2.0", "id": 1, "result": None, "error": ERROR}, -32005, WORDS),
    "a bare error object": (400, ERROR, -32005, f"HTTP status 400, {WORDS}"),
    "a bare error object under 200": (200, ERROR, -32005, WORDS),
    "an error that is text": (200, {"jsonrpc": "2.0", "id": 1, "error": WORDS}, -32000, WORDS),
    "a code that is text": (200, {"id": 1, "error": {"code": "-32005", "message": WORDS}}, -32005, WORDS),
    "a code in words": (200, {"id": 1, "error": {"code": "LIMIT", "message": WORDS}}, -32000, WORDS),
    "no code": (200, {"id": 1, "error": {"message": WORDS}}, -32000, WORDS),
    "no message": (200, {"id": 1, "error": {"code": -32005}}, -32005, '{"code": -32005}'),
    "a problem document": (403, {"title": "Forbidden", "detail": "no such key"}, 403, "HTTP status 403, no such key"),
    "data that is no revert's": (200, {"id": 1, "error": {**ERROR, "data": {"see": "https://x"}}}, -32005, WORDS),
    "a list of one": (200, [{"jsonrpc": "2.0", "id": 1, "error": ERROR}], -32005, WORDS),
}


@pytest.mark.parametrize("shape", REFUSALS)
def test_a_refusal_keeps_its_code_and_its_words(shape: str) -> None:
    status, body, code, words = REFUSALS[shape]
    answer = understood(status, json.dumps(body).encode())
    assert answer["error"] == {"code": code, "message": words}
    assert "result" not in answer


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, b"range too large", "HTTP status 400, range too large"),
        (404, b"<html>welcome</html>", "HTTP status 404"),
        (503, b"", "HTTP status 503"),
        (301, b"", "HTTP status 301, it leads to another address"),
        (308, b"<html>moved</html>", "HTTP status 308, it leads to another address"),
        (401, b'"unauthorized"', "HTTP status 401"),
        (400, b"Client sent an HTTP request to an HTTPS server.", "HTTP status 400, it speaks TLS on this port"),
    ],
)
def test_plain_text_under_an_error_s_status_is_a_refusal_in_these_words(status: int, body: bytes, words: str) -> None:
    error: Any = understood(status, body)["error"]
    assert error["code"] == status
    assert error["message"].startswith(words)


def test_a_revert_s_data_stays_whatever_the_http_status_is() -> None:
    for status in (200, 400, 500):
        body = {"jsonrpc": "2.0", "id": 1, "error": {"code": 3, "message": "execution reverted", "data": "0xdeadbeef"}}
        assert understood(status, json.dumps(body).encode())["error"]["data"] == "0xdeadbeef"


SOLD_OUT = "0x52df9fe5"


@pytest.mark.parametrize(
    "data",
    [
        SOLD_OUT,
        f"Reverted {SOLD_OUT}",
        {"data": SOLD_OUT, "message": "reverted with a custom error"},
        {"originalError": {"code": 3, "data": SOLD_OUT}},
        {"0x" + 64 * "a": {"error": "revert", "program_counter": 7, "return": SOLD_OUT}, "stack": "…"},
    ],
)
def test_a_revert_s_data_is_found_wherever_it_is(data: object) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32015, "message": "VM execution error.", "data": data}}
    assert understood(200, json.dumps(body).encode())["error"]["data"] == SOLD_OUT


def test_what_stands_in_place_of_a_revert_s_data_is_said() -> None:
    body = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32015, "message": "VM execution error.", "data": "Reverted"}}
    error = understood(200, json.dumps(body).encode())["error"]
    assert error == {"code": -32015, "message": "VM execution error.: Reverted"}


BUSY = {
    (200, 15, "Too many request, try again later"),
    (200, -32005, "slow"),
    (200, -32007, "50/second request limit reached - reduce calls per second or upgrade your account"),
    (200, -32016, "over rate limit"),
    (200, -32029, "exceeded"),
    (200, -32090, "Too many requests, reason: call rate limit exhausted, retry in 10s"),
    (200, -32000, "You've exceeded the RPS limit available on the current plan"),
    (200, -32000, "the node is too busy"),
    (200, 429, "Monthly capacity limit exceeded"),
    (403, -32000, "daily request count exceeded, request rate limited"),
    (503, -32000, "upstream not available"),
}
OF_LOGS = {
    (200, -32090, "Too many requests for eth_getLogs, retry in 10s"),
    (200, -32000, "rate limit exceeded for method eth_getLogs: you are blocked for 10 s"),
    (200, -32007, "50/second request limit reached"),
}
WIDE = {
    (200, -32005, "query returned more than 10000 results"),
    (200, -32005, "limit exceeded"),
    (200, -32600, "you can make eth_getLogs requests with up to a 10 block range"),
    (200, -32000, "too many requests: the range of 5000 blocks is too large"),
    (502, -32000, "bad gateway"),
    (504, -32000, "upstream request timeout"),
}
OTHER = {
    (200, -32000, "call gas limit exceeds the cap"),
    (200, -32000, "execution reverted: rate limit exceeded"),
    (200, -32601, "the method eth_maxPriorityFeePerGas does not exist"),
    (500, -32000, "internal error"),
}


@pytest.mark.parametrize(
    ("method", "refusals", "busy"),
    [
        ("eth_call", BUSY, True),
        ("eth_getLogs", OF_LOGS, True),
        ("eth_getLogs", WIDE, False),
        ("eth_call", OTHER, False),
    ],
)
def test_a_rate_limit_is_told_from_other_refusals(
    method: str, refusals: set[tuple[int, int, str]], busy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = HttpTransport(parse_endpoint("http://127.0.0.1:9"), Policy(sleep=lambda _: None, pauses=(0.0,)))
    for status, code, words in refusals:
        answer = Response()
        answer.status_code, answer._content = status, json.dumps({"error": {"code": code, "message": words}}).encode()
        monkeypatch.setattr(http._session, "post", lambda *_, answer=answer, **__: answer)
        with pytest.raises(BusyAnswer if busy else RpcError) as found:
            http.request(method, [])
        assert words in found.value.words


def test_a_long_refusal_takes_no_long_time_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    http = HttpTransport(parse_endpoint("http://127.0.0.1:9"), Policy(sleep=lambda _: None))
    for words in ("requests " * 20_000, "exceeded " * 20_000, "opcode " * 20_000):
        answer = Response()
        answer.status_code, answer._content = 200, json.dumps({"error": {"code": -1, "message": words}}).encode()
        monkeypatch.setattr(http._session, "post", lambda *_, answer=answer, **__: answer)
        started = time.monotonic()
        with pytest.raises(RpcError) as refused:
            http.request("eth_chainId", [])
        error = translated(refused.value, "http://node", "asking", str)
        assert isinstance(error, NodeRefusedError)
        reverted(words)
        assert time.monotonic() - started < 1


@pytest.mark.parametrize("data", ["0x556f1830" + 40 * "ff", "0x4e487b71" + 62 * "0" + "99", "0x08c379a0" + 8 * "f"])
@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_revert_data_that_a_contract_made_up_is_a_revert(
    method: str, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = HttpTransport(parse_endpoint("http://127.0.0.1:9"), Policy())
    answer = Response()
    answer.status_code, answer._content = 200, json.dumps({"error": {"code": 3, "data": data}}).encode()
    monkeypatch.setattr(http._session, "post", lambda *_, **__: answer)
    with pytest.raises(RpcError) as refused:
        http.request(method, [{"to": "0x" + 40 * "1"}])
    assert isinstance(translated(refused.value, "http://node", "making a call", str), RevertedError)


@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getLogs"])
def test_what_runs_no_contract_is_never_refused_by_one(method: str) -> None:
    for more in ({}, {"data": "0x52df9fe5"}):
        with pytest.raises(RpcError) as refused:
            result_of(method, {"error": {"code": 3, "message": "execution reverted", **more}})
        assert isinstance(translated(refused.value, "http://node", "asking", str), NodeRefusedError)


@pytest.mark.parametrize(
    ("words", "is_revert"),
    [
        ("execution reverted", True),
        ("HTTP status 500, reverted", True),
        ("VM Exception while processing transaction: revert", True),
        ("VM execution error.: Reverted 0x", True),
        ("Transaction reverted without a reason string", True),
        ("EvmError: Revert", True),
        ("out of gas", True),
        ("missing revert data", False),
        ("the history was reverted to block 7", False),
        ("intrinsic gas too low", False),
    ],
)
def test_only_words_about_running_code_are_a_contract_s_refusal(words: str, is_revert: bool) -> None:
    error = translated(RpcError(words, method="eth_call"), "http://node", "asking", str)
    assert isinstance(error, RevertedError if is_revert else NodeRefusedError)


def test_an_answer_of_millions_of_small_values_is_no_answer() -> None:
    with pytest.raises(NoAnswer):
        understood(200, b'{"result":[' + b"{}," * (MOST_PARTS // 3) + b"0]}")


def test_a_socket_that_hangs_is_a_node_s_error(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "node.ipc"))
        listener.listen()
        with pytest.raises(NetworkError) as caught:
            connect(str(tmp_path / "node.ipc"), policy=Policy(request=0.5))
    assert caught.value.code == "slow-source"


@pytest.mark.parametrize("id", [1, "1", 0, None, "abc"])
def test_a_result_needs_no_id(id: object) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": id, "result": "0x1"}).encode()
    assert understood(200, body)["result"] == "0x1"
    assert understood(200, b"\xef\xbb\xbf" + body)["result"] == "0x1"


def test_a_result_that_is_left_out_is_null() -> None:
    assert understood(200, b'{"jsonrpc":"2.0","id":1}')["result"] is None


@pytest.mark.parametrize(
    "body",
    [
        b"<html>welcome</html>",
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"result":' + 100_000 * b"[" + 100_000 * b"]" + b"}",
        b'{"result":' + 1_000_000 * b"9" + b"}",
        b'{"result": NaN}',
        b"\xff\xfe",
    ],
    ids=["a page", "nothing", "an empty list", "null", "no answer", "too deep", "too long a number", "NaN", "bytes"],
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(NoAnswer):
        understood(200, body)
