"""Sealing: encrypt a file, commit to it and pin it, in one pass (docs/protocol.md §3)."""

import os
from dataclasses import dataclass

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.parts import ByteProgress
from numerbay_chain.artifacts.source import Source, open_source
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.crypto.container import MAX_SIZE, Encryptor
from numerbay_chain.crypto.content_key import ContentKey, Context, derive_content_key
from numerbay_chain.crypto.details import Details, seal_details
from numerbay_chain.ipfs.stores.base import ContentStore


@dataclass(frozen=True, slots=True)
class SealedArtifact:
    """What `seal` pinned. `size`: bytes of plaintext; `key` opens it."""

    manifest: Manifest
    content_hash: bytes
    key: ContentKey
    size: int


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
