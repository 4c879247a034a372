"""A marketplace with its people: every test gets a chain of its own."""

import pytest

from tests.evm.world import World


@pytest.fixture
def world() -> World:
    return World()
