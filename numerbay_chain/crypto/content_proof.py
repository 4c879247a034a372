"""Proof that one chunk does not decrypt to what was committed to (docs/protocol.md §2 "Disputes", §3)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from numerbay_chain.core.errors import ContentError, DecryptionError
from numerbay_chain.crypto.container import CHUNK_SIZE, PublicVerifier, chunk_count, decrypt_chunk, leaf_hashes
from numerbay_chain.crypto.content_key import ContentKey, word
from numerbay_chain.crypto.dispute_keys import is_committed_key
from numerbay_chain.crypto.merkle import MerkleTree, leaf_hash, root_from_path, siblings


@dataclass(frozen=True, slots=True)
class ContentProof:
    """Solidity's struct of that name, in its order. Whoever sends it makes the content key public; `repr` hides it."""

    content_key: int = field(repr=False)
    index: int
    commitment: bytes
    ciphertext: bytes = field(repr=False)
    path: tuple[bytes, ...] = field(repr=False)

    def encode(self) -> tuple[int, int, bytes, bytes, tuple[bytes, ...]]:
        """As ABI encoders take it."""
        return self.content_key, self.index, self.commitment, self.ciphertext, self.path


def convicts(proof: ContentProof, size: int, data_root: bytes, key_commitment: int) -> bool:
    """What the contract decides: True for a fault, False for a chunk that is as committed.

    Raises `DecryptionError` for another key than the committed one, `ContentError` for a chunk that the path does not
    lead to the data root: the contract refuses both.
    """
    if not is_committed_key(proof.content_key, key_commitment):
        raise DecryptionError("the key is not the one that the seller committed to")
    leaf = leaf_hash(proof.commitment + proof.ciphertext)
    if root_from_path(leaf, proof.index, chunk_count(size), proof.path) != data_root:
        raise ContentError("the chunk is not one that the seller published")
    if len(proof.ciphertext) != min(CHUNK_SIZE, size - proof.index * CHUNK_SIZE):
        return True
    key = ContentKey.from_bytes(word(proof.content_key))
    return decrypt_chunk(key, proof.index, proof.ciphertext)[1] != proof.commitment


class ProofReader(PublicVerifier):
    """Reads an artifact as a verifier does, and keeps what proves one of its chunks: O(log n) hashes and the chunk."""

    def __init__(self, size: int, index: int) -> None:
        super().__init__(size)
        self._index, self._builder = index, PathBuilder(index, chunk_count(size))
        self._chunk: tuple[bytes, bytes] = (b"", b"")

    def proof(self, key: ContentKey) -> ContentProof:
        """After `finish`. The chunk may be as committed: `convicts` tells."""
        commitment, ciphertext = self._chunk
        scalar = int.from_bytes(key.reveal(), "big")
        return ContentProof(scalar, self._index, commitment, ciphertext, self._builder.path)

    def _take(self, ciphertext: memoryview, commitments: list[bytes]) -> bytes:
        leaves, here = leaf_hashes(commitments, ciphertext), self._index - self._chunks
        self._tree.extend(leaves)
        self._builder.add(leaves)
        if 0 <= here < len(commitments):
            self._chunk = commitments[here], bytes(ciphertext[here * CHUNK_SIZE : (here + 1) * CHUNK_SIZE])
        return b""


class PathBuilder:
    """The audit path of one leaf out of all leaf hashes in order, holding a few hashes a level (RFC 6962 §2.1.1)."""

    def __init__(self, index: int, count: int) -> None:
        if not 0 <= index < count:
            raise ContentError(f"a tree of {count} leaves has no leaf {index}")
        self._count, self._seen = count, 0
        # where each subtree begins and ends, and its tree, in the path's order
        self._subtrees = [(start, end, MerkleTree()) for start, end in siblings(index, count)]

    def add(self, leaf_hashes: Iterable[bytes]) -> None:
        """Takes the next leaves' hashes."""
        leaves = list(leaf_hashes)
        first, after = self._seen, self._seen + len(leaves)
        self._seen = after
        for start, end, tree in self._subtrees:
            if start < after and first < end:
                tree.extend(leaves[max(start - first, 0) : end - first])

    @property
    def path(self) -> tuple[bytes, ...]:
        """From the leaf up, once all leaves were added. Raises `ContentError` before."""
        if self._seen != self._count:
            raise ContentError(f"{self._seen} of {self._count} chunks were read")
        return tuple(tree.root for _, _, tree in self._subtrees)
