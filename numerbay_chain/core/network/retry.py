"""How often a host is asked the same, and how long it is waited between two tries: one policy for nodes, gateways and
daemons.

The pauses are given beforehand. A host that asks for a longer one (`Retry-After`) gets it, up to `LONGEST_PAUSE`. No
try begins after the time for all of them is over.
"""

import email.utils
import math
import time
from collections.abc import Callable, Sequence

import requests

LONGEST_PAUSE = 5.0
"""Seconds that `Retry-After` is obeyed for."""


class Retry:
    """One question's tries. `pauses`: seconds before the second try, the third, and so on; `ends`: when the time for
    all of them is over (`time.monotonic`)."""

    def __init__(
        self, pauses: Sequence[float], ends: float = math.inf, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._pauses, self._ends, self._sleep, self._failed = tuple(pauses), ends, sleep, 0

    def again(self, wanted: float | None = None, most: int | None = None) -> bool:
        """Wait before another try, `wanted` seconds where a host asks for so many. False: there is none, or no time for
        it.

        `most`: how many tries this failure is worth in all, where that is less.
        """
        self._failed += 1
        if self._failed > len(self._pauses) or (most is not None and self._failed >= most):
            return False
        pause = max(self._pauses[self._failed - 1], obeyed(wanted))
        if time.monotonic() + pause >= self._ends:
            return False
        self._sleep(pause)
        return True


def doubling(first: float, tries: int) -> tuple[float, ...]:
    """Return the pauses between so many tries, each twice as long as the one before."""
    return tuple(first * 2**count for count in range(tries - 1))


def wanted_pause(response: requests.Response) -> float | None:
    """Return the seconds that a busy host asks to wait for (`Retry-After`: seconds or a date); None where it does not
    say."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:12])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def obeyed(wanted: float | None) -> float:
    """Return the seconds that are waited of those that a host asks for."""
    return min(wanted or 0.0, LONGEST_PAUSE)


def pause_words(response: requests.Response) -> str:
    """Return what to say of a wait that was asked for and not obeyed, or only up to `LONGEST_PAUSE`; else nothing."""
    pause = wanted_pause(response)
    return f", and asks to wait {pause:.0f} s" if pause is not None and pause > LONGEST_PAUSE else ""
