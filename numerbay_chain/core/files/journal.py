"""Journal entries: small JSON documents on disk, replaced as a whole, so that a crash leaves the one before or the
one after.

Where two processes could act on the same thing at once, one of them is refused (`exclusive`).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files import jsontext
from numerbay_chain.core.files.atomic import storage_error, sync_folder, write_atomic
from numerbay_chain.core.files.locks import locked

_VERSION: Final = 1


class Entry:
    """One document of a journal: a dict of JSON values, under `path`. Bytes are written as hex by whoever puts them
    in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any] | None:
        """What was saved last; None where there is nothing. Raises `RefusedError` for a file that is no entry."""
        try:
            document = jsontext.parse(self.path.read_bytes(), limit=None)  # ours: a listing may have many orders
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _unreadable(self.path) from error
        if not isinstance(document, dict) or document.pop("version", None) != _VERSION:
            raise _unreadable(self.path)
        return document

    def save(self, document: dict[str, Any]) -> None:
        """Replaces the entry, 0600, synced to disk when this returns."""
        write_atomic(self.path, json.dumps({"version": _VERSION, **document}, indent=1) + "\n")

    def remove(self) -> None:
        """Forgets the entry, if there is one."""
        try:
            self.path.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        except OSError as error:
            raise storage_error(self.path, error) from error

    def set_aside(self) -> Path:
        """Moves the entry out of the way, under a name that nothing reads; answers with that name."""
        number = 1
        while (aside := self.path.with_name(f"{self.path.stem}.old-{number}{self.path.suffix}")).exists():
            number += 1
        self.path.rename(aside)
        sync_folder(self.path.parent)
        return aside


def _unreadable(path: Path) -> RefusedError:
    return RefusedError(
        f"the journal entry {path} can't be read",
        "look at it; if nothing in it matters, move it away",
        code="bad-journal",
    )


@contextmanager
def exclusive(folder: Path, name: str, doing: str) -> Iterator[None]:
    """Hold a lock file in `folder` for as long as the block runs; the system lets go of it if the process dies.

    Raises `RefusedError` (`busy`) where another process holds it: `doing` is what that one is about ("delivering
    listing 1").
    """
    with locked(folder / f"{name}.lock", doing, 0):
        yield
