"""Buying: exact payment, today's terms, the right round, and nothing slipped in front."""

import pytest

from tests.contracts.unit.words import only, refused
from tests.support.evm import Reverted
from tests.support.evm.world import DETAILS, ETHER, HOUR, World
from tests.support.model.terms import DAY


class TestOrder:
    def test_an_order_covers_its_rounds_at_the_offers_price_with_the_buyers_newest_key(self, world: World) -> None:
        listing = world.list()
        world.register(world.buyer)
        receipt = world.purchase(listing, rounds=3)
        order = listing << 32
        assert receipt.value == order
        assert only(receipt, "Bought") == {
            "order": order, "buyer": str(world.buyer), "first": 0, "rounds": 3,
            "price": ETHER, "version": 0, "epoch": 2, "bucket": 0,
        }  # fmt: skip
        assert world.order(order) == {
            "buyer": str(world.buyer), "first": 0, "rounds": 3, "price": ETHER, "version": 0, "epoch": 2, "bucket": 0,
            "cancelledAt": 0,
        }  # fmt: skip
        assert world.held() == 3 * ETHER

    def test_a_later_key_does_not_change_it(self, world: World) -> None:
        order = world.buy(world.list())
        world.register(world.buyer)
        assert world.order(order)["epoch"] == 1

    def test_the_payer_may_be_another_but_all_rights_are_the_recipients(self, world: World) -> None:
        listing = world.list()
        receipt = world.purchase(listing, by=world.stranger, to=world.buyer)
        assert only(receipt, "Bought")["buyer"] == str(world.buyer)
        with refused("NotBuyer", world.stranger, world.buyer):
            world.market.cancel(receipt.value, sender=world.stranger)
        world.market.cancel(receipt.value, sender=world.buyer)

    def test_the_recipient_needs_a_key(self, world: World) -> None:
        with refused("NoKey"):
            world.buy(world.list(), to=world.stranger)

    def test_it_earns_nothing_before_a_release(self, world: World) -> None:
        listing = world.list()
        world.buy(listing, rounds=2)
        assert world.listing(listing)["active"] == ETHER
        assert world.market.leaving(listing, 2) == ETHER
        assert world.market.leaving(listing, 1) == 0

    def test_no_more_rounds_than_the_terms_allow(self, world: World) -> None:
        listing = world.list(maxRounds=4)
        for rounds in (0, 5):
            with refused("RoundsOutOfBounds", rounds, 4):
                world.buy(listing, rounds=rounds)
        assert world.order(world.buy(listing, rounds=4))["rounds"] == 4


class TestWhatCantBeSlippedInFront:
    def test_a_change_of_the_offer(self, world: World) -> None:
        listing = world.list()
        world.market.changeOffer(listing, (ETHER, True, bytes(32)), sender=world.seller)
        with refused("TermsChanged", listing, 0, 1):
            world.market.buy(listing, 0, 0, False, 1, world.buyer, sender=world.buyer, value=ETHER)

    def test_a_release(self, world: World) -> None:
        listing = world.list()
        world.release(listing)
        with refused("RoundMoved", listing, 0, 1):
            world.buy(listing, next_round=0)

    def test_a_release_of_an_instant_listing_that_would_take_the_right_to_decline(self, world: World) -> None:
        listing = world.list(instant=True)
        world.release(listing)
        with refused("RoundMoved", listing, 0, 1):
            world.buy(listing, next_round=0)

    def test_a_second_release_when_the_round_that_is_out_is_bought(self, world: World) -> None:
        listing = world.list(instant=True)
        world.release(listing)
        world.release(listing)
        with refused("RoundMoved", listing, 1, 2):
            world.buy(listing, next_round=1, out=True)

    def test_a_round_that_is_not_next(self, world: World) -> None:
        listing = world.list(instant=True)
        with refused("RoundMoved", listing, 1, 0):
            world.buy(listing, next_round=1)

    def test_an_overdue_round_is_refused_and_its_last_second_is_not(self, world: World) -> None:
        due = world.chain.now + DAY
        listing = world.list(firstDue=due, period=DAY)
        world.chain.at(due)
        world.buy(listing)
        world.chain.at(due + 1)
        with refused("Overdue", listing, 0, due):
            world.buy(listing)


class TestInstant:
    def test_the_round_that_is_out_is_earned_at_once_in_a_bucket_of_its_own(self, world: World) -> None:
        listing = world.list(instant=True)
        world.release(listing)
        released = world.bucket(listing)
        world.chain.advance(DAY)
        order = world.buy(listing, out=True)
        bucket = world.bucket(listing)
        assert bucket != released
        assert world.order(order)["bucket"] == bucket
        assert world.market.pot(listing, 0, bucket) == (ETHER, False)
        assert world.market.pot(listing, 0, released) == (0, True)
        assert world.listing(listing)["active"] == 0

    def test_later_rounds_of_such_an_order_are_owed_as_usual(self, world: World) -> None:
        listing = world.list(instant=True)
        world.release(listing)
        world.buy(listing, out=True, rounds=3)
        assert world.listing(listing)["active"] == ETHER
        assert world.market.leaving(listing, 3) == ETHER
        assert world.held() == 3 * ETHER

    def test_only_the_latest_round_is_for_sale(self, world: World) -> None:
        listing = world.list(instant=True)
        world.release(listing)
        world.release(listing)
        assert world.order(world.buy(listing, out=True))["first"] == 1

    def test_before_the_first_release_nothing_is_out(self, world: World) -> None:
        with refused("NotReleased"):
            world.buy(world.list(instant=True), out=True)

    def test_a_missed_round_is_not_for_sale(self, world: World) -> None:
        listing = world.list(instant=True)
        world.market.skip(listing, 0, sender=world.seller)
        with refused("NotReleased"):
            world.buy(listing, out=True)

    def test_a_listing_that_is_not_instant_sells_only_what_is_to_come(self, world: World) -> None:
        listing = world.list()
        world.release(listing)
        with refused("NotInstant", listing):
            world.buy(listing, out=True)

    def test_the_round_that_is_out_is_for_sale_while_the_next_is_overdue(self, world: World) -> None:
        due = world.chain.now + DAY
        listing = world.list(instant=True, firstDue=due, period=DAY)
        world.release(listing)
        world.chain.at(due + DAY + 1)
        world.buy(listing, out=True)
        with refused("Overdue", listing, 1, due + DAY):
            world.buy(listing, out=True, rounds=2)


class TestSupply:
    def test_a_listing_sells_out(self, world: World) -> None:
        listing = world.list(supply=2)
        world.buy(listing)
        world.buy(listing, by=world.other)
        with refused("SoldOut", listing, 2):
            world.buy(listing, by=world.friend)

    def test_an_order_that_ended_before_its_first_round_frees_its_place_and_never_its_number(
        self, world: World
    ) -> None:
        listing = world.list(supply=1)
        first = world.buy(listing)
        world.market.refund(first, sender=world.seller)
        assert world.listing(listing)["voided"] == 1
        assert world.buy(listing, by=world.other) == first + 1

    def test_an_order_that_had_a_round_does_not(self, world: World) -> None:
        listing = world.list(supply=1)
        order = world.buy(listing, rounds=3)
        world.release(listing)
        world.market.refund(order, sender=world.seller)
        with refused("SoldOut", listing, 1):
            world.buy(listing, by=world.other)


class TestPayment:
    @pytest.mark.parametrize("value", [ETHER * 2 - 1, ETHER * 2 + 1, 0])
    def test_ether_must_be_exact(self, world: World, value: int) -> None:
        with refused("WrongPayment", value, 2 * ETHER):
            world.buy(world.list(), rounds=2, value=value)

    def test_no_ether_goes_with_a_token(self, world: World) -> None:
        token = world.deploy("StandardToken")
        world.give(token, world.buyer)
        with refused("WrongPayment", 1, 0):
            world.buy(world.list(token=token), value=1)

    @pytest.mark.parametrize("kind", ["StandardToken", "FeeToken", "SilentToken", "BlockingToken", "ReenteringToken"])
    def test_a_token_that_transfers_all_is_taken_exactly(self, world: World, kind: str) -> None:
        token = world.deploy(kind)
        world.give(token, world.buyer)
        before = token.balanceOf(world.buyer)
        world.buy(world.list(token=token), rounds=3)
        assert world.held(token) == 3 * ETHER
        assert before - token.balanceOf(world.buyer) == 3 * ETHER

    def test_a_token_that_takes_a_fee_is_refused(self, world: World) -> None:
        token = world.deploy("FeeToken")
        world.give(token, world.buyer)
        token.setFeePercent(1, sender=world.stranger)
        with refused("TokenTookFee", token, 198 * ETHER // 100, 2 * ETHER):
            world.buy(world.list(token=token), rounds=2)

    def test_a_token_that_answers_false_is_refused(self, world: World) -> None:
        token = world.deploy("BlockingToken")
        world.give(token, world.buyer)
        token.setRefusal(world.market, 2, sender=world.stranger)
        with refused("SafeERC20FailedOperation", token):
            world.buy(world.list(token=token))

    def test_an_allowance_is_needed(self, world: World) -> None:
        token = world.deploy("StandardToken")
        token.mint(world.buyer, ETHER, sender=world.stranger)
        with refused("ERC20InsufficientAllowance"):
            world.buy(world.list(token=token))

    def test_ether_that_is_sent_without_a_call_is_refused(self, world: World) -> None:
        with pytest.raises(Reverted):
            world.chain.transact(world.buyer, world.market.address, b"", value=1)


class TestPermit:
    def test_allowance_and_purchase_in_one_transaction(self, world: World) -> None:
        token = world.deploy("StandardToken")
        token.mint(world.buyer, 5 * ETHER, sender=world.stranger)
        world.buy_with(world.list(token=token), rounds=2, permit=world.permit(token, world.buyer, 2 * ETHER))
        assert world.held(token) == 2 * ETHER

    def test_one_that_somebody_used_in_front_of_it_is_no_failure(self, world: World) -> None:
        token = world.deploy("StandardToken")
        token.mint(world.buyer, 5 * ETHER, sender=world.stranger)
        listing = world.list(token=token)
        permit = world.permit(token, world.buyer, ETHER)
        value, deadline, v, r, s = permit
        token.permit(world.buyer, world.market, value, deadline, v, r, s, sender=world.stranger)
        world.buy_with(listing, permit=permit)
        assert world.held(token) == ETHER

    def test_a_bad_one_leaves_the_purchase_without_allowance(self, world: World) -> None:
        token = world.deploy("StandardToken")
        token.mint(world.buyer, 5 * ETHER, sender=world.stranger)
        listing = world.list(token=token)
        with refused("ERC20InsufficientAllowance", world.market, 0, ETHER):
            world.buy_with(listing, permit=world.permit(token, world.other, ETHER))

    def test_it_goes_with_a_voucher(self, world: World) -> None:
        token = world.deploy("StandardToken")
        token.mint(world.buyer, 5 * ETHER, sender=world.stranger)
        listing = world.list(token=token, open=False)
        voucher = world.voucher(listing, price=7)
        world.buy_with(listing, voucher, permit=world.permit(token, world.buyer, 7))
        assert world.held(token) == 7


def test_a_closed_listing_sells_nothing_without_a_voucher(world: World) -> None:
    listing = world.list(open=False)
    with refused("Closed", listing):
        world.buy(listing)


def test_a_listing_that_is_not_there_sells_nothing(world: World) -> None:
    with refused("NoListing", 9):
        world.market.buy(9, 0, 0, False, 1, world.buyer, sender=world.buyer)


def test_a_free_listing_sells_for_nothing(world: World) -> None:
    listing = world.list(price=0)
    order = world.buy(listing, rounds=2)
    world.release(listing)
    world.market.decline(order, 0, sender=world.buyer)
    assert world.order(order)["rounds"] == 0
    assert world.held() == 0


def test_the_price_is_fixed_by_its_version_after_many_changes(world: World) -> None:
    listing = world.list(price=1)
    orders = []
    for price in (2, 3, 4):
        orders.append(world.buy(listing))
        world.market.changeOffer(listing, (price, True, DETAILS), sender=world.seller)
        world.chain.advance(HOUR)
    assert [world.order(order)["price"] for order in orders] == [1, 2, 3]
