"""Encrypted keystores (Web3 Secret Storage, version 3), as wallets write them and as an enemy might.

The cost of opening one is bounded before the first step: its parameters may ask for all the memory there is.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import AccountError
from numerbay_chain.core.files import jsontext, textfile

MOST_MEMORY: Final = 1 << 30
"""Bytes that scrypt may take; four times what wallets ask for."""
_MOST_WORK: Final = 1 << 26  # n · r · p of scrypt: 32 times what wallets ask for, about a minute
_MOST_ROUNDS: Final = 20_000_000  # of PBKDF2, some ten seconds
_MOST_BYTES: Final = 1 << 16
_KEY_SIZE: Final = 32
_CIPHER: Final = "aes-128-ctr"
_FORM: Final = "it must be an encrypted JSON file, version 3"


def read(path: Path) -> dict[str, Any]:
    """Return the keystore's fields, their names in lower case. Raises `AccountError`."""
    text = textfile.read(path, "keystore", error=AccountError, limit=_MOST_BYTES)
    try:
        fields = _lower(jsontext.parse(text))
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise AccountError(f"{path} is not a keystore", _FORM, code="bad-keystore")
    if str(fields.get("version")) != "3":
        raise AccountError(
            f"{path} is not a keystore of version 3", "open it in a wallet and export it again", code="bad-keystore"
        )
    fields["version"] = 3
    if not isinstance(fields.get("crypto"), dict):
        raise AccountError(f"{path} is not a keystore", _FORM, code="bad-keystore")
    if fields["crypto"].get("cipher", _CIPHER) != _CIPHER:
        # it would open, as the key of somebody else's account
        raise AccountError(
            f"the keystore {path} has a cipher that is not known", f"it must be {_CIPHER}", code="bad-keystore"
        )
    _check_cost(path, fields["crypto"])
    return fields


def address_of(path: Path, fields: Mapping[str, Any]) -> str | None:
    """Return the address that the keystore names, None where it names none. Raises `AccountError`."""
    named = fields.get("address")
    if named is None or named == "":
        return None
    if not isinstance(named, str) or not re.fullmatch(r"(0[xX])?[0-9a-fA-F]{40}", named, re.ASCII):
        raise AccountError(
            f"the keystore {path} names an address that is none", "restore it from a copy", code="bad-keystore"
        )
    # in any case: whether it is the key's is checked when the key is there
    return checksummed(named[-40:].lower())


def decrypt(path: Path, fields: Mapping[str, Any], password: Callable[[], str]) -> bytes:
    """Return the private key, 32 bytes. Raises `AccountError`: `wrong-password`, or `bad-keystore` for one that is
    damaged."""
    from eth_account import Account  # what reads alone must not wait for it

    typed = password()
    # ethers.js normalizes passwords: a letter and its compatible form, such as full-width digits, open the same
    for form in dict.fromkeys((typed, unicodedata.normalize("NFKC", typed))):
        try:
            key = bytes(Account.decrypt(dict(fields), form))
        except ValueError as error:
            # a password that is no UTF-8 opens nothing
            wrong = "mismatch" in str(error).lower() or isinstance(error, UnicodeEncodeError)
        except (
            TypeError, LookupError, NotImplementedError, AttributeError, AssertionError, ArithmeticError, MemoryError,
        ):  # fmt: skip
            wrong = False
        else:
            return key.rjust(_KEY_SIZE, b"\0")  # old wallets left zeros at the start of a key out
        if not wrong:
            # without the cause, which may hold pieces of the keystore
            raise AccountError(
                f"the keystore {path} is damaged", "restore it from a copy", code="bad-keystore"
            ) from None
    raise AccountError(f"the keystore {path} does not open with this password", "try again", code="wrong-password")


def _lower(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    found = {name.lower(): _lower(item) for name, item in value.items()}
    if len(found) < len(value):
        raise ValueError("two names differ in their case alone")
    return found


def _check_cost(path: Path, crypto: Mapping[str, Any]) -> None:
    asked = crypto.get("kdfparams")
    asked = asked if isinstance(asked, dict) else {}

    def number(name: str, most: int) -> int:
        value = asked.get(name)
        if type(value) is not int or value < 1:
            raise AccountError(f"the keystore {path} is damaged", "restore it from a copy", code="bad-keystore")
        if value > most:
            raise _too_costly(path)
        return value

    number("dklen", 64)
    if crypto.get("kdf") == "scrypt":
        n, r, p = number("n", MOST_MEMORY), number("r", MOST_MEMORY), number("p", MOST_MEMORY)
        if 128 * n * r > MOST_MEMORY or 128 * r * p > MOST_MEMORY or n * r * p > _MOST_WORK:
            raise _too_costly(path)
    elif crypto.get("kdf") == "pbkdf2":
        number("c", _MOST_ROUNDS)
    else:
        raise AccountError(
            f"the keystore {path} has a key derivation that is not known", "use scrypt or pbkdf2", code="bad-keystore"
        )


def _too_costly(path: Path) -> AccountError:
    return AccountError(
        f"the keystore {path} asks for more memory or time than any wallet needs",
        "export it again from the wallet that made it",
        code="too-large",
    )
