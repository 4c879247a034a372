"""Content identifiers of the one kind that the protocol uses: CIDv1, sha2-256, raw or dag-pb, written in base32."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Literal

from numerbay_chain.core.errors import UsageError

LEAF_SIZE = 1 << 20
"""Bytes in a leaf of the import: what is no longer than this is a single raw block."""

Codec = Literal["raw", "dag-pb"]

BINARY_SIZE = 36  # version, codec, hash function and digest size take a byte each
_PREFIXES: dict[Codec, bytes] = {"raw": b"\x01\x55\x12\x20", "dag-pb": b"\x01\x70\x12\x20"}
_CODECS: dict[bytes, Codec] = {prefix: codec for codec, prefix in _PREFIXES.items()}
_TEXT_SIZE = 59


@dataclass(frozen=True, slots=True)
class Cid:
    """A CIDv1 of `codec` over a sha2-256 `digest` of 32 bytes; `str()` gives the usual base32 text (multiformats' CID).

    Raises `ValueError` for another codec or another size of digest.
    """

    codec: Codec
    digest: bytes

    def __post_init__(self) -> None:
        if self.codec not in _PREFIXES or len(self.digest) != 32:
            raise ValueError("a CID needs the codec raw or dag-pb, and a digest of 32 bytes")

    def __str__(self) -> str:
        return "b" + base64.b32encode(self.to_bytes()).decode().rstrip("=").lower()

    def to_bytes(self) -> bytes:
        """The binary form, 36 bytes, as it stands in the links of a dag-pb node."""
        return _PREFIXES[self.codec] + self.digest

    @classmethod
    def from_bytes(cls, data: bytes) -> "Cid":
        """Reads the binary form. Raises `ValueError` for any other kind of CID, identity hashes among them."""
        codec = _CODECS.get(data[:4])
        if codec is None or len(data) != BINARY_SIZE:
            raise ValueError("not a CIDv1 of raw or dag-pb with a sha2-256 digest")
        return cls(codec, data[4:])

    @classmethod
    def parse(cls, text: str) -> "Cid":
        """Reads the base32 text. Raises `UsageError` for any other kind of CID and for text that is none."""
        try:
            if len(text) != _TEXT_SIZE or not text.startswith("b") or text != text.lower():
                raise ValueError("wrong length or multibase")
            cid = cls.from_bytes(base64.b32decode(text[1:].upper() + "=" * 6))
            if str(cid) != text:  # bits beyond the last byte
                raise ValueError("not the canonical text")
        except (ValueError, binascii.Error) as error:
            raise UsageError(
                f"{text[:80]!r} is no CID of this protocol",
                "give a CIDv1 in base32 (bafkrei… or bafybei…) with a sha2-256 digest",
                code="not-a-cid",
            ) from error
        return cid

    @classmethod
    def raw(cls, digest: bytes) -> "Cid":
        """The CID of a single raw block; a content hash on chain is one of a manifest."""
        return cls("raw", digest)

    @classmethod
    def of(cls, digest: bytes, size: int) -> "Cid":
        """The CID of a file of `size` bytes with the root block `digest`: raw up to 1 MiB, then dag-pb."""
        return cls("raw" if size <= LEAF_SIZE else "dag-pb", digest)

    def matches(self, block: bytes) -> bool:
        """Whether `block` is what this CID promises."""
        return hashlib.sha256(block).digest() == self.digest
