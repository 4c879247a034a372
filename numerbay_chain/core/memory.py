"""What a session learned about small objects, so that nobody waits for the same thing twice.

What was found stays found: it was checked. A failure is believed for ten times as long as it took, and five minutes at
most: whoever asks again and again loses a part of their time to an object that nobody has, and one that failed at once
is asked for at once.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, TypeVar, cast

from numerbay_chain.core.errors import NumerbayChainError

_TIMES: Final = 10
_LONGEST: Final = 300.0
"""Seconds that a failure is believed at most: a process that runs for days has deadlines of its own."""
_WAITED: Final = 60.0
"""Seconds that a read which ended as too slow is taken to have lasted at least."""
_MOST: Final = 4_096
_Found = TypeVar("_Found")


class Memory:
    """Results by key, the oldest forgotten first. `now`: the clock, in seconds."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._found: OrderedDict[Hashable, object] = OrderedDict()
        self._failed: OrderedDict[Hashable, tuple[float, NumerbayChainError]] = OrderedDict()

    def known(self, key: Hashable) -> object | None:
        """Return what was found for `key` before; None where nothing was."""
        return self._found.get(key)

    def keep(self, key: Hashable, found: object) -> None:
        """Remember what was found for `key`."""
        self._found[key] = found
        _trim(self._found)

    def get(self, key: Hashable, find: Callable[[], _Found]) -> _Found:
        """Return what `find` found for `key`, now or before; raise what it raised, now or a short while ago."""
        if key in self._found:
            return cast(_Found, self._found[key])
        until, failure = self._failed.get(key, (0.0, None))
        if failure is not None and self._now() < until:
            raise failure
        began = self._now()
        try:
            found = find()
        except NumerbayChainError as error:
            took = max(self._now() - began, _WAITED if error.code == "slow-source" else 0.0)
            self._failed.pop(key, None)
            self._failed[key] = self._now() + min(_TIMES * took, _LONGEST), error
            _trim(self._failed)
            raise
        self.keep(key, found)
        return found


def _trim(kept: "OrderedDict[Hashable, object] | OrderedDict[Hashable, tuple[float, NumerbayChainError]]") -> None:
    while len(kept) > _MOST:
        kept.popitem(last=False)
