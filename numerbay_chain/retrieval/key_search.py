"""Looking for a key in what was posted, within bounds: whoever posts envelopes must not be able to let time run out.

Nobody but a listing's seller and operator can post, but a seller who cheats is who a buyer's time has to be guarded
from. docs/architecture.md, "Time".
"""

from collections.abc import Callable, Sequence
from typing import Final

from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.protocol.types import Delivery
from numerbay_chain.retrieval.results import ProblemError
from numerbay_chain.session import Session

MOST_FAILURES: Final = 16
"""Envelopes that are not available, or wrong, before the rest is not asked for."""
MOST_READ: Final = 32
"""Objects that are looked into at all: the newest one holds everybody who has a right to the key."""
_LONGEST: Final = 600
"""Seconds that small objects may take in all."""
_OF_WHAT_IS_LEFT: Final = 4
"""Of the time that is left until a deadline, small objects get the fourth part: content has to be read too."""
_OF_THAT: Final = 8
"""One object gets the eighth part of that, and `_SHORTEST` seconds at least."""
_SHORTEST: Final = 5


def reading_time(session: Session, until: int | None, margin: int, now: int | None = None) -> float:
    """Seconds that small objects may take in all before the deadline `until` (None: nothing hurries). `now`: the
    chain's time where it was asked for a moment ago."""
    if until is None:
        return _LONGEST
    return min(max(session.clock.left(until, now=now) - margin, 0) / _OF_WHAT_IS_LEFT, _LONGEST)


def search(
    session: Session,
    deliveries: Sequence[Delivery],
    attempt: Callable[[Delivery], ContentKey | None],
    until: int | None,
    margin: int,
) -> tuple[ContentKey | None, ProblemError | None]:
    """The key out of the newest envelope that opens, and else what was wrong with the newest one that should have.

    `attempt` opens one: None where the order is not in it, `ProblemError` where it is not available or wrong.
    """
    if not deliveries:
        return None, None
    now = session.clock.now()
    failure, failures, total = None, 0, reading_time(session, until, margin, now)
    over = session.clock.alarm(total, now)
    for number, delivery in enumerate(reversed(deliveries)):
        if number == MOST_READ or failures == MOST_FAILURES or (number and over()):
            break
        try:
            with session.content.reading(total), session.content.reading(max(total / _OF_THAT, _SHORTEST)):
                key = attempt(delivery)
        except ProblemError as error:
            failure, failures = failure or error, failures + 1
            continue
        if key is not None:
            return key, None
    return None, failure
