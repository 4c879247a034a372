"""The client on the chain inside this process."""

import pytest
from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.local.embedded import ACCOUNTS, EmbeddedChain
from numerbay_chain.chain.local.over_web3 import Web3Transport
from numerbay_chain.chain.signers.signer import LocalSigner
from numerbay_chain.core.errors import UsageError
from tests.support.chains.cheating import Cheating
from tests.support.chains.reading import Reading
from tests.support.chains.refusing import Refusing
from tests.support.chains.sending import Sending
from tests.support.chains.stage import Stage
from tests.support.codes import fails_with


class TestCheating(Cheating):
    @pytest.fixture(scope="class")
    def stage(self) -> Stage:
        """One of their own: logs are looked for in every block, and these are many."""
        return Stage(EmbeddedChain())


class TestReading(Reading):
    pass


class TestSending(Sending):
    pass


class TestRefusing(Refusing):
    pass


class PlainTester:
    """eth-tester as it comes, the way other frameworks bring it along: it wraps refusals differently."""

    def __init__(self) -> None:
        self._tester = EthereumTester(PyEVMBackend())
        self.connection = Connection(
            Web3Transport(Web3(EthereumTesterProvider(self._tester))), name="eth-tester", local=True
        )

    def signer(self, index: int) -> LocalSigner:
        return LocalSigner.from_key(self._tester.backend.account_keys[index].to_bytes())

    def advance(self, seconds: int) -> None:
        self._tester.time_travel(self._tester.get_block_by_number("pending")["timestamp"] + seconds)


class TestRefusingOnPlainTester(Refusing):
    @pytest.fixture(scope="class")
    def stage(self) -> Stage:
        return Stage(PlainTester())


def test_it_is_a_development_chain_with_funded_accounts() -> None:
    chain = EmbeddedChain()
    assert chain.connection.is_development
    assert ACCOUNTS >= 10
    addresses = {chain.signer(index).address for index in range(ACCOUNTS)}
    assert len(addresses) == ACCOUNTS
    assert all(chain.connection.balance(address) == 10_000 * 10**18 for address in addresses)
    with fails_with(UsageError, "usage", 0, 11, 12):
        chain.signer(ACCOUNTS)


def test_its_clock_only_goes_forward(stage: Stage) -> None:
    with fails_with(UsageError, "no-clock", 0):
        stage.advance(0)
    before = stage.connection.timestamp(stage.connection.block_number())
    stage.advance(1)
    stage.advance(100)
    assert stage.connection.timestamp(stage.connection.block_number()) == before + 101
