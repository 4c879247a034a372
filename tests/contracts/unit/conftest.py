"""A marketplace with its people: every test gets a chain of its own."""

from typing import Any

import pytest

from tests.support.evm.world import World
from tests.support.model.wallets import NATIVE


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["ether", "a token"])
def token(world: World, request: pytest.FixtureRequest) -> Any:
    """What a listing is paid in."""
    return NATIVE if request.param == "ether" else world.deploy("StandardToken")
