"""A `Web3` that exists already, such as Ape's or the one over eth-tester, as a transport.

web3, its providers and the in-process chain raise errors of their own, some with a contract's revert somewhere in them:
they become what a node would have answered.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, cast

import requests
from web3 import Web3
from web3.exceptions import (
    BadResponseFormat,
    BlockNotFound,
    ContractLogicError,
    OffchainLookup,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.types import RPCEndpoint

from numerbay_chain.chain.encoding.reverts import find_data, reverted
from numerbay_chain.chain.node.rpc import Request, RpcError
from numerbay_chain.chain.node.values import NoAnswer, plain
from numerbay_chain.core.network.failures import TransportError

_DEPTH: Final = 6
_LONGEST: Final = 1 << 18  # characters of bytes as Python writes them
_BYTES: Final = re.compile(r"""b(['"]).*\1""", re.DOTALL)  # eth-tester shows revert data so
_EMBEDDED: Final = {"eth_tester", "eth", "eth_utils"}
"""The packages whose classes the in-process chain raises."""


class Web3Transport:
    """JSON-RPC through web3's manager, with whatever middleware the `Web3` has."""

    def __init__(self, w3: Web3) -> None:
        self._w3 = w3

    def request(self, method: str, params: Sequence[Any]) -> Any:
        """As `Transport.request`."""
        given = list(params)
        if method == "eth_getLogs" and isinstance(address := given[0].get("address"), str):
            given = [{**given[0], "address": [address]}]  # web3's middleware takes no single one
        try:
            return plain(self._w3.manager.request_blocking(RPCEndpoint(method), given))
        except (BlockNotFound, TransactionNotFound):
            return None
        except Exception as error:
            raise _shaped(error, method) from error

    def batch(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """As `Transport.batch`: one by one."""
        found: list[Any | RpcError] = []
        for method, params in requests:
            try:
                found.append(self.request(method, params))
            except RpcError as error:
                found.append(error)
        return found

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Nothing: Ape's and other providers keep their own bounds."""
        return nullcontext()


def _shaped(error: Exception, method: str) -> Exception:
    """What a transport raises for it; the error itself where it is none of these libraries'."""
    data = _revert_data(error)
    is_revert = isinstance(error, ContractLogicError | OffchainLookup) or _is_made_up(error)
    if is_revert or type(error).__name__ == "TransactionFailed":
        words = " ".join(one for one in error.args if isinstance(one, str))
        return RpcError(words if reverted(words) else "execution reverted", data=data, method=method)
    if isinstance(error, Web3RPCError):
        response = error.rpc_response or {}
        answered = response.get("error")
        words = str(cast(Mapping[str, Any], answered).get("message", "")) if isinstance(answered, dict) else str(error)
        return RpcError(words, data=data, method=method)
    if isinstance(error, requests.RequestException | OSError):
        return error if isinstance(error, TransportError) else TransportError("can't be reached")
    if isinstance(error, BadResponseFormat):
        # a refusal in another shape
        return RpcError(str(error).partition("The raw response is: ")[2] or str(error), method=method)
    if type(error).__module__.partition(".")[0] in _EMBEDDED:
        return RpcError(str(error), data=data, method=method)
    return NoAnswer() if isinstance(error, Web3Exception) else error


def _is_made_up(error: Exception) -> bool:
    """Whether web3 failed at revert data that a contract made up: it looks for known shapes in it."""
    panic = isinstance(error, KeyError) and re.fullmatch(r"[0-9a-f]{2}", str(error.args[0] if error.args else ""))
    return bool(panic) or type(error).__module__.startswith("eth_abi.")


def _revert_data(error: BaseException) -> bytes | None:
    """The bytes that the contract reverted with, None where neither the error nor its causes hold any."""
    seen: BaseException | None = error
    for _ in range(_DEPTH):
        if seen is None:
            return None
        for value in _parts(seen):
            if found := _found(value):
                return found
        seen = seen.__cause__ or seen.__context__
    return None


def _parts(error: BaseException) -> Iterator[Any]:
    yield getattr(error, "data", None)  # web3's contract errors
    yield getattr(error, "rpc_response", None)
    yield from error.args


def _found(value: Any, depth: int = 0) -> bytes | None:
    if isinstance(value, bytes):
        return value if len(value) >= 4 else None
    if isinstance(value, BaseException) and depth < _DEPTH:
        return next((found for argument in value.args if (found := _found(argument, depth + 1))), None)
    if isinstance(value, str):
        text = value.strip().removeprefix("execution reverted:").strip()
        if len(text) <= _LONGEST and _BYTES.fullmatch(text):
            return _found(_literal(text))
    return find_data(value)


def _literal(text: str) -> bytes | None:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, bytes) else None
