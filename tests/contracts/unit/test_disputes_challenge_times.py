"""From when and until when a round can be challenged, and one that was bought when it was out."""

from tests.contracts.unit.words import moved, refused
from tests.support.evm.disputes import (
    Dispute,
    challengeable,
)
from tests.support.evm.world import ETHER, HOUR, World

WINDOW = 600


class TestWhen:
    def test_every_second_is_for_declining_or_for_challenging_and_none_for_both(self, world: World) -> None:
        listing = world.list()
        declining, challenging = Dispute(world, world.buy(listing)), Dispute(world, world.buy(listing))
        world.release(listing)
        over = world.chain.now + WINDOW
        bucket = world.bucket(listing)
        world.chain.at(over - 1)
        with refused("Declinable", challenging.order, 0, over):
            challenging.challenge(bucket=bucket)
        world.market.decline(declining.order, 0, sender=world.buyer)
        world.chain.at(over)
        with refused("TooLate", over):
            world.market.decline(challenging.order, 0, sender=world.buyer)
        challenging.challenge(bucket=bucket)

    def test_at_once_where_nothing_can_be_declined(self, world: World) -> None:
        dispute = challengeable(world, declineWindow=0)
        assert world.chain.now == world.listing(dispute.listing)["lastTurn"]
        dispute.challenge()

    def test_the_decline_window_of_a_later_round_is_not_this_ones(self, world: World) -> None:
        dispute = challengeable(world, rounds=2)
        world.release(dispute.listing)
        dispute.challenge()
        with refused("Declinable", dispute.order, 1, world.chain.now + WINDOW):
            Dispute(world, dispute.order, 1).challenge()

    def test_nor_before_the_window_is_over_what_was_bought_when_it_was_out(self, world: World) -> None:
        listing = world.list(instant=True)
        world.release(listing)
        over = world.chain.now + WINDOW
        order = world.buy(listing, out=True)
        world.chain.at(over - 1)
        with refused("Declinable", order, 0, over):
            Dispute(world, order).challenge()
        world.chain.at(over)
        Dispute(world, order).challenge()

    def test_until_the_money_matures(self, world: World) -> None:
        listing = world.list()
        early, late = Dispute(world, world.buy(listing)), Dispute(world, world.buy(listing))
        world.release(listing)
        early.bucket = late.bucket = world.bucket(listing)
        world.chain.at(early.maturity - 1)
        with refused("NotMatured"):
            early.withdraw()
        early.challenge()
        world.chain.at(early.maturity)
        with refused("Matured", listing, 0, late.bucket, late.maturity):
            late.challenge()
        assert moved(world, late.withdraw) == {"payout": ETHER, "market": -ETHER}


class TestWhatWasBoughtWhenItWasOut:
    def test_is_challenged_out_of_its_own_bucket(self, world: World) -> None:
        listing = world.list(instant=True)
        early = world.buy(listing)
        world.release(listing)
        world.chain.advance(7 * HOUR)
        late = Dispute(world, world.buy(listing, out=True))
        released = Dispute(world, early).bucket
        assert late.bucket != released
        with refused("WrongBucket", late.order, 0, released):
            late.challenge(bucket=released)
        with refused("WrongBucket", early, 0, late.bucket):
            Dispute(world, early).challenge(bucket=late.bucket)
        late.challenge()
        assert world.market.pot(listing, 0, late.bucket) == (0, False)
        assert world.market.pot(listing, 0, released) == (ETHER, True)

    def test_is_challenged_as_long_as_that_has_not_matured(self, world: World) -> None:
        listing = world.list(instant=True)
        early = Dispute(world, world.buy(listing))
        world.release(listing)
        early.bucket = world.bucket(listing)
        world.chain.advance(7 * HOUR)
        late = Dispute(world, world.buy(listing, out=True))
        world.chain.at(early.maturity)
        with refused("Matured"):
            early.challenge()
        late.challenge()
        assert moved(world, early.withdraw) == {"payout": ETHER, "market": -ETHER}

    def test_its_later_rounds_lie_in_the_releases_pots(self, world: World) -> None:
        listing = world.list(instant=True)
        world.release(listing)
        order = world.buy(listing, out=True, rounds=2)
        world.chain.advance(7 * HOUR)
        world.release(listing)
        world.chain.advance(WINDOW)
        own = world.order(order)["bucket"]
        second = Dispute(world, order, 1)
        with refused("WrongBucket", order, 1, own):
            second.challenge(bucket=own)
        second.challenge()
        assert world.market.pot(listing, 1, second.bucket) == (0, True)
