"""The time that deadlines are compared with, asked for right before something leaves this machine.

A time that was read before content was fetched, or before a password was typed, says nothing about the moment in which
a transaction leaves. So what has a deadline carries a `Window` to where it is signed, and `Clock` asks anew there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from numerbay_chain.chain.connection import Connection
from numerbay_chain.core.errors import NetworkError, RefusedError, TooLateError
from numerbay_chain.core.units import format_duration, format_until

MINING_TIME: Final = 60
"""Seconds in which a transaction may still wait to be mined."""
STALE: Final = 900
"""Seconds that a node's newest block may be behind this machine's clock, off a development chain."""


def mining_margin(window: int) -> int:
    """Seconds before a deadline in which nothing is sent any more that reveals a secret. Half of a window that is
    shorter than twice what mining may take is left to act in."""
    return min(MINING_TIME, window // 2)


@dataclass(frozen=True, slots=True)
class Window:
    """The chain's seconds in which a transaction may be mined: from `after` to `until`, both included, None where there
    is no bound. `margin`: of a transaction that reveals a secret, the seconds that must be left for mining; 0 for one
    that costs its gas alone if it comes too late. `stake`: what is lost if it comes too late, in wei; its gas may cost
    that much where that is more than `max_fee`."""

    after: int | None = None
    until: int | None = None
    margin: int = 0
    stake: int | None = None


ANY_TIME: Final = Window()


class Clock:
    """The chain's present time, and this machine's, as the connection's policy has it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def now(self) -> int:
        """The chain's time in Unix seconds, as of this moment."""
        return self._connection.now()

    def here(self) -> float:
        """This machine's time in Unix seconds."""
        return self._connection.policy.time()

    def left(self, until: int, margin: int = 0, now: int | None = None) -> int:
        """Seconds from now until `margin` before `until`, at least 0: by this machine's clock where the node is a
        little behind it. `now`: the chain's time, where it was just read. Raises `NetworkError` as `is_late`."""
        now = self._present(self.now() if now is None else now, margin)
        if not self._connection.is_trial and now < (here := int(self.here())) <= now + STALE:
            now = here
        return max(until - margin - now, 0)

    def is_late(self, until: int, margin: int, now: int | None = None) -> bool:
        """Whether what is sent now may be mined after the second `until`. `now`: as for `left`.

        Raises `NetworkError` (`stale-node`) where `margin` is not 0 and the node is too far behind to tell.
        """
        now = self.now() if now is None else now
        if self._connection.is_trial:
            return now > until
        return self._present(now, margin) + margin > until

    def _present(self, now: int, margin: int) -> int:
        """The chain's time, which is `now`; before a secret leaves, this machine's where it is ahead: a node may be
        some blocks behind."""
        if margin == 0 or self._connection.is_trial:
            return now
        here = int(self.here())
        if here - now > STALE:
            raise NetworkError(
                f"the newest block of {self._connection.name} is {format_duration(here - now)} old: nothing is sent "
                "whose time may be over",
                "use a node that is in step with the chain, and see whether this machine's clock is right",
                code="stale-node",
            )
        return max(now, here)

    def alarm(self, seconds: float, now: int | None = None) -> Callable[[], bool]:
        """Return what says whether that many seconds have passed since now (`now`: as in `left`). Off a
        development chain no node is asked again: this machine counts them."""
        if self._connection.is_trial:
            end = (self.now() if now is None else now) + seconds
            return lambda: self.now() >= end
        here = self.here() + seconds
        return lambda: self.here() >= here

    def require(self, window: Window, what: str) -> None:
        """Raise `TooLateError` where `what` may be mined too late, `RefusedError` (`too-early`) where it is too early,
        and `NetworkError` as `is_late`."""
        if window.until is None and window.after is None:
            return
        now = self.now()
        if window.until is not None and self.is_late(window.until, window.margin, now):
            raise TooLateError(
                f"it is too late to send {what}, which must be mined by {format_until(window.until, now)}: "
                "nothing was sent",
                "look at how it stands now",
            )
        if window.after is not None and now < window.after:
            raise RefusedError(
                f"it is too early to send {what}, which can be mined from {format_until(window.after, now)} on: "
                "nothing was sent",
                "run this again then",
                code="too-early",
            )
