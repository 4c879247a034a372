"""Addresses of accounts and contracts as people type them: EIP-55's mixed case is a checksum, and is checked."""

import re
from functools import lru_cache
from typing import Any, Final

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.core.text import one_line

_FORM: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]{40})", re.ASCII)


def checksummed(address: Any, what: str = "address") -> str:
    """Return the address as EIP-55 writes it.

    Raises `UsageError` for what is no address (code `not-an-address`), and for one in mixed case whose case is wrong
    (`bad-checksum`): a digit was mistyped. All lower or all upper case carries no checksum, and is taken.
    """
    found = _FORM.fullmatch(address) if isinstance(address, str) else None
    if found is None:
        shown = one_line(address, 80) if isinstance(address, str) else type(address).__name__
        raise UsageError(
            f"{shown!r} is not an {what}", "an address is 0x and 40 hexadecimal digits", code="not-an-address"
        )
    digits = found.group(1)
    right = _checksum(digits.lower())
    if digits != right and not (digits.islower() or digits.isupper()):
        raise UsageError(
            f"the {what} 0x{digits} has a wrong checksum: upper and lower case do not fit its digits",
            "a digit is probably mistyped: copy it again from where it comes from",
            code="bad-checksum",
        )
    return "0x" + right


@lru_cache(4096)
def _checksum(digits: str) -> str:
    hash = keccak(digits.encode()).hex()
    return "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in zip(digits, hash, strict=False)
    )
