"""Events out of a node's logs."""

from collections.abc import Iterator, Sequence
from typing import Any

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.logs import read_events
from numerbay_chain.chain.node.blocks import Block
from numerbay_chain.chain.reading import Question
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.protocol.events import Event


class NodeEvents:
    """An `EventSource`: the logs of the marketplace at `address`, which begin in block `first`, by `eth_getLogs`."""

    def __init__(self, connection: Connection, address: str, first: int) -> None:
        self._connection, self._address, self.first = connection, address, first

    def __repr__(self) -> str:
        return f"NodeEvents({self._address} at {self.name})"

    @property
    def name(self) -> str:
        return self._connection.name

    def events(
        self, names: Sequence[str] | None = None, first: int | None = None, last: int | None = None, **indexed: Any
    ) -> Iterator[Event]:
        """See `EventSource`. Within a decision over two nodes, question and answer are kept for the other one."""
        start = self.first if first is None else max(first, self.first)
        end = self._connection.block_number() if last is None else last
        if (decision := self._connection.decision) is None:
            return read_events(self._connection, self._address, names, start, end, indexed)

        def asked(node: Connection, _: object) -> list[Event]:
            return [*read_events(node, self._address, names, start, end, indexed)]

        return iter(decision.ask(Question("events", {"names": names, **indexed}, end, asked)))

    def head(self) -> Block:
        """See `EventSource`. Within a decision over two nodes, its block."""
        decision = self._connection.decision
        block = self._connection.block("latest") if decision is None else decision.block
        if block is None:
            raise NetworkError(f"{self.name} has no newest block", "use another node", code="bad-answer")
        return block
