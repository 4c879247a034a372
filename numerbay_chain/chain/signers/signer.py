"""Accounts that sign: an encrypted keystore, a key in the environment, or a development chain's public test account.

Private keys leave this module only as signatures; no repr, message or traceback shows them.
"""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import accounts
from numerbay_chain.chain.node.blocks import DEVELOPMENT_CHAIN_IDS
from numerbay_chain.chain.signers import keystore
from numerbay_chain.core.errors import AccountError, UsageError
from numerbay_chain.core.files.atomic import expanded

DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk"  # public: anvil's and hardhat's
DEVELOPMENT_PATH = "m/44'/60'/0'/0"
_FORMS = "use keystore:PATH, env:NAME or dev:NUMBER"


class Signer(ABC):
    """An account that signs. `address` is checksummed."""

    address: str
    development_only = False

    @staticmethod
    def from_spec(
        spec: str, password: Callable[[], str] | None = None, connection: Connection | None = None
    ) -> "Signer":
        """`keystore:PATH` (encrypted JSON, version 3; `password` is asked for at the first signature), `env:NAME` (a
        private key in hex), `dev:N` (anvil's test account N).

        Raises `UsageError` for another form, `AccountError` for a keystore or key that can't be used. A test account is
        refused on any chain but a development chain: here where `connection` is given, else by `Sender`.
        """
        kind, _, rest = spec.partition(":")
        if kind == "keystore" and rest:
            return KeystoreSigner(expanded(rest), password)
        if kind == "env" and rest:
            return _from_environment(rest)
        if kind == "dev" and re.fullmatch(r"[0-9]{1,4}", rest, re.ASCII):
            signer = DevelopmentSigner(int(rest))
            if connection is not None:
                signer.check(connection)
            return signer
        # what was typed may be a private key: it is not repeated
        raise UsageError("that is not an account", _FORMS, code="not-an-account")

    def check(self, connection: Connection) -> None:
        """Raises `UsageError` where this account must not be used on that chain."""
        if self.development_only and not connection.is_development:
            raise UsageError(
                f"a test account can't be used on chain {connection.chain_id}: everybody knows its key",
                "use keystore:PATH or env:NAME; dev:NUMBER is for development chains on this machine",
                code="test-account",
            )

    @abstractmethod
    def unlock(self) -> None:
        """Asks now for what signing needs, such as a password: before a secret is told to anybody that nothing could be
        sent with. Raises `AccountError`."""

    @abstractmethod
    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        """The raw signed transaction. Raises `AccountError`."""

    @abstractmethod
    def sign_typed_data(self, message: Mapping[str, Any]) -> bytes:
        """65 bytes r ‖ s ‖ v over the whole EIP-712 message (`typed_data`). Raises `AccountError`."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"


class LocalSigner(Signer):
    """A private key in memory."""

    def __init__(self, private_key: bytes, what: str = "the private key") -> None:
        self._key = private_key
        self.address = _address_of(private_key, what)

    @classmethod
    def from_key(cls, private_key: bytes) -> "LocalSigner":
        """From 32 bytes. Raises `AccountError`."""
        return LocalSigner(private_key)

    def unlock(self) -> None:
        pass

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        return bytes(self._account().sign_transaction(dict(transaction)).raw_transaction)

    def sign_typed_data(self, message: Mapping[str, Any]) -> bytes:
        from eth_account.messages import encode_typed_data  # as below

        return bytes(self._account().sign_message(encode_typed_data(full_message=dict(message))).signature)

    def _account(self) -> Any:
        from eth_account import Account  # half a second: what reads alone must not wait for it

        return Account.from_key(self._key)


class DevelopmentSigner(LocalSigner):
    """A test account whose key everybody knows: it signs for development chains only."""

    development_only = True

    def __init__(self, index: int) -> None:
        super().__init__(_development_account().child(index).key)

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        _refuse_elsewhere(transaction.get("chainId"))
        return super().sign_transaction(transaction)

    def sign_typed_data(self, message: Mapping[str, Any]) -> bytes:
        _refuse_elsewhere(message.get("domain", {}).get("chainId"))
        return super().sign_typed_data(message)


class KeystoreSigner(Signer):
    """An encrypted keystore file: its address is read at once, its key with the first signature."""

    def __init__(self, path: Path, password: Callable[[], str] | None) -> None:
        self._path = path
        self._password = password
        self._opened: LocalSigner | None = None
        self._keystore = keystore.read(path)
        self._named = keystore.address_of(path, self._keystore)
        self.address = self._named or self._open().address

    def _open(self) -> LocalSigner:
        if self._opened is not None:
            return self._opened
        if self._password is None:
            raise AccountError(
                f"the keystore {self._path} needs its password",
                "run this on a terminal, or set it in the environment",
                code="no-answer",
            )
        key = keystore.decrypt(self._path, self._keystore, self._password)
        self._opened = LocalSigner.from_key(key)
        if self._named is not None and self._opened.address != self._named:
            opened, self._opened = self._opened, None
            raise AccountError(
                f"the keystore {self._path} names {self._named}, but its key is {opened.address}'s",
                "restore it from a copy",
                code="bad-keystore",
            )
        return self._opened

    def unlock(self) -> None:
        self._open()

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        return self._open().sign_transaction(transaction)

    def sign_typed_data(self, message: Mapping[str, Any]) -> bytes:
        return self._open().sign_typed_data(message)


def _address_of(private_key: bytes, what: str) -> str:
    try:
        return accounts.address_of(private_key)
    except ValueError:
        # without the cause, which may show the key
        raise AccountError(
            f"{what} can't be used", "it must be 32 bytes, not 0, below the order of secp256k1", code="bad-key"
        ) from None


@cache
def _development_account() -> accounts.ExtendedKey:
    return accounts.derived(DEVELOPMENT_MNEMONIC, DEVELOPMENT_PATH)


def _from_environment(name: str) -> LocalSigner:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name, re.ASCII) or re.fullmatch(r"[0-9a-fA-F]{64}", name):
        # not repeated: what has 64 hexadecimal digits is a private key
        raise UsageError("that is not the name of an environment variable", _FORMS, code="not-an-account")
    text = os.environ.get(name)
    if text is None:
        raise AccountError(
            f"the environment variable {name} is not set", f"put the private key in hex into {name}", code="no-account"
        )
    digits = text.strip().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits, re.ASCII):
        raise AccountError(
            f"the environment variable {name} holds no private key", "it must be 64 hexadecimal digits", code="bad-key"
        )
    return LocalSigner(bytes.fromhex(digits), f"the private key in {name}")


def _refuse_elsewhere(chain_id: object) -> None:
    if chain_id not in DEVELOPMENT_CHAIN_IDS:
        raise UsageError(
            f"a test account signs nothing for chain {chain_id}", "use keystore:PATH or env:NAME", code="test-account"
        )
