"""A faulty copy: its buyer is paid back, and nobody else is touched."""

import pytest

from tests.contracts.unit.words import moved, only, refused
from tests.support.evm.disputes import (  # fmt: skip
    CHALLENGED,
    CHUNK,
    NOTHING,
    PAID_BACK,
    PAID_TO_SELLER,
    WRONG_CONTENT,
    Dispute,
    Sealed,
    challengeable,
    seal,
    spoiled,
)
from tests.support.evm.world import ETHER, World


@pytest.fixture
def copies(world: World) -> list[Dispute]:
    """Three buyers' copies in one pot: the first is faulty, the others are good."""
    return posted(world, [spoiled(1), seal(b"good", 2), seal(b"good too", 3)])


def posted(world: World, contents: list[Sealed], **terms: int) -> list[Dispute]:
    listing = world.list(copies=True, **terms)
    buyers = (world.buyer, world.other, world.friend)
    orders = [world.buy(listing, by=buyer) for buyer, _ in zip(buyers, contents, strict=False)]
    world.release(listing)
    hashes = [content.content_hash for content in contents]
    world.market.deliverCopies(listing, 0, orders, hashes, sender=world.seller)
    world.chain.advance(600)
    return [Dispute(world, order, 0, content) for order, content in zip(orders, contents, strict=True)]


class TestUnchallenged:
    def test_it_is_paid_back_at_once_whoever_proves_it(self, world: World, copies: list[Dispute]) -> None:
        faulty = copies[0]
        receipts = []
        assert moved(world, lambda: receipts.append(faulty.prove_copy())) == {"buyer": ETHER, "market": -ETHER}
        told = {"order": faulty.order, "round": 0}
        assert only(receipts[0], "CopyFaulty") == told | {"chunk": 0, "faultyAt": world.chain.now}
        assert only(receipts[0], "FaultyRefunded") == told | {"bucket": faulty.bucket, "end": 0, "paid": ETHER}
        assert world.order(faulty.order)["rounds"] == 0
        assert world.market.copyFaultyAt(faulty.order, 0) == 0

    def test_a_faulty_copy_and_the_good_copies_in_its_pot(self, world: World, copies: list[Dispute]) -> None:
        faulty, good, _ = copies
        faulty.prove_copy()
        assert world.market.pot(good.listing, 0, good.bucket) == (2 * ETHER, True)
        assert world.market.faultyAt(good.listing, 0) == 0
        for dispute in copies[1:]:
            with refused("NotFaulty", dispute.listing, 0):
                dispute.refund()
        world.chain.at(good.maturity)
        assert moved(world, good.withdraw) == {"payout": 2 * ETHER, "market": -2 * ETHER}

    def test_until_its_money_matures(self, world: World) -> None:
        early, late = posted(world, [spoiled(1), spoiled(2)])
        world.chain.at(early.maturity - 1)
        early.prove_copy()
        world.chain.at(late.maturity)
        with refused("Matured", late.listing, 0, late.bucket, late.maturity):
            late.prove_copy()
        assert moved(world, late.withdraw) == {"payout": ETHER, "market": -ETHER}

    def test_once(self, copies: list[Dispute]) -> None:
        copies[0].prove_copy()
        with refused("NotCovered", copies[0].order, 0):
            copies[0].prove_copy()

    def test_an_earlier_round_of_an_order_that_goes_on_too(self, world: World) -> None:
        dispute = challengeable(world, copies=True, rounds=2, content=spoiled())
        dispute.prove_copy()
        with refused("AlreadySettled", dispute.order, 0, PAID_BACK):
            dispute.prove_copy()
        assert world.order(dispute.order)["rounds"] == 2

    def test_not_what_the_seller_gave_back(self, world: World, copies: list[Dispute]) -> None:
        faulty = copies[0]
        world.market.refundRound(faulty.order, 0, faulty.bucket, sender=world.seller)
        with refused("AlreadySettled", faulty.order, 0, PAID_BACK):
            faulty.prove_copy()

    def test_not_out_of_another_bucket(self, copies: list[Dispute]) -> None:
        bucket = copies[0].bucket + 1
        with refused("WrongBucket", copies[0].order, 0, bucket):
            copies[0].prove_copy(bucket=bucket)

    def test_a_good_one_is_right(self, copies: list[Dispute]) -> None:
        for good in copies[1:]:
            with refused("ContentIsRight", 0):
                good.prove_copy()
            assert good.settlement == NOTHING

    def test_a_chunk_of_many_is_enough(self, world: World) -> None:
        (copy,) = posted(world, [seal(bytes(5 * CHUNK), 1, instead={3: b"\1" * CHUNK})])
        with refused("ContentIsRight", 2):
            copy.prove_copy(2)
        assert moved(world, lambda: copy.prove_copy(3)) == {"buyer": ETHER, "market": -ETHER}


class TestChallenged:
    @pytest.fixture
    def faulty(self, world: World) -> Dispute:
        faulty, _ = posted(world, [spoiled(1), seal(b"good", 2)], challengeBond=1000)
        faulty.challenge()
        return faulty

    def test_it_is_marked_and_paid_back_through_its_challenge(self, world: World, faulty: Dispute) -> None:
        receipts = []
        assert moved(world, lambda: receipts.append(faulty.prove_copy())) == {}
        assert [event.name for event in receipts[0].events] == ["CopyFaulty"]
        assert world.market.copyFaultyAt(faulty.order, 0) == world.chain.now
        assert faulty.settlement == CHALLENGED
        assert moved(world, lambda: receipts.append(faulty.settle())) == {
            "buyer": ETHER + 1000,
            "market": -ETHER - 1000,
        }
        assert only(receipts[1], "ChallengeEnded")["ground"] == WRONG_CONTENT
        with refused("AlreadySettled", faulty.order, 0, PAID_BACK):
            faulty.prove_copy()

    def test_which_bucket_is_named_does_not_matter(self, world: World, faulty: Dispute) -> None:
        faulty.prove_copy(bucket=0)
        assert world.market.copyFaultyAt(faulty.order, 0) == world.chain.now

    def test_a_faulty_mark_is_not_moved_by_a_second_proof(self, world: World, faulty: Dispute) -> None:
        faulty.respond()
        faulty.prove_copy()
        marked = world.chain.now
        world.chain.at(faulty.proof_until + 1)
        with refused("AlreadyFaulty", marked):
            faulty.prove_copy()
        assert world.market.copyFaultyAt(faulty.order, 0) == marked
        assert moved(world, faulty.settle) == {"buyer": ETHER + 1000, "market": -ETHER - 1000}

    def test_until_and_with_the_last_second_of_the_proof_window(self, world: World, faulty: Dispute) -> None:
        faulty.respond()
        world.chain.at(faulty.proof_until)
        faulty.prove_copy()
        assert moved(world, faulty.settle) == {"buyer": ETHER + 1000, "market": -ETHER - 1000}

    def test_not_from_the_second_after_it(self, world: World, faulty: Dispute) -> None:
        faulty.respond()
        world.chain.at(faulty.proof_until + 1)
        faulty.prove_copy()
        assert moved(world, faulty.settle) == {"payout": ETHER + 1000, "market": -ETHER - 1000}
        assert faulty.settlement == PAID_TO_SELLER
        with refused("Matured"):
            faulty.prove_copy()

    def test_the_good_copy_of_another_is_challenged_and_judged_by_itself(self, world: World) -> None:
        faulty, good = posted(world, [spoiled(1), seal(b"good", 2)])
        faulty.challenge()
        good.challenge(by=world.other)
        faulty.prove_copy()
        good.respond()
        with refused("StillOpen"):
            good.settle()
        with refused("KeyIsRight"):
            good.prove_key()
        world.chain.at(good.proof_until + 1)
        assert moved(world, good.settle) == {"payout": ETHER, "market": -ETHER}
        assert moved(world, faulty.settle) == {"buyer": ETHER, "market": -ETHER}
        assert world.held() == 0


class TestWhere:
    def test_not_by_another_orders_copy(self, copies: list[Dispute]) -> None:
        faulty, good, _ = copies
        expected = good.content.content_hash
        good.content = faulty.content
        with refused("WrongManifest", expected, faulty.content.content_hash):
            good.prove_copy()

    def test_not_where_no_copy_was_posted(self, world: World) -> None:
        dispute = challengeable(world, copies=True)
        dispute.content = spoiled()
        with refused("WrongManifest", bytes(32), dispute.content.content_hash):
            dispute.prove_copy()

    def test_not_in_a_listing_of_one_ciphertext_for_all(self, world: World) -> None:
        dispute = challengeable(world, content=spoiled())
        with refused("NotCopies", dispute.listing):
            dispute.prove_copy()

    def test_not_in_one_that_is_not_adjudicated(self, world: World) -> None:
        dispute = challengeable(world, copies=True, content=spoiled(), disputeWindow=0, responseWindow=0)
        with refused("NotAdjudicated", dispute.listing):
            dispute.prove_copy()

    def test_not_for_an_order_that_does_not_cover_the_round_or_is_not_there(
        self, world: World, copies: list[Dispute]
    ) -> None:
        faulty = copies[0]
        rest = (faulty.bucket, faulty.content.manifest, faulty.content.proof())
        with refused("NotCovered", faulty.order, 1):
            world.market.proveWrongCopy(faulty.order, 1, *rest, sender=world.buyer)
        with refused("NoOrder", 3):
            world.market.proveWrongCopy(3, 0, *rest, sender=world.buyer)

    def test_not_for_one_that_was_declined(self, world: World) -> None:
        bad = spoiled()
        listing = world.list(copies=True)
        order = world.buy(listing)
        world.release(listing)
        world.market.deliverCopies(listing, 0, [order], [bad.content_hash], sender=world.seller)
        dispute = Dispute(world, order, 0, bad)
        world.market.decline(order, 0, sender=world.buyer)
        with refused("NotCovered", order, 0):
            dispute.prove_copy()

    @pytest.mark.parametrize("other", [{"key": 1}, {"ciphertext": b"?"}, {"index": 1}, {"path": (bytes(32),)}])
    def test_not_with_a_proof_that_proves_nothing(self, copies: list[Dispute], other: dict[str, object]) -> None:
        error = {"key": "NotTheContentKey", "ciphertext": "NotInTree", "index": "NoSuchLeaf", "path": "WrongPathLength"}
        with refused(error[next(iter(other))]):
            copies[0].prove_copy(**other)
