"""The stage on a real anvil."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from numerbay_chain.chain.connection import connect
from numerbay_chain.chain.local.devnet import Devnet, request
from tests.support.chains.buying import DEPTH, Buyer, mine
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


@pytest.fixture
def buyer(stage: Stage, tmp_path: Path) -> Buyer:
    return Buyer(stage, tmp_path, stage.connection)


@pytest.fixture
def far_buyer(stage: Stage, tmp_path: Path, proxy: Proxy) -> Buyer:
    """One whose node is behind the proxy."""
    return Buyer(stage, tmp_path, connect(proxy.url))


@pytest.fixture
def careful_buyer(stage: Stage, tmp_path: Path) -> Buyer:
    """One to whom nothing is final before some blocks lie on top."""
    return Buyer(stage, tmp_path, stage.connection, confirmations=DEPTH)


@pytest.fixture
def hold_blocks(stage: Stage) -> Iterator[Callable[[], None]]:
    """From its call on, blocks come only with `mine`."""
    yield lambda: request(stage.connection, "evm_setAutomine", False)
    request(stage.connection, "anvil_dropAllTransactions")
    request(stage.connection, "evm_setAutomine", True)
    mine(stage)
