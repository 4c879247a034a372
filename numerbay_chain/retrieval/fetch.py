"""`fetch`: write the file that a round holds, or raise the first thing that is wrong."""

from pathlib import Path
from typing import IO

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.unseal import OpenedArtifact, unseal
from numerbay_chain.core.errors import ContentError, NotFoundError, WrongContentError
from numerbay_chain.core.progress import Note, Progress, silent
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.retrieval.key_sources import content_key, pair_of
from numerbay_chain.retrieval.promise import Promise, elsewhere
from numerbay_chain.retrieval.recourse import Recourse
from numerbay_chain.retrieval.results import Fetched, ProblemError
from numerbay_chain.session import Session


def _open_into(
    promise: Promise,
    manifest: Manifest,
    key: ContentKey,
    target: str | Path | IO[bytes],
    overwrite: bool,
    progress: Progress,
) -> OpenedArtifact:
    """Decrypt to the target. What is not as committed to is read to its end all the same where it is kept, so that it
    can be proven however silent its host becomes."""
    store = promise.store(manifest)

    def report(done: int, total: int) -> None:
        progress("fetch", done, total)

    try:
        kept = promise.keeps(manifest)
        return unseal(manifest, key, store, target, report, overwrite=overwrite, to_the_end=kept)
    except WrongContentError as error:
        advice = promise.remedy("wrong-content", True).text
        raise WrongContentError(str(error), advice, index=error.index) from error
    except (NotFoundError, ContentError) as error:
        advice = promise.remedy("content", True).text
        raise type(error)(str(error), elsewhere(advice) if isinstance(error, NotFoundError) else advice) from error


def fetch(
    session: Session,
    recourse: Recourse,
    /,
    order: int,
    round: int | None = None,
    *,
    path: str | Path | IO[bytes],
    overwrite: bool = False,
    progress: Progress = silent,
) -> Fetched:
    """Fetch, check and decrypt a round. The output appears only when it is complete and checked; a stream gets each
    chunk once it was checked.

    Raises `RefusedError` (not released, not covered, no key yet), `NotFoundError` (content not available),
    `AccountError` (no key file, or the wrong one), `ContentError` and `DecryptionError` (not what was promised).
    """
    promise = Promise.open(session, order, round, recourse)
    try:
        manifest = promise.manifest(promise.release())
        with promise.keeping(manifest, beside=manifest.size if isinstance(path, str | Path) else 0):
            key = content_key(promise, manifest, pair_of(promise))
            opened = _open_into(promise, manifest, key, path, overwrite, progress)
    except ProblemError as error:
        raise error.error from error
    for problem in opened.problems:
        session.notify(Note(problem.message, problem.code))
    return Fetched(
        order=order,
        round=promise.round,
        path=str(path) if isinstance(path, (str, Path)) else None,
        size=opened.size,
        sha256=opened.sha256,
        content_hash=manifest.content_hash,
        cid=manifest.cid,
        ciphertext_cid=manifest.ciphertext_cid,
        details=opened.details,
    )
