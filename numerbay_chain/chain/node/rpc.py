"""JSON-RPC as nodes really speak it: whatever comes back is read into one shape.

Providers answer refusals as error objects without an id or a code, as bare objects, strings and plain text, under any
HTTP status, and rate limits as HTTP 200; batches in another order, with one error for all of it, or not at all.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from numerbay_chain.chain.encoding.reverts import find_data
from numerbay_chain.chain.node.values import NoAnswer
from numerbay_chain.core.files import jsontext

SERVER_BUSY: Final = frozenset({429, 502, 503, 504})
_RATE: Final = re.compile(
    "|".join(
        (
            r"too many (?:requests?|calls|connections)|rate.?limit|throttl|slow down|overload",
            r"(?:server|node|service) (?:is )?(?:too )?busy",
            r"(?:requests?|calls?|compute units?|capacity)[\w ]*per.second",
        )
    ),
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(
    "|".join(
        (
            r"limit exceeded|(?:requests?|calls?|compute units?|capacity|rps|throughput)[\w ]*limit",
            r"(?:per.second|daily|monthly|request)[\w ]* (?:limit|quota)|exceeded .*(?:capacity|quota)",
        )
    ),
    re.IGNORECASE,
)
"""Of requests mostly, but a range of blocks and gas have limits too."""
_SIZE: Final = re.compile(
    r"range|results|response size|too (?:wide|large)|more than \d+ (?:blocks|logs)", re.IGNORECASE
)
_TOO_WIDE: Final = re.compile(
    r"result|range|block|logs|response size|^(?:HTTP status \d+, )?limit exceeded$", re.IGNORECASE
)
_LONGEST_WORDS: Final = 500
"""Characters of a refusal in which its reason is looked for: some patterns take quadratic time."""
_NO_CODE: Final = -32000
_LIMIT_EXCEEDED: Final = -32005
_OF_A_BATCH: Final = re.compile(r"\bbatch(?!.*per.second)", re.IGNORECASE | re.DOTALL)
"""What a node refuses about the size of a batch: a smaller one may be taken, waiting changes nothing."""
_TRIED_OUT: Final = frozenset({"eth_call", "eth_estimateGas"})
"""Methods that run a contract's code while the answer is waited for."""
MOST_PARTS: Final = 1 << 22
"""Texts, brackets and commas of an answer; the longest answer with logs has half as many."""
_BUSY_CODES: Final = frozenset({-32007, -32029, -32090, -32097})
"""What some providers answer to too many requests."""
_GATEWAY_GAVE_UP: Final = frozenset({502, 504})
"""HTTP statuses of a front whose node did not answer, which for logs of many blocks has a reason."""

Request = tuple[str, Sequence[Any]]
"""A method and its parameters."""
Answer = dict[str, Any]
"""One with `result`, or with `error`, which has `code`, `message` and perhaps `data`."""


class RpcError(Exception):
    """The node's own error to a question of this `method`: `code`, `words`, and the bytes of a revert, if any."""

    def __init__(self, words: str, code: int = _NO_CODE, data: bytes | None = None, method: str = "") -> None:
        super().__init__(words)
        self.words, self.code, self.data, self.method = words, code, data, method

    @property
    def may_be_revert(self) -> bool:
        """Whether a contract can have said it: only calls and estimates run one."""
        return self.method in _TRIED_OUT


def result_of(method: str, answer: Answer) -> Any:
    """Return the result. Raises `RpcError`."""
    error = answer.get("error")
    if error is not None:
        raise RpcError(error["message"], error["code"], find_data(error.get("data")), method)
    # some nodes answer null where there are no logs
    return [] if method == "eth_getLogs" and answer["result"] is None else answer["result"]


def body_of(method: str, params: Sequence[Any], id: int = 1) -> dict[str, Any]:
    """Return a request as JSON-RPC has it."""
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": list(params)}


def understood(status: int, body: bytes) -> Answer:
    """Return the answer in one shape, whatever the node's is. Raises `NoAnswer` for what is none."""
    try:
        value = _parsed(body)
    except ValueError:
        return _no_json(status, body)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return _one(value, status)


def understood_batch(status: int, body: bytes, count: int) -> list[Answer] | Answer:
    """Return the answers to requests 1 to `count`, in that order; one error where all of it was refused.

    Raises `NoAnswer` where an answer is missing, is there twice or is to nothing that was asked: then none can be
    told from another.
    """
    try:
        value = _parsed(body)
    except ValueError:
        return _no_json(status, body)
    if not isinstance(value, list):
        answer = _one(value, status)
        if "error" not in answer:
            raise NoAnswer
        return answer
    found = {id: one for one in value if isinstance(one, Mapping) and (id := _id(one.get("id"))) is not None}
    if len(value) == 1 < count and not found:  # one error for all of it, in a list
        answer = _one(value[0], status)
        if "error" in answer:
            return answer
    if len(value) != count or found.keys() != set(range(1, count + 1)):
        raise NoAnswer
    return [_one(found[id], status) for id in range(1, count + 1)]


def _id(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if type(value) is int else None


def _parsed(body: bytes) -> Any:
    return jsontext.parse(body.removeprefix(b"\xef\xbb\xbf"), None, MOST_PARTS)


def _one(value: Any, status: int) -> Answer:
    if isinstance(value, dict):
        if value.get("error") is not None:
            return _error(value["error"], status)
        if "result" in value:
            return {"result": value["result"]}
        if {"message", "code", "detail", "title", "msg"} & value.keys():
            return _error(value, status)
        if status < 400 and {"jsonrpc", "id"} <= value.keys():
            return {"result": None}  # some leave out what is null
    if status >= 400:
        return _error({}, status)
    raise NoAnswer


def _no_json(status: int, body: bytes) -> Answer:
    if 300 <= status < 400:
        return _error({"message": "it leads to another address: give that one"}, status)
    if status < 400:
        raise NoAnswer
    words = body[:4096].decode(errors="replace").strip()
    if status == 400 and "HTTPS server" in words:
        words = "it speaks TLS on this port, give its address with https://"
    return _error({} if not words or "<" in words else {"message": words}, status)


def _error(error: Any, status: int) -> Answer:
    """An error object as JSON-RPC has it. The HTTP status is said where the node's words alone would not tell."""
    found: dict[str, Any] = error if isinstance(error, dict) else {"message": error}
    words = next((found[key] for key in ("message", "detail", "title", "msg") if found.get(key)), None)
    if words is None:
        words = json.dumps(error) if error else ""
    text = words if isinstance(words, str) else json.dumps(words)
    if status >= 300:
        text = f"HTTP status {status}, {text}" if text else f"HTTP status {status}"
    shaped: dict[str, Any] = {"code": _code(found.get("code"), status), "message": text or "no reason given"}
    data = found.get("data")
    if reverted_with := find_data(data):
        shaped["data"] = "0x" + reverted_with.hex()
    elif isinstance(data, str) and not data.startswith("0x"):
        shaped["message"] += f": {data[:_LONGEST_WORDS]}"  # "Reverted", "Bad instruction fe"
    return {"error": shaped}


def _code(code: Any, status: int) -> int:
    try:
        return int(code)
    except (TypeError, ValueError, OverflowError):
        return status if status >= 300 else _NO_CODE


def is_busy(method: str, status: int, answer: Answer) -> bool:
    """Return whether the answer is a rate limit, or an overload."""
    if "error" not in answer:
        return False
    error = answer["error"]
    words, code = str(error["message"])[:_LONGEST_WORDS], error["code"]
    if "data" in error or _OF_A_BATCH.search(words):
        return False  # a revert, whatever its words; or too large a batch, whatever the code
    is_logs = method == "eth_getLogs"
    if status in SERVER_BUSY or code == 429:
        return not (is_logs and status in _GATEWAY_GAVE_UP)
    if "revert" in words.lower():
        return False
    if _RATE.search(words):
        return not (is_logs and _SIZE.search(words))
    if is_logs:
        # the same code, and some of the same words, stand for a range that is too wide
        return bool(_LIMIT.search(words) or code in _BUSY_CODES) and not _TOO_WIDE.search(words)
    return code == _LIMIT_EXCEEDED or code in _BUSY_CODES or bool(_LIMIT.search(words) and " gas" not in words.lower())
