"""Receivers and tokens that misbehave: they can hurt nobody but themselves."""

from typing import Any

import pytest

from tests.contracts.unit.words import only, refused
from tests.support.evm import Contract, CustomError
from tests.support.evm.disputes import Challenge, spoiled
from tests.support.evm.world import ETHER, HOUR, NO_PERMIT, NO_VOUCHER, World, manifest
from tests.support.model.wallets import NATIVE

ENTERED_AGAIN = bytes.fromhex("3ee5aeb5")  # ReentrancyGuardReentrantCall()
GUARDED = [
    "buy", "buyWith", "cancel", "collect", "collectFor", "decline", "reclaim", "refund", "refundMissed",
    "refundRound", "withdraw",
    "release", "releaseAndDeliver", "skip", "deliver", "deliverCopies",
    "challenge", "respond", "claimTimeout", "proveWrongKey", "settleChallenge", "proveWrongContent", "proveWrongCopy",
    "refundFaulty",
]  # fmt: skip


def calls(listing: int, order: int, who: object) -> dict[str, tuple[Any, ...]]:
    """Every guarded call, as `who` would try it."""
    opened, proof = Challenge(1, 1, ETHER, 0, 0), spoiled().proof()
    return {
        "challenge": (order, 0, 1, 1), "respond": (order, 0, opened, manifest(), 1, bytes(32)),
        "claimTimeout": (order, 0, opened), "proveWrongKey": (order, 0, opened, 1),
        "settleChallenge": (order, 0, opened), "proveWrongContent": (listing, 0, manifest(), proof),
        "proveWrongCopy": (order, 0, 1, manifest(), proof), "refundFaulty": (order, 0, 1),
        "buy": (listing, 0, 0, False, 1, who), "buyWith": (listing, 0, 0, False, 1, who, NO_PERMIT, NO_VOUCHER, b""),
        "decline": (order, 0), "cancel": (order,), "reclaim": (order,), "refund": (order,),
        "refundRound": (order, 0, 1), "refundMissed": (order, 0), "withdraw": (listing, [0], [1]),
        "collect": (NATIVE, who), "collectFor": (who, NATIVE), "release": (listing, 0, manifest()),
        "skip": (listing, 0),
        "releaseAndDeliver": (listing, 0, manifest(), bytes(32), 1), "deliver": (listing, 0, bytes(32), 1),
        "deliverCopies": (listing, 0, [order], [bytes(32)]),
    }  # fmt: skip


@pytest.mark.parametrize("attack", GUARDED)
def test_a_buyer_who_is_paid_cant_call_back_in(world: World, attack: str) -> None:
    buyer = world.deploy("ReenteringBuyer")
    world.chain.fund(buyer)
    world.register(buyer)
    listing = world.list(operator=buyer)
    order = world.buy(listing, by=buyer, rounds=4)
    call = world.market.kind.functions[attack].encode(*calls(listing, order, buyer)[attack])
    buyer.arm(world.market, call, sender=world.stranger)
    before = world.chain.balance(buyer)
    world.market.cancel(order, sender=buyer)
    assert (buyer.attempts(), buyer.successes(), buyer.answer()) == (1, 0, ENTERED_AGAIN)
    assert world.chain.balance(buyer) - before == 3 * ETHER
    assert world.held() == ETHER


@pytest.mark.parametrize("attack", GUARDED)
def test_a_token_cant_call_back_in_while_it_is_taken_or_paid_out(world: World, attack: str) -> None:
    token = world.deploy("ReenteringToken")
    listing = world.list(token=token, operator=token, payout=token)
    world.give(token, world.buyer)
    token.mint(token, 10 * ETHER, sender=world.stranger)
    token.approve(world.market, 10 * ETHER, sender=token)
    world.register(token)
    order = world.buy(listing, by=token, rounds=3)
    call = world.market.kind.functions[attack].encode(*calls(listing, order, token)[attack])
    token.arm(world.market, call, sender=world.stranger)
    world.buy(listing, rounds=2)
    assert (token.attempts(), token.successes(), token.answer()) == (1, 0, ENTERED_AGAIN)
    world.market.cancel(order, sender=token)
    assert (token.attempts(), token.successes(), token.answer()) == (2, 0, ENTERED_AGAIN)
    assert world.held(token) == 3 * ETHER


@pytest.mark.parametrize("manner", [1, 2, 3])
def test_a_receiver_that_reverts_with_a_bomb_or_burns_all_gas_stops_no_refund(world: World, manner: int) -> None:
    buyer = world.deploy("RefusingBuyer")
    world.chain.fund(buyer)
    world.register(buyer)
    order = world.buy(world.list(), by=buyer, rounds=2)
    buyer.setManner(manner, sender=world.stranger)
    receipt = world.market.refund(order, sender=world.seller)
    assert only(receipt, "Credited")["amount"] == 2 * ETHER


def test_a_caller_cant_make_a_payment_fail_by_sending_too_little_gas(world: World) -> None:
    wallet = world.deploy("ContractWallet", world.stranger)
    world.chain.fund(wallet)
    world.register(wallet)
    listing = world.list()
    orders = [world.buy(listing, by=wallet) for _ in range(60)]
    outcomes = set()
    for number, order in enumerate(orders):
        try:
            receipt = world.market.refund(order, sender=world.seller, gas=24_000 + number * 8_000)
        except CustomError as error:
            outcomes.add(error.name or "out of gas")
        else:
            outcomes.add("paid")
            assert [event.name for event in receipt.events] == ["Refunded"], "a wallet that accepts is never credited"
    assert {"paid", "out of gas"} <= outcomes


def test_too_little_gas_for_a_receiver_who_needs_it_is_said(world: World) -> None:
    buyer = world.deploy("RefusingBuyer")
    world.chain.fund(buyer)
    world.register(buyer)
    listing = world.list()
    orders = [world.buy(listing, by=buyer) for _ in range(40)]
    buyer.setManner(3, sender=world.stranger)
    outcomes = set()
    for number, order in enumerate(orders):
        try:
            world.market.refund(order, sender=world.seller, gas=30_000 + number * 100_000)
            outcomes.add("credited")
        except CustomError as error:
            outcomes.add(error.name or "out of gas")
    assert {"TooLittleGas", "credited"} <= outcomes <= {"TooLittleGas", "credited", "out of gas"}


def test_ether_that_is_forced_in_changes_nobodys_claim(world: World) -> None:
    force = world.deploy("ForcedPayment")
    world.chain.fund(force, 7)
    listing = world.list()
    order = world.buy(listing)
    force.push(world.market, sender=world.stranger)
    assert world.held() == ETHER + 7
    world.market.refund(order, sender=world.seller)
    assert world.held() == 7


def test_a_token_that_begins_to_take_a_fee_shorts_the_receiver_and_nobody_else(world: World) -> None:
    token = world.deploy("FeeToken")
    listing = world.list(token=token)
    orders = []
    for buyer in (world.buyer, world.other):
        world.give(token, buyer)
        orders.append(world.buy(listing, by=buyer))
    token.setFeePercent(10, sender=world.stranger)
    world.market.refund(orders[0], sender=world.seller)
    assert token.balanceOf(world.buyer) == 99 * ETHER + 9 * ETHER // 10
    assert world.held(token) == ETHER
    token.setFeePercent(0, sender=world.stranger)
    world.market.refund(orders[1], sender=world.seller)
    assert world.held(token) == 0


def test_one_token_never_pays_for_another(world: World) -> None:
    tokens: list[Contract] = [world.deploy("StandardToken"), world.deploy("SilentToken")]
    orders = []
    for token in tokens:
        world.give(token, world.buyer)
        orders.append(world.buy(world.list(token=token), rounds=2))
    world.market.refund(orders[0], sender=world.seller)
    assert [world.held(token) for token in tokens] == [0, 2 * ETHER]


def test_fifty_prepaid_rounds_are_not_released_in_one_block(world: World) -> None:
    listing = world.list(maxRounds=50)
    order = world.buy(listing, rounds=50)
    world.release(listing)
    with refused("TooEarly"):
        world.market.release(listing, 1, manifest(1), sender=world.seller)
    world.market.decline(order, 0, sender=world.buyer)
    assert world.held() == 0
    world.chain.advance(HOUR)
    world.release(listing)
    assert world.market.pot(listing, 1, world.bucket(listing)) == (0, True)
