"""One object of a test's own, altered in one method; its class stays as it is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from types import MethodType
from typing import Any

import pytest

from numerbay_chain.chain.connection import Connection


def meanwhile(thing: object, name: str, happens: Callable[..., object]) -> None:
    """`happens`, with the same arguments, before each call of the method."""
    original = getattr(thing, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        happens(*arguments, **named)
        return original(*arguments, **named)

    setattr(thing, name, wrapped)


def altered(patch: pytest.MonkeyPatch, thing: object, name: str, method: Callable[..., object]) -> None:
    """The method of this one object is `method`, which is given the object."""
    patch.setattr(thing, name, MethodType(method, thing))


def with_policy(patch: pytest.MonkeyPatch, connection: Connection, **changes: object) -> None:
    """The connection, and all that goes over it, has another policy in these points."""
    patch.setattr(connection, "policy", replace(connection.policy, **changes))  # type: ignore[arg-type]  # its own


def counted(count: Counter[str], original: Callable[..., Any]) -> Callable[..., Any]:
    """`original`, whose calls are counted by its name."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        count[original.__name__] += 1
        return original(*arguments, **named)

    return wrapped
