"""The content key: one scalar per round (or copy) that everything else is derived from (docs/protocol.md §3)."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from numerbay_chain.core.errors import AccountError, DecryptionError, UsageError
from numerbay_chain.crypto import secp256k1

KEY_SIZE: Final = 32
_DERIVATION_LABEL: Final = b"numerbay-chain/v1/content-key"
_STREAM_LABEL: Final = b"numerbay-chain/v1/stream"
_SALT_LABEL: Final = b"numerbay-chain/v1/salt"
_DETAILS_LABEL: Final = b"numerbay-chain/v1/details"


@dataclass(frozen=True, slots=True)
class Context:
    """What a content key is for: chain id, marketplace (20 bytes), listing, round; order id where copies are sold."""

    chain_id: int
    marketplace: bytes
    listing: int
    round: int
    order: int = 0

    def __post_init__(self) -> None:
        if len(self.marketplace) != 20:
            raise UsageError("a marketplace's address has 20 bytes")
        if not (0 <= self.chain_id < 2**256 and 0 <= self.listing < 2**32):
            raise UsageError("a chain id ends below 2^256 and a listing below 2^32")
        if not (0 <= self.round < 2**64 and 0 <= self.order < 2**64):
            raise UsageError("a round and an order id end below 2^64")

    @classmethod
    def offline(cls) -> Self:
        """All zeros: sealed without a chain."""
        return cls(0, bytes(20), 0, 0)

    def encode_for_key(self) -> bytes:
        """148 bytes, fixed widths, so that no two contexts read the same."""
        return self.encode_place() + word(self.listing) + word(self.round) + word(self.order)

    def encode_place(self) -> bytes:
        """Chain id as a 32-byte big-endian word, then the marketplace's 20 bytes."""
        return word(self.chain_id) + self.marketplace


def word(value: int) -> bytes:
    """An unsigned integer as the ABI writes it: 32 bytes, big endian."""
    return value.to_bytes(32, "big")


class ContentKey:
    """A scalar k in [1, n) whose point kG has even y, and the keys derived from it, 32 bytes each.

    `commitment` is the x of kG, which stands in the manifest. `repr` shows nothing else.
    """

    __slots__ = ("_scalar", "commitment", "details_key", "salt_key", "stream_key")

    def __init__(self, scalar: int) -> None:
        """Takes 0 < scalar < n; the sign is normalised here. Raises `DecryptionError`."""
        if not 0 < scalar < secp256k1.N:
            raise DecryptionError("the content key is not a number between 0 and the curve's order")
        self._scalar = secp256k1.even_scalar(scalar).to_bytes(KEY_SIZE, "big")
        x = secp256k1.point_x(scalar)
        if not 0 < x < secp256k1.N:
            raise DecryptionError("this content key's point can't be committed to", "seal again, with a fresh salt")
        self.commitment = word(x)
        self.stream_key = hashlib.sha256(_STREAM_LABEL + self._scalar).digest()
        self.salt_key = hashlib.sha256(_SALT_LABEL + self._scalar).digest()
        self.details_key = hashlib.sha256(_DETAILS_LABEL + self._scalar).digest()

    @classmethod
    def from_bytes(cls, scalar: bytes, commitment: bytes | None = None) -> Self:
        """Reads 32 bytes, big endian. Raises `DecryptionError` for no scalar, or one that was not committed to."""
        if len(scalar) != KEY_SIZE:
            raise DecryptionError("a content key has 32 bytes")
        key = cls(int.from_bytes(scalar, "big"))
        if commitment is not None and not hmac.compare_digest(key.commitment, commitment):
            raise DecryptionError("the key is not the one that the seller committed to")
        return key

    def reveal(self) -> bytes:
        """The scalar itself, 32 bytes, big endian: whoever has it can read the artifact."""
        return self._scalar

    def __repr__(self) -> str:
        return f"ContentKey(commitment={self.commitment.hex()})"


def derive_content_key(seller_secret: bytes, key_salt: bytes, context: Context) -> ContentKey:
    """`1 + HKDF-SHA256(seller_secret, key_salt, label ‖ context)[48 bytes] mod (n - 1)` (RFC 5869).

    `seller_secret` and `key_salt` have 32 bytes each. Raises `AccountError` and `UsageError`.
    """
    if len(seller_secret) != 32:
        raise AccountError("a seller secret has 32 bytes", "restore it from its backup")
    if len(key_salt) != 32:
        raise UsageError("a key salt has 32 bytes")
    info = _DERIVATION_LABEL + context.encode_for_key()
    okm = HKDF(algorithm=SHA256(), length=48, salt=key_salt, info=info).derive(seller_secret)
    return ContentKey(1 + int.from_bytes(okm, "big") % (secp256k1.N - 1))
