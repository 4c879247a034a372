"""`collectFor`: anybody pays an account its credit, and nobody else."""

from typing import Any

import pytest

from tests.contracts.unit.words import moved, only, refused
from tests.support.evm import Contract, CustomError
from tests.support.evm.world import ETHER, World, key_of
from tests.support.model.wallets import NATIVE

ACCEPTS, REVERTS, ANSWERS_FALSE = 0, 1, 2
ENTERED_AGAIN = bytes.fromhex("3ee5aeb5")  # ReentrancyGuardReentrantCall()


def refusing(world: World, manner: int = REVERTS) -> Contract:
    """A contract with a credit of 2 ETHER in the native coin; it still refuses."""
    buyer = world.deploy("RefusingBuyer")
    world.chain.fund(buyer)
    world.register(buyer)
    order = world.buy(world.list(), by=buyer, rounds=2)
    buyer.setManner(manner, sender=world.stranger)
    world.market.refund(order, sender=world.seller)
    return buyer


def blocked(world: World) -> Contract:
    """A token in which `buyer` has a credit of 1 ETHER; it still blocks them."""
    token = world.deploy("BlockingToken")
    world.give(token, world.buyer)
    order = world.buy(world.list(token=token))
    token.setRefusal(world.buyer, REVERTS, sender=world.stranger)
    world.market.refund(order, sender=world.seller)
    return token


def test_anybody_pays_a_contract_that_refused_at_a_bad_moment(world: World) -> None:
    """A pool holds its lock while it pays a member; the member has a round paid back to it just then."""
    pool = world.deploy("LockingPool", world.market, key_of("pool"))
    pool.deposit(sender=world.friend, value=5 * ETHER)
    listing = world.list()
    pool.buy(listing, ETHER, sender=world.friend)
    world.market.skip(listing, 0, sender=world.seller)
    member = world.deploy("ReenteringBuyer")
    world.chain.fund(member, 1)
    member.execute(pool, 1, pool.kind.functions["deposit"].encode(), sender=world.stranger)
    back = world.market.kind.functions["refundMissed"].encode(listing << 32, 0)
    member.arm(world.market, back, sender=world.stranger)
    member.execute(pool, 0, pool.kind.functions["withdraw"].encode(1), sender=world.stranger)
    assert world.market.credit(pool, NATIVE) == ETHER

    receipt = world.market.collectFor(pool, NATIVE, sender=world.stranger)
    assert only(receipt, "Collected") == {
        "account": str(pool), "token": NATIVE, "to": str(pool), "amount": ETHER,
    }  # fmt: skip
    assert world.chain.balance(pool) == 5 * ETHER
    assert (world.market.credit(pool, NATIVE), world.held()) == (0, 0)


def test_the_caller_gets_nothing(world: World) -> None:
    token = blocked(world)
    token.setRefusal(world.buyer, ACCEPTS, sender=world.stranger)
    world.market.collectFor(world.buyer, token, sender=world.stranger)
    assert token.balanceOf(world.buyer) == 100 * ETHER
    assert token.balanceOf(world.stranger) == world.held(token) == 0


def test_a_credit_is_paid_once_whoever_collects_it(world: World) -> None:
    token = blocked(world)
    token.setRefusal(world.buyer, ACCEPTS, sender=world.stranger)
    world.market.collectFor(world.buyer, token, sender=world.stranger)
    with refused("NothingToPay", world.buyer, token):
        world.market.collectFor(world.buyer, token, sender=world.stranger)
    with refused("NothingToPay", world.buyer, token):
        world.market.collect(token, world.buyer, sender=world.buyer)


@pytest.mark.parametrize("account", ["stranger", "market", "nobody"])
def test_without_a_credit_there_is_nothing_to_pay(world: World, account: str) -> None:
    whose: Any = NATIVE if account == "nobody" else getattr(world, account)
    with refused("NothingToPay", whose, NATIVE):
        world.market.collectFor(whose, NATIVE, sender=world.stranger)


def test_a_credit_in_one_token_pays_no_other(world: World) -> None:
    token = blocked(world)
    with refused("NothingToPay", world.buyer, NATIVE):
        world.market.collectFor(world.buyer, NATIVE, sender=world.stranger)
    assert world.market.credit(world.buyer, token) == ETHER


@pytest.mark.parametrize("manner", [1, 2, 3])
def test_an_account_that_still_refuses_keeps_its_credit(world: World, manner: int) -> None:
    buyer = refusing(world, manner)
    with refused("PaymentRefused", NATIVE, buyer, 2 * ETHER):
        world.market.collectFor(buyer, NATIVE, sender=world.stranger)
    assert world.market.credit(buyer, NATIVE) == world.held() == 2 * ETHER
    buyer.setManner(ACCEPTS, sender=world.stranger)
    before = world.chain.balance(buyer)
    world.market.collectFor(buyer, NATIVE, sender=world.stranger)
    assert (world.chain.balance(buyer) - before, world.held()) == (2 * ETHER, 0)


@pytest.mark.parametrize("manner", [REVERTS, ANSWERS_FALSE])
def test_a_token_that_still_blocks_an_account_leaves_its_credit(world: World, manner: int) -> None:
    token = blocked(world)
    token.setRefusal(world.buyer, manner, sender=world.stranger)
    with refused("PaymentRefused", token, world.buyer, ETHER):
        world.market.collectFor(world.buyer, token, sender=world.stranger)
    assert world.market.credit(world.buyer, token) == world.held(token) == ETHER


def test_too_little_gas_pays_nothing_and_takes_no_credit(world: World) -> None:
    buyer = refusing(world, manner=3)
    outcomes = set()
    for gas in range(50_000, 1_050_000, 50_000):
        with pytest.raises(CustomError) as caught:
            world.market.collectFor(buyer, NATIVE, sender=world.stranger, gas=gas)
        outcomes.add(caught.value.name or "out of gas")
        assert world.market.credit(buyer, NATIVE) == 2 * ETHER
    assert {"TooLittleGas", "PaymentRefused"} <= outcomes <= {"TooLittleGas", "PaymentRefused", "out of gas"}


@pytest.mark.parametrize("attack", ["collect", "collectFor"])
def test_an_account_that_calls_back_in_is_paid_once(world: World, attack: str) -> None:
    other, buyer = refusing(world), refusing(world)
    buyer.setManner(ACCEPTS, sender=world.stranger)
    arguments = (NATIVE, buyer) if attack == "collect" else (buyer, NATIVE)
    buyer.arm(world.market, world.market.kind.functions[attack].encode(*arguments), sender=world.stranger)
    before = world.chain.balance(buyer)
    world.market.collectFor(buyer, NATIVE, sender=world.stranger)
    assert (buyer.attempts(), buyer.successes(), buyer.answer()) == (1, 0, ENTERED_AGAIN)
    assert world.chain.balance(buyer) - before == 2 * ETHER
    assert world.market.credit(other, NATIVE) == world.held() == 2 * ETHER


def test_another_accounts_credit_stays(world: World) -> None:
    first, second = refusing(world), refusing(world)
    first.setManner(ACCEPTS, sender=world.stranger)
    assert moved(world, lambda: world.market.collectFor(first, NATIVE, sender=world.stranger)) == {"market": -2 * ETHER}
    assert world.market.credit(second, NATIVE) == world.held() == 2 * ETHER


def test_a_token_that_returns_nothing_is_collected(world: World) -> None:
    token = world.deploy("SilentToken")
    world.give(token, world.buyer)
    order = world.buy(world.list(token=token))
    token.setPaused(True, sender=world.stranger)
    world.market.refund(order, sender=world.seller)
    with refused("PaymentRefused", token, world.buyer, ETHER):
        world.market.collectFor(world.buyer, token, sender=world.stranger)
    token.setPaused(False, sender=world.stranger)
    world.market.collectFor(world.buyer, token, sender=world.stranger)
    assert token.balanceOf(world.buyer) == 100 * ETHER
    assert (world.market.credit(world.buyer, token), world.held(token)) == (0, 0)


def test_a_token_that_takes_a_fee_shorts_the_account_and_nobody_else(world: World) -> None:
    token = world.deploy("FeeToken")
    listing = world.list(token=token)
    for buyer in (world.buyer, world.other):
        world.give(token, buyer)
    order, _ = world.buy(listing), world.buy(listing, by=world.other)
    token.setFeePercent(101, sender=world.stranger)  # more than all of it: no transfer goes through
    world.market.refund(order, sender=world.seller)
    token.setFeePercent(10, sender=world.stranger)
    assert moved(world, lambda: world.market.collectFor(world.buyer, token, sender=world.stranger), token) == {
        "buyer": 9 * ETHER // 10, "market": -ETHER,
    }  # fmt: skip
    assert world.held(token) == ETHER
