"""Short words that the contract tests share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.evm import CustomError, Receipt
from tests.support.evm.world import World
from tests.support.model.wallets import NATIVE


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


def moved(world: World, call: Callable[[], Any], token: Any = NATIVE) -> dict[str, int]:
    """What a call moves between people and the marketplace, in wei; who neither gives nor gets anything is left out."""
    holders: dict[str, Any] = {**world.accounts, "market": world.market}

    def balances() -> dict[str, int]:
        native = str(token) == NATIVE
        return {name: world.chain.balance(who) if native else token.balanceOf(who) for name, who in holders.items()}

    before = balances()
    call()
    return {name: balance - before[name] for name, balance in balances().items() if balance != before[name]}
