"""The manifest: one page that a single hash stands for, on chain and as a CID (docs/protocol.md §2, "Content hash")."""

from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Final, Self

from numerbay_chain.core.errors import ContentError
from numerbay_chain.crypto import secp256k1
from numerbay_chain.crypto.container import MAX_SIZE, commitments_size
from numerbay_chain.ipfs.cid import Cid

MANIFEST_SIZE: Final = 288
MANIFEST_VERSION: Final = 1
_WORD: Final = 32


@dataclass(frozen=True, slots=True)
class Manifest:
    """`size` in bytes of plaintext, everything else 32 bytes; the digests are those of IPFS root blocks.

    `encode` and `decode` are each other's inverse. Raises `ContentError` for values that no manifest has.
    """

    key_commitment: bytes
    key_salt: bytes
    data_root: bytes
    size: int
    ciphertext_digest: bytes
    commitments_digest: bytes
    details_digest: bytes
    custody: bytes = bytes(_WORD)
    version: int = MANIFEST_VERSION

    def __post_init__(self) -> None:
        if self.version != MANIFEST_VERSION:
            raise ContentError(
                f"the manifest has version {self.version}, this program knows {MANIFEST_VERSION}",
                "update numerbay_chain",
            )
        if not 0 <= self.size <= MAX_SIZE:
            raise ContentError(f"the manifest promises {self.size} bytes, more than any artifact has")
        if any(len(value) != _WORD for name in _ORDER if isinstance(value := getattr(self, name), bytes)):
            raise ContentError("hashes and keys in a manifest have 32 bytes each")
        if not secp256k1.is_valid_x(int.from_bytes(self.key_commitment, "big")):
            raise ContentError("the manifest's key commitment is not a point of the curve")

    def encode(self) -> bytes:
        """288 bytes: nine ABI words."""
        values = (getattr(self, name) for name in _ORDER)
        return b"".join(value.to_bytes(_WORD, "big") if isinstance(value, int) else value for value in values)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises `ContentError` for bytes that are no manifest."""
        if len(data) != MANIFEST_SIZE:
            raise ContentError(f"a manifest has {MANIFEST_SIZE} bytes, this one has {len(data)}")
        words = [bytes(data[start : start + _WORD]) for start in range(0, MANIFEST_SIZE, _WORD)]
        version, commitment, salt, root, size, ciphertext, commitments, details, custody = words
        return cls(
            key_commitment=commitment,
            key_salt=salt,
            data_root=root,
            size=int.from_bytes(size, "big"),
            ciphertext_digest=ciphertext,
            commitments_digest=commitments,
            details_digest=details,
            custody=custody,
            version=int.from_bytes(version, "big"),
        )

    @property
    def content_hash(self) -> bytes:
        """`sha256(encode())`: what stands on chain."""
        return sha256(self.encode()).digest()

    @property
    def cid(self) -> Cid:
        """Where the manifest itself is pinned."""
        return Cid.raw(self.content_hash)

    @property
    def ciphertext_cid(self) -> Cid:
        return Cid.of(self.ciphertext_digest, self.size)

    @property
    def commitments_cid(self) -> Cid:
        return Cid.of(self.commitments_digest, commitments_size(self.size))

    @property
    def stored_size(self) -> int:
        """Bytes of ciphertext and commitments."""
        return self.size + commitments_size(self.size)

    @property
    def details_cid(self) -> Cid:
        return Cid.raw(self.details_digest)


_ORDER: Final = ("version", *(field.name for field in fields(Manifest) if field.name != "version"))
