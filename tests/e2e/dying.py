"""Ends a run at a chosen place: at any write to disk, any transaction on its way, any question to the node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from numerbay_chain import config, journal, keyfile
from numerbay_chain.chain.connection import Connection
from numerbay_chain.errors import NetworkError
from numerbay_chain.ipfs import EmbeddedStore, embedded

WRITES: list[tuple[Any, str]] = [
    (journal.Entry, "save"),
    (journal.Entry, "remove"),
    (journal.Entry, "set_aside"),
    (config, "write_atomic"),
    (keyfile, "write_atomic"),
    (embedded, "write_atomic"),
    (embedded, "sync_folder"),
    (Connection, "send_raw"),
    (EmbeddedStore, "writer"),
]
QUESTIONS: list[tuple[Any, str]] = [
    (Connection, name)
    for name in (
        "send_raw",
        "call",
        "logs",
        "receipt",
        "transaction",
        "transaction_count",
        "fees",
        "block_number",
        "now",
    )
]


class KilledError(BaseException):
    """Like a process that ends: nothing that handles errors handles it."""


class Death:
    """Counts the places that are passed; at the one chosen it strikes, before or after what happens there."""

    def __init__(self, strike_at: int | None, after: bool, make: Callable[[], BaseException]) -> None:
        self.passed = 0
        self._strike_at, self._after, self._make = strike_at, after, make

    def around(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.passed += 1
            here = self.passed == self._strike_at
            if here and not self._after:
                raise self._make()
            result = original(*arguments, **named)
            if here:
                raise self._make()
            return result

        return wrapped


@contextmanager
def death(
    places: list[tuple[Any, str]],
    strike_at: int | None = None,
    *,
    after: bool = False,
    make: Callable[[], BaseException] = KilledError,
) -> Iterator[Death]:
    """Within the block, the run ends at the `strike_at`th place that it passes (None: never)."""
    one = Death(strike_at, after, make)
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in places:
            patch.setattr(owner, name, one.around(getattr(owner, name)))
        yield one


def node_is_gone() -> BaseException:
    """What a question to a node that went away raises."""
    return NetworkError("the node can't be reached")
