"""What a seller hands in, as one stream: a file as it is, a folder as a deterministic tar; refused if it changes."""

import errno
import mimetypes
import os
import stat
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from numerbay_chain.core.errors import RefusedError

BLOCK_SIZE: Final = 1 << 20
_CLOCK_TICK: Final = 20_000_000  # nanoseconds within which two changes may carry one time stamp


class Source(Protocol):
    """`name` and `media_type` for the details; `size` in bytes, as it was when the source was opened."""

    name: str
    media_type: str
    size: int

    def blocks(self) -> Iterator[bytes]:
        """The bytes, 1 MiB at a time. Raises `RefusedError` at the latest after the last one if anything changed."""


class Measured:
    """A source whose bytes are hashed as they pass: `sha256` is there after the last one. With `expected`, they must be
    the bytes with that digest."""

    def __init__(self, source: Source, expected: bytes | None = None) -> None:
        self.source, self._expected = source, expected
        self.name, self.media_type, self.size = source.name, source.media_type, source.size
        self.sha256 = b""

    def again(self) -> "Measured":
        """Return the same source for a second pass, which must give the bytes of the first one."""
        return Measured(self.source, self.sha256)

    def blocks(self) -> Iterator[bytes]:
        """As the source's. Raises `RefusedError` after the last block where the digest is not the expected one."""
        digest = sha256()
        with ThreadPoolExecutor(1, "source") as worker:  # beside whoever takes the blocks: hashing lets go of the GIL
            pending: Future[None] | None = None
            for block in self.source.blocks():
                if pending is not None:
                    pending.result()
                pending = worker.submit(digest.update, block)
                yield block
            if pending is not None:
                pending.result()
        self.sha256 = digest.digest()
        if self._expected not in {None, self.sha256}:
            raise _changed(self.name)


def open_source(path: str | os.PathLike[str]) -> Source:
    """A file or a folder. Raises `RefusedError` for what is neither, can't be read, or leads out of the folder."""
    chosen = Path(path)
    try:
        status = chosen.stat()
        if stat.S_ISDIR(status.st_mode):
            return _Folder(chosen)
        if stat.S_ISREG(status.st_mode):
            return _File(chosen)
    except OSError as error:
        raise _unreadable(chosen, error) from error
    raise RefusedError(
        f"{chosen} is neither a file nor a folder", "save what it gives into a file first", code="not-a-file"
    )


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What a change shows in."""

    device: int
    inode: int
    mode: int
    size: int
    modified: int
    changed: int  # of the inode: nobody sets it, so a change shows here though `modified` was put back

    @classmethod
    def of(cls, status: os.stat_result) -> "_Stamp":
        # A change right after this look must get another time than the one before it, and clocks tick coarsely.
        if abs(time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns)) < _CLOCK_TICK:
            time.sleep(_CLOCK_TICK / 1e9)
        return _stamp_now(status)


class _File:
    def __init__(self, path: Path) -> None:
        self._path, self._stamp = path, _Stamp.of(path.stat())
        guessed, encoding = mimetypes.guess_type(path.name)
        self.name, self.size = path.name, self._stamp.size
        self.media_type = f"application/{encoding}" if encoding else guessed or "application/octet-stream"

    def blocks(self) -> Iterator[bytes]:
        return _read_unchanged(self._path, self._stamp, follow=True)


class _Folder:
    """Entries sorted by name, owner and times zero, modes 644 and 755, so that the same content has the same bytes."""

    media_type = "application/x-tar"

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))
        self._entries = _scan(self._path)
        self.name = f"{self._path.name or 'folder'}.tar"
        content = sum(len(_header(entry)) + _padded(entry.content_size) for entry in self._entries)
        self.size = -(-(content + 2 * tarfile.BLOCKSIZE) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE

    def blocks(self) -> Iterator[bytes]:
        buffer = bytearray()
        for piece in self._pieces():
            buffer += piece
            while len(buffer) >= BLOCK_SIZE:
                yield bytes(buffer[:BLOCK_SIZE])
                del buffer[:BLOCK_SIZE]
        if buffer:
            yield bytes(buffer)
        if _scan(self._path) != self._entries:
            raise _changed(self._path)

    def _pieces(self) -> Iterator[bytes]:
        written = 0
        for entry in self._entries:
            header = _header(entry)
            written += len(header) + _padded(entry.content_size)
            yield header
            if entry.content_size:
                yield from _read_unchanged(self._path / os.fsdecode(entry.name), entry.stamp, follow=False)
                yield bytes(_padded(entry.content_size) - entry.content_size)
        yield bytes(self.size - written)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes  # below the folder, with forward slashes
    stamp: _Stamp
    link: str = ""

    @property
    def content_size(self) -> int:
        return self.stamp.size if stat.S_ISREG(self.stamp.mode) else 0


def _scan(root: Path) -> list[_Entry]:
    entries: list[_Entry] = []
    pending = [root]
    try:
        while pending:
            folder = pending.pop()
            for path in folder.iterdir():
                status = path.lstat()
                name = os.fsencode(path.relative_to(root))
                if stat.S_ISDIR(status.st_mode):
                    pending.append(path)
                    entries.append(_Entry(name, _Stamp.of(status)))
                elif stat.S_ISREG(status.st_mode):
                    entries.append(_Entry(name, _Stamp.of(status)))
                elif stat.S_ISLNK(status.st_mode):
                    entries.append(_Entry(name, _Stamp.of(status), _inner_link(path, root)))
                else:
                    raise RefusedError(
                        f"{path} is neither a file nor a folder", "take it out of the folder", code="not-a-file"
                    )
    except OSError as error:
        raise _unreadable(root, error) from error
    return sorted(entries, key=lambda entry: entry.name)


def _inner_link(path: Path, root: Path) -> str:
    link = os.readlink(path)  # noqa: PTH115 — the text as it stands: a Path would tidy it up
    target = Path(os.path.normpath(path.parent / link))
    if _leads_in_a_circle(path):
        raise RefusedError(f"the link {path} leads in a circle", "take it out of the folder", code="not-a-file")
    if Path(link).is_absolute() or not (target.is_relative_to(root) and path.resolve().is_relative_to(root)):
        raise RefusedError(f"the link {path} leads out of the folder", "put a copy in its place", code="link-out")
    return link


def _leads_in_a_circle(path: Path) -> bool:
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _header(entry: _Entry) -> bytes:
    info = tarfile.TarInfo(os.fsdecode(entry.name))
    info.mode = 0o755
    if entry.link:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
    elif stat.S_ISDIR(entry.stamp.mode):
        info.type = tarfile.DIRTYPE
    else:
        info.size = entry.stamp.size
        info.mode = 0o755 if entry.stamp.mode & stat.S_IXUSR else 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _padded(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _read_unchanged(path: Path, stamp: _Stamp, *, follow: bool) -> Iterator[bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            if _stamp_now(os.fstat(file.fileno())) != stamp:
                raise _changed(path)
            remaining = stamp.size
            while block := file.read(min(BLOCK_SIZE, remaining + 1)):
                remaining -= len(block)
                if remaining < 0:
                    raise _changed(path)
                yield block
            if remaining or _stamp_now(os.fstat(file.fileno())) != stamp:
                raise _changed(path)
        if _stamp_now(path.stat(follow_symlinks=follow)) != stamp:  # another file may have taken the name
            raise _changed(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _stamp_now(status: os.stat_result) -> _Stamp:
    return _Stamp(status.st_dev, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _changed(path: Path | str) -> RefusedError:
    return RefusedError(
        f"{path} changed while it was read", "wait until nothing writes to it, then run it again", code="file-changed"
    )


def _unreadable(path: Path, error: OSError) -> RefusedError:
    reason = (error.strerror or "it can't be opened").lower()
    code = "no-such-file" if isinstance(error, FileNotFoundError) else "unreadable"
    return RefusedError(f"can't read {path}: {reason}", "check the name and the permissions", code=code)
