"""Content that was checked, kept on this machine: a host that goes silent afterwards changes nothing for its buyer.

HOME/kept/CONTENT-HASH/          an embedded store with all parts of one artifact, and envelopes of its round
HOME/kept/CONTENT-HASH/entry     what it is, written when all parts are there: without it nothing counts
HOME/kept/CONTENT-HASH.lock      held by the process that adds to it or removes it

Nothing here is trusted: what is read is checked against its CID, as from any store, and asked of the user's store where
it is gone.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from numerbay_chain.core.errors import NumerbayChainError, RefusedError
from numerbay_chain.core.files import stored
from numerbay_chain.core.files.atomic import write_atomic
from numerbay_chain.core.files.locks import locked
from numerbay_chain.core.progress import Note, Notify
from numerbay_chain.ipfs import ContentStore
from numerbay_chain.ipfs.stores.embedded import EmbeddedStore
from numerbay_chain.ipfs.stores.keeping import KeepingStore
from numerbay_chain.ipfs.stores.whole_file import RESERVE

if TYPE_CHECKING:  # who only reads the chain loads nothing that encrypts
    from numerbay_chain.artifacts.manifest import Manifest

DEFAULT_LIMIT: Final = 10 << 30
"""Bytes."""
_VERSION: Final = 1
_ENTRY: Final = "entry"


@dataclass(frozen=True, slots=True)
class Kept:
    """One artifact that is kept. `order` is None where all orders of the round share it; `size` in bytes; until
    `needed_until` it may be needed in a dispute (Unix seconds); `used_at`: when it was last read."""

    content_hash: str  # in hex
    chain_id: int
    marketplace: str
    listing: int
    round: int
    order: int | None
    size: int
    needed_until: int
    used_at: int

    def settled(self, now: float) -> bool:
        """Whether nothing can be disputed about it any more."""
        return now > self.needed_until


@dataclass(frozen=True, slots=True)
class Removed:
    """What `collect` removes, or would: `kept` is None for parts that were never complete."""

    content_hash: str
    kept: Kept | None
    reason: str  # "settled", "incomplete", "over-limit"


class Keep:
    """The kept artifacts in `folder`, of at most `limit` bytes together (0: none is added). `notify` is told what is
    not kept, and why; `now` is the clock, in Unix seconds."""

    def __init__(self, folder: Path, limit: int, notify: Notify, now: Callable[[], float] = time.time) -> None:
        self.folder, self.limit, self._notify, self._now = folder, limit, notify, now
        self._recording: dict[str, ContentStore] = {}

    # ------------------------------------------------------------------------------------------------------- reading

    def reader(self, content_hash: bytes, store: ContentStore) -> ContentStore:
        """Return a store that gives what is kept of an artifact, and the rest out of `store`."""
        name = content_hash.hex()
        if name in self._recording:
            return self._recording[name]
        return KeepingStore(self._store(name), store) if (self.folder / name).is_dir() else store

    def is_recording(self, content_hash: bytes) -> bool:
        """Return whether what `reader` gives of the artifact now is kept once it was read to its end."""
        return content_hash.hex() in self._recording

    @contextmanager
    def recording(self, manifest: "Manifest", about: Kept, store: ContentStore, beside: int = 0) -> Iterator[None]:
        """Keep what `reader` gives of an artifact inside the block: all of it, or nothing.

        A failure to keep it is told, and changes nothing else. `about` needs no `content_hash`, `size`, `used_at`.
        `beside`: bytes that the caller writes meanwhile, in step with what is read: these come first where the disk has
        no room for both.
        """
        name = manifest.content_hash.hex()
        about = replace(about, content_hash=name, size=manifest.stored_size, used_at=int(self._now()))
        parts = (manifest.ciphertext_cid, manifest.commitments_cid)  # a file can be opened and proven without details
        if name in self._recording or not self._is_worth_it(about) or all(store.holds(cid) for cid in parts):
            yield
            return
        with self._claimed(name) as failure:
            if failure is not None and self._entry(name) is None:
                self._tell_failure(failure)
            if failure is not None or not self._make_room(about, beside):
                yield
                return
            kept = self._store(name)

            def room(left: int) -> None:
                self._require_room(left, min(left, beside))

            self._recording[name] = KeepingStore(kept, store, self._tell_failure, room)
            try:
                yield
            finally:
                del self._recording[name]
                self._finish(manifest, about, kept, all(kept.holds(cid) for cid in parts))

    def _finish(self, manifest: "Manifest", about: Kept, kept: EmbeddedStore, complete: bool) -> None:
        before = self._entry(about.content_hash)
        try:
            if complete:
                if not kept.holds(manifest.cid):
                    kept.add(manifest.encode(), "manifest")
                needed = max(about.needed_until, before.needed_until if before else 0)
                size = max(sum(root.size for root in kept.pins()), about.size)
                self._write(replace(about, needed_until=needed, size=size))
                if before is None:
                    self._fit(about.content_hash)
            elif before is None:
                self._remove(about.content_hash)
        except (NumerbayChainError, OSError) as error:
            self._tell_failure(error)

    def _is_worth_it(self, about: Kept) -> bool:
        known = self._entry(about.content_hash)
        if known is not None:
            return True  # its envelopes may be new, and it was used
        if not self.limit or about.settled(self._now()):
            return False
        if about.size > self.limit:
            said = (
                f"round {about.round} of listing {about.listing} is not kept, it is larger than `keep` allows: a host "
                "that goes silent can make it unreadable"
            )
            self._notify(Note(said, "not-kept"))
            return False
        return True

    # ----------------------------------------------------------------------------------------------------- the index

    def entries(self) -> list[Kept]:
        """Return what is kept, the least recently used first."""
        names = [path.name for path in self._folders()]
        found = [entry for entry in map(self._entry, names) if entry is not None]
        return sorted(found, key=lambda entry: (entry.used_at, entry.content_hash))

    def collect(self, *, dry_run: bool = False) -> list[Removed]:
        """Remove what is settled, what was never complete, and what is over the limit; return it. Raises
        `RefusedError`."""
        kept = self.entries()
        names = {entry.content_hash for entry in kept}
        found = [Removed(path.name, None, "incomplete") for path in self._folders() if path.name not in names]
        found += [Removed(entry.content_hash, entry, "settled") for entry in kept if entry.settled(self._now())]
        left = [entry for entry in kept if not entry.settled(self._now())]
        found += [Removed(one.content_hash, one, "over-limit") for one in _oldest(left, self.limit)]
        if dry_run:
            return found
        return [one for one in found if self._evict(one.content_hash)]

    def _make_room(self, about: Kept, beside: int) -> bool:
        """Whether there is room for one more, for which what is settled goes. What can be disputed stays until the new
        one is here as a whole (`_fit`): a claim that nobody serves must not take its place."""
        if self._entry(about.content_hash) is not None:
            return True
        others = self.entries()
        settled = [entry for entry in others if entry.settled(self._now())]
        unsettled = sum(entry.size for entry in others if not entry.settled(self._now()))
        for entry in _oldest(settled, max(self.limit - about.size - unsettled, 0)):
            self._evict(entry.content_hash)
        try:
            self._require_room(about.size, beside)
        except (OSError, RefusedError) as error:
            self._tell_failure(error)
            return False
        return True

    def _fit(self, name: str) -> None:
        """Bring all within the limit, once `name` is among them: what is used least goes."""
        entries = sorted(self.entries(), key=lambda entry: (entry.content_hash == name, not entry.settled(self._now())))
        for entry in _oldest(entries, self.limit):
            if entry.content_hash == name:
                break
            if not entry.settled(self._now()):
                said = (
                    f"round {entry.round} of listing {entry.listing} is not kept any more, though it can still be "
                    "disputed: `keep` allows no more"
                )
                self._notify(Note(said, "not-kept"))
            self._evict(entry.content_hash)

    def _require_room(self, size: int, beside: int) -> None:
        """Raise `RefusedError` where the disk has no room for `size` bytes, for those `beside` them and for some more:
        what is signed meanwhile has to be written down too. Raises `OSError`."""
        if shutil.disk_usage(self.folder).free < size + beside + min(size, RESERVE):
            raise RefusedError(f"too little space is left in {self.folder}", code="disk-full")

    def _evict(self, name: str) -> bool:
        with self._claimed(name) as failure:
            if failure is None:
                self._remove(name)
            return failure is None

    # ------------------------------------------------------------------------------------------------------- on disk

    def _store(self, name: str) -> EmbeddedStore:
        return EmbeddedStore(self.folder / name)

    def _folders(self) -> Iterable[Path]:
        with suppress(FileNotFoundError):
            return sorted(path for path in self.folder.iterdir() if path.is_dir() and _is_hash(path.name))
        return []

    def _entry(self, name: str) -> Kept | None:
        try:
            entry = stored.load(self.folder / name / _ENTRY, Kept, _VERSION)
        except (OSError, ValueError):
            return None  # not complete, or not readable: it counts as not there
        sound = entry.content_hash == name and min(entry.size, entry.needed_until, entry.used_at) >= 0
        return entry if sound else None

    def _write(self, entry: Kept) -> None:
        write_atomic(self.folder / entry.content_hash / _ENTRY, stored.encode(entry, _VERSION))

    def _remove(self, name: str) -> None:
        """The entry goes first: killed after that, the rest counts for nothing, and the next `collect` removes it."""
        with suppress(OSError):
            (self.folder / name / _ENTRY).unlink(missing_ok=True)
        shutil.rmtree(self.folder / name, ignore_errors=True)

    @contextmanager
    def _claimed(self, name: str) -> Iterator[Exception | None]:
        """None where this process alone changes the entry inside the block, else why not: another one may be adding to
        it, or the folder can't be written to."""
        path, lock = self.folder / f"{name}.lock", ExitStack()
        failure: Exception | None = None
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.enter_context(locked(path, "keeping the same content", seconds=0))
        except (OSError, RefusedError) as error:
            failure = error
        with lock:
            try:
                yield failure
            finally:
                if failure is None and not (self.folder / name).exists():
                    with suppress(OSError):
                        path.unlink()

    def _tell_failure(self, error: Exception) -> None:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        said = f"what was read is not kept on this machine: {reason}; a host that goes silent can make it unreadable"
        self._notify(Note(said, "not-kept"))


def _oldest(entries: list[Kept], limit: int) -> list[Kept]:
    """The first ones, as many as have to go until the rest fits."""
    total, gone = sum(entry.size for entry in entries), list[Kept]()
    for entry in entries:
        if total <= limit:
            break
        gone.append(entry)
        total -= entry.size
    return gone


def _is_hash(name: str) -> bool:
    return len(name) == 64 and all(digit in "0123456789abcdef" for digit in name)
