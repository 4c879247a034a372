"""A faulty round: what had not matured goes back to every buyer, what had matured stays the seller's."""

from typing import Any

import pytest

from tests.contracts.unit.words import moved, only, refused
from tests.support.evm import CustomError
from tests.support.evm.disputes import (  # fmt: skip
    CHALLENGED,
    NOTHING,
    PAID_BACK,
    WRONG_CONTENT,
    Dispute,
    Sealed,
    challengeable,
    spoiled,
)
from tests.support.evm.world import ETHER, HOUR, World
from tests.support.model.terms import DAY
from tests.support.model.wallets import NATIVE

WINDOW = 600


def crowd(world: World, content: Sealed | None = None, **terms: Any) -> list[Dispute]:
    """Orders of three buyers for a round that is out and can be challenged."""
    listing = world.list(**terms)
    orders = [world.buy(listing, by=buyer) for buyer in (world.buyer, world.other, world.friend)]
    content = content or spoiled()
    world.release(listing, content=content.manifest)
    world.chain.advance(WINDOW)
    return [Dispute(world, order, 0, content) for order in orders]


class TestRefund:
    def test_one_proof_pays_every_buyer_back_whoever_calls(self, world: World, token: Any) -> None:
        if token != NATIVE:
            for buyer in (world.buyer, world.other, world.friend):
                world.give(token, buyer)
        disputes = crowd(world, token=token)
        disputes[0].prove_content()
        for dispute, name in zip(disputes, ("buyer", "other", "friend"), strict=True):
            receipts: list[Any] = []
            change = moved(world, lambda into=receipts, it=dispute: into.append(it.refund()), token)
            assert change == {name: ETHER, "market": -ETHER}
            assert only(receipts[0], "FaultyRefunded") == {
                "order": dispute.order, "round": 0, "bucket": dispute.bucket, "end": 0, "paid": ETHER,
            }  # fmt: skip
        assert world.market.pot(disputes[0].listing, 0, disputes[0].bucket) == (0, True)
        assert world.held(token) == 0

    def test_at_any_later_time(self, world: World, faulty: Dispute) -> None:
        world.chain.advance(10**8)
        assert moved(world, faulty.refund) == {"buyer": ETHER, "market": -ETHER}

    def test_an_orders_last_round_ends_it_and_so_is_paid_back_once(self, world: World, faulty: Dispute) -> None:
        faulty.refund()
        assert (world.order(faulty.order)["rounds"], faulty.settlement) == (0, NOTHING)
        with refused("NotCovered", faulty.order, 0):
            faulty.refund()
        with refused("NothingLeft", faulty.order):
            world.market.cancel(faulty.order, sender=world.buyer)

    def test_an_earlier_round_is_settled_and_so_is_paid_back_once(self, world: World) -> None:
        dispute = challengeable(world, rounds=3, content=spoiled())
        dispute.prove_content()
        receipts = []
        change = moved(world, lambda: receipts.append(dispute.refund()))
        assert change == {"buyer": ETHER, "market": -ETHER}
        assert only(receipts[0], "FaultyRefunded")["end"] == 3
        assert (world.order(dispute.order)["rounds"], dispute.settlement) == (3, PAID_BACK)
        with refused("AlreadySettled", dispute.order, 0, PAID_BACK):
            dispute.refund()
        world.release(dispute.listing)
        assert world.market.pot(dispute.listing, 1, world.bucket(dispute.listing)) == (ETHER, True)

    @pytest.mark.parametrize("first", [0, 1])
    def test_two_faulty_rounds_of_one_order_are_paid_back_in_any_sequence(self, world: World, first: int) -> None:
        contents = [spoiled(0), spoiled(1)]
        early = challengeable(world, rounds=2, content=contents[0])
        world.release(early.listing, content=contents[1].manifest)
        both = [early, Dispute(world, early.order, 1, contents[1])]
        for dispute in both:
            dispute.prove_content()
        for dispute in (both[first], both[1 - first]):
            assert moved(world, dispute.refund) == {"buyer": ETHER, "market": -ETHER}
        for dispute in both:
            with pytest.raises(CustomError):
                dispute.refund()
        assert world.held() == 0

    def test_an_order_that_ends_before_its_first_round_gives_its_place_back(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled(), supply=1)
        dispute.prove_content()
        dispute.refund()
        assert world.listing(dispute.listing)["voided"] == 1
        world.buy(dispute.listing, by=world.other)

    def test_a_missed_round_before_it_is_still_owed(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        world.market.skip(listing, 0, sender=world.seller)
        content = spoiled()
        world.release(listing, content=content.manifest)
        dispute = Dispute(world, order, 1, content)
        dispute.prove_content()
        dispute.refund()
        refund = moved(world, lambda: world.market.refundMissed(order, 0, sender=world.stranger))
        assert refund == {"buyer": ETHER, "market": -ETHER}
        assert world.held() == 0

    def test_not_what_the_seller_gave_back_before(self, world: World) -> None:
        first, second, _ = crowd(world)
        world.market.refundRound(first.order, 0, first.bucket, sender=world.seller)
        second.prove_content()
        world.market.refundRound(second.order, 0, second.bucket, sender=world.seller)
        for dispute in (first, second):
            with refused("AlreadySettled", dispute.order, 0, PAID_BACK):
                dispute.refund()
        assert world.held() == ETHER

    def test_not_what_was_declined(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        content = spoiled()
        world.release(listing, content=content.manifest)
        dispute = Dispute(world, order, 0, content)
        dispute.prove_content()
        assert moved(world, lambda: world.market.decline(order, 0, sender=world.buyer))["buyer"] == 2 * ETHER
        with refused("NotCovered", order, 0):
            dispute.refund()
        assert world.held() == 0

    def test_nor_is_declined_what_was_paid_back(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        content = spoiled()
        world.release(listing, content=content.manifest)
        dispute = Dispute(world, order, 0, content)
        dispute.prove_content()
        dispute.refund()
        with refused("AlreadySettled", order, 0, PAID_BACK):
            world.market.decline(order, 0, sender=world.buyer)
        world.market.cancel(order, sender=world.buyer)

    def test_not_a_round_that_is_not_faulty(self, world: World, faulty: Dispute) -> None:
        good = challengeable(world)
        with refused("NotFaulty", good.listing, 0):
            good.refund()
        listing = world.list()
        missed = world.buy(listing)
        world.market.skip(listing, 0, sender=world.seller)
        with refused("NotFaulty", listing, 0):
            world.market.refundFaulty(missed, 0, world.bucket(listing), sender=world.stranger)

    def test_not_to_an_order_that_does_not_cover_it_or_is_not_there(self, world: World, faulty: Dispute) -> None:
        later = world.buy(faulty.listing)
        with refused("NotCovered", later, 0):
            world.market.refundFaulty(later, 0, faulty.bucket, sender=world.stranger)
        with refused("NoOrder", 7):
            world.market.refundFaulty(7, 0, faulty.bucket, sender=world.stranger)

    def test_not_out_of_another_bucket(self, world: World, faulty: Dispute) -> None:
        for bucket in (faulty.bucket + 1, 2**200):
            with refused("WrongBucket", faulty.order, 0, bucket):
                faulty.refund(bucket=bucket)
        with refused("NotFaulty", faulty.listing, 0):
            faulty.refund(bucket=0)

    def test_nothing_for_what_was_free(self, world: World) -> None:
        listing = world.list()
        order = world.buy_with(listing, world.voucher(listing, price=0)).value
        world.buy(listing, by=world.other)
        content = spoiled()
        world.release(listing, content=content.manifest)
        dispute = Dispute(world, order, 0, content)
        dispute.prove_content()
        assert moved(world, dispute.refund) == {}
        assert world.order(order)["rounds"] == 0
        assert world.market.pot(listing, 0, dispute.bucket) == (ETHER, True)

    def test_who_refuses_has_a_credit_and_blocks_nobody(self, world: World) -> None:
        buyer = world.deploy("RefusingBuyer")
        world.chain.fund(buyer)
        world.register(buyer)
        dispute = challengeable(world, by=buyer, content=spoiled())
        dispute.prove_content()
        buyer.setManner(1, sender=world.stranger)
        assert only(dispute.refund(), "Credited") == {"account": str(buyer), "token": NATIVE, "amount": ETHER}


class TestBucketsOfWhatWasBoughtWhenItWasOut:
    @pytest.fixture
    def three(self, world: World) -> list[Dispute]:
        """The release's pot, and two that were bought later, each in a bucket of its own."""
        listing = world.list(instant=True)
        content = spoiled()
        orders = [world.buy(listing)]
        world.release(listing, content=content.manifest)
        first = Dispute(world, orders[0], 0, content)
        rest = []
        for buyer in (world.other, world.friend):
            world.chain.advance(7 * HOUR)
            rest.append(Dispute(world, world.buy(listing, by=buyer, out=True), 0, content))
        assert len({dispute.bucket for dispute in (first, *rest)}) == 3
        return [first, *rest]

    def test_a_fault_takes_those_that_had_not_matured(self, world: World, three: list[Dispute]) -> None:
        matured, early, late = three
        world.chain.at(matured.maturity)
        matured.prove_content()
        assert moved(world, matured.withdraw) == {"payout": ETHER, "market": -ETHER}
        with refused("NotFaulty"):
            matured.refund()
        world.chain.advance(3 * DAY)
        for dispute, name in ((early, "other"), (late, "friend")):
            with refused("Faulty"):
                dispute.withdraw()
            assert moved(world, dispute.refund) == {name: ETHER, "market": -ETHER}
        assert world.held() == 0

    def test_nobody_is_paid_out_of_anothers_bucket(self, three: list[Dispute]) -> None:
        first, second, third = three
        first.prove_content()
        for dispute, other in ((first, second), (second, first), (second, third), (third, first)):
            with refused("WrongBucket", dispute.order, 0, other.bucket):
                dispute.refund(bucket=other.bucket)

    def test_a_fault_after_all_of_them_matured_takes_none(self, world: World, three: list[Dispute]) -> None:
        world.chain.at(three[2].maturity)
        three[0].prove_content()
        for dispute in three:
            assert moved(world, dispute.withdraw) == {"payout": ETHER, "market": -ETHER}


class TestSales:
    def test_a_faulty_round_that_is_out_is_not_sold_any_more(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled(), instant=True)
        dispute.prove_content()
        with refused("Faulty", dispute.listing, 0, world.chain.now):
            world.buy(dispute.listing, by=world.other, out=True)
        with refused("Faulty", dispute.listing, 0, world.chain.now):
            world.buy_with(dispute.listing, world.voucher(dispute.listing), by=world.other, out=True)

    def test_nor_one_that_was_proven_so_long_after(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled(), instant=True)
        world.chain.advance(10**7)
        dispute.prove_content()
        with refused("Faulty"):
            world.buy(dispute.listing, by=world.other, out=True)

    def test_the_next_round_is(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled(), instant=True)
        dispute.prove_content()
        world.buy(dispute.listing, by=world.other)
        world.release(dispute.listing)
        late = world.buy(dispute.listing, by=world.friend, out=True)
        assert world.order(late)["first"] == 1


class TestWithAChallenge:
    def test_one_buyers_proof_pays_another_who_challenged_through_his_challenge(self, world: World) -> None:
        prover, challenger, bystander = crowd(world, challengeBond=1000)
        challenger.challenge(by=world.other)
        prover.prove_content()
        with refused("AlreadySettled", challenger.order, 0, CHALLENGED):
            challenger.refund()
        receipts = []
        assert moved(world, lambda: receipts.append(challenger.settle())) == {
            "other": ETHER + 1000, "market": -ETHER - 1000,
        }  # fmt: skip
        assert only(receipts[0], "ChallengeEnded") == {
            "order": challenger.order, "round": 0, "ground": WRONG_CONTENT, "receiver": str(world.other),
            "paid": ETHER + 1000,
        }  # fmt: skip
        for dispute in (prover, bystander):
            dispute.refund()
        assert world.held() == 0

    def test_who_was_paid_through_his_challenge_is_not_paid_again(self, world: World) -> None:
        _, challenger, _ = crowd(world)
        challenger.challenge(by=world.other)
        challenger.prove_content()
        challenger.settle()
        with refused("AlreadySettled", challenger.order, 0, PAID_BACK):
            challenger.refund()
        with refused("NotTheChallenge"):
            challenger.settle()
