"""Files that are either complete or not there: a temporary name in the same folder, fsync, rename."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from numerbay_chain.errors import NumerbayChainError, RefusedError

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def storage_error(path: str | os.PathLike[str], error: OSError) -> NumerbayChainError:
    """The sentence for an `OSError` met while writing `path`."""
    if error.errno in _DISK_FULL:
        return RefusedError(
            f"no space left to write {os.fspath(path)}: nothing was left behind", "free some space, then run it again"
        )
    reason = (error.strerror or str(error)).lower()
    return RefusedError(f"can't write {os.fspath(path)}: {reason}", "choose another place, or make this one writable")


@contextmanager
def open_complete(path: str | os.PathLike[str], mode: int = 0o600, *, overwrite: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that appears under `path` when the block ends without an error, synced to disk, or not at all.

    Without `overwrite` an existing file is refused, also one that appears meanwhile. Raises `RefusedError` for a disk
    that is full and a place that can't be written to; what the block itself raises passes through.
    """
    target = Path(path)
    if target.is_dir() or (not overwrite and os.path.lexists(target)):
        kind = "folder" if target.is_dir() else "file"
        raise RefusedError(f"{target} exists already, and is a {kind}", "choose another name")
    # Where the name is a link, what it points to is replaced, as a plain open() would.
    final = Path(os.path.realpath(target))
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{final.name[:80]}.", suffix=".part", dir=final.parent)
    except OSError as error:
        raise storage_error(target, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as raw:
            os.fchmod(raw.fileno(), mode)
            yield raw
            _finish(raw, temporary, final, overwrite)
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise storage_error(target, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _finish(raw: IO[bytes], temporary: Path, final: Path, overwrite: bool) -> None:
    try:
        os.fsync(raw.fileno())
        if overwrite:
            temporary.replace(final)
        else:
            final.hardlink_to(temporary)  # fails where the name exists by now, which a rename would not
            temporary.unlink()
        sync_folder(final.parent)
    except FileExistsError as error:
        raise RefusedError(f"{final} exists already", "choose another name") from error
    except OSError as error:
        raise storage_error(final, error) from error


def write_all(file: IO[bytes], data: bytes | bytearray | memoryview) -> None:
    """Writes all of `data`: an unbuffered file may take less than it is given."""
    view = memoryview(data)
    while len(view):
        view = view[file.write(view) :]


def write_atomic(path: str | os.PathLike[str], data: bytes | str, mode: int = 0o600, *, overwrite: bool = True) -> None:
    """Replaces `path` by `data` (text as UTF-8): after a crash it holds all of the old bytes or all of the new ones."""
    with open_complete(path, mode, overwrite=overwrite) as file:
        write_all(file, data.encode() if isinstance(data, str) else data)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Makes a rename inside `folder` survive a power cut, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network file systems sync no folders
            raise
    finally:
        os.close(descriptor)
