"""Verifying: whether every byte of an artifact is there, and is what was promised (docs/protocol.md §3)."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.parts import ByteProgress, PartError, in_background, pairs
from numerbay_chain.core.errors import (
    ContentError,
    DecryptionError,
    NotFoundError,
    NumerbayChainError,
    WrongContentError,
)
from numerbay_chain.crypto.container import Decryptor, PublicVerifier
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.crypto.details import MAX_DETAILS_SIZE, Details, open_details
from numerbay_chain.ipfs.stores.base import ContentStore

_DETAILS_TIME: Final = 30
"""Seconds that the details may take, of which nothing depends."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an artifact: a `code` for programs, a sentence for people."""

    code: str
    message: str


def check(
    manifest_bytes: bytes, content_hash: bytes, store: ContentStore, progress: ByteProgress | None = None
) -> list[Problem]:
    """All that can be checked without the key: every byte is there, and is what the hash on chain promises.

    Empty if all is well. Codes: `manifest`, `data-root`, `ciphertext`, `commitments` and `details` with `-missing` or
    `-altered`, and `details-unreachable`: whatever becomes of the details, they are no reason to keep a file back.
    Raises `NetworkError` where the store could not be asked for the rest, which is no fault of the artifact.
    """
    if sha256(manifest_bytes).digest() != content_hash:
        return [Problem("manifest", "the manifest is not the one that the content hash stands for")]
    try:
        manifest = Manifest.decode(manifest_bytes)
    except ContentError as error:
        return [Problem("manifest", str(error))]
    verifier = PublicVerifier(manifest.size)
    found = _read_all(verifier, verifier.update, manifest, store, progress)
    return [*_check_details(manifest, store), *found]


def examine(
    manifest: Manifest, key: ContentKey, store: ContentStore, progress: ByteProgress | None = None
) -> tuple[list[Problem], WrongContentError | None]:
    """All that can be checked with the key, in one reading: the problems that `check` finds, and the first chunk that
    is not what was committed to. Raises as `check`, and `DecryptionError` for another key."""
    require_key(manifest, key)
    decryptor = Decryptor(key, manifest.size, keep_going=True)
    found = _read_all(decryptor, decryptor.update, manifest, store, progress)
    return [*read_details(manifest, key, store)[1], *found], decryptor.wrong


def _read_all(
    reader: PublicVerifier | Decryptor,
    update: Callable[[bytes, bytes], object],
    manifest: Manifest,
    store: ContentStore,
    progress: ByteProgress | None,
) -> list[Problem]:
    """What ciphertext and commitments, read once, have that they should not have."""
    done = 0

    def take(pair: tuple[bytes, bytes]) -> int:
        update(*pair)
        return len(pair[0])

    try:
        for count in in_background(take, pairs(manifest, store)):
            done += count
            if progress:
                progress(done, manifest.size)
        reader.finish()
    except PartError as failure:
        return [_problem(failure)]
    except ContentError as error:
        return [Problem("ciphertext-altered", str(error))]
    if reader.data_root != manifest.data_root:
        said = "ciphertext and commitments do not lead to the data root that the manifest promises"
        return [Problem("data-root", said)]
    return []


def require_key(manifest: Manifest, key: ContentKey) -> None:
    if key.commitment != manifest.key_commitment:
        raise DecryptionError("the key is not the one that the seller committed to")


def read_details(manifest: Manifest, key: ContentKey, store: ContentStore) -> tuple[Details, tuple[Problem, ...]]:
    """Only the seller can have left them out or spoiled them, no contract judges it, and the file may be fine: whatever
    is wrong with them is said, and no reason to keep the file back."""
    unknown = Details("", "application/octet-stream", manifest.size)
    blob, problem = _details_block(manifest, store)
    if problem is not None:
        return unknown, (problem,)
    try:
        details = open_details(key, blob)
        if details.size != manifest.size:
            raise ContentError("the details give another size than the manifest")
    except (ContentError, DecryptionError) as error:
        return unknown, (Problem("details-unreadable", f"the seller's details can't be used: {error}"),)
    return details, ()


def _check_details(manifest: Manifest, store: ContentStore) -> list[Problem]:
    blob, problem = _details_block(manifest, store)
    if problem is not None:
        return [problem]
    if len(blob) <= MAX_DETAILS_SIZE:
        return []
    return [Problem("details-altered", f"the details are longer than {MAX_DETAILS_SIZE} bytes")]


def _details_block(manifest: Manifest, store: ContentStore) -> tuple[bytes, Problem | None]:
    try:
        with store.within(_DETAILS_TIME):
            return store.read_block(manifest.details_cid), None
    except (NotFoundError, ContentError) as error:
        return b"", _problem(PartError("details", error))
    except NumerbayChainError as error:
        return b"", Problem("details-unreachable", f"details not available: {error}")


def _problem(failure: PartError) -> Problem:
    return Problem(failure.code, str(failure))
