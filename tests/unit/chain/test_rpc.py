"""Answers of nodes in the shapes that they have in the world, read into one."""

import json
from typing import Any

import pytest

from numerbay_chain.chain.nodeerrors import NoAnswer
from numerbay_chain.chain.rpc import understood

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


@pytest.mark.parametrize("id", [1, "1", 0, None, "abc"])
def test_a_result_needs_no_id(id: object) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": id, "result": "0x1"}).encode()
    assert understood(200, body)["result"] == "0x1"
    assert understood(200, b"\xef\xbb\xbf" + body)["result"] == "0x1"


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
