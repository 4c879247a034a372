"""Where events come from. Nothing above this folder knows whether a node or an index of its own answers."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from numerbay_chain.chain.node.blocks import Block
from numerbay_chain.protocol.events import Event


class EventSource(Protocol):
    """A marketplace's events, in the chain's order."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def first(self) -> int:
        """The block from which on it has events: the one of the deployment, or an earlier one."""

    def events(
        self, names: Sequence[str] | None = None, first: int | None = None, last: int | None = None, **indexed: Any
    ) -> Iterator[Event]:
        """Yield the events with these names (None: all) in the blocks from `first` to `last`, both included: from the
        deployment to the latest block if nothing else is said.

        `indexed`: arguments that the ABI indexes, each a value or up to 500 values to choose from. `about` stands for
        the listing or the order that an event is about: their ids are never the same. One that only some of the events
        have is given with one that the others have in its place: `round=7, buyer=…` of Released and Bought, the round
        of the one and the buyer of the other. Raises `UsageError` for a filter that can't be made, and `NetworkError`.
        """

    def head(self) -> Block:
        """Return the latest block that it has the events of. Raises `NetworkError`."""
