"""The seller's side of the money: buckets, withdrawals, refunds; and credits for who refused a payment."""

import pytest

from tests.contracts.unit.words import only, refused
from tests.support.evm.world import ETHER, HOUR, World, manifest
from tests.support.model.terms import DAY
from tests.support.model.wallets import NATIVE

PAID_BACK = 3


class TestBuckets:
    @pytest.mark.parametrize(
        ("dispute", "decline", "length"),
        [(0, 0, 60), (0, 600, 60), (120, 60, 60), (1200, 600, 300), (DAY, 600, 6 * HOUR)],
    )
    def test_money_matures_no_earlier_than_both_windows_and_at_most_one_bucket_later(
        self, world: World, dispute: int, decline: int, length: int
    ) -> None:
        response = max(60, decline) if dispute else 0
        listing = world.list(disputeWindow=dispute, declineWindow=decline, responseWindow=response)
        for time in (world.chain.now, world.chain.now + length - 1, world.chain.now + length):
            bucket = world.market.bucketAt(listing, time)
            assert bucket == (time + decline + dispute) // length + 1
            matures = world.market.maturityOf(listing, bucket)
            assert matures == bucket * length
            assert time + decline + dispute < matures <= time + decline + dispute + length


class TestWithdraw:
    def test_a_matured_pot_goes_to_the_payout_address_whoever_calls(self, world: World) -> None:
        listing = world.list()
        world.buy(listing)
        world.buy(listing, by=world.other)
        world.release(listing)
        bucket = world.bucket(listing)
        matures = world.market.maturityOf(listing, bucket)
        world.chain.at(matures - 1)
        with refused("NotMatured", listing, 0, bucket, matures):
            world.market.withdraw(listing, [0], [bucket], sender=world.seller)
        world.chain.at(matures)
        before = world.chain.balance(world.payout)
        receipt = world.market.withdraw(listing, [0], [bucket], sender=world.stranger)
        assert only(receipt, "Withdrawn") == {
            "listing": listing, "round": 0, "bucket": bucket, "payout": str(world.payout), "amount": 2 * ETHER,
        }  # fmt: skip
        assert world.chain.balance(world.payout) - before == 2 * ETHER
        assert world.market.pot(listing, 0, bucket) == (0, False)

    def test_once(self, world: World) -> None:
        listing = world.list()
        world.buy(listing)
        world.release(listing)
        bucket = world.bucket(listing)
        world.chain.advance(3 * DAY)
        before = world.chain.balance(world.payout)
        world.market.withdraw(listing, [0, 0], [bucket, bucket], sender=world.seller)
        assert world.chain.balance(world.payout) - before == ETHER
        with refused("NothingToPay", world.payout, NATIVE):
            world.market.withdraw(listing, [0], [bucket], sender=world.seller)

    def test_several_rounds_and_buckets_in_one_payment(self, world: World) -> None:
        listing = world.list(instant=True)
        world.buy(listing, rounds=3)
        pots = []
        for round_ in range(3):
            world.release(listing)
            pots.append((round_, world.bucket(listing)))
            world.chain.advance(7 * HOUR)
        world.buy(listing, out=True)
        pots.append((2, world.bucket(listing)))
        world.chain.advance(3 * DAY)
        before = world.chain.balance(world.payout)
        rounds, buckets = [r for r, _ in pots], [b for _, b in pots]
        receipt = world.market.withdraw(listing, rounds, buckets, sender=world.seller)
        assert [event["amount"] for event in receipt.events] == [ETHER] * 4
        assert world.chain.balance(world.payout) - before == 4 * ETHER
        assert world.held() == 0

    def test_one_unmatured_pot_stops_the_batch(self, world: World) -> None:
        listing = world.list()
        world.buy(listing, rounds=2)
        world.release(listing)
        first = world.bucket(listing)
        world.reach(world.market.maturityOf(listing, first))
        world.release(listing)
        second = world.bucket(listing)
        with refused("NotMatured"):
            world.market.withdraw(listing, [0, 1], [first, second], sender=world.seller)

    def test_of_nothing_there_is_nothing(self, world: World) -> None:
        listing = world.list()
        for rounds, buckets in (([], []), ([0], [1]), ([5], [0])):
            with refused("NothingToPay"):
                world.market.withdraw(listing, rounds, buckets, sender=world.seller)
        with refused("LengthsDiffer", 1, 0):
            world.market.withdraw(listing, [0], [], sender=world.seller)
        with refused("NoListing", 9):
            world.market.withdraw(9, [0], [1], sender=world.seller)


class TestRefund:
    def test_a_seller_gives_all_unreleased_rounds_back(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=4)
        world.release(listing)
        before = world.chain.balance(world.buyer)
        receipt = world.market.refund(order, sender=world.operator)
        assert only(receipt, "Refunded") == {"order": order, "end": 1, "paid": 3 * ETHER}
        assert world.chain.balance(world.buyer) - before == 3 * ETHER
        assert world.listing(listing)["active"] == 0
        with refused("NothingLeft", order):
            world.market.refund(order, sender=world.seller)

    def test_nobody_else_gives_it(self, world: World) -> None:
        order = world.buy(world.list())
        with refused("NotOperator", world.buyer, world.seller, world.operator):
            world.market.refund(order, sender=world.buyer)
        with refused("NotOperator", world.buyer, world.seller, world.operator):
            world.market.refundRound(order, 0, 1, sender=world.buyer)

    def test_an_order_that_is_not_there_cant_be_refunded(self, world: World) -> None:
        listing = world.list()
        for order in (listing << 32, 0, 2**256 - 1):
            with refused("NoOrder", order):
                world.market.refund(order, sender=world.seller)


class TestRefundOfOneRound:
    def test_it_comes_out_of_its_pot_until_that_matures(self, world: World) -> None:
        listing = world.list()
        early, late = world.buy(listing, rounds=2), world.buy(listing, rounds=2)
        world.release(listing)
        bucket = world.bucket(listing)
        matures = world.market.maturityOf(listing, bucket)
        world.chain.at(matures - 1)
        before = world.chain.balance(world.buyer)
        receipt = world.market.refundRound(early, 0, bucket, sender=world.operator)
        assert only(receipt, "RoundRefunded") == {"order": early, "round": 0, "bucket": bucket, "paid": ETHER}
        assert world.chain.balance(world.buyer) - before == ETHER
        assert world.market.pot(listing, 0, bucket) == (ETHER, True)
        assert world.market.settled(early, 0) == PAID_BACK
        world.chain.at(matures)
        with refused("Matured", listing, 0, bucket, matures):
            world.market.refundRound(late, 0, bucket, sender=world.seller)

    def test_the_other_rounds_of_the_order_go_on(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        world.release(listing)
        world.market.refundRound(order, 0, world.bucket(listing), sender=world.seller)
        world.release(listing)
        assert world.market.pot(listing, 1, world.bucket(listing)) == (ETHER, True)

    def test_not_twice(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing)
        world.buy(listing, by=world.other)
        world.release(listing)
        bucket = world.bucket(listing)
        world.market.refundRound(order, 0, bucket, sender=world.seller)
        with refused("AlreadySettled", order, 0, PAID_BACK):
            world.market.refundRound(order, 0, bucket, sender=world.seller)

    def test_only_from_the_bucket_where_the_money_lies(self, world: World) -> None:
        listing = world.list(instant=True)
        order = world.buy(listing)
        world.release(listing)
        released = world.bucket(listing)
        world.chain.advance(7 * HOUR)
        later = world.buy(listing, by=world.other, out=True)
        bought = world.bucket(listing)
        assert bought != released
        with refused("WrongBucket", order, 0, bought):
            world.market.refundRound(order, 0, bought, sender=world.seller)
        with refused("WrongBucket", later, 0, released):
            world.market.refundRound(later, 0, released, sender=world.seller)
        with refused("WrongBucket", order, 0, released + 9):
            world.market.refundRound(order, 0, released + 9, sender=world.seller)
        world.market.refundRound(later, 0, bought, sender=world.seller)
        world.market.refundRound(order, 0, released, sender=world.seller)
        assert world.held() == 0

    def test_not_a_round_that_is_not_out_nor_one_that_is_not_covered(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing)
        with refused("NotReleased", listing, 0):
            world.market.refundRound(order, 0, world.bucket(listing), sender=world.seller)
        world.release(listing)
        world.release(listing)
        with refused("NotCovered", order, 1):
            world.market.refundRound(order, 1, world.bucket(listing), sender=world.seller)


class TestCredit:
    def test_a_refused_payment_becomes_a_credit_that_can_be_collected_elsewhere(self, world: World) -> None:
        buyer = world.deploy("RefusingBuyer")
        world.chain.fund(buyer)
        world.register(buyer)
        order = world.buy(world.list(), by=buyer, rounds=2)
        buyer.setManner(1, sender=world.stranger)
        receipt = world.market.refund(order, sender=world.seller)
        assert only(receipt, "Credited") == {"account": str(buyer), "token": NATIVE, "amount": 2 * ETHER}
        assert world.market.credit(buyer, NATIVE) == 2 * ETHER
        assert world.held() == 2 * ETHER
        with refused("PaymentRefused", NATIVE, buyer, 2 * ETHER):
            world.market.collect(NATIVE, buyer, sender=buyer)
        before = world.chain.balance(world.friend)
        receipt = world.market.collect(NATIVE, world.friend, sender=buyer)
        assert only(receipt, "Collected") == {
            "account": str(buyer), "token": NATIVE, "to": str(world.friend), "amount": 2 * ETHER,
        }  # fmt: skip
        assert world.chain.balance(world.friend) - before == 2 * ETHER
        assert world.held() == 0

    def test_nobody_collects_what_is_not_his(self, world: World) -> None:
        with refused("NothingToPay", world.stranger, NATIVE):
            world.market.collect(NATIVE, world.stranger, sender=world.stranger)

    @pytest.mark.parametrize("manner", [1, 2])
    def test_a_token_that_blocks_a_buyer_blocks_nobody_else(self, world: World, manner: int) -> None:
        token = world.deploy("BlockingToken")
        listing = world.list(token=token)
        orders = []
        for buyer in (world.buyer, world.other):
            world.give(token, buyer)
            orders.append(world.buy(listing, by=buyer))
        token.setRefusal(world.buyer, manner, sender=world.stranger)
        for order in orders:
            world.market.refund(order, sender=world.seller)
        assert world.market.credit(world.buyer, token) == ETHER
        assert token.balanceOf(world.other) == 100 * ETHER
        token.setRefusal(world.buyer, 0, sender=world.stranger)
        world.market.collect(token, world.buyer, sender=world.buyer)
        assert token.balanceOf(world.buyer) == 100 * ETHER

    def test_it_is_not_sent_to_nobody_nor_to_the_marketplace(self, world: World) -> None:
        token = world.deploy("BlockingToken")
        world.give(token, world.buyer)
        order = world.buy(world.list(token=token))
        token.setRefusal(world.buyer, 1, sender=world.stranger)
        world.market.refund(order, sender=world.seller)
        for receiver in (NATIVE, world.market):
            with refused("InvalidReceiver", receiver):
                world.market.collect(token, receiver, sender=world.buyer)


def test_a_payout_address_that_refuses_stops_only_its_own_withdrawal_until_another_is_named(world: World) -> None:
    payout = world.deploy("RefusingBuyer")
    payout.setManner(1, sender=world.stranger)
    listing, other = world.list(payout=payout), world.list()
    for number in (listing, other):
        world.buy(number)
        world.market.release(number, 0, manifest(), sender=world.seller)
    bucket = world.bucket(listing)
    world.chain.advance(3 * DAY)
    with refused("PaymentRefused", NATIVE, payout, ETHER):
        world.market.withdraw(listing, [0], [bucket], sender=world.stranger)
    world.market.withdraw(other, [0], [bucket], sender=world.stranger)
    world.market.setPayout(listing, world.friend, sender=world.seller)
    world.market.withdraw(listing, [0], [bucket], sender=world.stranger)
    assert world.held() == 0
