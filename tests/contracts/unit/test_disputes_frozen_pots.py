"""The money of a faulty round is the buyers': no withdrawal takes it."""

from tests.contracts.unit.words import moved, refused
from tests.support.evm.disputes import (  # fmt: skip
    NOTHING,
    Dispute,
    challengeable,
    spoiled,
)
from tests.support.evm.world import ETHER, World
from tests.support.model.terms import DAY


class TestFrozenPot:
    def test_is_never_withdrawn(self, world: World, faulty: Dispute) -> None:
        marked = world.chain.now
        for later in (faulty.maturity, faulty.maturity + 10**8):
            world.chain.at(later)
            with refused("Faulty", faulty.listing, 0, marked):
                faulty.withdraw()
        faulty.refund()
        with refused("NothingToPay"):
            faulty.withdraw()

    def test_from_the_last_second_before_it_matures(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled())
        world.chain.at(dispute.maturity - 1)
        dispute.prove_content()
        world.chain.at(dispute.maturity)
        with refused("Faulty", dispute.listing, 0, dispute.maturity - 1):
            dispute.withdraw()
        assert moved(world, dispute.refund) == {"buyer": ETHER, "market": -ETHER}

    def test_not_from_the_second_in_which_it_matures(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled())
        world.chain.at(dispute.maturity)
        dispute.prove_content()
        with refused("NotFaulty", dispute.listing, 0):
            dispute.refund()
        assert moved(world, dispute.withdraw) == {"payout": ETHER, "market": -ETHER}

    def test_a_proof_after_the_withdrawal_takes_nothing_from_anybody(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled())
        bystander = challengeable(world)
        world.chain.at(dispute.maturity)
        dispute.withdraw()
        dispute.prove_content()
        with refused("NotFaulty", dispute.listing, 0):
            dispute.refund()
        assert world.held() == ETHER
        assert bystander.settlement == NOTHING

    def test_stops_no_other_round_and_no_other_listing(self, world: World) -> None:
        faulty = challengeable(world, rounds=2, content=spoiled())
        world.release(faulty.listing)
        second, elsewhere = Dispute(world, faulty.order, 1), challengeable(world)
        faulty.prove_content()
        world.chain.advance(3 * DAY)
        for good in (second, elsewhere):
            assert moved(world, good.withdraw) == {"payout": ETHER, "market": -ETHER}
        assert moved(world, faulty.refund) == {"buyer": ETHER, "market": -ETHER}

    def test_in_one_batch_with_good_ones_stops_the_batch_and_not_the_others_alone(self, world: World) -> None:
        faulty = challengeable(world, rounds=2, content=spoiled())
        world.release(faulty.listing)
        second = Dispute(world, faulty.order, 1)
        faulty.prove_content()
        world.chain.advance(3 * DAY)
        with refused("Faulty"):
            world.market.withdraw(faulty.listing, [1, 0], [second.bucket, faulty.bucket], sender=world.seller)
        assert moved(world, second.withdraw) == {"payout": ETHER, "market": -ETHER}
