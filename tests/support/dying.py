"""Ends a run at a chosen place: at any write to disk, any transaction on its way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.core.files import journal
from numerbay_chain.core.home import home, keyfile
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.ipfs.stores import embedded

WRITES: list[tuple[Any, str]] = [
    (journal.Entry, "save"),
    (journal.Entry, "remove"),
    (journal.Entry, "set_aside"),
    (home, "write_atomic"),
    (keyfile, "write_atomic"),
    (embedded, "write_atomic"),
    (embedded, "sync_folder"),
    (Connection, "send_raw"),
    (EmbeddedStore, "writer"),
]


class KilledError(BaseException):
    """Like a process that ends: nothing that handles errors handles it."""


class Death:
    """Counts the places that are passed; at the one chosen it strikes, before or after what happens there."""

    def __init__(self, strike_at: int | None, after: bool) -> None:
        self.passed = 0
        self._strike_at, self._after = strike_at, after

    def around(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.passed += 1
            here = self.passed == self._strike_at
            if here and not self._after:
                raise KilledError
            result = original(*arguments, **named)
            if here:
                raise KilledError
            return result

        return wrapped


@contextmanager
def death(
    places: list[tuple[Any, str]],
    strike_at: int | None = None,
    *,
    after: bool = False,
) -> Iterator[Death]:
    """Within the block, the run ends at the `strike_at`th place that it passes (None: never)."""
    one = Death(strike_at, after)
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in places:
            patch.setattr(owner, name, one.around(getattr(owner, name)))
        yield one
