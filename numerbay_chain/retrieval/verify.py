"""`verify`: say everything that is wrong with a round, without writing its file."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from numerbay_chain.core.errors import NetworkError, RefusedError
from numerbay_chain.core.progress import Progress, silent
from numerbay_chain.retrieval.content import content_problems, read_content, unread
from numerbay_chain.retrieval.key_sources import answered_key, content_key, pair_of
from numerbay_chain.retrieval.promise import Promise
from numerbay_chain.retrieval.recourse import Recourse
from numerbay_chain.retrieval.results import Problem, ProblemError, Verification
from numerbay_chain.session import Session

_Result = TypeVar("_Result")


def verify(
    session: Session,
    recourse: Recourse,
    /,
    order: int,
    round: int | None = None,
    *,
    content: bool = True,
    progress: Progress = silent,
) -> Verification:
    """Check all of a round that can be checked without writing the artifact: manifest, every byte of ciphertext and
    commitments (unless `content` is False), envelope, key.

    `round` None: the newest one released that the order covers. What is wrong is in `.problems`; it raises only where
    nothing could be looked at (`NetworkError` of the chain).
    """
    promise = Promise.open(session, order, round, recourse)
    problems: list[Problem] = []
    manifest = _collect(problems, lambda: promise.manifest(promise.release()))
    key, of_key = None, list[Problem]()
    stopped_at = None
    with nullcontext() if manifest is None else promise.keeping(manifest):
        wanted = manifest is not None or promise.case.state == "answered"
        pair = _collect(of_key, lambda: pair_of(promise)) if wanted else None
        if pair is not None and manifest is not None:
            key = _collect(of_key, lambda: content_key(promise, manifest, pair))
        elif pair is not None:
            _collect(of_key, lambda: answered_key(promise, pair, None))
        if manifest is not None and content:
            try:
                read = read_content(promise, manifest, key, progress)
            except (NetworkError, RefusedError) as error:
                # who lets the content hang, or claims more than a disk has room for, must hide neither the time to
                # decline nor a key that is wrong
                if promise.case.declinable_until is None and not any(one.fault for one in of_key):
                    raise
                stopped_at, promise = session.clock.now(), promise.again()
                problems.append(unread(promise, error))
            else:
                promise = promise.again()
                problems += content_problems(promise, *read)
    problems += of_key
    if promise.case.state in ("faulty", "refundable"):
        problems.append(promise.refuse("faulty", recourse.words(promise.case), fault=True).problem)
    kinds = {problem.kind for problem in problems}
    return Verification(
        order=order,
        round=promise.round,
        content_hash=manifest.content_hash if manifest else None,
        cid=manifest.cid if manifest else None,
        ciphertext_cid=manifest.ciphertext_cid if manifest else None,
        size=manifest.size if manifest else None,
        checked_content=manifest is not None and content and not kinds & {"content", "commitments", "slow"},
        has_envelope=key is not None or bool(kinds & {"key", "envelope"}),
        key_opened=key is not None,
        declinable_until=promise.case.declinable_until if manifest else None,
        problems=tuple(problems),
        stopped_at=stopped_at,
    )


def _collect(problems: list[Problem], step: Callable[[], _Result]) -> _Result | None:
    try:
        return step()
    except ProblemError as error:
        problems.append(error.problem)
        return None
