"""How long work reports how far it is; what shows it is the caller's business."""

from typing import Protocol


class Progress(Protocol):
    """Called with a label ("seal", "read back", "fetch" …) and bytes (or records) done so far out of a total."""

    def __call__(self, label: str, done: int, total: int, /) -> None: ...


def silent(label: str, done: int, total: int, /) -> None:
    """Reports to nobody."""
