"""The journal of a listing's deliveries: one entry a round,
`journal/<chain>-<marketplace>-<listing>/round-<round>.json`.

It holds what the chain can't tell: which file a round is, what it was sealed to, and which orders are in which
envelopes. What was released and posted is the chain's to say. docs/architecture.md, "A delivery is a journal
entry".
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from numerbay_chain.artifacts.manifest import MANIFEST_SIZE, Manifest
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files.journal import Entry, exclusive
from numerbay_chain.core.files.stored import Hex

_HASH_SIZE: Final = 32
_ROUNDS: Final = 1 << 24
"""Of a listing, in the contract."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file as it was sealed. `sha256` and `size` (bytes) are the plaintext's, `manifest` is 288 bytes;
    `read_back`: it was read a second way, or none was asked for."""

    name: str
    sha256: Hex
    size: int
    manifest: Hex
    read_back: bool

    def __post_init__(self) -> None:
        if len(self.sha256) != _HASH_SIZE or len(self.manifest) != MANIFEST_SIZE or self.size < 0:
            raise ValueError("no file was sealed so")

    def same_as(self, sha256: bytes, size: int) -> bool:
        """Whether it is the same plaintext."""
        return self.sha256 == sha256 and self.size == size


@dataclass(slots=True)
class RoundEntry:
    """`file` is the round's, `copies` are the orders' own. `envelopes`: digest in hex → order ids. `done`: keys
    were handed out."""

    round: int
    file: SealedFile | None
    copies: dict[int, SealedFile]
    envelopes: dict[str, list[int]]
    done: bool

    def __post_init__(self) -> None:
        digests = all(len(bytes.fromhex(digest)) == _HASH_SIZE for digest in self.envelopes)
        orders = [*self.copies, *(order for orders in self.envelopes.values() for order in orders)]
        if not (digests and 0 <= self.round < _ROUNDS and min(orders, default=0) >= 0):
            raise ValueError("no round was delivered so")

    @classmethod
    def begun(cls, round: int, file: SealedFile | None = None) -> Self:
        """Return the entry of a round of which nothing else was done yet."""
        return cls(round, file, {}, {}, False)

    def seal(self, file: SealedFile) -> None:
        """Another sealing of the file takes the place of an earlier one. Envelopes hold that one's key: they go too."""
        self.file = file
        self.envelopes = {}

    def copy_manifest(self, order: int) -> bytes:
        """The manifest of an order's copy as it was sealed here, 288 bytes; empty where none was."""
        return self.copies[order].manifest if order in self.copies else b""

    def fits(self, content_hash: bytes) -> bool:
        """Whether a release with this content hash is what was sealed here; copies have none."""
        return self.file is None or Manifest.decode(self.file.manifest).content_hash == content_hash

    @property
    def sealed(self) -> SealedFile:
        """The round's one file. Raises `RefusedError` for an entry that has none."""
        if self.file is None:
            raise RefusedError(
                f"the journal of round {self.round} names no file", "move that entry away", code="bad-journal"
            )
        return self.file


class RoundJournal:
    """The entries of one listing."""

    def __init__(self, folder: Path, listing: int) -> None:
        self._folder, self._listing = folder, listing

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One process at a time delivers a listing. Raises `RefusedError`."""
        with exclusive(self._folder, "listing", f"delivering listing {self._listing}"):
            yield

    def path(self, round: int) -> Path:
        """The entry's file."""
        return self._folder / f"round-{round}.json"

    def load(self, round: int) -> RoundEntry | None:
        """None where nothing was written down. Raises `RefusedError` for an entry that can't be read."""
        found = Entry(self.path(round), RoundEntry)
        entry = found.read()
        if entry is not None and entry.round != round:
            raise found.unreadable()
        return entry

    def save(self, entry: RoundEntry) -> None:
        """On disk when this returns."""
        Entry(self.path(entry.round), RoundEntry).save(entry)

    def set_aside(self, round: int) -> Path:
        """For a round that can't become what was written down."""
        return Entry(self.path(round), RoundEntry).set_aside()

    def unfinished(self) -> bool:
        """Whether a round's delivery was begun and not done."""
        return not all(entry.done for entry in self.all())

    def all(self) -> list[RoundEntry]:
        """Every round's entry, in order."""
        names = (re.fullmatch(r"round-([0-9]+)\.json", path.name) for path in self._folder.iterdir())
        rounds = sorted(int(name.group(1)) for name in names if name)
        return [entry for round in rounds if (entry := self.load(round)) is not None]
