"""Encryption meets storage: seal and pin in one pass, check without the key, fetch and open (docs/protocol.md §3)."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import IO, Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.parts import PartError, in_background, pairs
from numerbay_chain.artifacts.source import Source, open_source
from numerbay_chain.core.errors import (
    ContentError,
    DecryptionError,
    NotFoundError,
    NumerbayChainError,
    RefusedError,
    WrongContentError,
)
from numerbay_chain.core.files.atomic import open_complete, storage_error, write_all
from numerbay_chain.crypto.container import MAX_SIZE, Decryptor, Encryptor, PublicVerifier
from numerbay_chain.crypto.content_key import ContentKey, Context, derive_content_key
from numerbay_chain.crypto.content_proof import ContentProof, ProofReader, convicts
from numerbay_chain.crypto.details import MAX_DETAILS_SIZE, Details, open_details, seal_details
from numerbay_chain.ipfs.stores.base import ContentStore

ByteProgress = Callable[[int, int], None]
"""Called with the bytes of plaintext done so far, and in all."""

Target = str | os.PathLike[str] | IO[bytes]
"""A path, or an open binary stream."""

_DETAILS_TIME: Final = 30
"""Seconds that the details may take, of which nothing depends."""


@dataclass(frozen=True, slots=True)
class SealedArtifact:
    """What `seal` pinned. `size`: bytes of plaintext; `key` opens it."""

    manifest: Manifest
    content_hash: bytes
    key: ContentKey
    size: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an artifact: a `code` for programs, a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class OpenedArtifact:
    """What `unseal` wrote: `size` in bytes and `sha256` (32 bytes) of the plaintext, and the seller's details.

    `problems` says what else is wrong though the file itself is what was committed to: details that are missing, or
    can't be read.
    """

    size: int
    sha256: bytes
    details: Details
    problems: tuple[Problem, ...] = ()


def seal(
    source: str | os.PathLike[str] | Source,
    store: ContentStore,
    seller_secret: bytes,
    context: Context,
    *,
    note: str = "",
    progress: ByteProgress | None = None,
) -> SealedArtifact:
    """Encrypts a file, or a folder as a deterministic tar, under a fresh content key and pins all of it, in one pass.

    Memory does not grow with the file. Raises `RefusedError` for a source that can't be read, is too large or changes
    meanwhile, `UsageError` for a note that is too long, `AccountError` for a damaged seller secret, and what the store
    raises.
    """
    stream = open_source(source) if isinstance(source, str | os.PathLike) else source
    if stream.size > MAX_SIZE:
        raise RefusedError(f"{stream.name} is larger than 256 GiB", "split it", code="too-large")
    key_salt = os.urandom(32)
    key = derive_content_key(seller_secret, key_salt, context)
    details = seal_details(key, Details(stream.name, stream.media_type, stream.size, note))
    encryptor = Encryptor(key)
    with store.writer("ciphertext") as ciphertext, store.writer("commitments") as commitments:
        for block in stream.blocks():
            sealed = encryptor.update(block)
            ciphertext.write(sealed.ciphertext)
            commitments.write(sealed.commitments)
            if progress:
                progress(encryptor.size, stream.size)
        last = encryptor.finish()
        ciphertext.write(last.ciphertext)
        commitments.write(last.commitments)
        manifest = Manifest(
            key_commitment=key.commitment,
            key_salt=key_salt,
            data_root=encryptor.data_root,
            size=encryptor.size,
            ciphertext_digest=ciphertext.finish().cid.digest,
            commitments_digest=commitments.finish().cid.digest,
            details_digest=store.add(details, "details").cid.digest,
        )
    store.add(manifest.encode(), "manifest")
    return SealedArtifact(manifest, manifest.content_hash, key, manifest.size)


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
    _require_key(manifest, key)
    decryptor = Decryptor(key, manifest.size, keep_going=True)
    found = _read_all(decryptor, decryptor.update, manifest, store, progress)
    return [*_details(manifest, key, store)[1], *found], decryptor.wrong


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


def unseal(
    manifest: Manifest,
    key: ContentKey,
    store: ContentStore,
    target: Target,
    progress: ByteProgress | None = None,
    *,
    overwrite: bool = True,
    to_the_end: bool = False,
) -> OpenedArtifact:
    """Fetches, checks and decrypts. A path appears when it is complete and checked; a stream gets checked chunks only.

    `to_the_end`: the rest is read although a chunk is wrong, for a store that keeps what is read as a whole.

    Raises `DecryptionError` for a key that was not committed to, `WrongContentError` for plaintext that was not,
    `ContentError`, `NotFoundError` and `NetworkError` for bytes that are not available as promised, and `RefusedError`
    for a target that can't be written to.
    """
    _require_key(manifest, key)
    if isinstance(target, str | os.PathLike):
        with open_complete(target, overwrite=overwrite, stream=True) as file:
            write = partial(_write, file, os.fspath(target))
            digest = _decrypt(manifest, key, store, write, progress, to_the_end)
    else:
        digest = _decrypt(manifest, key, store, partial(_write, target, "the output"), progress, to_the_end)
    details, problems = _details(manifest, key, store)  # last: who lets them hang must not hold up the file
    return OpenedArtifact(manifest.size, digest, details, problems)


def wrong_chunk(
    manifest: Manifest,
    key: ContentKey,
    store: ContentStore,
    progress: ByteProgress | None = None,
    *,
    to_the_end: bool = False,
) -> int | None:
    """The index of the first chunk that is not what was committed to; None where all are. Reads no further than that
    unless `to_the_end` (see `unseal`), and no details. Raises as `unseal`."""
    _require_key(manifest, key)
    try:
        _decrypt(manifest, key, store, lambda _: None, progress, to_the_end)
    except WrongContentError as error:
        return error.index
    return None


def _require_key(manifest: Manifest, key: ContentKey) -> None:
    if key.commitment != manifest.key_commitment:
        raise DecryptionError("the key is not the one that the seller committed to")


def content_proof(
    manifest: Manifest, key: ContentKey, store: ContentStore, index: int, progress: ByteProgress | None = None
) -> ContentProof:
    """What proves that chunk `index` is not what was committed to, in one pass over ciphertext and commitments.

    Decided here, as the contract would: nobody is asked. Raises `RefusedError` for a chunk that is as committed,
    `DecryptionError` for another key, `ContentError`, `NotFoundError` and `NetworkError` as `unseal`.
    """
    reader, done = ProofReader(manifest.size, index), 0
    try:
        for ciphertext, commitments in pairs(manifest, store):
            reader.update(ciphertext, commitments)
            done += len(ciphertext)
            if progress:
                progress(done, manifest.size)
    except PartError as failure:
        raise failure.error from None
    reader.finish()
    proof = reader.proof(key)
    if not convicts(proof, manifest.size, manifest.data_root, int.from_bytes(manifest.key_commitment, "big")):
        raise RefusedError(f"chunk {index} is what the seller committed to", "there is nothing to prove")
    return proof


def _write(file: IO[bytes], name: str, data: bytes) -> None:
    try:
        write_all(file, data)
    except BrokenPipeError:
        raise  # nobody reads any more: for the command line to end quietly
    except OSError as error:
        raise storage_error(name, error) from error


def _decrypt(
    manifest: Manifest,
    key: ContentKey,
    store: ContentStore,
    write: Callable[[bytes], None],
    progress: ByteProgress | None,
    to_the_end: bool,
) -> bytes:
    decryptor, digest, done = Decryptor(key, manifest.size), sha256(), 0
    given = pairs(manifest, store)
    try:
        for plaintext in in_background(lambda pair: decryptor.update(*pair), given):
            digest.update(plaintext)
            write(plaintext)
            done += len(plaintext)
            if progress:
                progress(done, manifest.size)
    except PartError as failure:
        raise failure.error from None
    except WrongContentError:
        if to_the_end:
            _read_on(given, done, manifest.size, progress)
        raise
    decryptor.finish()
    if decryptor.data_root != manifest.data_root:
        raise ContentError(
            "ciphertext and commitments do not lead to the data root that the manifest promises",
            "tell the seller: the manifest is wrong",
        )
    return digest.digest()


def _read_on(given: Iterator[tuple[bytes, bytes]], done: int, size: int, progress: ByteProgress | None) -> None:
    """Read the rest, whose content nobody asks for any more: where that fails, what was found stands all the same."""
    with suppress(PartError, NumerbayChainError):
        for ciphertext, _ in given:
            done += len(ciphertext)
            if progress:
                progress(done, size)


def _details(manifest: Manifest, key: ContentKey, store: ContentStore) -> tuple[Details, tuple[Problem, ...]]:
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
