"""JSON-RPC as nodes really speak it: whatever comes back is read into one shape before web3 sees it.

Providers answer refusals as error objects without an id or a code, as bare objects, strings and plain text, under any
HTTP status, and rate limits as HTTP 200. A request is sent again where the connection broke or the node is busy: all of
ours can be sent twice, since a signed transaction is known by its hash.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

from web3 import HTTPProvider, IPCProvider
from web3._utils.threads import Timeout
from web3.exceptions import ContractLogicError
from web3.types import RPCEndpoint, RPCResponse

from numerbay_chain.chain.encoding.reverts import find_data
from numerbay_chain.chain.node.endpoint import Endpoint
from numerbay_chain.chain.node.errors import SECONDS_PER_REQUEST, BusyAnswer, NoAnswer
from numerbay_chain.core.files import jsontext
from numerbay_chain.core.network.failures import SlowError
from numerbay_chain.core.network.session import Session, pause_words

PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds between tries while a node is busy."""
TRIES: Final = 4
SERVER_BUSY: Final = frozenset({429, 502, 503, 504})
ANSWER_LIMIT: Final = 32 << 20
"""Bytes of the longest answer: 10,000 logs of 3 KiB."""
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
_BUSY_CODES: Final = frozenset({-32007, -32029, -32090, -32097})
"""What some providers answer to too many requests."""
_GATEWAY_GAVE_UP: Final = frozenset({502, 504})
"""HTTP statuses of a front whose node did not answer, which for logs of many blocks has a reason."""
_SIMULATIONS: Final = frozenset({"eth_call", "eth_estimateGas"})

logging.getLogger("numerbay_chain.chain.provider").addFilter(lambda _: False)  # web3's lines hold the whole address


class NodeProvider(HTTPProvider):
    """web3's HTTP provider over a session of ours. `seconds`: how long one request may take, all tries together."""

    logger = logging.getLogger("numerbay_chain.chain.provider")

    def __init__(self, endpoint: Endpoint, sleep: Callable[[float], None] = time.sleep) -> None:
        # all requests can be sent twice: a signed transaction is known by its hash
        self._session = Session(
            endpoint.address, limit=ANSWER_LIMIT, seconds=SECONDS_PER_REQUEST, tries=TRIES, busy=SERVER_BUSY
        )
        super().__init__(endpoint.address, session=self._session, exception_retry_configuration=None)
        self._sleep = sleep
        self.seconds = SECONDS_PER_REQUEST

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Return the node's answer, of one shape: `result`, or `error` with `code`, `message` and perhaps `data`.

        Raises `TransportError`, `BusyAnswer`, `NoAnswer` for what is none, and `ContractLogicError` for a revert.
        """
        data = self.encode_rpc_request(method, params)
        for pause in (*PAUSES, None):
            response = self._session.post(
                str(self.endpoint_uri), data=data, headers=self.get_request_headers(), timeout=self.seconds
            )
            answer = understood(response.status_code, response.content)
            if not _is_busy(method, response.status_code, answer):
                return _no_logs(answer) if method == "eth_getLogs" else refuse_revert(method, answer)
            # a host that says so by its status was asked again by the session
            if pause is None or response.status_code in SERVER_BUSY:
                raise BusyAnswer(str(cast(Any, answer["error"])["message"]), pause_words(response))
            self._sleep(pause)
        raise AssertionError  # the last pause is None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give each request in the block at most so many seconds."""
        before, self.seconds = self.seconds, min(seconds, self.seconds)
        try:
            yield
        finally:
            self.seconds = before


class SocketProvider(IPCProvider):
    """web3's provider for a socket on this machine, with answers of the same shape."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint.address, timeout=int(SECONDS_PER_REQUEST))

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """As `NodeProvider`'s."""
        try:
            answer = super().make_request(method, params)
        except Timeout:
            raise SlowError("gave no whole answer", f"it did not end within {self.timeout} s") from None
        if answer.get("error") is not None:
            answer = _error(answer["error"], 200)
        return refuse_revert(method, answer)


def refuse_revert(method: str, answer: RPCResponse) -> RPCResponse:
    """Return the answer. Raise `ContractLogicError` for a simulation that reverted with data: web3 would decode some of
    it, and fail where a contract made it up."""
    error = cast(Mapping[str, Any], answer.get("error") or {})
    if method in _SIMULATIONS and error.get("data"):
        raise ContractLogicError("execution reverted", data=error["data"])
    return answer


def understood(status: int, body: bytes) -> RPCResponse:
    """Return the answer in one shape, whatever the node's is. Raises `NoAnswer` for what is none."""
    try:
        value = jsontext.parse(body.removeprefix(b"\xef\xbb\xbf"), None)
    except ValueError:
        return _no_json(status, body)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        if value.get("error") is not None:
            return _error(value["error"], status)
        if "result" in value:
            return {"jsonrpc": "2.0", "id": 1, "result": value["result"]}
        if {"message", "code", "detail", "title", "msg"} & value.keys():
            return _error(value, status)
        if status < 400 and {"jsonrpc", "id"} <= value.keys():
            return {"jsonrpc": "2.0", "id": 1, "result": None}  # some leave out what is null
    if status >= 400:
        return _error({}, status)
    raise NoAnswer


def _no_logs(answer: RPCResponse) -> RPCResponse:
    """Some nodes answer null where there are none."""
    return {**answer, "result": []} if answer.get("result", ()) is None else answer


def _no_json(status: int, body: bytes) -> RPCResponse:
    if 300 <= status < 400:
        return _error({"message": "it leads to another address: give that one"}, status)
    if status < 400:
        raise NoAnswer
    words = body[:4096].decode(errors="replace").strip()
    if status == 400 and "HTTPS server" in words:
        words = "it speaks TLS on this port, give its address with https://"
    return _error({} if not words or "<" in words else {"message": words}, status)


def _error(error: Any, status: int) -> RPCResponse:
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
    return cast(RPCResponse, {"jsonrpc": "2.0", "id": 1, "error": shaped})


def _code(code: Any, status: int) -> int:
    try:
        return int(code)
    except (TypeError, ValueError, OverflowError):
        return status if status >= 300 else _NO_CODE


def _is_busy(method: str, status: int, answer: RPCResponse) -> bool:
    if "error" not in answer:
        return False
    error = cast(Mapping[str, Any], answer["error"])
    words, code = str(error["message"])[:_LONGEST_WORDS], error["code"]
    if "data" in error:
        return False  # a revert, whatever its words
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
