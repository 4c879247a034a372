"""One object of a test's own, altered in one method; its class stays as it is."""

from collections.abc import Callable
from typing import Any


def meanwhile(thing: object, name: str, happens: Callable[..., object]) -> None:
    """`happens`, with the same arguments, before each call of the method."""
    original = getattr(thing, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        happens(*arguments, **named)
        return original(*arguments, **named)

    setattr(thing, name, wrapped)
