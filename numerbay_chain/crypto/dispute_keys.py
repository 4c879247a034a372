"""One-time keys of a dispute, and the content key sealed to one (docs/protocol.md §2 "Disputes").

Points of secp256k1 are written as their x, and have even y: both sides negate their scalar where it is odd.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final

from coincurve import PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from numerbay_chain.core.errors import AccountError, UsageError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.crypto import secp256k1
from numerbay_chain.crypto.content_key import ContentKey, word

_DERIVATION_LABEL: Final = b"numerbay-chain/v1/dispute-key"
_DOMAIN: Final = keccak(b"numerbay-chain/v1/dispute")


@dataclass(frozen=True, slots=True)
class DisputeContext:
    """What a dispute is about: chain id, marketplace (20 bytes), order id, round."""

    chain_id: int
    marketplace: bytes
    order: int
    round: int

    def __post_init__(self) -> None:
        if len(self.marketplace) != 20:
            raise UsageError("a marketplace's address has 20 bytes")


class DisputeKey:
    """A one-time private key; `x` is that of its point. `repr` shows nothing else."""

    __slots__ = ("_scalar", "x")

    def __init__(self, scalar: int) -> None:
        """Takes 0 < scalar < n; the sign is normalised here. Raises `ValueError`."""
        self._scalar = secp256k1.even_scalar(scalar)
        self.x = secp256k1.point_x(scalar)

    def reveal(self) -> int:
        """The scalar itself: what a proof of a wrong key tells the world."""
        return self._scalar

    def __repr__(self) -> str:
        return f"DisputeKey(x={self.x:#x})"


def derive_dispute_key(private_key: bytes, context: DisputeContext) -> DisputeKey:
    """The key of one dispute, out of the buyer's X25519 private key: a crash between challenge and proof loses nothing.

    `1 + HKDF-SHA256(private_key, label ‖ chain id ‖ marketplace ‖ order ‖ round)[48 bytes] mod (n - 1)` (RFC 5869).
    Revealing it tells nothing of the private key, nor of any other dispute's. Raises `AccountError`.
    """
    if len(private_key) != 32:
        raise AccountError("a private key has 32 bytes", "use the key file that the order was bought with")
    info = _DERIVATION_LABEL + word(context.chain_id) + context.marketplace + word(context.order) + word(context.round)
    okm = HKDF(algorithm=SHA256(), length=48, salt=None, info=info).derive(private_key)
    return DisputeKey(1 + int.from_bytes(okm, "big") % (secp256k1.N - 1))


@dataclass(frozen=True, slots=True)
class Response:
    """A seller's answer: x of his one-time point, and the content key under the mask that the two points give."""

    response_key: int
    sealed_key: bytes = field(repr=False)


def seal_response(key: ContentKey, dispute_key: int, context: DisputeContext) -> Response:
    """Seals the content key to a challenge's one-time key, under a fresh key. Raises `UsageError` for no point."""
    if not secp256k1.is_valid_x(dispute_key):
        raise UsageError("the challenge's one-time key is no point of the curve")
    while True:
        mine = DisputeKey(1 + secrets.randbelow(secp256k1.N - 1))
        if secp256k1.is_valid_x(mine.x):
            break
    sealed = _xor(key.reveal(), _mask(context, dispute_key, mine.x, _shared(mine, dispute_key)))
    return Response(mine.x, sealed)


def open_response(response: Response, dispute_key: DisputeKey, context: DisputeContext) -> int:
    """What the seller sealed: 256 bits that may be the content key. Raises `UsageError` for a point that is none."""
    if not secp256k1.is_valid_x(response.response_key):
        raise UsageError("the answer's one-time key is no point of the curve")
    shared = _shared(dispute_key, response.response_key)
    mask = _mask(context, dispute_key.x, response.response_key, shared)
    return int.from_bytes(_xor(response.sealed_key, mask), "big")


def is_committed_key(scalar: int, commitment: int) -> bool:
    """Whether the contract takes `scalar` for the content key: 0 < k < n, and kG is the point (commitment, even y)."""
    if not 0 < scalar < secp256k1.N:
        return False
    return secp256k1.point_x(scalar) == commitment and secp256k1.even_scalar(scalar) == scalar


def _shared(mine: DisputeKey, theirs: int) -> bytes:
    """The address of the point that both sides know, 20 bytes."""
    point = PublicKey(b"\x02" + word(theirs)).multiply(word(mine.reveal())).format(compressed=False)
    return keccak(point[1:])[12:]


def _mask(context: DisputeContext, dispute_key: int, response_key: int, shared: bytes) -> bytes:
    return keccak(
        _DOMAIN
        + word(context.chain_id)
        + bytes(12)
        + context.marketplace
        + word(context.order)
        + word(context.round)
        + word(dispute_key)
        + word(response_key)
        + bytes(12)
        + shared
    )


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
