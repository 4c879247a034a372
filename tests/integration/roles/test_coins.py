"""Amounts of a chain's coin have its name, not Ethereum's."""

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.identity.deployment import deploy
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import LocalSigner
from numerbay_chain.core.errors import AccountError, UsageError
from numerbay_chain.core.units import parse_amount
from numerbay_chain.listings.terms import build_terms
from numerbay_chain.listings.words import explain
from numerbay_chain.protocol.types import ZERO_ADDRESS
from tests.support.evm.node import Node, NodeTransport

POLYGON = 137


@pytest.fixture
def node() -> Node:
    return Node(chain_id=POLYGON)


@pytest.fixture
def polygon(node: Node) -> Connection:
    return Connection(NodeTransport(node.request), name="the chain", local=False)


def test_prices_in_the_coin_are_shown_and_typed_by_its_symbol(node: Node, polygon: Connection) -> None:
    signer = LocalSigner.from_key(bytes(31) + b"\1")
    node.fund(signer.address)
    deployed = deploy(Sender(polygon, signer))
    token = MarketplaceContract(polygon, deployed.address, deployed.block).token(ZERO_ADDRESS)
    assert (token.symbol, token.decimals, token.native) == ("POL", 18, True)
    assert parse_amount("0.5 pol", token.decimals, token.symbol, coin=token.native) == 5 * 10**17
    assert parse_amount("3 gwei", token.decimals, token.symbol, coin=token.native) == 3 * 10**9
    with pytest.raises(UsageError) as error:
        parse_amount("0.5 eth", token.decimals, token.symbol, coin=token.native)
    assert error.value.code == "bad-amount"
    words = "\n".join(explain(build_terms(polygon.now(), "weekly", {}, token), 10**18, token, 10**9, "POL"))
    assert "1 POL" in words
    assert "ETH" not in words


def test_an_account_that_is_short_is_told_so_in_the_chains_coin(polygon: Connection) -> None:
    poor = Sender(polygon, LocalSigner.from_key(bytes(31) + b"\2"))
    with pytest.raises(AccountError) as error:
        deploy(poor)
    assert error.value.code == "insufficient-funds"
    assert "0 POL" in str(error.value)
    assert "ETH" not in str(error.value)
