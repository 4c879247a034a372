"""What goes wrong with a node, as errors of ours: no answer, a refusal, a rate limit, a block it does not have."""

import re
from collections.abc import Callable
from typing import Final

from numerbay_chain.chain.encoding.reverts import reverted
from numerbay_chain.chain.node.rpc import RpcError
from numerbay_chain.chain.node.transport import BusyAnswer
from numerbay_chain.chain.node.values import NoAnswer
from numerbay_chain.core.errors import NetworkError, NumerbayChainError
from numerbay_chain.core.network.failures import SlowError, TransportError
from numerbay_chain.core.text import one_line

FAULTS: Final = (RpcError, BusyAnswer, NoAnswer, TransportError)
"""What a transport raises, and what decoding finds wrong: the node's fault. Anything else is ours."""
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


class NodeRefusedError(NetworkError, code="node-refused"):
    """The node was reached and answered with an error of its own, `answer`."""

    def __init__(self, message: str, hint: str | None = None, *, answer: str = "", code: str | None = None) -> None:
        super().__init__(message, hint, code=code)
        self.answer = answer


class NodeTimeoutError(NodeRefusedError, code="node-timeout"):
    """The node took the request and gave no answer in time."""


class UnknownBlockError(NodeRefusedError, code="node-behind"):
    """The node does not have the block that was asked about, or not yet."""


class NodeBusyError(NetworkError, code="node-busy"):
    """The node limits how often it may be asked, and went on doing so."""


def nonsense(name: str, doing: str) -> NetworkError:
    """Return the error for an answer that makes no sense."""
    return NetworkError(f"{name} answered nonsense when {doing}", "use another node if this goes on", code="bad-answer")


def translated(error: Exception, name: str, doing: str, redacted: Callable[[str], str]) -> NumerbayChainError:
    """Return one of `FAULTS` as an error for users. `doing`, as in "asking for a balance"; `redacted` takes secrets
    out of the node's words."""
    if isinstance(error, BusyAnswer):
        return NodeBusyError(f"{name} is too busy when {doing}: {one_line(redacted(error.words))}{error.pause}", _LATER)
    if isinstance(error, RpcError):
        found = reverted(error.words, error.data) if error.may_be_revert else None
        return found or refused(error.words, name, doing, redacted)
    if isinstance(error, TransportError):
        words, hint = error.sentence(name, f"when {doing}"), error.hint or "check that the node runs, and its address"
        kind = NodeTimeoutError if isinstance(error, SlowError) else NetworkError
        return kind(words, hint, code=error.code)
    return nonsense(name, doing)


def refused(words: str, name: str, doing: str, redacted: Callable[[str], str]) -> NodeRefusedError:
    """Return the error for a node that refuses in its own words."""
    answer = one_line(redacted(words))
    kind = UnknownBlockError if _UNKNOWN_BLOCK.search(answer) else NodeRefusedError
    hint = None
    if re.match(r"HTTP status 40[13]", answer):
        hint = "check the access key in the node's address"
    return kind(f"{name} refused {doing}: {answer}", hint, answer=answer)
