"""Sellers and buyers that are contracts: what they sign with, and what is paid to them when they can't take it."""

import dataclasses

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.local.devnet import request
from numerbay_chain.core.errors import RefusedError, RevertedError, UsageError
from numerbay_chain.listings.vouchers import SignedVoucher, digest_of
from numerbay_chain.protocol.types import ZERO_ADDRESS, Offer, Voucher
from tests.support.chains.stage import TERMS
from tests.support.codes import fails_with
from tests.support.dying import KilledError, death
from tests.support.fixtures import Says
from tests.support.places import PRICE, Place
from tests.support.wallets import Other, calldata

FOREVER = 2**40 - 1


# ------------------------------------------------------------------------------------------------------------ vouchers


@pytest.fixture
def wallet(place: Place) -> Other:
    """A wallet that sells listing 1 and signs with nothing what it approved."""
    wallet = Other.deployed(place, "ContractWallet", "address", place.chain.signer(3).address)
    offer = Offer(PRICE, True, bytes(32))
    wallet.act(calls.create_listing(terms=TERMS, offer=offer, operator=ZERO_ADDRESS, payout=wallet.address))
    return wallet


def unsigned(place: Place, price: int, *, approved_by: Other | None = None, signature: bytes = b"") -> SignedVoucher:
    voucher = Voucher(1, ZERO_ADDRESS, price, 1, 1, FOREVER, price)
    signed = SignedVoucher(place.chain.connection.chain_id, place.contract.address, voucher, signature)
    if approved_by is not None:
        approved_by.send("approve(bytes32)", digest_of(signed))
    return signed


def test_a_voucher_that_a_wallet_approved_on_chain_is_used_at_its_price(place: Place, wallet: Other) -> None:
    voucher = SignedVoucher.from_json(unsigned(place, 1, approved_by=wallet).to_json())
    status = place.seller.voucher_status(voucher)
    assert (status.problem, status.signer) == (None, wallet.address)
    buyer = place.buyer()
    assert buyer.quote(1, voucher=voucher).total == 1
    purchase = buyer.buy(1, voucher=voucher)
    assert (purchase.total, purchase.order.by_voucher) == (1, True)
    assert place.seller.voucher_status(voucher).used == 1


@pytest.mark.parametrize("length", [0, 64, 65, 130])
def test_a_voucher_that_the_wallet_does_not_stand_by_is_refused_before_anything_is_sent(
    place: Place, wallet: Other, length: int
) -> None:
    buyer = place.buyer()
    voucher = unsigned(place, 1, signature=bytes(length))
    before = place.balance(1)
    with fails_with(RefusedError, "voucher-unusable"):
        buyer.buy(1, voucher=voucher)
    assert place.balance(1) == before
    problem = place.seller.voucher_status(voucher).problem
    assert problem is not None
    assert problem.code == "wrong-signer"


@pytest.mark.parametrize("length", [0, 1, 64, 65, 66, 130])
def test_an_account_with_a_key_never_signs_with_nothing_or_with_another_length(place: Place, length: int) -> None:
    place.seller.create_listing(PRICE)
    status = place.seller.voucher_status(unsigned(place, 1, signature=bytes(length)))
    assert status.problem is not None
    assert (status.problem.code, status.signer) == ("wrong-signer", ZERO_ADDRESS)


def test_a_seller_whose_code_answers_no_questions_signs_nothing(place: Place) -> None:
    pool = Other.deployed(place, "RefusingBuyer")
    offer = Offer(PRICE, True, bytes(32))
    pool.act(calls.create_listing(terms=TERMS, offer=offer, operator=ZERO_ADDRESS, payout=pool.address))
    status = place.seller.voucher_status(unsigned(place, 1))
    assert status.problem is not None
    assert status.problem.code == "wrong-signer"


def test_a_voucher_for_more_rounds_than_the_listing_sells_is_explained_with_the_listings(
    place: Place, wallet: Other
) -> None:
    voucher = unsigned(place, 1)
    generous = dataclasses.replace(voucher, voucher=dataclasses.replace(voucher.voucher, max_rounds=60))
    wallet.send("approve(bytes32)", digest_of(generous))
    (words,) = [line for line in place.buyer().quote(1, voucher=generous).words if "paid in advance" in line]
    assert words.endswith(f"an order covers 1 to {TERMS.max_rounds} rounds, paid in advance")


def test_two_vouchers_with_the_same_signature_are_two_purchases(place: Place, wallet: Other) -> None:
    first, second = (unsigned(place, price, approved_by=wallet) for price in (1, 2))
    buyer = place.buyer()
    with pytest.raises(KilledError), death([(Connection, "send_raw")], 1, after=True):
        buyer.buy(1, voucher=first)
    with fails_with(RefusedError, "earlier-transaction"):
        buyer.buy(1, voucher=second)
    assert [view.order.price for view in buyer.orders()] == [1]


def test_the_contract_is_never_sent_a_voucher_that_it_would_not_see(place: Place) -> None:
    place.seller.create_listing(PRICE)
    voucher = unsigned(place, 1)
    nowhere = dataclasses.replace(voucher.voucher, listing=0)
    common = {"listing": 1, "version": 0, "next_round": 0, "out": False, "rounds": 1, "recipient": ZERO_ADDRESS}
    for given, signature in ((nowhere, b"\1" * 65), (nowhere, b""), (voucher.voucher, None), (None, b"\1" * 65)):
        with pytest.raises(UsageError):
            calls.buy_with(**common, value=1, voucher=given, signature=signature)
    call = calls.buy_with(**common, value=1, voucher=voucher.voucher, signature=b"")
    assert (call.arguments["voucher"], call.arguments["signature"]) == (voucher.voucher, b"")


# ------------------------------------------------------------------------------------------------------------- credits


@pytest.fixture
def trapped(place: Place) -> Other:
    """A pool that was paid back while its lock was held: it has a credit of PRICE, and no way to collect it."""
    pool = Other.deployed(place, "LockingPool", "address,bytes32", place.contract.address, bytes(31) + b"\7")
    pool.send("deposit()", value=5 * PRICE, by=2)
    listing = place.seller.create_listing(PRICE)
    pool.send("buy(uint256,uint256)", listing.id, PRICE, by=2)
    place.seller.skip(listing.id)
    member = Other.deployed(place, "ReenteringBuyer")
    deposit, withdraw = calldata("deposit()", ()), calldata("withdraw(uint256)", (1,))
    sent = {"from": place.chain.signer(0).address, "to": member.address, "value": 1}
    request(place.chain.connection, "eth_sendTransaction", sent)
    member.send("execute(address,uint256,bytes)", pool.address, 1, deposit)
    back = calldata("refundMissed(uint256,uint256)", (listing.id << 32, 0))
    member.send("arm(address,bytes)", place.contract.address, back)
    member.send("execute(address,uint256,bytes)", pool.address, 0, withdraw)
    assert place.contract.credit(pool.address, ZERO_ADDRESS) == PRICE
    return pool


def balance(place: Place, of: Other) -> int:
    return place.chain.connection.balance(of.address)


def test_anybody_collects_for_a_contract_that_cannot(place: Place, trapped: Other) -> None:
    before = balance(place, trapped)
    done = place.buyer(4).collect(account=trapped.address)
    assert done is not None
    assert (done.paid, done.token and done.token.symbol, done.resumed) == (PRICE, "ETH", False)
    assert balance(place, trapped) - before == PRICE
    assert place.contract.credit(trapped.address, ZERO_ADDRESS) == 0
    assert place.buyer(4).collect(account=trapped.address) is None
    assert place.seller.collect(account=trapped.address) is None
    assert place.auditor.audit().ok


def test_one_that_died_on_its_way_is_told_once(place: Place, trapped: Other) -> None:
    with pytest.raises(KilledError), death([(Connection, "send_raw")], 1, after=True):
        place.seller.collect(account=trapped.address)
    done = place.seller.collect(account=trapped.address)
    assert done is not None
    assert (done.paid, done.resumed) == (PRICE, True)


def test_collecting_for_another_takes_nothing_of_ones_own(place: Place, trapped: Other) -> None:
    assert place.seller.collect() is None
    assert place.contract.credit(trapped.address, ZERO_ADDRESS) == PRICE


def test_the_money_of_another_goes_nowhere_else(place: Place, trapped: Other) -> None:
    seller = place.seller
    with pytest.raises(UsageError):
        seller.collect(to=seller.session.account, account=trapped.address)
    with pytest.raises(RevertedError) as error:
        seller.session.sending.sender.send(calls.collect_for(account=seller.session.account, token=ZERO_ADDRESS))
    assert error.value.name == "NothingToPay"
    assert place.contract.credit(trapped.address, ZERO_ADDRESS) == PRICE


def test_the_command_pays_the_account_that_is_named(place: Place, trapped: Other, nbc: Says) -> None:
    somebody = place.chain.signer(0).address
    refused = nbc("seller", 0, "collect", "--for", trapped.address, "--to", somebody, "--json", code=2)
    assert refused.error == "usage"
    assert "--to" in refused.object["error"]["hint"]
    before = balance(place, trapped)
    told = nbc("seller", 0, "collect", "--for", trapped.address, "--json")
    assert told.object["amount"] == str(PRICE)
    assert trapped.address in told.stderr
    assert balance(place, trapped) - before == PRICE
    assert nbc("seller", 0, "collect", "--for", trapped.address, "--json").object["amount"] == "0"
