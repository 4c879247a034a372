"""What a call breaks. The protocol gives rules no order, so a refusal names every broken one."""

from typing import Any

Reason = tuple[str, tuple[Any, ...]]


class Refused(Exception):
    """The call must revert, with one of `reasons`: custom errors with their values."""

    def __init__(self, reasons: list[Reason]) -> None:
        self.reasons = reasons
        super().__init__(" or ".join(f"{name}{values}" for name, values in reasons))

    def allows(self, name: str, values: tuple[Any, ...]) -> bool:
        """Whether the bytecode's error is one of them; a reason without values fits any."""
        return any(name == expected and (not wanted or tuple(wanted) == values) for expected, wanted in self.reasons)


class Rules:
    """Collects broken rules; `check` raises if there is one."""

    def __init__(self) -> None:
        self.broken: list[Reason] = []

    def __call__(self, kept: bool, error: str, *values: Any) -> bool:
        if not kept:
            self.broken.append((error, values))
        return kept

    def check(self) -> None:
        if self.broken:
            raise Refused(self.broken)
