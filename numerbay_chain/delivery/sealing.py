"""From a file to what is pinned for it: sealed under a fresh key, there, and available a second way."""

from dataclasses import replace
from pathlib import Path

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.seal import seal
from numerbay_chain.artifacts.source import Measured, Source
from numerbay_chain.artifacts.verify import check
from numerbay_chain.core.errors import ContentError, NotFoundError, RefusedError
from numerbay_chain.core.home import seller_secret
from numerbay_chain.core.progress import Note
from numerbay_chain.crypto.content_key import Context
from numerbay_chain.delivery.journal import RoundEntry, RoundJournal, SealedFile
from numerbay_chain.delivery.options import Choices
from numerbay_chain.ipfs import ContentStore
from numerbay_chain.session import Session


def measure(source: Source, choices: Choices) -> Measured:
    """sha256 and size of what would be sealed: a file's bytes, or a folder's tar. Sealing it later refuses what changed
    since."""
    measured, done = Measured(source), 0
    for block in measured.blocks():
        done += len(block)
        choices.progress("read", done, measured.size)
    return measured


def seal_file(
    session: Session, path: Path, context: Context, note: str, choices: Choices, measured: Measured
) -> SealedFile:
    """Seal and pin a file under a fresh key. The seller secret is made on first need, and that is said.

    The digest that is remembered is of the bytes that were sealed. Raises `RefusedError` where the file changed since
    it was measured, or another pass over it gives other bytes.
    """
    secret, made = session.home.seller_secret()
    if made:
        session.notify(Note(seller_secret.was_made(session.home.secret_path), "secret-made"))
    again = measured.again()
    sealed = seal(again, session.content.store, secret, context, note=note, progress=choices.step("seal"))
    return SealedFile(path.name, again.sha256, sealed.size, sealed.manifest.encode(), read_back=False)


def was_lost(store: ContentStore, file: SealedFile, choices: Choices) -> bool:
    """Whether the store has not all of what was pinned."""
    manifest = Manifest.decode(file.manifest)
    try:
        store.read_block(manifest.cid)
    except (NotFoundError, ContentError):
        return True
    found = check(file.manifest, manifest.content_hash, store, choices.step("check"))
    return any(one.code != "details-unreachable" for one in found)


def read_back(journal: RoundJournal, entry: RoundEntry, choices: Choices) -> None:
    """Reads all that was pinned for a round a second way, each once. Raises `RefusedError` unless every byte comes
    back."""
    if entry.file is not None and not entry.file.read_back:
        entry.file = _read_back(entry.file, choices)
        journal.save(entry)
    for order, copy in entry.copies.items():
        if not copy.read_back:
            entry.copies[order] = _read_back(copy, choices)
            journal.save(entry)


def _read_back(file: SealedFile, choices: Choices) -> SealedFile:
    if choices.second is not None:
        manifest = Manifest.decode(file.manifest)
        try:
            choices.second.read_block(manifest.cid)
        except (NotFoundError, ContentError) as error:
            raise _not_back(choices.second, str(error)) from error
        problems = check(file.manifest, manifest.content_hash, choices.second, choices.step("read back"))
        if problems:
            raise _not_back(choices.second, problems[0].message)
    return replace(file, read_back=True)


def _not_back(second: ContentStore, why: str) -> RefusedError:
    return RefusedError(
        f"pinned content could not be read back from {second.name}: {why}",
        "nothing was posted: wait until it is available there, or name another store, and run this again",
        code="not-read-back",
    )
