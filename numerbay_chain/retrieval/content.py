"""A round's content on its way in: every byte is read, in the time that there is for it."""

from collections.abc import Callable, Iterable
from typing import Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.verify import Problem as Flaw
from numerbay_chain.artifacts.verify import check, examine
from numerbay_chain.core.errors import (
    DecryptionError,
    NetworkError,
    NotFoundError,
    NumerbayChainError,
    RefusedError,
    SlowSourceError,
    WrongContentError,
)
from numerbay_chain.core.progress import Progress
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.retrieval.promise import Promise, elsewhere
from numerbay_chain.retrieval.results import Problem, ProblemKind

VERIFY_MARGIN: Final = 300
"""Seconds before the end of the decline window in which `verify` stops; a quarter of a window that is short."""


def verify_margin(decline_window: int) -> int:
    """Seconds before the end of the decline window in which `verify` reads no more, so that there is time to
    decline."""
    return min(VERIFY_MARGIN, decline_window // 4)


def read_content(
    promise: Promise, manifest: Manifest, key: ContentKey | None, progress: Progress
) -> tuple[list[Flaw], WrongContentError | None]:
    """Read every byte, once; return what is wrong with it, and with the key the first chunk that is not what was
    committed to. Raises `NetworkError` where it was not read to its end, `SlowSourceError` among them where that
    took so long that the time to decline is near its end, and `RefusedError` where this machine has no room."""
    store, (seconds, over) = promise.store(manifest), _time_to_verify(promise)

    def report(done: int, total: int) -> None:
        progress("check", done, total)
        if done < total and over():
            raise SlowSourceError(f"{store.name} did not give the content in the time that was left for it")

    with promise.session.content.reading(seconds):
        if key is None:
            return check(manifest.encode(), manifest.content_hash, store, report), None
        return examine(manifest, key, store, report)


def content_problems(promise: Promise, checked: list[Flaw], wrong: WrongContentError | None) -> list[Problem]:
    """What `read_content` found, with what can be done about it."""
    found = _problems(promise, checked)
    # without the data root nothing leads to what was committed to, and nothing can be proven
    if wrong is None or any(one.code == "data-root" for one in checked):
        return found
    return [*found, promise.refuse("wrong-content", str(wrong), fault=True, error=DecryptionError).problem]


def _time_to_verify(promise: Promise) -> tuple[float | None, Callable[[], bool]]:
    """Seconds for reading content, so that there is time to decline what is wrong, and what says whether they are over;
    None: nothing hurries. Who begins within the margin has half of what is left."""
    until, clock = promise.case.declinable_until, promise.session.clock
    if until is None:
        return None, lambda: False
    now = clock.now()
    left = clock.left(until, now=now)
    seconds = max(left - verify_margin(promise.listing.terms.decline_window), left / 2)
    return seconds, clock.alarm(seconds, now)


def unread(promise: Promise, error: NumerbayChainError) -> Problem:
    """For content that was not read to its end: nobody can say whether all of it is there."""
    found = promise.remedy("slow", True)
    text = f"the content was not read to its end: {error}"
    advice = f"{found.text}; or keep the order, and accept the round unread"
    return Problem("slow", text, advice if isinstance(error, SlowSourceError) else elsewhere(advice), False, found)


def _problems(promise: Promise, found: Iterable[Flaw]) -> list[Problem]:
    problems = []
    for one in found:
        if one.code == "details-unreachable":  # which says nothing about the seller
            advice = "the file can be read without them"
            problems.append(promise.refuse("details", one.message, error=NetworkError, advice=advice).problem)
            continue
        part = one.code.partition("-")[0]
        kind: ProblemKind = "commitments" if part == "commitments" else "details" if part == "details" else "content"
        error = NotFoundError if one.code.endswith("-missing") else RefusedError
        problems.append(promise.refuse(kind, one.message, fault=True, error=error).problem)
    return problems
