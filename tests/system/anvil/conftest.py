"""The stage on a real anvil."""

from collections.abc import Iterator

import pytest

from numerbay_chain.chain.local.devnet import Devnet
from tests.support.chains.proxy import Proxy, honest
from tests.support.chains.stage import Stage
from tests.support.plugins.toolchain import anvil_binary, require


@pytest.fixture(scope="session")
def anvil_program() -> str:
    return str(require("anvil", anvil_binary()))


@pytest.fixture(scope="package")
def devnet(anvil_program: str) -> Iterator[Devnet]:
    with Devnet(binary=anvil_program) as running:
        yield running


@pytest.fixture(scope="package")
def stage(devnet: Devnet) -> Stage:
    return Stage(devnet)


@pytest.fixture(scope="package")
def running_proxy(devnet: Devnet) -> Iterator[Proxy]:
    with Proxy(devnet.rpc).running() as proxy:
        yield proxy


@pytest.fixture
def proxy(running_proxy: Proxy) -> Iterator[Proxy]:
    """Honest at first."""
    running_proxy.mischief = honest
    running_proxy.seen.clear()
    yield running_proxy
    running_proxy.mischief = honest
