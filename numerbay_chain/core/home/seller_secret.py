"""The seller secret, which every content key derives from: made once, backed up, never replaced."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from numerbay_chain.core.errors import AccountError, RefusedError
from numerbay_chain.core.files import textfile
from numerbay_chain.core.files.atomic import write_atomic

SECRET_SIZE: Final = 32
_MOST: Final = 4_096  # bytes of its file


def load_or_make(path: Path) -> tuple[bytes, bool]:
    """The 32 bytes that every content key derives from, and whether they were made just now (then tell how to
    back them up).

    Raises `AccountError` for a file that holds anything else.
    """
    if not path.exists():
        try:
            write_atomic(path, os.urandom(SECRET_SIZE).hex() + "\n", overwrite=False)
        except RefusedError:
            if not path.exists():  # another process may have made it meanwhile
                raise
        else:
            return _read(path), True
    return _read(path), False


def export(path: Path) -> str:
    """The secret at `path` as 64 hexadecimal digits, for a backup. Raises `AccountError` if there is none yet."""
    return _read(path).hex()


def parse(text: str) -> bytes:
    """Return the secret that `export` printed. Raise `RefusedError` for text that is none."""
    compact = text.removeprefix("\ufeff").strip().strip("\0").removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]{64}", compact, re.ASCII):
        raise RefusedError(
            "that is not a seller secret", "give the 64 hexadecimal digits that export printed", code="not-a-secret"
        )
    return bytes.fromhex(compact)


def restore(path: Path, secret: bytes) -> bool:
    """Takes a backup in; False: that secret was there already. Raises `RefusedError` where another one is in use."""
    if path.exists():
        if _read(path) == secret:
            return False
        raise RefusedError(
            f"there is another seller secret in {path}: what was sold with it needs it",
            "export that one and move it away first, or use another home folder",
            code="another-secret",
        )
    write_atomic(path, secret.hex() + "\n", overwrite=False)
    return True


def was_made(path: Path) -> str:
    """What its owner must know about a new seller secret."""
    return (
        f"a seller secret was made in {path}: every content key derives from it, and whoever has it reads "
        "all you sell; back it up with 'numerbay-chain seller-secret export -o FILE'"
    )


def _read(path: Path) -> bytes:
    try:
        text = textfile.read(path, "seller secret", error=AccountError, limit=_MOST).strip()
    except AccountError as error:
        if error.code == "no-such-file":
            raise AccountError(
                f"there is no seller secret in {path.parent}",
                "it is made with the first delivery; import a backup if you have one",
                code="no-secret",
            ) from None
        if error.code in {"unreadable", "not-a-file"}:
            raise  # it may be whole: a backup is not what is missing
        text = ""
    if not re.fullmatch(r"[0-9a-f]{64}", text, re.ASCII):
        # nothing of what stands there is repeated
        raise AccountError(
            f"{path} does not hold a seller secret", "restore it from its backup", code="bad-secret"
        ) from None
    if path.stat().st_mode & 0o077:
        with suppress(OSError):  # somebody else's file, a disk that is read-only: the secret is good all the same
            path.chmod(0o600)
    return bytes.fromhex(text)
