"""The libraries on a chain. Every call only reads, so all tests share it."""

import pytest

from tests.support.evm import Account, Chain, Contract, artifact


@pytest.fixture(scope="session")
def judge() -> Contract:
    chain, deployer = Chain(), Account.named("deployer")
    chain.fund(deployer)
    return artifact("JudgeHarness").deploy(chain, deployer)
