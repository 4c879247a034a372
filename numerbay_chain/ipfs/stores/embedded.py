"""The default store: a folder of blocks. No daemon; two processes may share it.

FOLDER/blocks/x/CID    complete and synced blocks, in folders by the next-to-last character of the CID
FOLDER/pins/CID        one JSON file a root: its size, label and time
FOLDER/incoming/…      what is being written, a folder a writer, locked while its process lives
"""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from numerbay_chain.core.errors import ContentError, NotFoundError, RefusedError, UsageError
from numerbay_chain.core.files import jsontext, textfile
from numerbay_chain.core.files.atomic import storage_error, sync, sync_folder, write_atomic
from numerbay_chain.core.files.locks import locked
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.ipfs.dag_pb import MAX_BLOCK_SIZE
from numerbay_chain.ipfs.pipe import Pipe
from numerbay_chain.ipfs.stores.base import BlockStore, ContentWriter, Writer
from numerbay_chain.ipfs.unixfs import Importer, Root

_WRITING_THREADS = 2
_BLOCKS_IN_FLIGHT = 6


class EmbeddedStore(BlockStore):
    """A folder of blocks, made (0700) when it is first written to."""

    writable = True

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__()
        self.folder = Path(folder).absolute()
        self.name = f"embedded store at {self.folder}"

    def writer(self, label: str = "") -> ContentWriter:
        """Begins a file: its blocks become visible, all at once, when it is finished. Raises `RefusedError`."""
        return _EmbeddedWriter(self, label)

    def pins(self) -> Iterator[Root]:
        """The roots that are pinned."""
        with suppress(FileNotFoundError):
            for path in sorted((self.folder / "pins").iterdir()):
                # A name that is no CID is a pin that was being written when its process died.
                with suppress(UsageError, ValueError, LookupError, TypeError, textfile.NotAFileError):
                    cid = Cid.parse(path.name)
                    yield Root(
                        cid, jsontext.whole(jsontext.parse(textfile.read_bytes(path, jsontext.MOST_BYTES))["size"])
                    )

    def holds(self, cid: Cid) -> bool:
        return (self.folder / "pins" / str(cid)).exists()

    def block_path(self, cid: Cid) -> Path:
        """Where the block of `cid` lies, or would."""
        text = str(cid)
        return self.folder / "blocks" / text[-2] / text

    def _fetch(self, cid: Cid) -> bytes:
        try:
            block = textfile.read_bytes(self.block_path(cid), MAX_BLOCK_SIZE)
        except FileNotFoundError:
            raise NotFoundError(f"{self.name} has no block {cid}", "fetch it from another --store") from None
        except OSError as error:
            reason = (error.strerror or f"it is {error}").lower()
            raise RefusedError(
                f"{self.name}: can't read block {cid}: {reason}", "check the disk", code="unreadable"
            ) from error
        if len(block) > MAX_BLOCK_SIZE:
            raise ContentError(f"block {cid} is larger than any block can be")
        return block

    def _make(self) -> None:
        self.folder.mkdir(0o700, parents=True, exist_ok=True)
        for part in ("blocks", "incoming", "pins"):
            (self.folder / part).mkdir(0o700, exist_ok=True)
        sync_folder(self.folder)
        with suppress(PermissionError):  # the folder above may be one that others own
            sync_folder(self.folder.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with locked(self.folder / "lock", "writing to this store"):
            yield

    def _begin(self) -> tuple[Path, int]:
        """A locked folder for a new writer, and the lock. What dead processes left is cleared away."""
        try:
            if not (self.folder / "pins").is_dir():
                self._make()
            with self._locked():
                for left in (self.folder / "incoming").iterdir():
                    _remove_if_dead(left)
                mine = Path(tempfile.mkdtemp(dir=self.folder / "incoming"))
                lock = os.open(mine, os.O_RDONLY)
                with suppress(OSError):  # without locks, what dead processes leave stays
                    fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise storage_error(self.folder, error) from error
        return mine, lock


def _remove_if_dead(folder: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)


class _EmbeddedWriter(Writer):
    """Hashes in one thread, writes and syncs in others, while the caller makes the next bytes."""

    def __init__(self, store: EmbeddedStore, label: str) -> None:
        self._store = store
        self._label = label
        self._incoming, self._lock = store._begin()
        self._open = True
        self._shards: set[Path] = set()
        self._pending: deque[Future[None]] = deque()
        self._disk = ThreadPoolExecutor(_WRITING_THREADS, "embedded-store")
        self._pipe = Pipe(self._import, "embedded-store-hash")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._pipe.write(data)
        except OSError as error:
            self.abort()
            raise storage_error(self._store.folder, error) from error

    def finish(self) -> Root:
        try:
            root = self._pipe.finish()
            self._publish()
            pin = {"size": root.size, "label": self._label, "pinned_at": int(time.time())}
            write_atomic(self._store.folder / "pins" / str(root.cid), json.dumps(pin) + "\n")
        except OSError as error:
            raise storage_error(self._store.folder, error) from error
        finally:
            self.abort()
        return root

    def abort(self) -> None:
        if not self._open:
            return
        self._open = False
        self._pipe.abort()
        self._disk.shutdown(cancel_futures=True)
        shutil.rmtree(self._incoming, ignore_errors=True)
        os.close(self._lock)

    def _import(self, pieces: Iterator[bytes]) -> Root:
        importer = Importer(self._put_block)
        for piece in pieces:
            importer.update(piece)
        root = importer.finish()
        while self._pending:
            self._pending.popleft().result()
        return root

    def _put_block(self, cid: Cid, block: bytes) -> None:
        if len(self._pending) >= _BLOCKS_IN_FLIGHT:
            self._pending.popleft().result()
        self._pending.append(self._disk.submit(self._write_block, cid, block))

    def _write_block(self, cid: Cid, block: bytes) -> None:
        path = self._store.block_path(cid)
        self._shards.add(path.parent)
        with suppress(OSError):
            if textfile.read_bytes(path, len(block)) == block:
                return  # one that was altered on disk is written again
        try:
            descriptor = os.open(self._incoming / path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return  # the same block twice in one file
        try:
            view = memoryview(block)
            while len(view):
                view = view[os.write(descriptor, view) :]
            sync(descriptor)
            if hasattr(os, "posix_fadvise"):
                # Nobody reads it soon: the next block takes its memory, instead of more and more (7 % faster at 4 GiB).
                with suppress(OSError):
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)

    def _publish(self) -> None:
        """Gives the blocks their names, now that their bytes are synced: no name ever stands for half a block."""
        for shard in self._shards:
            shard.mkdir(0o700, exist_ok=True)
        blocks = self._store.folder / "blocks"
        for path in list(self._incoming.iterdir()):
            path.replace(blocks / path.name[-2] / path.name)
        for shard in self._shards:
            sync_folder(shard)
        sync_folder(blocks)
