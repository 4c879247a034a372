"""A marketplace is opened on the chain that the settings name, and on no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from numerbay_chain.chain.embedded import EmbeddedChain
from numerbay_chain.chain.types import ZERO_ADDRESS, Voucher
from numerbay_chain.config import Home, Settings
from numerbay_chain.errors import UsageError
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.market import market_at
from numerbay_chain.vouchers import sign_voucher, status_of
from tests.places import PRICE, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.found(tmp_path, EmbeddedChain(), EmbeddedStore(tmp_path / "store"))


def test_a_connection_that_exists_already_is_checked_too(place: Place) -> None:
    settings = Settings(home=Home(place.folder / "home"), contract=place.contract.address, chain_id=1)
    chain_id = place.chain.connection.chain_id
    with pytest.raises(UsageError, match=f"is on chain {chain_id}, but chain 1 was asked for"):
        market_at(settings, place.chain.connection, None)
    assert market_at(replace(settings, chain_id=chain_id, max_tip=7), place.chain.connection, None)
    assert place.chain.connection.limits.max_tip == 7


def test_a_voucher_of_another_marketplace_is_named_as_such_before_its_listing_is_looked_for(place: Place) -> None:
    market = place.seller.market
    foreign = sign_voucher(market, Voucher(5, ZERO_ADDRESS, PRICE, 1, 1, 2**40 - 1, 0))
    elsewhere = Place.found(place.folder / "elsewhere", place.chain, place.store).market("seller", 0)
    status = status_of(elsewhere, foreign)
    assert status.problem == f"the voucher is for the marketplace {market.contract.address} on chain {foreign.chain_id}"
    assert (status.used, status.revoked, status.signer) == (0, False, market.account)
    assert status.digest == market.contract.voucher_digest(foreign.voucher)
