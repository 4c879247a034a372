"""X25519 key pairs and the one file they are kept in: NumerBay's `numerbay.json`."""

import base64
import binascii
import json
import os
from typing import Any, Final, Self

from nacl import bindings
from nacl.exceptions import CryptoError

from numerbay_chain.core.errors import AccountError, UsageError
from numerbay_chain.core.files import jsontext, textfile
from numerbay_chain.core.files.atomic import write_atomic

_SIZE: Final = 32
_MAX_FILE_SIZE: Final = 65_536


class KeyPair:
    """An X25519 key pair. `repr` shows the public half only."""

    __slots__ = ("_private_key", "public_key")

    def __init__(self, private_key: bytes) -> None:
        if len(private_key) != _SIZE:
            raise AccountError("a private key has 32 bytes", code="bad-key")
        self._private_key = private_key
        self.public_key: bytes = bindings.crypto_scalarmult_base(private_key)

    @classmethod
    def generate(cls) -> Self:
        """A fresh pair from the system's randomness."""
        return cls(os.urandom(_SIZE))

    def reveal_private_key(self) -> bytes:
        """The 32 secret bytes: whoever has them reads everything that is sealed to this key."""
        return self._private_key

    def __repr__(self) -> str:
        return f"KeyPair(public_key={encode(self.public_key)!r})"


def generate() -> KeyPair:
    """A fresh key pair."""
    return KeyPair.generate()


def encode(key: bytes) -> str:
    """A key as NumerBay writes it: standard base64."""
    return base64.b64encode(key).decode()


def save(pair: KeyPair, path: str | os.PathLike[str]) -> None:
    """Writes a new file, 0600, or raises `RefusedError`: an existing one is never overwritten."""
    fields = {"public_key": encode(pair.public_key), "private_key": encode(pair.reveal_private_key())}
    write_atomic(path, json.dumps(fields) + "\n", 0o600, overwrite=False)


def load(path: str | os.PathLike[str]) -> KeyPair:
    """Reads a key file. Raises `AccountError` for one that can't be read or whose halves do not belong together."""
    fields = _read(path)
    secret, public = _decode(fields.get("private_key")), _decode(fields.get("public_key"))
    if secret is None:
        raise AccountError(
            f"the key file {path} has no private key of 32 bytes",
            "use the file that numerbay exported",
            code="bad-key-file",
        )
    pair = KeyPair(secret)
    if public != pair.public_key:
        raise AccountError(
            f"the halves of the key file {path} do not belong together",
            "restore the file from its backup",
            code="bad-key-file",
        )
    return pair


def parse_public_key(source: str | os.PathLike[str]) -> bytes:
    """The 32 bytes of a public key: given as base64, as hex with 0x, or as a key file (its public half is enough).

    Raises `AccountError` for a file that can't be used and for a small-order point, `UsageError` for any other text.
    """
    key = _decode_text(source) if isinstance(source, str) else None
    if key is None:
        if isinstance(source, str) and not os.path.exists(source):  # noqa: PTH110 — pathlib raises for a name that is too long
            raise UsageError(
                f"{source!r} is neither a public key nor a key file",
                "give 32 bytes in base64, as `keys show` prints them, or the path of a numerbay.json",
                code="not-a-key",
            )
        key = _decode(_read(source).get("public_key"))
        if key is None:
            raise AccountError(
                f"the key file {source} has no public key of 32 bytes",
                "ask its owner for another copy",
                code="bad-key-file",
            )
    refuse_small_order(key)
    return key


def refuse_small_order(public_key: bytes) -> None:
    """Raises `AccountError` for the 14 encodings of small-order points: what is sealed to them, anybody can read."""
    try:
        bindings.crypto_scalarmult((1).to_bytes(_SIZE, "little"), public_key)
    except (CryptoError, RuntimeError) as error:
        raise AccountError(
            "the public key is a small-order point: nothing can be sealed to it", code="small-order-key"
        ) from error


def _read(path: str | os.PathLike[str]) -> dict[str, Any]:
    text = textfile.read(
        path, "key file", error=AccountError, hint="make one with `keys new -o PATH`", limit=_MAX_FILE_SIZE
    )
    try:
        fields = jsontext.parse(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        # without the cause: a JSON error carries the document, and with it the private key
        raise AccountError(
            f"{path} is not a key file", "use the numerbay.json that `keys new` wrote", code="bad-key-file"
        )
    return fields


def _decode(text: Any) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == _SIZE else None


def _decode_text(text: str) -> bytes | None:
    if text[:2].lower() == "0x" and len(text) == 2 + 2 * _SIZE:
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            return None
    return _decode(text)
