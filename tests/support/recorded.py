"""A source of events that is a list: what any index has to do, with no node behind it."""

from collections.abc import Iterator, Sequence
from typing import Any

from numerbay_chain.chain.node.blocks import Block
from numerbay_chain.protocol.events import Event


class Recorded:
    """An `EventSource` of these events. `asked`: how often it was, and for what."""

    name = "the record"

    def __init__(self, events: Sequence[Event], first: int = 0) -> None:
        self._events, self.first = events, first
        self.asked: list[dict[str, Any]] = []

    def events(
        self, names: Sequence[str] | None = None, first: int | None = None, last: int | None = None, **indexed: Any
    ) -> Iterator[Event]:
        self.asked.append({"names": names, **indexed})
        for event in self._events:
            after, before = first is None or event.block >= first, last is None or event.block <= last
            if after and before and (names is None or event.name in names) and self._fits(event, indexed):
                yield event

    def head(self) -> Block:
        return Block(self._events[-1].block if self._events else 0, bytes(32), 0)

    def _fits(self, event: Event, indexed: dict[str, Any]) -> bool:
        for name, wanted in indexed.items():
            subject = event.arguments.get("listing", event.arguments.get("order"))
            if name != "about" and name not in event.arguments:
                continue  # another argument stands in its place
            value = subject if name == "about" else event[name]
            several = wanted if isinstance(wanted, (list, tuple, range)) else [wanted]
            if _word(value) not in map(_word, several):
                return False
        return True


def _word(value: Any) -> Any:
    """As it stands in a log: how an address is written makes no difference."""
    return value.lower() if isinstance(value, str) else value
