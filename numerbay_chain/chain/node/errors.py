"""What goes wrong with a node, as errors of ours: no answer, a refusal, a rate limit, a block it does not have."""

import re
from collections.abc import Callable
from typing import Any, Final, cast

import requests
from eth_abi.exceptions import DecodingError
from web3.exceptions import (
    BadResponseFormat,
    BlockNotFound,
    ContractLogicError,
    OffchainLookup,
    RequestTimedOut,
    Web3Exception,
    Web3RPCError,
)

from numerbay_chain.chain.encoding.reverts import reverted
from numerbay_chain.core.errors import NetworkError, NumerbayChainError
from numerbay_chain.core.network.failures import SlowError, TransportError
from numerbay_chain.core.text import one_line

SECONDS_PER_REQUEST: Final = 30.0
_LATER: Final = "try again later, or use another node"
_UNKNOWN_BLOCK: Final = re.compile(
    "|".join(
        (
            r"header not found|unknown header|unknown block|unfinalized block|no block found|block ?out ?of ?range",
            r"(?:block|header)[\w #:]* (?:not found|unknown)|could not find (?:block|header)|resource not found",
            r"block .*(?:not|n't) (?:yet )?(?:available|exist)|after last accepted block|in the future",
            r"(?:beyond|past|greater than) (?:the )?(?:current |latest )?(?:head|latest|block)",
        )
    ),
    re.IGNORECASE,
)
# errors of the libraries of the in-process chain, by the package of their class
_EMBEDDED: Final = {"eth_tester", "eth", "eth_utils"}


class NodeRefusedError(NetworkError):
    """The node was reached and answered with an error of its own, `answer`."""

    code = "node-refused"

    def __init__(self, message: str, hint: str | None = None, *, answer: str = "", code: str | None = None) -> None:
        super().__init__(message, hint, code=code)
        self.answer = answer


class NodeTimeoutError(NodeRefusedError):
    """The node took the request and gave no answer in time."""

    code = "node-timeout"


class UnknownBlockError(NodeRefusedError):
    """The node does not have the block that was asked about, or not yet."""

    code = "node-behind"


class NodeBusyError(NetworkError):
    """The node limits how often it may be asked, and went on doing so."""

    code = "node-busy"


class BusyAnswer(Exception):
    """A rate limit or an overload in the node's words; `pause` is what to say of the time that it asks for."""

    def __init__(self, words: str, pause: str) -> None:
        super().__init__(words)
        self.words, self.pause = words, pause


class NoAnswer(Exception):
    """Bytes that are no answer of a node."""


def number(value: Any, bits: int) -> int:
    """Return a number in a node's answer. Raises `ValueError` for one that is not below 2^`bits`."""
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise ValueError("not a number that can be")
    return value


def nonsense(name: str, doing: str) -> NetworkError:
    """Return the error for an answer that makes no sense."""
    return NetworkError(f"{name} answered nonsense when {doing}", "use another node if this goes on", code="bad-answer")


def translated(error: Exception, name: str, doing: str, redacted: Callable[[str], str]) -> Exception:
    """Return what web3, its providers or the in-process chain raised as an error of ours, or as it is if it is none
    of theirs. `doing`, as in "asking for a balance"; `redacted` takes secrets out of the node's words."""
    if isinstance(error, NumerbayChainError):
        return error
    if isinstance(error, BusyAnswer):
        return _busy(error, name, doing, redacted)
    if isinstance(error, ContractLogicError | OffchainLookup) or _is_made_up(error):
        return reverted(error)
    if isinstance(error, BlockNotFound):
        return UnknownBlockError(f"{name} does not have the block when {doing}", _LATER, answer="block not found")
    if isinstance(error, Web3RPCError):
        if found := reverted(error, certain=False):
            return found
        return _refused(_answer(error), name, doing, redacted, late=isinstance(error, RequestTimedOut))
    if isinstance(error, TransportError):
        words, hint = error.sentence(name, f"when {doing}"), error.hint or "check that the node runs, and its address"
        kind = NodeTimeoutError if isinstance(error, SlowError) else NetworkError
        return kind(words, hint, code=error.code)
    if isinstance(error, requests.RequestException | OSError):
        return NetworkError(f"{name} can't be reached when {doing}", "check that the node runs, and its address")
    if isinstance(error, BadResponseFormat):
        # a refusal in another shape, from a provider that is not ours
        return _refused(str(error).partition("The raw response is: ")[2] or str(error), name, doing, redacted)
    if isinstance(
        error, NoAnswer | Web3Exception | ValueError | TypeError | LookupError | AttributeError | RecursionError
    ):
        return nonsense(name, doing)
    # the in-process chain raises its own errors, by classes that only exist where it is installed
    if found := reverted(error, certain=False):
        return found
    if type(error).__module__.partition(".")[0] not in _EMBEDDED:
        return error
    return _refused(str(error), name, doing, redacted)


def _is_made_up(error: Exception) -> bool:
    """Return whether web3 failed at revert data that a contract made up: it looks for known shapes in it."""
    panic = isinstance(error, KeyError) and re.fullmatch(r"[0-9a-f]{2}", str(error.args[0] if error.args else ""))
    return bool(panic) or isinstance(error, DecodingError)


def hides_address(error: Exception) -> bool:
    """Return whether the cause of a translated error names the node's whole address."""
    return isinstance(error, requests.RequestException | OSError | BusyAnswer)


def _refused(
    words: str, name: str, doing: str, redacted: Callable[[str], str], *, late: bool = False
) -> NodeRefusedError:
    answer = one_line(redacted(words))
    kind = UnknownBlockError if _UNKNOWN_BLOCK.search(answer) else NodeTimeoutError if late else NodeRefusedError
    hint = None
    if re.match(r"HTTP status 40[13]", answer):
        hint = "check the access key in the node's address"
    return kind(f"{name} refused {doing}: {answer}", hint, answer=answer)


def _busy(error: BusyAnswer, name: str, doing: str, redacted: Callable[[str], str]) -> NodeBusyError:
    return NodeBusyError(f"{name} is too busy when {doing}: {one_line(redacted(error.words))}{error.pause}", _LATER)


def _answer(error: Web3RPCError) -> str:
    response = error.rpc_response
    if response is not None and isinstance(response.get("error"), dict):
        return str(cast(dict[str, Any], response["error"]).get("message", ""))
    return str(error)
