"""Small text files that people make, edit and move between machines: key files, profiles, vouchers, backups.

A byte order mark at the start (Windows editors), line ends of any system and NUL characters at the end are no part of
the text. What has no end, or is no file, is never read to its end.
"""

import codecs
import errno
import os
import select
import stat
import time
from pathlib import Path
from typing import Final

from numerbay_chain.core.errors import NumerbayChainError, RefusedError

MOST_BYTES: Final = 1 << 20
_SECONDS_FOR_A_WRITER: Final = 5.0
_UTF_16_OR_32: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read(
    path: str | os.PathLike[str],
    what: str,
    *,
    error: type[NumerbayChainError] = RefusedError,
    hint: str | None = None,
    limit: int = MOST_BYTES,
) -> str:
    """Return the text of the file at `path`; `what` names it in messages ("the key file").

    Raises `error` with the code `no-such-file`, `unreadable`, `not-a-file`, `too-large` (more than `limit` bytes) or
    `not-utf-8`, and with `hint` where there is no file. A pipe, as of `<(command)`, is read as a file.
    """
    try:
        data = read_bytes(Path(path), limit, pipes=True)
    except FileNotFoundError:
        raise error(f"there is no {what} {os.fspath(path)}", hint or "check the path", code="no-such-file") from None
    except NotAFileError as problem:
        raise error(
            f"the {what} {os.fspath(path)} is {problem}", "give the path of a file", code="not-a-file"
        ) from None
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        reason = (getattr(problem, "strerror", None) or "the path can't be used").lower()
        raise error(
            f"can't read the {what} {os.fspath(path)}: {reason}", hint or "check the path", code="unreadable"
        ) from None
    return decode(data, f"the {what} {os.fspath(path)}", error=error, limit=limit)


def decode(data: bytes, what: str, *, error: type[NumerbayChainError] = RefusedError, limit: int = MOST_BYTES) -> str:
    """Return the text in these bytes, without its byte order mark. Raises `error` (`too-large`, `not-utf-8`)."""
    if len(data) > limit:
        raise error(f"{what} has more than {limit:,} bytes", "check that it is the right file", code="too-large")
    if data.startswith(_UTF_16_OR_32):
        raise error(
            f"{what} is in UTF-16, as some editors write it", "save it again, with the encoding UTF-8", code="not-utf-8"
        )
    try:
        # without the cause: it carries the text, which may be a secret
        return data.removeprefix(codecs.BOM_UTF8).rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        raise error(f"{what} is no text in UTF-8", "check that it is the right file", code="not-utf-8") from None


class NotAFileError(OSError):
    """The message says what it is instead."""


def read_bytes(path: Path, limit: int, *, pipes: bool = False) -> bytes:
    """Return the first `limit` bytes of a file, and one more where it has more; with `pipes`, of a pipe too.

    Raises `OSError`: `NotAFileError` for a folder, a device or a socket, as for a pipe.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        if error.errno in {errno.ENXIO, errno.EOPNOTSUPP}:
            raise NotAFileError("a socket or a device") from None
        raise
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise NotAFileError("a folder")
        if stat.S_ISFIFO(mode) and pipes:
            return _read_pipe(descriptor, limit)
        if not stat.S_ISREG(mode):
            raise NotAFileError("a pipe" if stat.S_ISFIFO(mode) else "a device")
        os.set_blocking(descriptor, True)
        data = b""
        while len(data) <= limit and (piece := os.read(descriptor, limit + 1 - len(data))):
            data += piece
        return data
    finally:
        os.close(descriptor)


def _read_pipe(descriptor: int, limit: int) -> bytes:
    """To its end. A writer that is not there within seconds will not come."""
    data, until = b"", time.monotonic() + _SECONDS_FOR_A_WRITER
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while len(data) <= limit:
        if not poll.poll(max(until - time.monotonic(), 0) * 1000):
            raise NotAFileError("a pipe that nobody writes to")
        try:
            piece = os.read(descriptor, limit + 1 - len(data))
        except BlockingIOError:
            continue
        if not piece:
            break
        data, until = data + piece, time.monotonic() + 60 * _SECONDS_FOR_A_WRITER
    return data
