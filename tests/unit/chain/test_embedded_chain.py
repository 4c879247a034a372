"""The client on the chain inside this process."""

import pytest

from numerbay_chain.chain.embedded import ACCOUNTS, EmbeddedChain
from numerbay_chain.errors import UsageError
from tests.chains.reading import Reading
from tests.chains.refusing import Refusing
from tests.chains.sending import Sending
from tests.chains.stage import Stage


class TestReading(Reading):
    pass


class TestSending(Sending):
    pass


class TestRefusing(Refusing):
    pass


def test_it_is_a_development_chain_with_funded_accounts() -> None:
    chain = EmbeddedChain()
    assert chain.connection.is_development
    assert ACCOUNTS >= 10
    addresses = {chain.signer(index).address for index in range(ACCOUNTS)}
    assert len(addresses) == ACCOUNTS
    assert all(chain.connection.balance(address) == 10_000 * 10**18 for address in addresses)
    with pytest.raises(UsageError, match="accounts 0 to 11, not 12"):
        chain.signer(ACCOUNTS)


def test_its_clock_only_goes_forward(stage: Stage) -> None:
    with pytest.raises(UsageError, match="can't be moved by 0 seconds"):
        stage.advance(0)
    before = stage.connection.timestamp(stage.connection.block_number())
    stage.advance(1)
    stage.advance(100)
    assert stage.connection.timestamp(stage.connection.block_number()) == before + 101
