"""A marketplace is opened on the chain that the settings name, and on no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from numerbay_chain import Buyer, Seller
from numerbay_chain.chain.local.embedded import EmbeddedChain
from numerbay_chain.core.errors import AccountError, ExitCode, NetworkError, RefusedError, UsageError
from numerbay_chain.core.home.config import Overrides, Settings, load_settings
from numerbay_chain.core.home.home import Home
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.listings.vouchers import sign_voucher, voucher_status
from numerbay_chain.opening import open_session, session_at
from numerbay_chain.protocol.types import ZERO_ADDRESS, Voucher
from tests.support.codes import fails_with
from tests.support.places import PRICE, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.found(tmp_path, EmbeddedChain(), EmbeddedStore(tmp_path / "store"))


def test_a_connection_that_exists_already_is_checked_too(place: Place) -> None:
    settings = Settings(home=Home(place.folder / "home"), contract=place.contract.address, chain_id=1)
    chain_id = place.chain.connection.chain_id
    with fails_with(UsageError, "wrong-chain", chain_id, 1):
        session_at(settings, place.chain.connection, None)
    assert session_at(replace(settings, chain_id=chain_id, max_tip=7), place.chain.connection, None)
    assert place.chain.connection.limits.max_tip == 7


def test_an_error_about_a_setting_says_which_profile_gave_it(place: Place) -> None:
    home = Home(place.folder / "home")
    home.save_profile("default", {"rpc": "http://127.0.0.1:1", "chain_id": 5, "contract": ZERO_ADDRESS})
    connection, given = place.chain.connection, Overrides(home=home.path, contract=place.contract.address)
    settings = load_settings(None, given, {})
    assert settings.from_profile == {"rpc", "chain_id"}
    with fails_with(UsageError, "wrong-chain", 5) as caught:
        session_at(settings, connection, None)
    assert "chain_id stand in profile default" in str(caught.value.hint)
    elsewhere = load_settings(None, given, {}, connected=True)
    assert (elsewhere.profile, elsewhere.chain_id, elsewhere.from_profile) == (None, None, frozenset())
    assert session_at(elsewhere, connection, None).contract.address == place.contract.address


def test_no_account_is_one_error_wherever_one_is_wanted(place: Place) -> None:
    settings = Settings(home=Home(place.folder / "home"))
    for step in (lambda: settings.required("account"), lambda: place.auditor.session.account):
        with fails_with(AccountError, "no-account") as caught:
            step()
        assert caught.value.exit_code == ExitCode.ACCOUNT


def test_an_offer_is_its_seller_s_to_edit(place: Place) -> None:
    listing = place.seller.create_listing(PRICE).id
    stranger = Seller(place.session("stranger", 5))
    with fails_with(RefusedError, "not-seller"):
        stranger.edit_listing(listing, price=PRICE)
    assert place.seller.edit_listing(listing, price=PRICE) is None


def test_a_voucher_of_another_marketplace_is_named_as_such_before_its_listing_is_looked_for(place: Place) -> None:
    session = place.seller.session
    foreign = sign_voucher(session, Voucher(5, ZERO_ADDRESS, PRICE, 1, 1, 2**40 - 1, 0))
    elsewhere = Place.found(place.folder / "elsewhere", place.chain, place.store).session("seller", 0)
    status = voucher_status(elsewhere, foreign)
    assert status.problem is not None
    assert status.problem.code == "other-marketplace"
    assert f"{session.contract.address} on chain {foreign.chain_id}" in status.problem
    assert (status.used, status.revoked, status.signer) == (0, False, session.account)
    assert status.digest == session.contract.voucher_digest(foreign.voucher)


def test_a_second_node_is_another_one_and_is_not_asked_before_it_is_needed(place: Place) -> None:
    nobody = "http://127.0.0.1:1"
    settings = Settings(home=Home(place.folder / "home"), contract=place.contract.address, second_rpc=nobody)
    session = session_at(settings, place.chain.connection, place.chain.signer(1))
    assert session.contract.listing_count() == 0, "what reads alone does without it"
    with fails_with(NetworkError, "network", 1) as raised:
        session.require_second()
    assert raised.value.code == "network"
    assert nobody not in repr(settings), "its address may hold an access key"
    with fails_with(NetworkError, "network", 1):
        Buyer(session).judge(1 << 32)  # before hours of reading that would be for nothing
    with fails_with(UsageError, "usage"):
        open_session(home=place.folder / "home", rpc=nobody, second_rpc=nobody)


def test_the_second_node_is_set_as_other_settings_are(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.save_profile("seller", {"second_rpc": "https://profile.example"})
    given: Overrides = {"home": tmp_path, "second_rpc": "https://call.example"}
    environment = {"NUMERBAY_CHAIN_SECOND_RPC": "https://environment.example"}
    assert load_settings("seller", given, environment).second_rpc == "https://call.example"
    assert load_settings("seller", {"home": tmp_path}, environment).second_rpc == "https://environment.example"
    assert load_settings("seller", {"home": tmp_path}, {}).second_rpc == "https://profile.example"
