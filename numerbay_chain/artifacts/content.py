"""Where a session pins content and reads it: its store, and what is kept of it on this machine."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from numerbay_chain.artifacts.kept import Keep, Kept
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.memory import Memory
from numerbay_chain.ipfs import Cid, ContentStore

if TYPE_CHECKING:  # who only reads the chain loads nothing that encrypts
    from numerbay_chain.artifacts.manifest import Manifest


class Content:
    """`store_or_none`: the store, if one is set; `explicit`: it was chosen, not the default one on this machine.
    `read_back`: a second way to what was pinned, such as "gateway:https://…". `keep` has what was checked and is kept,
    `memory` what was waited for. `chain_id` and `marketplace`: whose content it is."""

    def __init__(
        self,
        store: ContentStore | None,
        keep: Keep,
        memory: Memory,
        *,
        chain_id: int,
        marketplace: str,
        explicit: bool = True,
        read_back: str | None = None,
    ) -> None:
        self.store_or_none, self.keep, self._memory = store, keep, memory
        self._chain_id, self._marketplace = chain_id, marketplace
        self.explicit, self.read_back = explicit, read_back

    @property
    def store(self) -> ContentStore:
        """Raise `UsageError` where none is set."""
        if self.store_or_none is None:
            raise UsageError(
                "no store is set",
                "give --store embedded:PATH, kubo:URL or gateway:URL, or a profile that has one",
                code="no-store",
            )
        return self.store_or_none

    @contextmanager
    def reading(self, seconds: float | None) -> Iterator[None]:
        """Bound the time, in seconds, that all reads of the store take in the `with` block; None: as long as it
        takes."""
        if self.store_or_none is None or seconds is None:
            yield
            return
        with self.store_or_none.within(max(seconds, 1)):
            yield

    def reader(self, content_hash: bytes) -> ContentStore:
        """Return where an artifact and its envelopes are read from: what is kept of it, then the store. Raise
        `UsageError` where no store is set."""
        return self.keep.reader(content_hash, self.store)

    def keeping(
        self, manifest: "Manifest", listing: int, round: int, order: int | None, needed_until: int, beside: int = 0
    ) -> AbstractContextManager[None]:
        """Keep on this machine what `reader` gives of the artifact inside the block (`Keep.recording`): it may be
        needed in a dispute until then (Unix seconds). `order`: of a copy; `beside`: bytes written meanwhile."""
        about = Kept("", self._chain_id, self._marketplace, listing, round, order, 0, needed_until, 0)
        return self.keep.recording(manifest, about, self.store, beside)

    def small_block(self, cid: Cid) -> bytes:
        """A block of the store that is asked for again and again, such as a copy's manifest: waited for once. Raise as
        `ContentStore.read_block`."""
        return self._memory.get(("block", cid), lambda: self.reader(cid.digest).read_block(cid))
