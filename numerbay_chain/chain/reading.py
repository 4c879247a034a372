"""Reads of one block, which a decision over two nodes takes note of (`second`)."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from numerbay_chain.chain.connection import Connection

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Question:
    """One read: `name` and `arguments` for people, the number of its `block`, and how it is `asked` of a node about a
    block, which is a number or, where it is `of_state`, a mapping with a hash (EIP-1898)."""

    name: str
    arguments: Mapping[str, Any]
    block: int
    asked: Callable[["Connection", Any], Any]

    @property
    def of_state(self) -> bool:
        """Whether it is about what accounts hold after the block, not about blocks."""
        return self.name not in ("timestamp", "events")


def of_one_block(method: Callable[P, R]) -> Callable[P, R]:
    """Decorate a read of `Connection` whose argument `block` names the block: within a decision, None means the
    decision's block, and question and answer are kept."""
    signature = inspect.signature(method)

    @wraps(method)
    def read(*positional: P.args, **named: P.kwargs) -> R:
        connection = cast("Connection", positional[0])
        if connection.decision is None:
            return method(*positional, **named)
        arguments = dict(signature.bind(*positional, **named).arguments)
        block = arguments.pop("block", None)
        arguments.pop(next(iter(signature.parameters)))

        def asked(node: "Connection", at: Any) -> R:
            return cast(Callable[..., R], method)(node, **arguments, block=at)

        if isinstance(block, str):  # a tag, as for what a transaction would do: nothing is decided by it
            return asked(connection, block)
        number = connection.decision.block.number if block is None else block
        return cast(R, connection.decision.ask(Question(method.__name__, arguments, number, asked)))

    return read
