"""Accounts with fixed keys, so that every run meets the same addresses."""

from eth_keys.datatypes import PrivateKey
from eth_utils import keccak


class Account:
    """An externally owned account; `str(account)` is its lower-case address."""

    def __init__(self, name: str, key: PrivateKey) -> None:
        self.name = name
        self.address: str = key.public_key.to_address()
        self._key = key

    @classmethod
    def named(cls, name: str) -> "Account":
        return cls(name, PrivateKey(keccak(text=f"numerbay_chain test account {name}")))

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.address

    @property
    def private_key(self) -> str:
        """Hexadecimal, for another machine that signs its transactions itself."""
        return str(self._key.to_hex())

    def sign(self, digest: bytes) -> bytes:
        """65 bytes r ‖ s ‖ v over a digest of 32 bytes, v being 27 or 28."""
        signature = self._key.sign_msg_hash(digest)
        return signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big") + bytes([27 + signature.v])
