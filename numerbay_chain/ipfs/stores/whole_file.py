"""A file that a gateway gives as a whole, in a nameless temporary file: never more of the disk than can be spared."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import IO

from numerbay_chain.core.errors import ContentError, RefusedError
from numerbay_chain.core.files.atomic import storage_error, write_all
from numerbay_chain.ipfs.unixfs import Importer, Root

RESERVE = 512 << 20
"""Bytes of the temporary folder's disk that are left free."""
_LOOK_AGAIN = 64 << 20
_PIECE_SIZE = 1 << 20


class WholeFile:
    """The content of `wanted`, as it comes in; `name` is the source's, for messages. Raises `RefusedError` (code
    too-large) where the disk has no room for it."""

    def __init__(self, wanted: Root, name: str, hint: str) -> None:
        self.wanted, self._name, self._hint = wanted, name, hint
        self._require_room(wanted.size)
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # later ranges are read from it
        except OSError as error:
            raise storage_error(tempfile.gettempdir(), error) from error
        self._importer, self.done = Importer(), 0

    def close(self) -> None:
        """Give the space back."""
        self._file.close()

    def restart(self) -> None:
        """Forget what came in."""
        self._importer, self.done = Importer(), 0
        self._file.seek(0)
        self._file.truncate()

    def add(self, piece: bytes) -> None:
        """Take the next bytes. Raises `ContentError` for more than the file has."""
        if self.done + len(piece) > self.wanted.size:
            raise ContentError(f"{self._name}: {self.wanted.cid} is longer than {self.wanted.size} bytes", self._hint)
        if self.done // _LOOK_AGAIN != (self.done + len(piece)) // _LOOK_AGAIN:
            self._require_room(self.wanted.size - self.done)  # others write to that disk too
        self.done += len(piece)
        self._importer.update(piece)
        try:
            write_all(self._file, piece)
        except OSError as error:
            raise storage_error(tempfile.gettempdir(), error) from error

    def finish(self) -> None:
        """Raise `ContentError` unless it is what its CID promises."""
        root, wanted = self._importer.finish(), self.wanted
        if root.size != wanted.size:
            raise ContentError(f"{self._name}: {wanted.cid} has {root.size} bytes instead of {wanted.size}", self._hint)
        if root.cid != wanted.cid:
            raise ContentError(f"{self._name}: {wanted.cid} has other bytes than its CID promises", self._hint)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` to `end`."""
        descriptor = os.dup(self._file.fileno())  # another read may replace the file meanwhile
        try:
            while start < end:
                piece = os.pread(descriptor, min(_PIECE_SIZE, end - start), start)
                if not piece:
                    raise ContentError(
                        f"{self._name}: the copy of {self.wanted.cid} was altered on this machine", "fetch it again"
                    )
                start += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    def _require_room(self, size: int) -> None:
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if size > free - RESERVE:
            raise RefusedError(
                f"{self._name} gives {self.wanted.cid} as a whole only, {self.wanted.size} bytes, and {folder} has no "
                "room for it",
                "set TMPDIR to a folder with more room, or try another --store, which gives single blocks",
                code="too-large",
            )
