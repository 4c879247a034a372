"""A node that is listened to, that lies, or that leaves something out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.protocol.events import Event
from tests.support.evm.node import NodeTransport

Change = Callable[[list[Event]], list[Event]]
"""What is done to the logs as a whole."""


def watched(patch: pytest.MonkeyPatch) -> list[str]:
    """All that is asked of the in-process node, and sent to it: a line for each request, bytes in hex."""
    said: list[str] = []
    original = NodeTransport.request

    def spy(transport: NodeTransport, method: str, params: Sequence[Any]) -> Any:
        said.append(f"{method} {params}")
        return original(transport, method, params)

    patch.setattr(NodeTransport, "request", spy)
    return said


class LyingContract(MarketplaceContract):
    """Answers one question of each look at its state falsely; all else is true."""

    def __init__(self, honest: MarketplaceContract, question: str, lie: Callable[[Any], Any]) -> None:
        self.__dict__.update(honest.__dict__)
        self._asked, self._lie = question, lie

    def look(self) -> Snapshot:
        looked = super().look()
        truth = getattr(looked, self._asked)

        def answer(*arguments: Any) -> Any:
            return self._lie(truth(*arguments))

        setattr(looked, self._asked, answer)
        return looked


class LyingIndex(NodeEvents):
    """A node whose logs are altered, and whose state is not."""

    def __init__(self, contract: MarketplaceContract, lie: Callable[[Any], Any]) -> None:
        super().__init__(contract.connection, contract.address, contract.from_block)
        self._lie = lie

    def events(self, *asked: Any, **more: Any) -> Iterator[Event]:
        return iter(self._lie(super().events(*asked, **more)))


def leaving_out(*names: str, order: int | None = None) -> Callable[[Iterator[Event]], Iterator[Event]]:
    """The logs, but for these events: all, or those of one order."""

    def left_out(event: Event) -> bool:
        return event.name in names and (order is None or event["order"] == order)

    return lambda events: (event for event in events if not left_out(event))


def altering(name: str, **told: object) -> Callable[[Iterator[Event]], Iterator[Event]]:
    """The logs, but every event of that name says this."""
    return lambda events: (
        replace(event, arguments={**event.arguments, **told}) if event.name == name else event for event in events
    )


def without(number: int, name: str) -> Callable[[Iterator[Event]], Iterator[Event]]:
    """The logs, but for the `number`th event of that name."""

    def filtered(events: Iterator[Event]) -> Iterator[Event]:
        seen = 0
        for event in events:
            seen += event.name == name
            if not (event.name == name and seen == number):
                yield event

    return filtered


def changed(name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """The first event of that name says something else."""

    def altered(events: list[Event]) -> list[Event]:
        place = next(number for number, event in enumerate(events) if event.name == name)
        told = dict(events[place].arguments)
        return [*events[:place], replace(events[place], arguments=told | change(told)), *events[place + 1 :]]

    return altered


def followed_by(*more: tuple[str, dict[str, Any]]) -> Change:
    """These come after all the others."""
    return lambda events: [*events, *(replace(events[-1], name=name, arguments=told) for name, told in more)]


def told_twice(name: str) -> Change:
    return lambda events: [*events, next(event for event in events if event.name == name)]
