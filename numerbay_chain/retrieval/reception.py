"""A round on its way in: whether what was promised is available, and the file that it holds.

`verify` says what is wrong; `fetch` writes the file, or raises the first thing that is.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Final, TypeVar

from numerbay_chain.artifacts import artifact
from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.core.errors import (
    ContentError,
    DecryptionError,
    NetworkError,
    NotFoundError,
    NumerbayChainError,
    RefusedError,
    SlowSourceError,
    WrongContentError,
)
from numerbay_chain.core.home.keyfile import KeyPair
from numerbay_chain.core.progress import Progress
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.disputes.advice import words
from numerbay_chain.disputes.remedies import remedy
from numerbay_chain.retrieval.key_sources import answered_key, content_key, find_key, pair_of
from numerbay_chain.retrieval.promise import Promise, elsewhere
from numerbay_chain.retrieval.results import Fetched, Problem, ProblemError, ProblemKind, Verification
from numerbay_chain.session import Market

__all__ = ["Reception", "fetch", "find_key", "verify", "verify_margin"]

_Result = TypeVar("_Result")
VERIFY_MARGIN: Final = 300
"""Seconds before the end of the decline window in which `verify` stops; a quarter of a window that is short."""


def verify_margin(decline_window: int) -> int:
    """Seconds before the end of the decline window in which `verify` reads no more, so that there is time to
    decline."""
    return min(VERIFY_MARGIN, decline_window // 4)


class Reception(Promise):
    """A promised round, read: its content and the key to it."""

    __slots__ = ()

    def read_content(
        self, manifest: Manifest, key: ContentKey | None, progress: Progress
    ) -> tuple[list[artifact.Problem], WrongContentError | None]:
        """Read every byte, once; return what is wrong with it, and with the key the first chunk that is not what was
        committed to. Raises `NetworkError` where it was not read to its end, `SlowSourceError` among them where that
        took so long that the time to decline is near its end, and `RefusedError` where this machine has no room."""
        store, over = self.store(manifest), self._alarm()

        def report(done: int, total: int) -> None:
            progress("check", done, total)
            if done < total and over():
                raise SlowSourceError(f"{store.name} did not give the content in the time that was left for it")

        with self.market.reading(self.time_to_verify):
            if key is None:
                return artifact.check(manifest.encode(), manifest.content_hash, store, report), None
            return artifact.examine(manifest, key, store, report)

    def content_problems(self, checked: list[artifact.Problem], wrong: WrongContentError | None) -> list[Problem]:
        """What `read_content` found, with what can be done about it."""
        found = self._problems(checked)
        # without the data root nothing leads to what was committed to, and nothing can be proven
        if wrong is None or any(one.code == "data-root" for one in checked):
            return found
        return [*found, self.refuse("wrong-content", str(wrong), fault=True, error=DecryptionError).problem]

    @property
    def time_to_verify(self) -> float | None:
        """Seconds for reading content, so that there is time to decline what is wrong; None: nothing hurries. Who
        begins within the margin has half of what is left."""
        until = self.case.declinable_until
        if until is None:
            return None
        left = self.market.clock.left(until)
        return max(left - verify_margin(self.listing.terms.decline_window), left / 2)

    def _alarm(self) -> Callable[[], bool]:
        seconds = self.time_to_verify
        return (lambda: False) if seconds is None else self.market.clock.alarm(seconds)

    def unread(self, error: NumerbayChainError) -> Problem:
        """For content that was not read to its end: nobody can say whether all of it is there."""
        found = remedy(self.case, "slow", True)
        text = f"the content was not read to its end: {error}"
        advice = f"{found.text}; or keep the order, and accept the round unread"
        return Problem("slow", text, advice if isinstance(error, SlowSourceError) else elsewhere(advice), False, found)

    def _problems(self, found: Iterable[artifact.Problem]) -> list[Problem]:
        problems = []
        for one in found:
            if one.code == "details-unreachable":  # which says nothing about the seller
                advice = "the file can be read without them"
                problems.append(self.refuse("details", one.message, error=NetworkError, advice=advice).problem)
                continue
            part = one.code.partition("-")[0]
            kind: ProblemKind = (
                "commitments" if part == "commitments" else "details" if part == "details" else "content"
            )
            error = NotFoundError if one.code.endswith("-missing") else RefusedError
            problems.append(self.refuse(kind, one.message, fault=True, error=error).problem)
        return problems

    def key(self, manifest: Manifest, pair: KeyPair) -> ContentKey:
        """See `content_key`."""
        return content_key(self, manifest, pair)

    def pair(self) -> KeyPair:
        """See `pair_of`."""
        return pair_of(self)


# ---------------------------------------------------------------------------------------------------------- the steps


def verify(market: Market, order_id: int, round: int | None, content: bool, progress: Progress) -> Verification:
    """See `Buyer.verify`."""
    reception = Reception.open(market, order_id, round)
    problems: list[Problem] = []
    manifest = _collect(problems, lambda: reception.manifest(reception.release()))
    key, of_key = None, list[Problem]()
    stopped_at = None
    with nullcontext() if manifest is None else reception.keeping(manifest):
        pair = None if manifest is None and reception.case.state != "answered" else _collect(of_key, reception.pair)
        if pair is not None and manifest is not None:
            key = _collect(of_key, lambda: reception.key(manifest, pair))
        elif pair is not None:
            _collect(of_key, lambda: answered_key(reception, pair, None))
        if manifest is not None and content:
            try:
                read = reception.read_content(manifest, key, progress)
            except (NetworkError, RefusedError) as error:
                # who lets the content hang, or claims more than a disk has room for, must hide neither the time to
                # decline nor a key that is wrong
                if reception.case.declinable_until is None and not any(one.fault for one in of_key):
                    raise
                stopped_at, reception = market.clock.now(), reception.again()
                problems.append(reception.unread(error))
            else:
                reception = reception.again()
                problems += reception.content_problems(*read)
    problems += of_key
    if reception.case.state in ("faulty", "refundable"):
        problems.append(reception.refuse("faulty", words(reception.case), fault=True).problem)
    kinds = {problem.kind for problem in problems}
    return Verification(
        order=order_id,
        round=reception.round,
        content_hash=manifest.content_hash if manifest else None,
        cid=manifest.cid if manifest else None,
        ciphertext_cid=manifest.ciphertext_cid if manifest else None,
        size=manifest.size if manifest else None,
        checked_content=manifest is not None and content and not kinds & {"content", "commitments", "slow"},
        has_envelope=key is not None or bool(kinds & {"key", "envelope"}),
        key_opened=key is not None,
        declinable_until=reception.case.declinable_until if manifest else None,
        problems=tuple(problems),
        stopped_at=stopped_at,
    )


def _collect(problems: list[Problem], step: Callable[[], _Result]) -> _Result | None:
    try:
        return step()
    except ProblemError as error:
        problems.append(error.problem)
        return None


def _open_into(
    reception: Reception,
    manifest: Manifest,
    key: ContentKey,
    target: str | Path | IO[bytes],
    overwrite: bool,
    progress: Progress,
) -> artifact.OpenedArtifact:
    """Decrypt to the target. What is not as committed to is read to its end all the same where it is kept, so that it
    can be proven however silent its host becomes."""
    store = reception.store(manifest)

    def report(done: int, total: int) -> None:
        progress("fetch", done, total)

    try:
        kept = reception.keeps(manifest)
        return artifact.unseal(manifest, key, store, target, report, overwrite=overwrite, to_the_end=kept)
    except WrongContentError as error:
        advice = remedy(reception.case, "wrong-content", True).text
        raise WrongContentError(str(error), advice, index=error.index) from error
    except (NotFoundError, ContentError) as error:
        advice = remedy(reception.case, "content", True).text
        raise type(error)(str(error), elsewhere(advice) if isinstance(error, NotFoundError) else advice) from error


def fetch(
    market: Market,
    order_id: int,
    round: int | None,
    target: str | Path | IO[bytes],
    overwrite: bool,
    progress: Progress,
) -> Fetched:
    """See `Buyer.fetch`."""
    reception = Reception.open(market, order_id, round)
    try:
        manifest = reception.manifest(reception.release())
        with reception.keeping(manifest, beside=manifest.size if isinstance(target, str | Path) else 0):
            key = reception.key(manifest, reception.pair())
            opened = _open_into(reception, manifest, key, target, overwrite, progress)
    except ProblemError as error:
        raise error.error from error
    for problem in opened.problems:
        market.notify(problem.message)
    return Fetched(
        order=order_id,
        round=reception.round,
        path=str(target) if isinstance(target, (str, Path)) else None,
        size=opened.size,
        sha256=opened.sha256,
        content_hash=manifest.content_hash,
        cid=manifest.cid,
        ciphertext_cid=manifest.ciphertext_cid,
        details=opened.details,
    )
