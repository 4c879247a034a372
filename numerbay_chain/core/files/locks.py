"""Locks between processes: whoever reads a file, changes it and writes it back holds one meanwhile.

The system lets go of a lock when its process dies. Where a file system has no such locks (some network drives), a file
with the owner's process number stands for one, and is cleared away when that process is gone.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files import textfile
from numerbay_chain.core.files.atomic import storage_error

_LEAKED_ENOTSUPP: Final = 524  # the Linux kernel's own number, which some NFS servers' clients hand out
_NO_LOCKS: Final = {
    errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, _LEAKED_ENOTSUPP,
}  # fmt: skip
_STEP: Final = 0.02
_MOST_BYTES: Final = 4096
SECONDS_FOR_A_CHANGE: Final = 30.0
"""Longer than any read-change-write takes that only waits for the disk."""


@contextmanager
def locked(path: Path, doing: str, seconds: float = SECONDS_FOR_A_CHANGE) -> Iterator[None]:
    """Hold the lock file at `path` while the block runs; wait up to `seconds` for it (0: not at all).

    Raise `RefusedError` (`busy`) where another process holds it: `doing` is what that one is about ("delivering
    listing 1"); and for a place that can't be written to.
    """
    until = time.monotonic() + seconds
    descriptor = _open_locked(path, until, doing)
    if descriptor is None:
        with _named(path, until, doing):
            yield
        return
    try:
        yield
    finally:
        os.close(descriptor)


def _open_locked(path: Path, until: float, doing: str) -> int | None:
    """The lock file, open and locked. None: the file system has no locks."""
    while True:
        with ExitStack() as stack:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise storage_error(path, error) from error
            stack.callback(os.close, descriptor)
            if not _lock(descriptor, path, until, doing):
                return None
            if _is_at(path, descriptor):  # else its last owner removed it: a lock on it keeps nobody out
                stack.pop_all()
                return descriptor


def _is_at(path: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _lock(descriptor: int, path: Path, until: float, doing: str) -> bool:
    """Whether the file is locked now. False: the file system has no locks."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            _wait(until, doing)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return False
            if error.errno != errno.EINTR:
                raise storage_error(path, error) from error


def _wait(until: float, doing: str) -> None:
    if time.monotonic() >= until:
        raise RefusedError(
            f"another process is {doing} right now", "wait until it is done, then run this again", code="busy"
        )
    time.sleep(_STEP)


@contextmanager
def _named(path: Path, until: float, doing: str) -> Iterator[None]:
    name = path.with_name(path.name + "-held")
    mine = json.dumps({"host": socket.gethostname(), "process": os.getpid()})
    while True:
        try:
            descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            break
        except FileExistsError:
            if not _clear_if_dead(name):
                _wait(until, f"{doing} (or died: then remove {name})")
        except OSError as error:
            raise storage_error(name, error) from error
    try:
        try:
            os.write(descriptor, mine.encode())
        finally:
            os.close(descriptor)
        yield
    finally:
        name.unlink(missing_ok=True)


def _clear_if_dead(name: Path) -> bool:
    """Whether the file was one of a process that is gone. Of two that see it, one moves it away."""
    try:
        seen = textfile.read_bytes(name, _MOST_BYTES)
        owner = json.loads(seen)
        if owner["host"] != socket.gethostname() or _lives(int(owner["process"])):
            return False
        aside = name.with_name(f"{name.name}.{os.getpid()}")
        name.rename(aside)
        if textfile.read_bytes(aside, _MOST_BYTES) != seen:  # somebody else cleared it away first, and holds it now
            aside.rename(name)
            return False
        aside.unlink()
    except FileNotFoundError:
        return True  # it was let go of meanwhile
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return False  # it is being written
    return True


def _lives(process: int) -> bool:
    with suppress(ProcessLookupError):
        try:
            os.kill(process, 0)
        except PermissionError:
            return True
        return True
    return False
