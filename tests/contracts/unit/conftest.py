"""A marketplace with its people: every test gets a chain of its own."""

from typing import Any

import pytest

from tests.support.evm.disputes import Dispute, challengeable, spoiled
from tests.support.evm.world import World
from tests.support.model.wallets import NATIVE


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["ether", "a token"])
def token(world: World, request: pytest.FixtureRequest) -> Any:
    """What a listing is paid in."""
    return NATIVE if request.param == "ether" else world.deploy("StandardToken")


@pytest.fixture
def faulty(world: World) -> Dispute:
    """A round that was proven faulty."""
    dispute = challengeable(world, content=spoiled())
    dispute.prove_content()
    return dispute
