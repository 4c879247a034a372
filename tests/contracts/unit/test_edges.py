"""Rules at their last value, and states that only later rounds and later orders reach."""

from tests.contracts.unit.words import refused
from tests.support.evm.world import ETHER, HOUR, World
from tests.support.model.terms import DAY

DETAILS = bytes(range(32))


def later(world: World, rounds: int = 4, **terms: object) -> tuple[int, int]:
    """A listing whose first two rounds are out, and an order that begins with the third."""
    listing = world.list(**terms)
    world.release(listing)
    world.release(listing)
    return listing, world.buy(listing, rounds=rounds)


class TestAnOrderThatBeginsLater:
    def test_it_is_cancelled_after_its_first_round(self, world: World) -> None:
        _, order = later(world)

        world.market.cancel(order, sender=world.buyer)

        assert (world.order(order)["first"], world.order(order)["rounds"]) == (2, 1)
        assert world.chain.balance(world.market) == ETHER

    def test_it_is_declined_down_to_nothing(self, world: World) -> None:
        listing, order = later(world)
        world.release(listing)

        world.market.decline(order, 2, sender=world.buyer)

        assert (world.order(order)["first"], world.order(order)["rounds"]) == (2, 0)
        assert world.chain.balance(world.market) == 0

    def test_it_is_declined_in_its_second_round(self, world: World) -> None:
        listing, order = later(world)
        world.release(listing)
        world.release(listing)

        world.market.decline(order, 3, sender=world.buyer)

        assert world.order(order)["rounds"] == 1
        assert world.chain.balance(world.market) == ETHER

    def test_it_is_given_back_by_the_seller(self, world: World) -> None:
        listing, order = later(world)
        world.release(listing)

        world.market.refund(order, sender=world.seller)

        assert world.order(order)["rounds"] == 1


def test_what_left_is_no_longer_told_as_leaving(world: World) -> None:
    listing = world.list()
    world.buy(listing, rounds=3)
    assert world.market.leaving(listing, 3) == ETHER
    for _ in range(4):
        world.release(listing)

    assert [world.market.leaving(listing, round_) for round_ in range(7)] == [0] * 7


def test_later_buyers_see_the_new_details(world: World) -> None:
    listing = world.list()

    world.market.changeOffer(listing, (ETHER, True, DETAILS), sender=world.seller)

    assert world.listing(listing)["offer"] == (ETHER, True, DETAILS)
    assert world.listing(listing)["version"] == 1
    world.market.changeOffer(listing, (ETHER, False, DETAILS), sender=world.seller)
    assert world.listing(listing)["version"] == 1, "open and closed are no new version"


def test_a_listing_that_is_not_there_has_no_seller(world: World) -> None:
    with refused("NoListing", 9):
        world.market.changeOffer(9, (ETHER, True, DETAILS), sender=world.seller)
    with refused("NoListing", 9):
        world.market.setOperator(9, world.stranger, sender=world.seller)
    with refused("NoListing", 9):
        world.market.skip(9, 0, sender=world.seller)


class TestTermsAtTheirLastValue:
    def test_the_first_due_time_is_named_and_may_be_the_last_that_fits(self, world: World) -> None:
        with refused("TermOutOfBounds", "firstDue", world.chain.now, world.chain.now + 1, 2**40 - 1):
            world.list(firstDue=world.chain.now, period=DAY)

        listing = world.list(firstDue=2**40 - 1, period=DAY)

        assert world.listing(listing)["terms"]["firstDue"] == 2**40 - 1

    def test_two_seconds_to_decline_are_enough_for_copies(self, world: World) -> None:
        assert world.list(copies=True, declineWindow=2) == 1
        with refused("CopiesNeedDeclineWindow", 1, 2):
            world.list(copies=True, declineWindow=1)


class TestVouchersAtTheirLastValue:
    def test_as_many_rounds_as_it_allows(self, world: World) -> None:
        listing = world.list()
        voucher = world.voucher(listing, maxRounds=3)

        order = world.buy_with(listing, voucher, rounds=3).value

        assert world.order(order)["rounds"] == 3

    def test_without_one_a_closed_listing_sells_nothing_even_with_a_permit(self, world: World) -> None:
        token = world.deploy("StandardToken")
        token.mint(world.buyer, 9 * ETHER, sender=world.deployer)
        listing = world.list(token=token, open=False)

        with refused("Closed", listing):
            world.buy_with(listing, permit=world.permit(token, world.buyer, ETHER))

    def test_a_permit_for_ether_is_refused(self, world: World) -> None:
        listing = world.list()
        permit = (ETHER, world.chain.now + HOUR, 27, b"\1" * 32, b"\2" * 32)

        with refused("NotAToken"):
            world.buy_with(listing, permit=permit)
