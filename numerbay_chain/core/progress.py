"""How long work reports how far it is, and what is said meanwhile; what shows it is the caller's business."""

from typing import Protocol


class Progress(Protocol):
    """Called with a label ("seal", "read back", "fetch" …) and how much is done so far out of a total: bytes, where no
    other unit ("blocks", "listings", "steps") is named."""

    def __call__(self, label: str, done: int, total: int, unit: str = "bytes", /) -> None: ...


def silent(label: str, done: int, total: int, unit: str = "bytes", /) -> None:
    """Reports to nobody."""


def quiet(message: str) -> None:
    """Discard the message."""
