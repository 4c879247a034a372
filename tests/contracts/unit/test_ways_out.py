"""A buyer's ways out: decline, cancel, reclaim, and missed rounds."""

import pytest

from tests.contracts.unit.words import only, refused
from tests.support.evm.world import ETHER, HOUR, World, manifest
from tests.support.model.terms import DAY

WINDOW = 600
PAID_BACK = 3


def gain(world: World, who: object, call: object) -> int:
    """What a call brings an account, in wei."""
    before = world.chain.balance(who)
    call()  # type: ignore[operator]  # a lambda of the test
    return world.chain.balance(who) - before


class TestDecline:
    def test_it_ends_the_order_before_the_round_and_pays_back_that_and_all_later_ones(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=4)
        world.buy(listing, by=world.other, rounds=2)
        world.release(listing)
        bucket = world.bucket(listing)
        before = world.chain.balance(world.buyer)
        receipt = world.market.decline(order, 0, sender=world.buyer)
        assert only(receipt, "Declined") == {"order": order, "round": 0, "paid": 4 * ETHER}
        assert world.chain.balance(world.buyer) - before == 4 * ETHER
        assert world.market.pot(listing, 0, bucket) == (ETHER, True)
        assert world.listing(listing)["active"] == ETHER
        assert world.market.leaving(listing, 4) == 0
        assert world.order(order)["rounds"] == 0

    def test_the_rounds_before_stay_earned(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=3)
        world.release(listing)
        world.release(listing)
        assert gain(world, world.buyer, lambda: world.market.decline(order, 1, sender=world.buyer)) == 2 * ETHER
        assert world.order(order)["rounds"] == 1
        assert world.held() == ETHER

    def test_it_is_open_until_the_window_is_over(self, world: World) -> None:
        listing = world.list()
        early, late = world.buy(listing), world.buy(listing)
        world.release(listing)
        deadline = world.chain.now + WINDOW
        world.chain.at(deadline - 1)
        world.market.decline(early, 0, sender=world.buyer)
        world.chain.at(deadline)
        with refused("TooLate", deadline):
            world.market.decline(late, 0, sender=world.buyer)

    def test_without_a_window_there_is_none(self, world: World) -> None:
        listing = world.list(declineWindow=0)
        order = world.buy(listing)
        world.release(listing)
        with refused("TooLate", world.chain.now):
            world.market.decline(order, 0, sender=world.buyer)

    def test_only_the_round_released_last(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=3)
        world.release(listing)
        world.release(listing)
        with refused("NotLatest", listing, 0, 2):
            world.market.decline(order, 0, sender=world.buyer)

    def test_not_a_round_that_was_not_released(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=3)
        world.market.skip(listing, 0, sender=world.seller)
        with refused("NotReleased", listing, 0):
            world.market.decline(order, 0, sender=world.buyer)
        with refused("NotReleased", listing, 1):
            world.market.decline(order, 1, sender=world.buyer)

    def test_not_a_round_that_was_out_when_it_was_bought(self, world: World) -> None:
        listing = world.list(instant=True)
        world.release(listing)
        order = world.buy(listing, out=True, rounds=2)
        with refused("BoughtWhenOut", order, 0):
            world.market.decline(order, 0, sender=world.buyer)
        world.release(listing)
        world.market.decline(order, 1, sender=world.buyer)
        assert world.order(order)["rounds"] == 1

    def test_not_a_round_that_the_order_does_not_cover(self, world: World) -> None:
        listing = world.list()
        world.buy(listing)
        world.release(listing)
        order = world.buy(listing)
        with refused("NotCovered", order, 0):
            world.market.decline(order, 0, sender=world.buyer)

    def test_not_twice(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        world.release(listing)
        world.market.decline(order, 0, sender=world.buyer)
        with refused("NotCovered", order, 0):
            world.market.decline(order, 0, sender=world.buyer)

    def test_not_a_round_that_the_seller_gave_back(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        world.release(listing)
        world.market.refundRound(order, 0, world.bucket(listing), sender=world.seller)
        with refused("AlreadySettled", order, 0, PAID_BACK):
            world.market.decline(order, 0, sender=world.buyer)

    def test_not_by_anybody_else(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing)
        world.release(listing)
        for caller in (world.seller, world.stranger):
            with refused("NotBuyer", caller, world.buyer):
                world.market.decline(order, 0, sender=caller)


class TestCancel:
    def test_the_next_round_stays_owed_and_the_later_ones_are_paid_back_at_once(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=5)
        before = world.chain.balance(world.buyer)
        receipt = world.market.cancel(order, sender=world.buyer)
        now = world.chain.now
        assert only(receipt, "Cancelled") == {"order": order, "end": 1, "cancelledAt": now, "paid": 4 * ETHER}
        assert world.chain.balance(world.buyer) - before == 4 * ETHER
        assert (world.order(order)["rounds"], world.order(order)["cancelledAt"]) == (1, now)
        assert (world.market.leaving(listing, 1), world.market.leaving(listing, 5)) == (ETHER, 0)
        world.release(listing)
        assert world.market.pot(listing, 0, world.bucket(listing)) == (ETHER, True)

    def test_with_only_the_next_round_left_it_pays_nothing_and_starts_the_clock(self, world: World) -> None:
        order = world.buy(world.list())
        assert gain(world, world.buyer, lambda: world.market.cancel(order, sender=world.buyer)) == 0
        assert world.order(order)["cancelledAt"] == world.chain.now

    def test_with_none_left_it_is_refused(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing)
        world.release(listing)
        with refused("NothingLeft", order):
            world.market.cancel(order, sender=world.buyer)

    def test_not_twice(self, world: World) -> None:
        order = world.buy(world.list(), rounds=3)
        world.market.cancel(order, sender=world.buyer)
        with refused("AlreadyCancelled", order):
            world.market.cancel(order, sender=world.buyer)

    def test_not_by_anybody_else(self, world: World) -> None:
        order = world.buy(world.list())
        with refused("NotBuyer", world.seller, world.buyer):
            world.market.cancel(order, sender=world.seller)

    def test_an_instant_order_keeps_what_it_bought(self, world: World) -> None:
        listing = world.list(instant=True)
        world.release(listing)
        order = world.buy(listing, out=True, rounds=3)
        assert gain(world, world.buyer, lambda: world.market.cancel(order, sender=world.buyer)) == ETHER
        assert world.order(order)["rounds"] == 2


class TestReclaim:
    def test_after_the_notice_period_the_next_round_comes_back_too(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=3)
        world.market.cancel(order, sender=world.buyer)
        earliest = world.chain.now + HOUR
        world.chain.at(earliest - 1)
        with refused("TooEarly", listing, 0, earliest):
            world.market.reclaim(order, sender=world.buyer)
        world.chain.at(earliest)
        receipt = world.market.reclaim(order, sender=world.buyer)
        assert only(receipt, "Reclaimed") == {"order": order, "end": 0, "paid": ETHER}
        assert world.held() == 0
        assert world.listing(listing)["active"] == 0

    def test_not_once_the_round_is_out(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=3)
        world.market.cancel(order, sender=world.buyer)
        world.release(listing)
        world.chain.advance(HOUR)
        with refused("NothingLeft", order):
            world.market.reclaim(order, sender=world.buyer)

    def test_not_twice(self, world: World) -> None:
        order = world.buy(world.list())
        world.market.cancel(order, sender=world.buyer)
        world.chain.advance(HOUR)
        world.market.reclaim(order, sender=world.buyer)
        with refused("NothingLeft", order):
            world.market.reclaim(order, sender=world.buyer)

    def test_not_without_a_cancellation(self, world: World) -> None:
        order = world.buy(world.list())
        with refused("NotCancelled", order):
            world.market.reclaim(order, sender=world.buyer)

    def test_not_by_anybody_else(self, world: World) -> None:
        order = world.buy(world.list())
        world.market.cancel(order, sender=world.buyer)
        world.chain.advance(HOUR)
        with refused("NotBuyer", world.other, world.buyer):
            world.market.reclaim(order, sender=world.other)

    def test_it_frees_a_place_where_the_first_round_never_came(self, world: World) -> None:
        listing = world.list(supply=1)
        order = world.buy(listing)
        world.market.cancel(order, sender=world.buyer)
        world.chain.advance(HOUR)
        world.market.reclaim(order, sender=world.buyer)
        assert world.listing(listing)["voided"] == 1


class TestMissedRound:
    def test_anyone_sends_the_money_back_to_the_buyer(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        world.market.skip(listing, 0, sender=world.seller)
        before = world.chain.balance(world.buyer)
        receipt = world.market.refundMissed(order, 0, sender=world.stranger)
        assert only(receipt, "MissedRefunded") == {"order": order, "round": 0, "paid": ETHER}
        assert world.chain.balance(world.buyer) - before == ETHER
        assert world.market.settled(order, 0) == PAID_BACK
        assert world.held() == ETHER

    def test_not_twice(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        world.market.skip(listing, 0, sender=world.seller)
        world.market.refundMissed(order, 0, sender=world.stranger)
        with refused("AlreadySettled", order, 0, PAID_BACK):
            world.market.refundMissed(order, 0, sender=world.buyer)

    def test_not_a_round_that_came_or_is_to_come(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        world.release(listing)
        for round_ in (0, 1):
            with refused("NotMissed", listing, round_):
                world.market.refundMissed(order, round_, sender=world.buyer)

    def test_not_to_an_order_that_does_not_cover_it(self, world: World) -> None:
        listing = world.list()
        world.market.skip(listing, 0, sender=world.seller)
        order = world.buy(listing)
        with refused("NotCovered", order, 0):
            world.market.refundMissed(order, 0, sender=world.buyer)

    def test_it_is_still_owed_after_the_order_was_cancelled(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=4)
        world.market.skip(listing, 0, sender=world.seller)
        world.market.cancel(order, sender=world.buyer)
        world.chain.advance(HOUR)
        world.market.reclaim(order, sender=world.buyer)
        assert gain(world, world.buyer, lambda: world.market.refundMissed(order, 0, sender=world.buyer)) == ETHER
        assert world.held() == 0


@pytest.mark.parametrize("rounds", [1, 2, 9])
def test_a_seller_who_does_nothing_keeps_nothing(world: World, rounds: int) -> None:
    due = world.chain.now + DAY
    listing = world.list(firstDue=due, period=DAY)
    order = world.buy(listing, rounds=rounds)
    for round_ in range(rounds):
        world.chain.at(due + round_ * DAY + 1)
        world.market.skip(listing, round_, sender=world.buyer)
        world.market.refundMissed(order, round_, sender=world.buyer)
    assert world.held() == 0


def test_a_buyer_cant_read_a_release_and_cancel_in_front_of_it(world: World) -> None:
    listing = world.list()
    order = world.buy(listing, rounds=2)
    world.market.cancel(order, sender=world.buyer)
    world.chain.advance(HOUR - 1)
    with refused("TooEarly"):
        world.market.reclaim(order, sender=world.buyer)
    world.market.release(listing, 0, manifest(), sender=world.seller)
    assert world.market.pot(listing, 0, world.bucket(listing)) == (ETHER, True)
