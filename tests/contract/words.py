"""Short words that the contract tests share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.evm import CustomError, Receipt


@contextmanager
def refused(name: str, *values: Any) -> Iterator[None]:
    """`with refused("TooEarly", 1, 0, 99)`: the call inside reverts with this error, and these values if given."""
    with pytest.raises(CustomError) as caught:
        yield
    wanted = tuple(value if isinstance(value, (int, str, bytes)) else str(value) for value in values)
    assert caught.value.name == name, f"reverted with {caught.value}"
    assert not values or caught.value.arguments == wanted, f"reverted with {caught.value}"


def only(receipt: Receipt, name: str) -> dict[str, Any]:
    """The arguments of the one event of that name."""
    found = [event.arguments for event in receipt.events if event.name == name]
    assert len(found) == 1, f"{[event.name for event in receipt.events]}"
    return dict(found[0])
