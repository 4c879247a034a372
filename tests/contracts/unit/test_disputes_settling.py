"""An answered challenge ends: for the seller once nothing was proven in time, for the buyer where content was wrong."""

from typing import Any

import pytest

from tests.contracts.unit.words import moved, only, refused
from tests.support.evm.disputes import (  # fmt: skip
    CHALLENGED,
    NOTHING_PROVEN,
    PAID_BACK,
    PAID_TO_SELLER,
    WRONG_CONTENT,
    Dispute,
    challengeable,
    spoiled,
)
from tests.support.evm.world import ETHER, HOUR, World
from tests.support.model.wallets import NATIVE


@pytest.fixture
def answered(world: World) -> Dispute:
    dispute = challengeable(world)
    dispute.challenge()
    dispute.respond()
    return dispute


class TestForTheSeller:
    @pytest.mark.parametrize("bond", [0, ETHER // 20, ETHER])
    @pytest.mark.parametrize("by", ["buyer", "seller", "stranger"])
    def test_price_and_bond_go_to_the_payout_address_whoever_calls(
        self, world: World, token: Any, bond: int, by: str
    ) -> None:
        dispute = challengeable(world, token=token, challengeBond=bond)
        dispute.challenge()
        dispute.respond()
        paid = ETHER + min(bond, ETHER // 10)
        world.chain.at(dispute.proof_until + 1)
        receipts = []
        change = moved(world, lambda: receipts.append(dispute.settle(by=world.accounts[by])), token)
        assert change == {"payout": paid, "market": -paid}
        assert only(receipts[0], "ChallengeEnded") == {
            "order": dispute.order, "round": 0, "ground": NOTHING_PROVEN, "receiver": str(world.payout), "paid": paid,
        }  # fmt: skip
        assert dispute.settlement == PAID_TO_SELLER
        assert world.market.challengeOf(dispute.order, 0) == bytes(32)

    def test_settle_before_the_proof_window_is_over(self, world: World, answered: Dispute) -> None:
        for time in (world.chain.now, answered.proof_until):
            world.chain.at(time)
            with refused("StillOpen", answered.proof_until):
                answered.settle(by=world.seller)
        world.chain.at(answered.proof_until + 1)
        answered.settle(by=world.seller)

    def test_a_quick_challenge_and_answer_leave_as_long_for_proofs_as_no_challenge(
        self, world: World, answered: Dispute
    ) -> None:
        assert answered.state.responded_at + 24 * HOUR < answered.maturity - 1
        world.chain.at(answered.maturity - 1)
        with refused("StillOpen", answered.maturity - 1):
            answered.settle(by=world.seller)
        world.chain.at(answered.maturity)
        answered.settle(by=world.seller)

    def test_also_where_the_key_was_wrong_and_nobody_proved_it(self, world: World) -> None:
        dispute = challengeable(world)
        dispute.challenge()
        dispute.respond_wrongly()
        world.chain.at(dispute.proof_until + 1)
        assert moved(world, dispute.settle) == {"payout": ETHER, "market": -ETHER}

    def test_not_without_an_answer(self, world: World) -> None:
        dispute = challengeable(world)
        dispute.challenge()
        world.chain.advance(10**7)
        with refused("NotResponded", dispute.order, 0):
            dispute.settle(by=world.seller)

    def test_once(self, world: World, answered: Dispute) -> None:
        world.chain.at(answered.proof_until + 1)
        answered.settle()
        with refused("NotTheChallenge", answered.order, 0, PAID_TO_SELLER.to_bytes(32, "big")):
            answered.settle()
        with refused("Matured"):
            world.market.refundRound(answered.order, 0, answered.bucket, sender=world.seller)

    def test_not_where_nobody_challenged(self, world: World) -> None:
        dispute = challengeable(world)
        with refused("NotTheChallenge", dispute.order, 0, bytes(32)):
            dispute.settle()

    @pytest.mark.parametrize("change", [{"responded_at": 1}, {"price": 9 * ETHER}, {"bond": ETHER}])
    def test_only_the_challenge_as_it_was(self, world: World, answered: Dispute, change: dict[str, int]) -> None:
        known = answered.state.digest
        answered.state = answered.state._replace(**change)
        with refused("NotTheChallenge", answered.order, 0, known):
            answered.settle()

    def test_of_what_was_free_nothing_is_paid(self, world: World) -> None:
        listing = world.list()
        order = world.buy_with(listing, world.voucher(listing, price=0)).value
        world.release(listing)
        world.chain.advance(600)
        dispute = Dispute(world, order)
        dispute.challenge()
        dispute.respond()
        world.chain.at(dispute.proof_until + 1)
        assert moved(world, dispute.settle) == {}
        assert dispute.settlement == PAID_TO_SELLER

    def test_a_payout_address_that_refuses_waits_for_another(self, world: World) -> None:
        payout = world.deploy("RefusingBuyer")
        payout.setManner(1, sender=world.stranger)
        dispute = challengeable(world, payout=payout)
        dispute.challenge()
        dispute.respond()
        world.chain.at(dispute.proof_until + 1)
        with refused("PaymentRefused", NATIVE, payout, ETHER):
            dispute.settle()
        assert dispute.settlement == CHALLENGED
        world.market.setPayout(dispute.listing, world.friend, sender=world.seller)
        assert moved(world, dispute.settle) == {"friend": ETHER, "market": -ETHER}

    def test_nothing_of_it_is_in_a_pot_any_more(self, world: World, answered: Dispute) -> None:
        world.chain.at(answered.proof_until + 1)
        answered.settle()
        world.reach(answered.maturity)
        with refused("NothingToPay"):
            answered.withdraw()


class TestForTheBuyer:
    """Where the content was proven wrong in time; such a proof may be another buyer's."""

    @pytest.fixture
    def dispute(self, world: World) -> Dispute:
        dispute = challengeable(world, content=spoiled(), challengeBond=1000)
        dispute.challenge()
        return dispute

    def test_at_once_where_there_is_no_answer_yet(self, world: World, dispute: Dispute) -> None:
        dispute.prove_content()
        receipts = []
        change = moved(world, lambda: receipts.append(dispute.settle()))
        assert change == {"buyer": ETHER + 1000, "market": -ETHER - 1000}
        assert only(receipts[0], "ChallengeEnded")["ground"] == WRONG_CONTENT
        assert dispute.settlement == PAID_BACK

    def test_however_late_it_was_proven_where_no_answer_ever_came(self, world: World, dispute: Dispute) -> None:
        world.chain.advance(10**8)
        dispute.prove_content()
        assert moved(world, dispute.settle) == {"buyer": ETHER + 1000, "market": -ETHER - 1000}

    def test_an_answer_after_the_proof_saves_nothing(self, world: World, dispute: Dispute) -> None:
        dispute.prove_content()
        dispute.respond()
        assert moved(world, dispute.settle) == {"buyer": ETHER + 1000, "market": -ETHER - 1000}

    @pytest.mark.parametrize("later", [0, 10**7])
    def test_until_and_with_the_last_second_of_the_proof_window(
        self, world: World, dispute: Dispute, later: int
    ) -> None:
        dispute.respond()
        world.chain.at(dispute.proof_until)
        dispute.prove_content()
        world.chain.advance(later)
        assert moved(world, dispute.settle) == {"buyer": ETHER + 1000, "market": -ETHER - 1000}

    def test_not_from_the_second_after_it(self, world: World, dispute: Dispute) -> None:
        dispute.respond()
        world.chain.at(dispute.proof_until + 1)
        dispute.prove_content()
        assert moved(world, dispute.settle) == {"payout": ETHER + 1000, "market": -ETHER - 1000}

    def test_also_when_the_rest_of_the_money_matured_long_before(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled())
        world.buy(dispute.listing, by=world.other)
        world.chain.at(dispute.maturity - 1)
        dispute.challenge()
        dispute.respond()
        world.chain.at(dispute.proof_until)
        assert dispute.maturity < world.chain.now
        dispute.prove_content()
        assert moved(world, dispute.settle) == {"buyer": ETHER, "market": -ETHER}

    def test_a_wrong_key_proves_itself_all_the_same(self, world: World, dispute: Dispute) -> None:
        dispute.respond_wrongly()
        dispute.prove_content()
        assert moved(world, dispute.prove_key) == {"buyer": ETHER + 1000, "market": -ETHER - 1000}

    def test_silence_too(self, world: World, dispute: Dispute) -> None:
        dispute.prove_content()
        world.chain.at(dispute.answer_until + 1)
        assert moved(world, dispute.claim) == {"buyer": ETHER + 1000, "market": -ETHER - 1000}

    def test_a_fault_of_another_round_is_not_this_ones(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        world.release(listing)
        bucket = world.bucket(listing)
        bad = spoiled(1)
        world.release(listing, content=bad.manifest)
        first = Dispute(world, order)
        first.challenge(bucket=bucket)
        first.respond()
        Dispute(world, order, 1, bad).prove_content()
        with refused("StillOpen"):
            first.settle()
