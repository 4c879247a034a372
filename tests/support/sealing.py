"""Artifacts that are sealed without a chain, altered in their store, and disks that fill up meanwhile."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.verify import check
from numerbay_chain.crypto.content_key import Context
from numerbay_chain.ipfs import Cid, EmbeddedStore

SECRET = bytes(range(32))
CONTEXT = Context(chain_id=1, marketplace=bytes(range(20)), listing=3, round=2)


def codes(manifest: Manifest, store: EmbeddedStore) -> list[str]:
    return [problem.code for problem in check(manifest.encode(), manifest.content_hash, store)]


def alter(store: EmbeddedStore, cid: Cid, place: int = 0, bit: int = 1) -> None:
    path = store.block_path(cid)
    data = bytearray(path.read_bytes())
    data[place] ^= bit
    path.write_bytes(data)


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file can grow beyond `room`: the system call fails as it does on a full disk, in the same place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
