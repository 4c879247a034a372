"""Keccak-256, Ethereum's hash, straight from the library that has it."""

from functools import cache
from types import ModuleType


def keccak(data: bytes) -> bytes:
    """Return the 32 bytes of Keccak-256."""
    return bytes(_library().new(digest_bits=256, data=data).digest())


@cache
def _library() -> ModuleType:
    from Crypto.Hash import keccak  # the command line's help must not wait for it

    return keccak
