"""Reads behind a load balancer: the newest block that was seen is remembered, and older answers are asked for again.

One address often stands for several nodes, of which some are seconds behind. What was read before, or written by
ourselves, must not look undone; so off a development chain nothing is read at "latest", whose block an answer does not
tell, but at a block number that a node behind can't answer for.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from numerbay_chain.chain.node.errors import UnknownBlockError
from numerbay_chain.core.errors import NetworkError

FIRST_LOOKS: Final = 3
"""How often the newest block is asked for at first: the answers of nodes that are behind are as likely as others."""
_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5)  # seconds; the last one is repeated
_LOOKS: Final = (0.05, 0.2, 0.5)  # seconds

T = TypeVar("T")


class OutOfPatienceError(Exception):
    """The answers stayed unfit. Whoever asked makes an error of it."""


class Freshness:
    """What a node, or the nodes behind one address, have shown of the chain. `newest` is a block's number,
    `name` the node's; `patience`: seconds within which a node that is behind must catch up, which `sleep` waits for."""

    def __init__(
        self,
        name: str,
        patience: float,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self._patience, self._clock, self._sleep = name, patience, clock, sleep
        self.newest = 0

    def note(self, block: int) -> None:
        """Remember a block that exists."""
        self.newest = max(self.newest, block)

    def head(self, ask: Callable[[], T], number: Callable[[T], int]) -> T:
        """Return the newest block, asked for with `ask`, once it is not older than what was seen.

        Raises `NetworkError` (`stale-node`) where it stays older; then the older one is believed from there on, as
        after a reorganization.
        """
        found = ask()
        if not self.newest:
            for _ in range(FIRST_LOOKS - 1):
                found = max(found, ask(), key=number)
        try:
            found = self.retried(ask, lambda block: number(block) < self.newest, first=found)
        except OutOfPatienceError:
            known, self.newest = self.newest, number(found)
            raise NetworkError(
                f"{self.name} is at block {self.newest} again, though it showed block {known} before",
                "wait a moment, or use another node",
                code="stale-node",
            ) from None
        self.note(number(found))
        return found

    def at(self, block: int, ask: Callable[[], T]) -> T:
        """Return what `ask` answers about a block that was seen, once the node has it.

        Raises `NetworkError` (`node-behind`) where it stays unknown, and at once for a block that nothing has shown.
        """
        if block > self.newest:
            return ask()
        unknown = object()

        def look() -> T | object:
            try:
                return ask()
            except UnknownBlockError:
                return unknown

        try:
            return self.retried(look, lambda found: found is unknown)  # type: ignore[return-value]  # not the mark
        except OutOfPatienceError:
            raise NetworkError(
                f"{self.name} lacks block {block}, though it showed block {self.newest}",
                "wait a moment, or use another node",
                code="node-behind",
            ) from None

    def retried(self, ask: Callable[[], T], unfit: Callable[[T], bool], *, first: T | None = None) -> T:
        """Return the first answer that is not `unfit`, within the time that a node has to catch up."""
        found = ask() if first is None else first
        end, pauses = self._clock() + self._patience, 0
        while unfit(found):
            if self._clock() >= end:
                raise OutOfPatienceError
            self._sleep(_PAUSES[min(pauses, len(_PAUSES) - 1)])
            pauses += 1
            found = ask()
        return found

    def looked(self, ask: Callable[[], T], unfit: Callable[[T], bool]) -> T:
        """Return the first of a few answers that is not `unfit`, else the last one."""
        found = ask()
        for pause in _LOOKS:
            if not unfit(found):
                break
            self._sleep(pause)
            found = ask()
        return found
