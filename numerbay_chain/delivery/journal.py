"""The journal of a listing's deliveries: one entry a round,
`journal/<chain>-<marketplace>-<listing>/round-<round>.json`.

It holds what the chain can't tell: which file a round is, what it was sealed to, and which orders are in which
envelopes. What was released and posted is the chain's to say. docs/architecture.md, "A delivery is a journal
entry".
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files.journal import Entry, exclusive


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file as it was sealed. `sha256` and `size` (bytes) are the plaintext's, `manifest` is 288 bytes;
    `read_back`: it was read a second way, or none was asked for."""

    name: str
    sha256: bytes
    size: int
    manifest: bytes
    read_back: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "sha256": self.sha256.hex(),
            "size": self.size,
            "manifest": self.manifest.hex(),
            "read_back": self.read_back,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(
            str(values["name"]),
            bytes.fromhex(values["sha256"]),
            int(values["size"]),
            bytes.fromhex(values["manifest"]),
            bool(values["read_back"]),
        )

    def same_as(self, sha256: bytes, size: int) -> bool:
        """Whether it is the same plaintext."""
        return self.sha256 == sha256 and self.size == size


@dataclass(slots=True)
class RoundEntry:
    """`file` is the round's, `copies` are the orders' own. `envelopes`: digest in hex → order ids. `done`: keys
    were handed out."""

    round: int
    file: SealedFile | None = None
    copies: dict[int, SealedFile] = field(default_factory=dict)
    envelopes: dict[str, list[int]] = field(default_factory=dict)
    done: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "round": self.round,
            "done": self.done,
            "file": self.file.to_json() if self.file else None,
            "copies": {str(order): copy.to_json() for order, copy in self.copies.items()},
            "envelopes": self.envelopes,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(
            int(values["round"]),
            SealedFile.from_json(values["file"]) if values["file"] else None,
            {int(order): SealedFile.from_json(copy) for order, copy in values["copies"].items()},
            {str(digest): [int(order) for order in orders] for digest, orders in values["envelopes"].items()},
            bool(values["done"]),
        )

    def seal(self, file: SealedFile) -> None:
        """Another sealing of the file takes the place of an earlier one. Envelopes hold that one's key: they go too."""
        self.file = file
        self.envelopes = {}

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
        entry = Entry(self.path(round))
        document = entry.read()
        if document is None:
            return None
        try:
            return RoundEntry.from_json(document)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise RefusedError(
                f"the journal entry {entry.path} can't be read", "look at it, then move it away", code="bad-journal"
            ) from error

    def save(self, entry: RoundEntry) -> None:
        """On disk when this returns."""
        Entry(self.path(entry.round)).save(entry.to_json())

    def set_aside(self, round: int) -> Path:
        """For a round that can't become what was written down."""
        return Entry(self.path(round)).set_aside()

    def unfinished(self) -> bool:
        """Whether a round's delivery was begun and not done."""
        return not all(entry.done for entry in self.all())

    def all(self) -> list[RoundEntry]:
        """Every round's entry, in order."""
        names = (re.fullmatch(r"round-([0-9]+)\.json", path.name) for path in self._folder.iterdir())
        rounds = sorted(int(name.group(1)) for name in names if name)
        return [entry for round in rounds if (entry := self.load(round)) is not None]
