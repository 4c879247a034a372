"""A wrong key is proven with the one-time private key; an honest seller is never convicted."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.unit.words import moved, only, refused
from tests.support.evm import CustomError
from tests.support.evm.chain import CHAIN_ID
from tests.support.evm.disputes import (  # fmt: skip
    CHALLENGED,
    PAID_BACK,
    WRONG_KEY,
    Challenge,
    Dispute,
    Key,
    Sealed,
    challengeable,
    content_key,
    seal_key,
)
from tests.support.evm.world import ETHER, World
from tests.support.model.manifest import encode
from tests.support.model.wallets import NATIVE
from tests.support.vectors.reference import N


@pytest.fixture
def dispute(world: World) -> Dispute:
    dispute = challengeable(world)
    dispute.challenge()
    return dispute


def committed(world: World, secret: int) -> Dispute:
    """A challenge of a release whose content key is this one."""
    key = Key.of(secret)
    dispute = challengeable(world, content=Sealed(key, encode(key.x), {}))
    dispute.challenge()
    return dispute


def convicted(world: World, dispute: Dispute) -> bool:
    """Whether the proof wins; if it does, that the buyer gets it all."""
    proof = []
    try:
        change = moved(world, lambda: proof.append(dispute.prove_key()))
    except CustomError as error:
        if error.name != "KeyIsRight":
            raise
    else:
        assert change == {"buyer": ETHER, "market": -ETHER}
    assert dispute.settlement == (PAID_BACK if proof else CHALLENGED)
    return bool(proof)


class TestConviction:
    @pytest.mark.parametrize("bond", [0, ETHER // 20, ETHER])
    def test_price_and_bond_go_to_the_buyer(self, world: World, token: Any, bond: int) -> None:
        dispute = challengeable(world, token=token, challengeBond=bond)
        dispute.challenge()
        dispute.respond_wrongly()
        paid = ETHER + min(bond, ETHER // 10)
        receipts = []
        change = moved(world, lambda: receipts.append(dispute.prove_key(by=world.buyer)), token)
        assert change == {"buyer": paid, "market": -paid}
        assert only(receipts[0], "ChallengeEnded") == {
            "order": dispute.order, "round": 0, "ground": WRONG_KEY, "receiver": str(world.buyer), "paid": paid,
        }  # fmt: skip
        assert dispute.settlement == PAID_BACK
        assert world.held(token) == 0

    @pytest.mark.parametrize("by", ["stranger", "seller", "other"])
    def test_a_proof_by_a_stranger_pays_the_orders_buyer(self, world: World, dispute: Dispute, by: str) -> None:
        dispute.respond_wrongly()
        assert moved(world, lambda: dispute.prove_key(by=world.accounts[by])) == {"buyer": ETHER, "market": -ETHER}

    def test_a_buyer_who_refuses_has_a_credit(self, world: World) -> None:
        buyer = world.deploy("RefusingBuyer")
        world.chain.fund(buyer)
        world.register(buyer)
        dispute = challengeable(world, by=buyer)
        dispute.challenge(by=buyer)
        dispute.respond_wrongly()
        buyer.setManner(2, sender=world.stranger)
        assert only(dispute.prove_key(), "Credited") == {"account": str(buyer), "token": NATIVE, "amount": ETHER}

    def test_in_time_is_until_and_with_the_last_second(self, world: World, dispute: Dispute) -> None:
        dispute.respond_wrongly()
        world.chain.at(dispute.proof_until)
        assert convicted(world, dispute)

    def test_late_is_the_second_after_it(self, world: World, dispute: Dispute) -> None:
        dispute.respond_wrongly()
        world.chain.at(dispute.proof_until + 1)
        with refused("TooLate", dispute.proof_until + 1):
            dispute.prove_key()

    def test_once(self, world: World, dispute: Dispute) -> None:
        dispute.respond_wrongly()
        dispute.prove_key()
        with refused("NotTheChallenge", dispute.order, 0, PAID_BACK.to_bytes(32, "big")):
            dispute.prove_key()

    def test_not_before_an_answer(self, dispute: Dispute) -> None:
        with refused("NotResponded", dispute.order, 0):
            dispute.prove_key()


class TestTheHonestSeller:
    @pytest.mark.parametrize("secret", [1, 2, 5, N // 2, N // 2 + 1, N - 2, N - 1, content_key(0).secret])
    @pytest.mark.parametrize("one_time", [1, N // 2 + 1, N - 1])
    def test_is_not_convicted_whatever_the_keys_are(self, world: World, secret: int, one_time: int) -> None:
        key = Key.of(secret)
        dispute = challengeable(world, content=Sealed(key, encode(key.x), {}))
        dispute.key = Key.of(one_time)
        dispute.challenge()
        dispute.respond(dispute.sealed(response=Key.of(N - one_time)))
        assert not convicted(world, dispute)

    def test_is_told_right_and_keeps_the_challenge(self, dispute: Dispute) -> None:
        dispute.respond()
        with refused("KeyIsRight", dispute.order, 0):
            dispute.prove_key()
        assert dispute.settlement == CHALLENGED

    def test_answers_the_same_one_time_key_twice(self, world: World) -> None:
        listing = world.list()
        orders = [world.buy(listing, by=world.buyer), world.buy(listing, by=world.other)]
        world.release(listing)
        world.chain.advance(600)
        disputes = [Dispute(world, order) for order in orders]
        for dispute, by in zip(disputes, (world.buyer, world.other), strict=True):
            dispute.key = Key.named("one key for both")
            dispute.challenge(by=by)
            dispute.respond()
        assert [convicted(world, dispute) for dispute in disputes] == [False, False]

    @pytest.mark.parametrize(
        "change",
        [{"key_commitment": Key.of(3).x}, {"sealed_key": bytes(32)}, {"response_key": Key.of(3).x}, {"bond": ETHER},
         {"price": 2 * ETHER}, {"bucket": 1}, {"responded_at": 2**40 - 1}, {"challenged_at": 1},
         {"dispute_key": Key.of(3).x}],
    )  # fmt: skip
    def test_is_not_convicted_of_an_answer_that_he_did_not_give(self, dispute: Dispute, change: dict[str, Any]) -> None:
        dispute.respond()
        known = dispute.state.digest
        dispute.state = dispute.state._replace(**change)
        with refused("NotTheChallenge", dispute.order, 0, known):
            dispute.prove_key(Key.of(3).secret if "dispute_key" in change else None)


class TestAWrongAnswer:
    """What a cheating seller can seal: with the buyer's proof each of them costs him the round."""

    @pytest.mark.parametrize(
        "wrong",
        [
            pytest.param(lambda k: k + 1, id="k + 1"),
            pytest.param(lambda k: k - 1, id="k - 1"),
            pytest.param(lambda k: 0, id="k = 0"),
            pytest.param(lambda k: 1, id="k = 1"),
            pytest.param(lambda k: N - k, id="a sign not normalised (k)"),
            pytest.param(lambda k: N, id="the order of the group"),
            pytest.param(lambda k: N + 1, id="the order of the group + 1"),
            pytest.param(lambda k: 2**256 - 1, id="the largest number"),
        ],
    )
    def test_convicts(self, world: World, dispute: Dispute, wrong: Callable[[int], int]) -> None:
        dispute.respond(dispute.sealed(wrong(dispute.content.key.secret)))
        assert convicted(world, dispute)

    @pytest.mark.parametrize("k", [k for k in range(1, 9) if Key.of(k).secret == k])
    def test_convicts_for_k_plus_n(self, world: World, k: int) -> None:
        """Only small ones fit into 256 bits."""
        dispute = committed(world, k)
        dispute.respond(dispute.sealed(k + N))
        assert convicted(world, dispute)

    def test_convicts_for_a_key_whose_point_with_the_promised_one_is_infinity(self, world: World) -> None:
        """P + (1 - k) G is nothing at all for k = p + 1: ecrecover answers with nothing."""
        dispute = committed(world, 1)
        dispute.respond(dispute.sealed(2))
        assert convicted(world, dispute)

    def test_convicts_for_a_sign_not_normalised_of_the_sellers_point(self, world: World, dispute: Dispute) -> None:
        response = Key.named("the seller's one-time key")
        k = dispute.content.key.secret
        sealed = seal_key(k, dispute.place, dispute.state.dispute_key, N - response.secret)
        dispute.respond((response.x, sealed))
        assert convicted(world, dispute)

    def test_convicts_for_a_mask_with_another_one_time_point(self, world: World, dispute: Dispute) -> None:
        _, sealed = dispute.sealed()
        dispute.respond((Key.of(3).x, sealed))
        assert convicted(world, dispute)

    def test_convicts_for_the_key_in_the_clear_and_for_nothing(self, world: World) -> None:
        for sealed in (content_key(0).secret.to_bytes(32, "big"), bytes(32), b"\xff" * 32):
            dispute = challengeable(world)
            dispute.challenge()
            dispute.respond((Key.of(3).x, sealed))
            assert convicted(world, dispute)


class TestAnotherSellersAnswer:
    """A thief resells what another seller released, manifest and all, and lets that one answer for him."""

    @pytest.mark.parametrize(
        "elsewhere",
        [
            pytest.param(lambda d: {"order": d.order + 1}, id="another order"),
            pytest.param(lambda d: {"order": d.order + 2**32}, id="another listing"),
            pytest.param(lambda d: {"round": d.round + 1}, id="another round"),
            pytest.param(lambda d: {"chain_id": CHAIN_ID + 1}, id="another chain"),
            pytest.param(lambda d: {"market": str(d.world.seller)}, id="another marketplace"),
            pytest.param(lambda d: {"market": d.market.disputes()}, id="the contract that holds the code"),
        ],
    )
    def test_passed_off_as_ones_own_convicts(
        self, world: World, dispute: Dispute, elsewhere: Callable[[Dispute], dict[str, Any]]
    ) -> None:
        dispute.respond(dispute.sealed(**elsewhere(dispute)))
        assert convicted(world, dispute)

    def test_copied_off_the_chain_convicts_the_thief_and_not_the_victim(self, world: World) -> None:
        stolen = challengeable(world)  # the thief's listing, with the victim's manifest; his buyer challenges
        victims = challengeable(world, by=world.other)  # the victim's, where the thief is the buyer …
        stolen.challenge()
        victims.key = stolen.key
        victims.challenge(by=world.other)  # … and challenges with his own buyer's one-time key
        victims.respond()
        stolen.respond((victims.state.response_key, victims.state.sealed_key))
        assert convicted(world, stolen)
        with refused("KeyIsRight", victims.order, 0):
            victims.prove_key(stolen.key.secret)

    def test_of_another_deployed_marketplace_convicts_too(self, world: World) -> None:
        elsewhere = World()
        elsewhere.market = elsewhere.deploy("Marketplace")
        elsewhere.register(elsewhere.buyer)
        victims = challengeable(elsewhere)
        victims.challenge()
        stolen = challengeable(world)
        stolen.challenge()
        assert victims.order == stolen.order
        victims.respond()
        stolen.respond((victims.state.response_key, victims.state.sealed_key))
        assert convicted(world, stolen)


class TestTheOneTimePrivateKey:
    @pytest.mark.parametrize(
        "wrong",
        [
            pytest.param(lambda p: 0, id="zero"),
            pytest.param(lambda p: p + 1, id="another"),
            pytest.param(lambda p: N - p, id="a sign not normalised (p)"),
            pytest.param(lambda p: N, id="the order of the group"),
            pytest.param(lambda p: 2**256 - 1, id="the largest number"),
        ],
    )
    def test_no_other_proves_anything(self, dispute: Dispute, wrong: Callable[[int], int]) -> None:
        dispute.respond_wrongly()
        with refused("NotTheDisputeKey", dispute.key.x):
            dispute.prove_key(wrong(dispute.key.secret))
        assert dispute.settlement == CHALLENGED

    @pytest.mark.parametrize("p", [k for k in range(1, 9) if Key.of(k).secret == k])
    def test_nor_does_it_with_the_order_of_the_group_added(self, world: World, p: int) -> None:
        dispute = challengeable(world)
        dispute.challenge(key=Key.of(p).x)
        dispute.respond_wrongly()
        with refused("NotTheDisputeKey", Key.of(p).x):
            dispute.prove_key(p + N)
        dispute.prove_key(p)

    def test_a_sign_not_normalised_of_px_is_the_same_point_to_the_seller(self, world: World) -> None:
        """Only x goes into the challenge: whoever drew a scalar of odd y negates it, or proves nothing."""
        odd = next(k for k in range(1, 99) if Key.of(k).secret != k)
        dispute = challengeable(world)
        dispute.challenge(key=Key.of(odd).x)
        dispute.respond()
        with refused("NotTheDisputeKey", Key.of(odd).x):
            dispute.prove_key(odd)
        with refused("KeyIsRight", dispute.order, 0):
            dispute.prove_key(N - odd)

    def test_of_another_challenge_it_opens_nothing(self, world: World, dispute: Dispute) -> None:
        other = challengeable(world)
        other.challenge()
        other.respond_wrongly()
        dispute.respond()
        with refused("NotTheDisputeKey", dispute.key.x):
            dispute.prove_key(other.key.secret)
        mixed = other.state
        other.state = dispute.state
        with refused("NotTheChallenge", other.order, 0, Challenge(*mixed).digest):
            other.prove_key(dispute.key.secret)
