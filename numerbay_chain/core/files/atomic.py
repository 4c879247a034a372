"""Files that are either complete or not there: a temporary name in the same folder, fsync, rename.

Only regular files are ever replaced. A device or a pipe that somebody names is written into, or refused.
"""

import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from numerbay_chain.core.errors import NumerbayChainError, RefusedError, UsageError

_DISK_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_SUPPORTED: Final = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}
_SECONDS_FOR_A_READER: Final = 5.0


def storage_error(path: str | os.PathLike[str], error: OSError) -> NumerbayChainError:
    """Return the error for an `OSError` met while writing `path`."""
    if error.errno in _DISK_FULL:
        return RefusedError(
            f"no space left to write {os.fspath(path)}: nothing was left behind",
            "free some space, then run it again",
            code="disk-full",
        )
    reason = (error.strerror or str(error)).lower()
    return RefusedError(
        f"can't write {os.fspath(path)}: {reason}",
        "choose another place, or make this one writable",
        code="unwritable",
    )


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return the path with `~` and `~user` as the home folders they stand for.

    Raises `UsageError` (`no-home`) for a user that is not known here, and for a path with a NUL character.
    """
    if "\0" in os.fspath(path):
        raise UsageError("a path holds a NUL character", "check where it comes from", code="unusable-path")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(
            f"the home folder of {os.fspath(path)} is not known", "write the path in full", code="unusable-path"
        ) from None


@contextmanager
def open_complete(
    path: str | os.PathLike[str], mode: int = 0o600, *, overwrite: bool = True, stream: bool = False
) -> Iterator[IO[bytes]]:
    """A binary file that appears under `path` when the block ends without an error, synced to disk, or not at all.

    Without `overwrite` an existing file is refused, also one that appears meanwhile. With `stream`, bytes go straight
    into a character device or a pipe of that name; else, and for anything else that is no regular file, `RefusedError`
    (`not-a-file`). Raises `RefusedError` for a disk that is full and a place that can't be written to; what the block
    itself raises passes through.
    """
    target = Path(path)
    kind = _kind_of(target)
    if stream and kind in {_DEVICE, _PIPE}:
        with _open_stream(target, kind) as raw:
            yield raw
        return
    if kind is not None:
        raise RefusedError(f"{target} exists already, and is {kind}", "choose another name", code="not-a-file")
    if not overwrite and os.path.lexists(target):
        raise _exists(target)
    # Where the name is a link, what it points to is replaced, as a plain open() would.
    final = Path(os.path.realpath(target))
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{final.name[:40]}.", suffix=".part", dir=final.parent)
    except OSError as error:
        raise storage_error(target, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as raw:
            set_mode(raw.fileno(), mode)
            yield raw
            _finish(raw, temporary, final, overwrite)
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise storage_error(target, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


_DEVICE: Final = "a device"
_PIPE: Final = "a named pipe"


def _kind_of(target: Path) -> str | None:
    """What stands there, in words, where it must not be replaced: None for a regular file and for nothing."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "a link that leads in a circle"
        return None  # writing says what is wrong
    except ValueError:
        raise UsageError("a path holds a NUL character", "check where it comes from", code="unusable-path") from None
    if stat.S_ISREG(mode):
        return None
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFCHR: _DEVICE, stat.S_IFIFO: _PIPE, stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "no regular file")


@contextmanager
def _open_stream(target: Path, kind: str) -> Iterator[IO[bytes]]:
    try:
        descriptor = _open_for_writing(target, kind)
        try:
            os.set_blocking(descriptor, True)
            raw = os.fdopen(descriptor, "wb", buffering=0)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise storage_error(target, error) from error
    with raw:
        try:
            yield raw
        except BrokenPipeError as error:
            raise storage_error(target, error) from error


def _open_for_writing(target: Path, kind: str) -> int:
    """A pipe is opened when somebody reads it: for that it is waited, but not for ever."""
    until = time.monotonic() + _SECONDS_FOR_A_READER
    while True:
        try:
            return os.open(target, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            if error.errno != errno.ENXIO or kind is not _PIPE:
                raise
            if time.monotonic() > until:
                raise RefusedError(
                    f"nobody reads from the named pipe {target}", "start its reader first", code="not-a-file"
                ) from None
        time.sleep(0.05)


def _finish(raw: IO[bytes], temporary: Path, final: Path, overwrite: bool) -> None:
    try:
        sync(raw.fileno())
        if overwrite:
            temporary.replace(final)
        else:
            _take_free_name(temporary, final)
        sync_folder(final.parent)
    except FileExistsError as error:
        raise _exists(final) from error
    except OSError as error:
        raise storage_error(final, error) from error


def _take_free_name(temporary: Path, final: Path) -> None:
    """Raises `FileExistsError` where the name exists by now, which a rename would not."""
    try:
        final.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # FAT, some network drives, each in its own words: an empty file claims the name, and is replaced at once
        os.close(os.open(final, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        temporary.replace(final)
        return
    temporary.unlink()


def _exists(path: Path) -> RefusedError:
    return RefusedError(f"{path} exists already", "choose another name", code="file-exists")


def set_mode(file: int | Path, mode: int) -> None:
    """Set the permissions of an open file, or of what stands at a path, where the file system has any."""
    with _where_supported():
        os.chmod(file, mode)  # noqa: PTH101 — a path or a descriptor


def sync(descriptor: int) -> None:
    """Have the bytes of an open file or folder reach the disk, where the file system can be told to."""
    with _where_supported():
        os.fsync(descriptor)


@contextmanager
def _where_supported() -> Iterator[None]:
    """Some file systems have no modes, or sync nothing: that is no reason to write nothing."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise


def write_all(file: IO[bytes], data: bytes | bytearray | memoryview) -> None:
    """Write all of `data`: an unbuffered file may take less than it is given."""
    view = memoryview(data)
    while len(view):
        view = view[file.write(view) :]


def write_atomic(
    path: str | os.PathLike[str],
    data: bytes | str,
    mode: int = 0o600,
    *,
    overwrite: bool = True,
    stream: bool = False,
) -> None:
    """Replace `path` by `data` (text as UTF-8): after a crash it holds all of the old bytes or all of the new ones.

    Raises as `open_complete`.
    """
    with open_complete(path, mode, overwrite=overwrite, stream=stream) as file:
        write_all(file, data.encode() if isinstance(data, str) else data)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Make a rename inside `folder` survive a power cut, where the file system can."""
    with suppress(PermissionError):  # a folder that may be written to, but not read
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)
