"""A buyer challenges: who, when, for what price and bond, with what one-time key."""

from typing import Any

import pytest

from tests.contracts.unit.words import moved, only, refused
from tests.support.evm.disputes import (
    CHALLENGED,
    NOTHING,
    PAID_BACK,
    PAID_TO_SELLER,
    Challenge,
    Dispute,
    Key,
    challengeable,
    spoiled,
)
from tests.support.evm.world import ETHER, HOUR, World
from tests.support.model.manifest import FIELD, is_point
from tests.support.model.terms import DAY
from tests.support.vectors.reference import N

WINDOW = 600


def first(x: int, *, on_curve: bool) -> int:
    """The first number from x on that is a point's x, or that is none's."""
    while is_point(x) != on_curve:
        x += 1
    return x


class TestWhatItMoves:
    @pytest.mark.parametrize(
        ("bond", "asked"), [(0, 0), (ETHER // 10 - 1, ETHER // 10 - 1), (ETHER // 10 + 1, ETHER // 10)]
    )
    def test_the_price_leaves_the_pot_and_the_bond_comes_in(
        self, world: World, token: Any, bond: int, asked: int
    ) -> None:
        dispute = challengeable(world, token=token, challengeBond=bond)
        other = world.market.pot(dispute.listing, 0, dispute.bucket)
        assert other == (ETHER, True)
        receipts = []
        change = moved(world, lambda: receipts.append(dispute.challenge()), token)
        assert change == ({"buyer": -asked, "market": asked} if asked else {})
        assert only(receipts[0], "Challenged") == {
            "order": dispute.order, "round": 0, "bucket": dispute.bucket, "disputeKey": dispute.key.x,
            "price": ETHER, "bond": asked, "challengedAt": world.chain.now,
        }  # fmt: skip
        assert world.market.pot(dispute.listing, 0, dispute.bucket) == (0, True)
        assert dispute.settlement == CHALLENGED

    def test_the_contract_keeps_the_hash_of_what_the_event_tells(self, world: World) -> None:
        dispute = challengeable(world, challengeBond=7)
        assert world.market.challengeOf(dispute.order, 0) == bytes(32)
        dispute.challenge()
        assert dispute.state == Challenge(dispute.key.x, dispute.bucket, ETHER, 7, world.chain.now)
        assert world.market.challengeOf(dispute.order, 0) == dispute.state.digest

    def test_the_others_money_stays_in_the_pot(self, world: World) -> None:
        listing = world.list()
        orders = [world.buy(listing, by=buyer) for buyer in (world.buyer, world.other, world.friend)]
        world.release(listing)
        world.chain.advance(WINDOW)
        dispute = Dispute(world, orders[0])
        dispute.challenge()
        assert world.market.pot(listing, 0, dispute.bucket) == (2 * ETHER, True)
        world.reach(dispute.maturity)
        assert moved(world, dispute.withdraw) == {"payout": 2 * ETHER, "market": -2 * ETHER}

    def test_the_price_is_the_orders_own(self, world: World) -> None:
        listing = world.list(price=ETHER, challengeBond=ETHER)
        order = world.buy(listing)
        world.market.changeOffer(listing, (9 * ETHER, True, bytes(32)), sender=world.seller)
        world.release(listing)
        world.chain.advance(WINDOW)
        dispute = Dispute(world, order)
        dispute.challenge()
        assert (dispute.state.price, dispute.state.bond) == (ETHER, ETHER // 10)

    def test_a_vouchers_price_counts_and_nothing_is_asked_for_what_was_free(self, world: World) -> None:
        listing = world.list(challengeBond=ETHER)
        orders = [
            world.buy_with(listing, world.voucher(listing, price=price, nonce=price)).value for price in (0, 9, ETHER)
        ]
        world.release(listing)
        world.chain.advance(WINDOW)
        disputes = [Dispute(world, order) for order in orders]
        for dispute in disputes:
            dispute.challenge()
        assert [dispute.state[2:4] for dispute in disputes] == [(0, 0), (9, 0), (ETHER, ETHER // 10)]
        assert [dispute.settlement for dispute in disputes] == [CHALLENGED] * 3

    @pytest.mark.parametrize("wrong", [-1, 1])
    def test_the_bond_is_exact(self, world: World, wrong: int) -> None:
        dispute = challengeable(world, challengeBond=1000)
        with refused("WrongPayment", 1000 + wrong, 1000):
            dispute.challenge(value=1000 + wrong)
        assert dispute.settlement == NOTHING

    def test_a_bond_in_a_token_takes_no_ether_and_no_less_than_all(self, world: World) -> None:
        token = world.deploy("FeeToken")
        dispute = challengeable(world, token=token, challengeBond=1000)
        with refused("WrongPayment", 1000, 0):
            dispute.challenge(value=1000)
        token.setFeePercent(10, sender=world.stranger)
        with refused("TokenTookFee", token, 900, 1000):
            dispute.challenge()

    def test_no_bond_takes_no_ether(self, world: World) -> None:
        with refused("WrongPayment", 1, 0):
            challengeable(world).challenge(value=1)


class TestWho:
    @pytest.mark.parametrize("caller", ["seller", "operator", "other", "stranger"])
    def test_only_the_orders_buyer(self, world: World, caller: str) -> None:
        dispute = challengeable(world)
        with refused("NotBuyer", world.accounts[caller], world.buyer):
            dispute.challenge(by=world.accounts[caller])

    def test_who_paid_for_somebody_elses_order_has_no_say(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, by=world.buyer, to=world.other)
        world.release(listing)
        world.chain.advance(WINDOW)
        dispute = Dispute(world, order)
        with refused("NotBuyer", world.buyer, world.other):
            dispute.challenge(by=world.buyer)
        dispute.challenge(by=world.other)

    def test_of_an_order_that_is_not_there_nobody(self, world: World) -> None:
        listing = world.list()
        for order in (0, listing << 32, 2**256 - 1):
            with refused("NoOrder", order):
                world.market.challenge(order, 0, 1, Key.of(1).x, sender=world.buyer)


class TestWhichRound:
    def test_one_that_the_order_covers(self, world: World) -> None:
        dispute = challengeable(world)
        world.release(dispute.listing)
        later = world.buy(dispute.listing, by=world.other)  # begins with round 2
        for order, by, round_ in ((dispute.order, world.buyer, 1), (later, world.other, 1)):
            with refused("NotCovered", order, round_):
                world.market.challenge(order, round_, dispute.bucket, dispute.key.x, sender=by)

    def test_one_that_was_released(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=3)
        world.release(listing)
        world.chain.advance(HOUR)
        world.market.skip(listing, 1, sender=world.seller)
        for round_ in (1, 2):  # missed, and to come
            for bucket in (0, world.bucket(listing), Dispute(world, order).bucket):
                with refused("WrongBucket", order, round_, bucket):
                    world.market.challenge(order, round_, bucket, Key.of(1).x, sender=world.buyer)

    def test_none_of_a_listing_that_is_not_adjudicated(self, world: World) -> None:
        dispute = challengeable(world, disputeWindow=0, responseWindow=0)
        with refused("NotAdjudicated", dispute.listing):
            dispute.challenge()

    def test_none_that_was_declined(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        world.release(listing)
        world.market.decline(order, 0, sender=world.buyer)
        world.chain.advance(WINDOW)
        with refused("NotCovered", order, 0):
            Dispute(world, order).challenge()

    def test_none_that_is_known_to_be_faulty_and_will_be_paid_back_without(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled())
        dispute.prove_content()
        with refused("Faulty", dispute.listing, 0, world.chain.now):
            dispute.challenge()

    def test_each_round_of_an_order_by_itself(self, world: World) -> None:
        dispute = challengeable(world, rounds=2)
        dispute.challenge()
        world.release(dispute.listing)
        world.chain.advance(WINDOW)
        second = Dispute(world, dispute.order, 1)
        second.challenge()
        assert (dispute.settlement, second.settlement) == (CHALLENGED, CHALLENGED)
        assert world.held() == 2 * ETHER


class TestOnce:
    def test_challenge_twice(self, world: World) -> None:
        dispute = challengeable(world)
        dispute.challenge()
        with refused("AlreadySettled", dispute.order, 0, CHALLENGED):
            dispute.challenge()

    def test_challenge_after_it_was_paid_back(self, world: World) -> None:
        dispute = challengeable(world)
        dispute.challenge()
        world.reach(dispute.answer_until + 1)
        dispute.claim()
        with refused("AlreadySettled", dispute.order, 0, PAID_BACK):
            dispute.challenge()

    def test_challenge_after_it_was_paid_to_the_seller(self, world: World) -> None:
        """Whatever the seller gets, he gets when nobody can challenge any more."""
        dispute = challengeable(world)
        dispute.challenge()
        dispute.respond()
        world.chain.at(dispute.proof_until + 1)
        dispute.settle()
        assert (dispute.settlement, world.chain.now) == (PAID_TO_SELLER, dispute.maturity)
        with refused("Matured", dispute.listing, 0, dispute.bucket, dispute.maturity):
            dispute.challenge()

    def test_challenge_after_a_refund(self, world: World) -> None:
        dispute = challengeable(world)
        world.market.refundRound(dispute.order, 0, dispute.bucket, sender=world.seller)
        with refused("AlreadySettled", dispute.order, 0, PAID_BACK):
            dispute.challenge()

    def test_refund_after_a_challenge(self, world: World) -> None:
        dispute = challengeable(world, rounds=3)
        dispute.challenge()
        with refused("AlreadySettled", dispute.order, 0, CHALLENGED):
            world.market.refundRound(dispute.order, 0, dispute.bucket, sender=world.seller)
        refund = moved(world, lambda: world.market.refund(dispute.order, sender=world.seller))
        assert refund == {"buyer": 2 * ETHER, "market": -2 * ETHER}
        world.reach(dispute.answer_until + 1)
        assert moved(world, dispute.claim) == {"buyer": ETHER, "market": -ETHER}

    def test_leaving_the_later_rounds_changes_nothing_about_the_challenged_one(self, world: World) -> None:
        dispute = challengeable(world, rounds=4)
        dispute.challenge()
        world.market.cancel(dispute.order, sender=world.buyer)
        world.chain.advance(DAY)
        world.market.reclaim(dispute.order, sender=world.buyer)
        assert moved(world, dispute.claim) == {"buyer": ETHER, "market": -ETHER}
        assert world.held() == 0


class TestTheOneTimeKey:
    @pytest.mark.parametrize(
        "x",
        [
            pytest.param(0, id="zero"),
            pytest.param(first(5, on_curve=False), id="no point's"),
            pytest.param(N, id="the order of the group"),
            pytest.param(first(N, on_curve=True), id="a point's, but not below the order of the group"),
            pytest.param(FIELD, id="the prime of the field"),
            pytest.param(FIELD + first(1, on_curve=True), id="a point's, but not reduced"),
            pytest.param(2**256 - 1, id="the largest number"),
        ],
    )
    def test_it_is_a_point_below_the_order_of_the_group(self, world: World, x: int) -> None:
        dispute = challengeable(world)
        with refused("InvalidPoint", x):
            dispute.challenge(key=x)
        assert dispute.settlement == NOTHING

    @pytest.mark.parametrize("x", [1, Key.of(1).x, max(x for x in range(N - 20, N) if is_point(x))])
    def test_any_such_point_will_do(self, world: World, x: int) -> None:
        dispute = challengeable(world)
        dispute.challenge(key=x)
        assert dispute.state.dispute_key == x
