"""The stage on the embedded chain."""

import pytest

from numerbay_chain.chain.local.embedded import EmbeddedChain
from tests.support.chains.stage import Stage


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(EmbeddedChain())
