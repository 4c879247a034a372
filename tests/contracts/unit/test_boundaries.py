"""The smallest amounts, the last second, the first round that is not 0: where a comparison that is off by one shows."""

from typing import Any

import pytest

from tests.contracts.unit.words import moved, only, refused
from tests.support.evm import CustomError, Receipt
from tests.support.evm.disputes import challengeable
from tests.support.evm.world import DETAILS, ETHER, HOUR, World
from tests.support.model.wallets import NATIVE

NEVER = 2**40 - 1


class TestOneWei:
    def test_a_token_s_smallest_unit_is_a_price(self, world: World) -> None:
        token = world.deploy("StandardToken")
        world.give(token, world.buyer)
        world.buy(world.list(token=token, price=1))
        assert world.held(token) == 1

    def test_a_fee_that_takes_all_of_it_is_noticed(self, world: World) -> None:
        token = world.deploy("FeeToken")
        world.give(token, world.buyer)
        token.setFeePercent(100, sender=world.stranger)
        with refused("TokenTookFee", token, 0, 1):
            world.buy(world.list(token=token, price=1))

    def test_is_paid_back(self, world: World) -> None:
        order = world.buy(world.list(price=1))
        assert moved(world, lambda: world.market.refund(order, sender=world.seller)) == {"buyer": 1, "market": -1}

    def test_is_paid_to_a_seller_who_answered(self, world: World) -> None:
        dispute = challengeable(world, price=1)
        dispute.challenge()
        dispute.respond()
        world.chain.at(dispute.proof_until + 1)
        assert moved(world, dispute.settle) == {"payout": 1, "market": -1}

    def test_leaves_with_its_order(self, world: World) -> None:
        listing = world.list(price=1)
        world.buy(listing, rounds=3)
        assert world.market.leaving(listing, 3) == 1
        for _ in range(4):
            world.release(listing)
        assert world.listing(listing)["active"] == 0
        assert world.market.leaving(listing, 3) == 0


class TestTerms:
    def test_a_due_date_is_named_where_it_is_wrong(self, world: World) -> None:
        now = world.chain.now
        with refused("TermOutOfBounds", "firstDue", now, now + 1, NEVER):
            world.list(firstDue=now, period=HOUR)

    def test_a_due_date_at_the_end_of_time_is_one(self, world: World) -> None:
        assert world.list(firstDue=NEVER, period=HOUR) == 1

    def test_copies_can_be_declined_for_two_seconds_at_least(self, world: World) -> None:
        assert world.list(copies=True, declineWindow=2) == 1

    def test_details_change_with_the_offer(self, world: World) -> None:
        listing, other = world.list(), bytes(range(32))
        world.market.changeOffer(listing, (ETHER, True, other), sender=world.seller)
        assert world.listing(listing)["offer"] == (ETHER, True, other)
        assert world.listing(listing)["version"] == 1

    @pytest.mark.parametrize("change", [("setOperator",), ("setPayout",), ("changeOffer", (1, True, DETAILS))])
    def test_of_a_listing_that_is_not_there_nothing_changes(self, world: World, change: tuple[Any, ...]) -> None:
        name, *values = change
        with refused("NoListing", 7):
            getattr(world.market, name)(7, *(values or [world.friend]), sender=world.seller)

    def test_a_listing_of_one_round_an_order_can_be_skipped(self, world: World) -> None:
        listing = world.list(maxRounds=1)
        world.market.skip(listing, 0, sender=world.seller)
        assert world.market.isMissed(listing, 0)

    def test_a_voucher_is_good_for_as_many_rounds_as_it_says(self, world: World) -> None:
        listing = world.list()
        order = world.buy_with(listing, world.voucher(listing, maxRounds=2), rounds=2).value
        assert world.order(order)["rounds"] == 2
        with refused("RoundsOutOfBounds", 3, 2):
            world.buy_with(listing, world.voucher(listing, maxRounds=2, nonce=1), rounds=3)

    def test_without_a_key_the_error_names_none(self, world: World) -> None:
        with refused("NoKey", world.stranger, 0):
            world.buy(world.list(), by=world.stranger)

    def test_a_bucket_is_never_shorter_than_a_minute(self, world: World) -> None:
        lengths = {}
        for window in (236, 239, 240, 244):
            listing = world.list(declineWindow=60, minInterval=60, disputeWindow=window, responseWindow=60)
            lengths[window] = world.market.maturityOf(listing, 1)
        assert lengths == {236: 60, 239: 60, 240: 60, 244: 61}


class TestPermit:
    def test_it_opens_no_closed_listing(self, world: World) -> None:
        token = world.deploy("StandardToken")
        world.give(token, world.buyer)
        listing = world.list(token=token, open=False)
        with refused("Closed", listing):
            world.buy_with(listing, permit=world.permit(token, world.buyer, ETHER))

    def test_there_is_none_for_ether(self, world: World) -> None:
        with refused("NotAToken", NATIVE):
            world.buy_with(world.list(), permit=(ETHER, world.chain.now, 27, DETAILS, DETAILS))


class TestBond:
    """The lesser of what the listing asks and a tenth of the price."""

    @pytest.mark.parametrize(("asked", "bond"), [(105, 105), (110, 110), (111, 110), (115, 110)])
    def test_near_a_tenth(self, world: World, asked: int, bond: int) -> None:
        dispute = challengeable(world, price=1100, challengeBond=asked)
        assert moved(world, dispute.challenge) == {"buyer": -bond, "market": bond}
        assert dispute.state.bond == bond

    def test_a_proof_window_that_ends_as_the_money_would_have_matured(self, world: World) -> None:
        dispute = challengeable(world)
        world.chain.at(dispute.maturity - 24 * HOUR)
        dispute.challenge()
        dispute.respond_wrongly()
        assert dispute.state.responded_at + 24 * HOUR == dispute.maturity
        world.chain.at(dispute.maturity)
        assert moved(world, dispute.prove_key) == {"buyer": ETHER, "market": -ETHER}


class TestLaterRounds:
    def test_an_order_that_began_late_ends_where_it_should(self, world: World) -> None:
        listing = world.list()
        world.release(listing)
        refunded, cancelled = world.buy(listing, rounds=3), world.buy(listing, rounds=3)
        world.market.refund(refunded, sender=world.seller)
        world.market.cancel(cancelled, sender=world.buyer)
        assert (world.order(refunded)["first"], world.order(refunded)["rounds"]) == (1, 0)
        assert (world.order(cancelled)["first"], world.order(cancelled)["rounds"]) == (1, 1)

    def test_no_hash_is_no_copy(self, world: World) -> None:
        listing = world.list(copies=True)
        order = world.buy(listing)
        world.release(listing)
        receipt: Receipt = world.market.deliverCopies(listing, 0, [order], [bytes(32)], sender=world.seller)
        assert receipt.events == []
        receipt = world.market.deliverCopies(listing, 0, [order], [(1).to_bytes(32, "big")], sender=world.seller)
        assert only(receipt, "CopyDelivered")["order"] == order


def test_a_credit_is_collected_once(world: World) -> None:
    buyer = world.deploy("RefusingBuyer")
    world.chain.fund(buyer)
    world.register(buyer)
    order = world.buy(world.list(), by=buyer)
    world.buy(world.list())
    buyer.setManner(1, sender=world.stranger)
    world.market.refund(order, sender=world.seller)
    world.market.collect(NATIVE, world.friend, sender=buyer)
    assert world.market.credit(buyer, NATIVE) == 0
    with refused("NothingToPay", buyer, NATIVE):
        world.market.collect(NATIVE, world.friend, sender=buyer)
    assert world.held() == ETHER


def test_a_payment_with_too_little_gas_says_how_much_is_needed(world: World) -> None:
    """300,000 for the receiver and 12,000 for the call, of which a 64th stays behind."""
    buyer = world.deploy("RefusingBuyer")
    world.chain.fund(buyer)
    world.register(buyer)
    order = world.buy(world.list(), by=buyer)
    buyer.setManner(3, sender=world.stranger)
    refusals = []
    for gas in range(50_000, 1_000_000, 50_000):
        with pytest.raises(CustomError) as caught:
            world.market.refund(order, sender=world.seller, gas=gas)
        refusals.append(caught.value)
        if caught.value.name:
            break
    assert refusals[-1].name == "TooLittleGas"
    left, needed = refusals[-1].arguments
    assert needed == (300_000 + 12_000) * 64 // 63
    assert left < needed
