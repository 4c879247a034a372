"""Listings that are sold for an ERC-20."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from numerbay_chain.buyer import Buyer
from numerbay_chain.chain import tokens
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.local.devnet import request
from numerbay_chain.chain.second import SecondNode
from numerbay_chain.chain.sending.plan import Planned
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import AccountError, NetworkError, RefusedError
from tests.support.codes import fails_with
from tests.support.dying import WRITES, KilledError, death
from tests.support.evm.node import NodeTransport
from tests.support.places import Place
from tests.support.plugins.toolchain import ROOT, require

ARTIFACTS = ROOT / ".cache" / "artifacts"


def deploy_token(place: Place, name: str) -> str:
    path: Path = ARTIFACTS / f"{name}.json"
    artifact = json.loads(require("solc", path if path.exists() else None).read_text())
    sender = Sender(place.chain.connection, place.chain.signer(0))
    token = sender.deploy(bytes.fromhex(artifact["bytecode"].removeprefix("0x"))).created
    assert token is not None
    return token


def transact(place: Place, token: str, signature: str, *words: int) -> None:
    """Through the token's own functions, which no interface of the package has."""
    data = keccak(text=signature)[:4] + b"".join(word.to_bytes(32) for word in words)
    sent = {"from": place.chain.signer(0).address, "to": token, "data": data}
    request(place.chain.connection, "eth_sendTransaction", sent)


def mint(place: Place, token: str, number: int, amount: int) -> None:
    transact(place, token, "mint(address,uint256)", int(place.chain.signer(number).address, 16), amount)


@pytest.fixture
def token(place: Place) -> str:
    return deploy_token(place, "StandardToken")


def held(place: Place, token: str, number: int) -> int:
    return tokens.balance_of(place.chain.connection, token, place.chain.signer(number).address)


def test_a_permit_pays_in_one_transaction(place: Place, token: str) -> None:
    listing = place.seller.create_listing("12 STD", token=token)
    assert any("12 STD" in line for line in listing.words)
    mint(place, token, 1, 30 * 10**18)
    buyer = place.buyer()
    purchase = buyer.buy(listing.id, rounds=2)
    assert (purchase.total, purchase.approval) == (24 * 10**18, None)
    assert held(place, token, 1) == 6 * 10**18
    place.seller.deliver(place.file(), listing.id)
    assert buyer.fetch(purchase.id, path=place.output()).size == 24
    place.chain.advance(3 * 86_400)
    assert place.seller.withdraw(listing.id).amount == 12 * 10**18
    assert place.seller.refund(purchase.id).paid == 12 * 10**18
    assert held(place, token, 1) == 18 * 10**18
    report = place.auditor.audit()
    assert (report.ok, report.balances[0].token.symbol) == (True, "STD")


def test_without_a_permit_the_exact_amount_is_approved(place: Place, token: str) -> None:
    listing = place.seller.create_listing(5, token=token)
    mint(place, token, 1, 100)
    buyer = place.buyer()
    purchase = buyer.buy(listing.id, permit=False)
    assert purchase.approval is not None
    spender = place.contract.address
    assert tokens.allowance(place.chain.connection, token, buyer.session.account, spender) == 0


@pytest.mark.parametrize("permit", [True, False])
def test_nothing_may_take_tokens_before_the_second_node_knows_the_contract(
    place: Place, token: str, monkeypatch: pytest.MonkeyPatch, permit: bool
) -> None:
    listing = place.seller.create_listing(5, token=token)
    mint(place, token, 1, 100)
    buyer = place.buyer()

    def disagree() -> None:
        raise NetworkError("the nodes do not agree", code="nodes-disagree")

    monkeypatch.setattr(buyer.session, "require_second", disagree)
    monkeypatch.setattr(buyer.session.signer, "sign_typed_data", lambda *_: pytest.fail("a permit was signed"))
    with pytest.raises(NetworkError):
        buyer.buy(listing.id, permit=permit)
    assert tokens.allowance(place.chain.connection, token, buyer.session.account, place.contract.address) == 0


def test_a_token_that_knows_no_permits_is_approved_first(place: Place) -> None:
    token = deploy_token(place, "SilentToken")
    listing = place.seller.create_listing(5, token=token)
    mint(place, token, 1, 100)
    assert place.buyer().buy(listing.id).approval is not None
    assert "no-permit" in place.noted


def test_who_holds_too_little_is_told_before_anything_is_sent(place: Place, token: str) -> None:
    listing = place.seller.create_listing(5, token=token)
    mint(place, token, 1, 4)
    buyer = place.buyer()
    before = place.balance(1)
    with fails_with(AccountError, "insufficient-funds", "4 units of STD", 5):
        buyer.buy(listing.id)
    assert place.balance(1) == before


def test_a_token_that_takes_a_fee_is_refused(place: Place) -> None:
    token = deploy_token(place, "FeeToken")
    transact(place, token, "setFeePercent(uint256)", 10)
    listing = place.seller.create_listing(1_000, token=token)
    mint(place, token, 1, 10_000)
    with fails_with(RefusedError, "token-took-fee", 900, 1000):
        place.buyer().buy(listing.id)
    assert place.buyer().orders() == []


def test_a_purchase_that_died_after_its_permit_is_made_once(place: Place, token: str) -> None:
    listing = place.seller.create_listing(5, token=token)
    mint(place, token, 1, 100)
    buyer = place.buyer()
    with pytest.raises(KilledError), death(WRITES, 1):
        buyer.buy(listing.id)
    assert held(place, token, 1) == 100
    with pytest.raises(KilledError), death([(Connection, "send_raw")], 1, after=True):
        buyer.buy(listing.id)
    assert held(place, token, 1) == 95
    assert Buyer(buyer.session).buy(listing.id).resumed
    assert held(place, token, 1) == 95


def test_what_a_price_is_counted_in_is_asked_of_both_nodes(place: Place, token: str) -> None:
    connection = place.chain.connection
    listing = place.seller.create_listing(5 * 10**6, token=token).id
    mint(place, token, 1, 10**9)
    buyer, decimals = place.buyer(), keccak(text="decimals()")[:4].hex()
    assert isinstance(connection.transport, NodeTransport)
    honest = connection.transport

    class Lying(NodeTransport):
        """What it is told of decimals is another number."""

        def __init__(self) -> None:
            super().__init__(self._told)

        def _told(self, method: str, params: list[Any]) -> Any:
            answer = honest.request(method, params)
            asked = method == "eth_call" and params[0].get("data", "").endswith(decimals)
            return answer[:-2] + "06" if asked else answer

    connection.second = SecondNode(lambda _: Connection(Lying(), name="the second node", local=True))
    quote = buyer.quote(listing)
    with fails_with(NetworkError, "nodes-disagree"):
        buyer.buy(listing, max_price=f"5 {quote.token.symbol}", quote=quote)
    assert held(place, token, 1) == 10**9


def test_another_number_of_decimals_is_another_price(place: Place, token: str) -> None:
    listing = place.seller.create_listing(5, token=token).id
    mint(place, token, 1, 100)
    buyer = place.buyer()
    quote = buyer.quote(listing)
    with fails_with(RefusedError, "terms-changed"):
        buyer.buy(listing, quote=replace(quote, token=replace(quote.token, decimals=6)))


def test_a_dry_run_signs_no_permit_and_asks_for_no_password(
    place: Place, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = place.seller.create_listing(5, token=token).id
    mint(place, token, 1, 100)
    place.buyer()
    session = place.session("buyer-1", 1, dry_run=True)
    for name in ("sign_typed_data", "sign_transaction", "unlock"):
        monkeypatch.setattr(session.signer, name, lambda *_: pytest.fail("a dry run signs nothing"))
    with pytest.raises(Planned) as planned:
        Buyer(session).buy(listing)
    assert planned.value.plan.function == "approve"
    assert "permit-unplanned" in place.noted
