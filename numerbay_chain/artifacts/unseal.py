"""Unsealing: fetch, check and decrypt, and prove what is not as committed to (docs/protocol.md §3)."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import IO

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.parts import ByteProgress, PartError, in_background, pairs
from numerbay_chain.artifacts.verify import Problem, read_details, require_key
from numerbay_chain.core.errors import ContentError, NumerbayChainError, RefusedError, WrongContentError
from numerbay_chain.core.files.atomic import open_complete, storage_error, write_all
from numerbay_chain.crypto.container import Decryptor
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.crypto.content_proof import ContentProof, ProofReader, convicts
from numerbay_chain.crypto.details import Details
from numerbay_chain.ipfs.stores.base import ContentStore

Target = str | os.PathLike[str] | IO[bytes]
"""A path, or an open binary stream."""


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
    require_key(manifest, key)
    if isinstance(target, str | os.PathLike):
        with open_complete(target, overwrite=overwrite, stream=True) as file:
            write = partial(_write, file, os.fspath(target))
            digest = _decrypt(manifest, key, store, write, progress, to_the_end)
    else:
        digest = _decrypt(manifest, key, store, partial(_write, target, "the output"), progress, to_the_end)
    details, problems = read_details(manifest, key, store)  # last: who lets them hang must not hold up the file
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
    require_key(manifest, key)
    try:
        _decrypt(manifest, key, store, lambda _: None, progress, to_the_end)
    except WrongContentError as error:
        return error.index
    return None


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
