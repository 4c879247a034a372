"""Accounts as their keys make them: addresses, signers of digests, and the keys that a mnemonic stands for.

Sources: the yellow paper, appendix F; BIP-32, BIP-39.
"""

import hmac
from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac
from typing import TYPE_CHECKING, Final

from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.hashing import keccak

if TYPE_CHECKING:  # and below where it is used: who only reads the chain signs nothing
    from coincurve import PublicKey

_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 65
_HARDENED: Final = 1 << 31
_ROUNDS: Final = 2048


def address_of(private_key: bytes) -> str:
    """Return the checksummed address of a private key. Raises `ValueError` for bytes that are none."""
    if len(private_key) != _KEY_SIZE:
        raise ValueError("a private key has 32 bytes")
    from coincurve import PrivateKey

    return _address(PrivateKey(private_key).public_key)


def canonical(signature: bytes) -> bytes:
    """Return a signature of 65 bytes r ‖ s ‖ v as contracts take it: v is 27 or 28, and s the lower one of two. Some
    signers write 0 or 1, or take the other s. What is none stays as it is."""
    if len(signature) != _SIGNATURE_SIZE or signature[64] not in (0, 1, 27, 28):
        return signature
    from coincurve.utils import GROUP_ORDER_INT as order

    s, v = int.from_bytes(signature[32:64]), 27 + signature[64] % 27
    if order // 2 < s < order:
        s, v = order - s, 55 - v
    return signature[:32] + s.to_bytes(32) + bytes([v])


def signer_of(digest: bytes, signature: bytes) -> str | None:
    """Return the account whose signature of a digest this is, 65 bytes r ‖ s ‖ v as contracts take them; None where it
    is nobody's."""
    if len(signature) != _SIGNATURE_SIZE or signature[64] not in (27, 28) or canonical(signature) != signature:
        return None
    from coincurve import PublicKey

    recoverable = signature[:64] + bytes([signature[64] - 27])
    try:
        return _address(PublicKey.from_signature_and_message(recoverable, digest, hasher=None))
    except Exception:  # coincurve raises this class itself
        return None


@dataclass(frozen=True, slots=True)
class ExtendedKey:
    """A private key with its chain code (BIP-32)."""

    key: bytes = field(repr=False)
    code: bytes = field(repr=False)

    def child(self, index: int) -> "ExtendedKey":
        """Return the child key of that number; from 2^31 on it is a hardened one."""
        from coincurve import PrivateKey

        parent = b"\0" + self.key if index >= _HARDENED else PrivateKey(self.key).public_key.format()
        digest = hmac.digest(self.code, parent + index.to_bytes(4), "sha512")
        return ExtendedKey(PrivateKey(self.key).add(digest[:_KEY_SIZE]).secret, digest[_KEY_SIZE:])


def derived(mnemonic: str, path: str) -> ExtendedKey:
    """Return the key at a path such as "m/44'/60'/0'/0" under the mnemonic's seed."""
    seed = pbkdf2_hmac("sha512", mnemonic.encode(), b"mnemonic", _ROUNDS)
    digest = hmac.digest(b"Bitcoin seed", seed, "sha512")
    found = ExtendedKey(digest[:_KEY_SIZE], digest[_KEY_SIZE:])
    for step in path.split("/")[1:]:
        found = found.child(int(step.rstrip("'")) + (_HARDENED if step.endswith("'") else 0))
    return found


def _address(key: "PublicKey") -> str:
    return checksummed(keccak(key.format(compressed=False)[1:])[12:].hex())
