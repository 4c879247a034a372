"""Reads of one block, which a decision over two nodes takes note of (`second`)."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from numerbay_chain.chain.node.blocks import Block

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Question:
    """One read: `name` and `arguments` for people, the number of its `block`, and how it is `asked` of a node about a
    block, which is a number or, where it is `of_state`, a mapping with a hash (EIP-1898)."""

    name: str
    arguments: Mapping[str, Any]
    block: int
    asked: Callable[[Any, Any], Any]

    @property
    def of_state(self) -> bool:
        """Whether it is about what accounts hold after the block, not about blocks."""
        return self.name not in ("timestamp", "events")


class OneBlock(Protocol):
    """What is being decided: every read is of its `block`, and is kept."""

    @property
    def block(self) -> Block: ...

    def ask(self, question: Question) -> Any:
        """Ask the node, and keep the answer."""


class Reader(Protocol):
    """A connection, as far as its reads are concerned."""

    @property
    def decision(self) -> OneBlock | None: ...


def of_one_block(method: Callable[P, R]) -> Callable[P, R]:
    """Decorate a read of `Connection` whose argument `block` names the block: within a decision, None means the
    decision's block, and question and answer are kept."""
    signature = inspect.signature(method)

    @wraps(method)
    def read(*positional: P.args, **named: P.kwargs) -> R:
        connection = cast(Reader, positional[0])
        if connection.decision is None:
            return method(*positional, **named)
        arguments = dict(signature.bind(*positional, **named).arguments)
        block = arguments.pop("block", None)
        arguments.pop(next(iter(signature.parameters)))

        def asked(node: object, at: Any) -> R:
            return cast(Callable[..., R], method)(node, **arguments, block=at)

        if isinstance(block, str):  # a tag, as for what a transaction would do: nothing is decided by it
            return asked(connection, block)
        number = connection.decision.block.number if block is None else block
        return cast(R, connection.decision.ask(Question(method.__name__, arguments, number, asked)))

    return read
