"""Journal entries: small JSON documents on disk, replaced as a whole, so that a crash leaves the one before or the
one after.

Where two processes could act on the same thing at once, one of them is refused (`exclusive`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Generic

from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files import stored
from numerbay_chain.core.files.atomic import storage_error, sync_folder, write_atomic
from numerbay_chain.core.files.locks import locked
from numerbay_chain.core.files.stored import Value

_VERSION: Final = 1


class Entry(Generic[Value]):
    """One document of a journal, under `path`: a value of the dataclass `kind`."""

    def __init__(self, path: Path, kind: type[Value]) -> None:
        self.path, self._kind = path, kind

    def read(self) -> Value | None:
        """Return what was saved last; None where there is nothing. Raise `RefusedError` (bad-journal) for a file that
        is no entry of this kind."""
        try:
            return stored.load(self.path, self._kind, _VERSION)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self.unreadable() from error

    def unreadable(self) -> RefusedError:
        """Return the error for an entry that is none."""
        return RefusedError(
            f"the journal entry {self.path} can't be read",
            "look at it; if nothing in it matters, move it away",
            code="bad-journal",
        )

    def save(self, value: Value) -> None:
        """Replace the entry, 0600, synced to disk when this returns."""
        write_atomic(self.path, stored.encode(value, _VERSION))

    def remove(self) -> None:
        """Forget the entry, if there is one."""
        try:
            self.path.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        except OSError as error:
            raise storage_error(self.path, error) from error

    def set_aside(self) -> Path:
        """Move the entry out of the way, under a name that nothing reads; return that name."""
        number = 1
        while (aside := self.path.with_name(f"{self.path.stem}.old-{number}{self.path.suffix}")).exists():
            number += 1
        self.path.rename(aside)
        sync_folder(self.path.parent)
        return aside


@contextmanager
def exclusive(folder: Path, name: str, doing: str) -> Iterator[None]:
    """Hold a lock file in `folder` for as long as the block runs; the system lets go of it if the process dies.

    Raises `RefusedError` (`busy`) where another process holds it: `doing` is what that one is about ("delivering
    listing 1").
    """
    with locked(folder / f"{name}.lock", doing, 0):
        yield
