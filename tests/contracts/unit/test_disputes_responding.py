"""A seller answers a challenge with the content key, sealed to the buyer's one-time key, or loses it by silence."""

from typing import Any

import pytest

from tests.contracts.unit.words import moved, only, refused
from tests.support.evm.disputes import CHALLENGED, NO_RESPONSE, PAID_BACK, Dispute, Key, Sealed, challengeable, seal
from tests.support.evm.world import ETHER, World, commitment, manifest
from tests.support.model.manifest import FIELD, MAX_SIZE, encode
from tests.support.model.wallets import NATIVE
from tests.support.vectors.reference import N


@pytest.fixture
def dispute(world: World) -> Dispute:
    dispute = challengeable(world, challengeBond=1000)
    dispute.challenge()
    return dispute


class TestAnswer:
    @pytest.mark.parametrize("by", ["seller", "operator"])
    def test_the_seller_or_his_operator_gives_the_key_and_no_money_moves(
        self, world: World, dispute: Dispute, by: str
    ) -> None:
        response_key, sealed_key = dispute.sealed()
        receipts = []
        assert moved(world, lambda: receipts.append(dispute.respond(by=world.accounts[by]))) == {}
        assert only(receipts[0], "Responded") == {
            "order": dispute.order, "round": 0, "respondedAt": world.chain.now, "responseKey": response_key,
            "sealedKey": sealed_key, "keyCommitment": commitment(0),
        }  # fmt: skip
        assert dispute.settlement == CHALLENGED
        assert world.market.challengeOf(dispute.order, 0) == dispute.state.digest
        assert dispute.state[5:] == (world.chain.now, response_key, sealed_key, commitment(0))

    @pytest.mark.parametrize("by", ["buyer", "stranger", "payout"])
    def test_nobody_else_does(self, world: World, dispute: Dispute, by: str) -> None:
        with refused("NotOperator", world.accounts[by], world.seller, world.operator):
            dispute.respond(by=world.accounts[by])

    def test_of_a_listing_that_is_not_there_nobody(self, world: World, dispute: Dispute) -> None:
        with refused("NoListing", 0):
            world.market.respond(0, 0, dispute.state, manifest(), 1, bytes(32), sender=world.seller)

    def test_respond_twice(self, world: World, dispute: Dispute) -> None:
        opened = dispute.state
        dispute.respond()
        answered = dispute.state
        with refused("AlreadyResponded", dispute.order, 0, answered.responded_at):
            dispute.respond()
        dispute.state = opened
        with refused("NotTheChallenge", dispute.order, 0, answered.digest):
            dispute.respond()

    def test_in_time_is_until_and_with_the_last_second(self, world: World, dispute: Dispute) -> None:
        world.chain.at(dispute.answer_until)
        dispute.respond()

    def test_late_is_the_second_after_it(self, world: World, dispute: Dispute) -> None:
        world.chain.at(dispute.answer_until + 1)
        with refused("TooLate", dispute.answer_until + 1):
            dispute.respond()

    def test_not_where_nobody_challenged(self, world: World) -> None:
        dispute = challengeable(world)
        with refused("NotTheChallenge", dispute.order, 0, bytes(32)):
            dispute.respond()

    def test_not_with_a_challenge_that_ended(self, world: World, dispute: Dispute) -> None:
        world.chain.at(dispute.answer_until + 1)
        dispute.claim()
        with refused("NotTheChallenge", dispute.order, 0, PAID_BACK.to_bytes(32, "big")):
            dispute.respond()

    @pytest.mark.parametrize(
        "change",
        [{"dispute_key": Key.of(5).x}, {"bucket": 1}, {"price": 1}, {"bond": 0}, {"challenged_at": 2**40 - 1},
         {"response_key": 1}, {"sealed_key": b"\1" * 32}, {"key_commitment": 1}],
    )  # fmt: skip
    def test_only_the_challenge_as_it_was_made(self, dispute: Dispute, change: dict[str, Any]) -> None:
        known = dispute.state.digest
        dispute.state = dispute.state._replace(**change)
        with refused("NotTheChallenge", dispute.order, 0, known):
            dispute.respond()

    def test_nor_the_one_of_another_order_or_round(self, world: World, dispute: Dispute) -> None:
        other = challengeable(world, challengeBond=1000, rounds=2)
        other.challenge()
        for order, round_ in ((other.order, 0), (other.order, 1), (dispute.order, 1)):
            with refused("NotTheChallenge"):
                arguments = (order, round_, dispute.state, manifest(), *dispute.sealed())
                world.market.respond(*arguments, sender=world.seller)


class TestTheManifest:
    def test_it_is_the_one_whose_hash_was_posted(self, dispute: Dispute) -> None:
        good = dispute.content
        for bad in (manifest(1), good.manifest[:-1], good.manifest + b"\0", b""):
            found = Sealed(good.key, bad, {}).content_hash
            with refused("WrongManifest", good.content_hash, found):
                dispute.respond(manifest=bad)

    def test_of_a_copy_it_is_the_orders_own(self, world: World) -> None:
        copy = seal(b"mine", 7)
        dispute = challengeable(world, copies=True, content=copy)
        dispute.challenge()
        with refused("WrongManifest"):
            dispute.respond(manifest=seal(b"another's", 8).manifest)
        dispute.respond()
        assert dispute.state.key_commitment == commitment(7)

    def test_where_no_copy_was_posted_there_is_no_answer(self, world: World) -> None:
        dispute = challengeable(world, copies=True)
        dispute.challenge()
        with refused("WrongManifest", bytes(32), dispute.content.content_hash):
            dispute.respond()
        world.chain.at(dispute.answer_until + 1)
        assert moved(world, dispute.claim) == {"buyer": ETHER, "market": -ETHER}

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (b"a copy's hash is not looked into when it is posted", "length"),
            (encode(commitment(), version=2), "version"),
            (encode(commitment(), size=MAX_SIZE + 1), "size"),
            (encode(0), "key commitment"),
            (encode(5), "key commitment"),
            (encode(N), "key commitment"),
        ],
    )
    def test_a_copys_is_no_answer_unless_it_is_well_formed(self, world: World, text: bytes, problem: str) -> None:
        dispute = challengeable(world, copies=True, content=Sealed(Key.of(1), text, {}))
        dispute.challenge()
        with refused("InvalidManifest", problem):
            dispute.respond()


class TestTheOneTimePoint:
    @pytest.mark.parametrize("x", [0, 5, N, FIELD, FIELD + 1, 2**256 - 1])
    def test_it_is_a_point_below_the_order_of_the_group(self, dispute: Dispute, x: int) -> None:
        with refused("InvalidPoint", x):
            dispute.respond((x, bytes(32)))

    def test_it_may_be_the_buyers_own_or_the_promised_ones(self, world: World) -> None:
        for x in (Key.of(1).x, commitment(0)):
            dispute = challengeable(world)
            dispute.challenge()
            dispute.respond((x, bytes(32)))
            assert dispute.state.response_key == x


class TestSilence:
    @pytest.mark.parametrize("bond", [0, ETHER // 20, ETHER])
    @pytest.mark.parametrize("by", ["buyer", "seller", "stranger"])
    def test_price_and_bond_come_back_whoever_says_so(self, world: World, token: Any, bond: int, by: str) -> None:
        dispute = challengeable(world, token=token, challengeBond=bond)
        dispute.challenge()
        paid = ETHER + min(bond, ETHER // 10)
        world.chain.at(dispute.answer_until + 1)
        receipts = []
        change = moved(world, lambda: receipts.append(dispute.claim(by=world.accounts[by])), token)
        assert change == {"buyer": paid, "market": -paid}
        assert only(receipts[0], "ChallengeEnded") == {
            "order": dispute.order, "round": 0, "ground": NO_RESPONSE, "receiver": str(world.buyer), "paid": paid,
        }  # fmt: skip
        assert dispute.settlement == PAID_BACK
        assert world.market.challengeOf(dispute.order, 0) == bytes(32)
        assert world.held(token) == 0

    def test_it_is_silence_from_the_second_after_the_last_on(self, world: World, dispute: Dispute) -> None:
        world.chain.at(dispute.answer_until)
        with refused("StillOpen", dispute.answer_until):
            dispute.claim()
        world.chain.at(dispute.answer_until + 1)
        dispute.claim()

    def test_no_answer_is_needed_to_claim_at_any_later_time(self, world: World, dispute: Dispute) -> None:
        world.chain.at(dispute.answer_until + 10**8)
        assert moved(world, dispute.claim) == {"buyer": ETHER + 1000, "market": -ETHER - 1000}

    def test_not_after_an_answer(self, world: World, dispute: Dispute) -> None:
        opened = dispute.state
        dispute.respond()
        answered = dispute.state
        world.chain.at(dispute.answer_until + 1)
        with refused("AlreadyResponded", dispute.order, 0, answered.responded_at):
            dispute.claim()
        dispute.state = opened
        with refused("NotTheChallenge", dispute.order, 0, answered.digest):
            dispute.claim()

    def test_once(self, world: World, dispute: Dispute) -> None:
        world.chain.at(dispute.answer_until + 1)
        dispute.claim()
        with refused("NotTheChallenge", dispute.order, 0, PAID_BACK.to_bytes(32, "big")):
            dispute.claim()

    def test_not_where_nobody_challenged(self, world: World) -> None:
        dispute = challengeable(world)
        with refused("NotTheChallenge", dispute.order, 0, bytes(32)):
            dispute.claim()

    def test_what_was_free_pays_nothing_back(self, world: World) -> None:
        listing = world.list()
        order = world.buy_with(listing, world.voucher(listing, price=0)).value
        world.release(listing)
        world.chain.advance(600)
        dispute = Dispute(world, order)
        dispute.challenge()
        world.chain.at(dispute.answer_until + 1)
        assert moved(world, dispute.claim) == {}
        assert dispute.settlement == PAID_BACK

    def test_a_buyer_who_refuses_has_a_credit(self, world: World) -> None:
        buyer = world.deploy("RefusingBuyer")
        world.chain.fund(buyer)
        world.register(buyer)
        dispute = challengeable(world, by=buyer, challengeBond=1000)
        dispute.challenge(by=buyer)
        buyer.setManner(1, sender=world.stranger)
        world.chain.at(dispute.answer_until + 1)
        credited = only(dispute.claim(), "Credited")
        assert credited == {"account": str(buyer), "token": NATIVE, "amount": ETHER + 1000}
        assert world.market.credit(buyer, NATIVE) == world.held() == ETHER + 1000

    def test_a_buyer_whom_the_token_blocks_has_a_credit(self, world: World) -> None:
        token = world.deploy("BlockingToken")
        dispute = challengeable(world, token=token, challengeBond=1000)
        dispute.challenge()
        token.setRefusal(world.buyer, 1, sender=world.stranger)
        world.chain.at(dispute.answer_until + 1)
        dispute.claim()
        assert world.market.credit(world.buyer, token) == world.held(token) == ETHER + 1000
