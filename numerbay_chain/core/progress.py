"""How long work reports how far it is, and what is said meanwhile; what shows it is the caller's business."""

from collections.abc import Callable
from typing import Protocol


class Progress(Protocol):
    """Called with a label ("seal", "read back", "fetch" …) and how much is done so far out of a total: bytes, where no
    other unit ("blocks", "listings", "steps") is named."""

    def __call__(self, label: str, done: int, total: int, unit: str = "bytes", /) -> None: ...


def silent(label: str, done: int, total: int, unit: str = "bytes", /) -> None:
    """Reports to nobody."""


class Note(str):
    """What a caller of a step should know, in one sentence for people. Programs tell notes apart by the `code`: it
    stays when the words change."""

    code: str

    def __new__(cls, text: str, code: str) -> "Note":
        note = super().__new__(cls, text)
        note.code = code
        return note


Notify = Callable[[Note], None]
"""What shows notes as they come."""


def quiet(note: Note) -> None:
    """Discard the note."""
