"""What happens to one order in a dispute changes nothing about what another gets."""

from collections.abc import Callable

import pytest

from tests.contracts.unit.words import moved, refused
from tests.support.evm.disputes import CHALLENGED, NOTHING, Dispute, spoiled
from tests.support.evm.world import ETHER, HOUR, World
from tests.support.model.terms import DAY

BOND = 1000
Ending = Callable[[Dispute], None]


def open_(dispute: Dispute) -> None:
    dispute.challenge()


def answered(dispute: Dispute) -> None:
    dispute.challenge()
    dispute.respond()


def claimed(dispute: Dispute) -> None:
    dispute.challenge()
    dispute.world.chain.at(dispute.answer_until + 1)
    dispute.claim()


def proven(dispute: Dispute) -> None:
    dispute.challenge()
    dispute.respond_wrongly()
    dispute.prove_key()


def settled(dispute: Dispute) -> None:
    dispute.challenge()
    dispute.respond()
    dispute.world.chain.at(dispute.proof_until + 1)
    dispute.settle()


def refunded(dispute: Dispute) -> None:
    dispute.world.market.refundRound(dispute.order, 0, dispute.bucket, sender=dispute.world.seller)


ENDINGS = (open_, answered, claimed, proven, settled, refunded)


@pytest.fixture
def orders(world: World) -> list[Dispute]:
    """The buyer's, a dearer one and one with two rounds in its pot, and one in a bucket of its own."""
    listing = world.list(instant=True, challengeBond=BOND)
    first = [world.buy(listing)]
    world.market.changeOffer(listing, (3 * ETHER, True, bytes(32)), sender=world.seller)
    first += [world.buy(listing, by=world.other), world.buy(listing, by=world.friend, rounds=2)]
    content = spoiled()
    world.release(listing, content=content.manifest)
    disputes = [Dispute(world, order, 0, content) for order in first]
    world.chain.advance(7 * HOUR)
    late = world.buy(listing, by=world.friend, out=True)
    disputes.append(Dispute(world, late, 0, content))
    assert disputes[3].bucket != disputes[0].bucket
    return disputes


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_others_money_matures_and_is_withdrawn_to_the_wei(
    world: World, orders: list[Dispute], ending: Ending
) -> None:
    disputed, dear, long, late = orders
    ending(disputed)
    for dispute in (dear, long, late):
        assert dispute.settlement == NOTHING
    world.reach(late.maturity)
    assert moved(world, dear.withdraw) == {"payout": 6 * ETHER, "market": -6 * ETHER}
    assert moved(world, late.withdraw) == {"payout": 3 * ETHER, "market": -3 * ETHER}
    pending = ETHER + BOND if disputed.settlement == CHALLENGED else 0
    assert world.held() == pending + 3 * ETHER  # the second round of the long one
    world.release(disputed.listing)
    assert world.market.pot(disputed.listing, 1, world.bucket(disputed.listing)) == (3 * ETHER, True)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_others_may_dispute_and_get_all_of_theirs(world: World, orders: list[Dispute], ending: Ending) -> None:
    disputed, dear, long, late = orders
    for dispute, by in ((dear, world.other), (long, world.friend), (late, world.friend)):
        dispute.challenge(by=by)
    ending(disputed)
    world.reach(dear.answer_until + 1)
    assert moved(world, dear.claim) == {"other": 3 * ETHER + BOND, "market": -3 * ETHER - BOND}
    for dispute in (long, late):
        assert moved(world, dispute.claim) == {"friend": 3 * ETHER + BOND, "market": -3 * ETHER - BOND}
    pending = ETHER + BOND if disputed.settlement == CHALLENGED else 0
    assert world.held() == pending + 3 * ETHER


@pytest.mark.parametrize(
    "ending", [ending for ending in ENDINGS if ending is not settled]
)  # by then the others' money has matured
def test_the_others_are_paid_back_for_a_fault(world: World, orders: list[Dispute], ending: Ending) -> None:
    disputed, dear, long, late = orders
    ending(disputed)
    disputed.prove_content()
    assert moved(world, dear.refund) == {"other": 3 * ETHER, "market": -3 * ETHER}
    for dispute in (long, late):
        assert moved(world, dispute.refund) == {"friend": 3 * ETHER, "market": -3 * ETHER}
    if disputed.settlement == CHALLENGED:
        assert moved(world, disputed.settle) == {"buyer": ETHER + BOND, "market": -ETHER - BOND}
    assert world.held() == 3 * ETHER


@pytest.mark.parametrize("ending", ENDINGS)
def test_another_listings_orders_are_not_touched(world: World, orders: list[Dispute], ending: Ending) -> None:
    listing = world.list()
    order = world.buy(listing)
    world.release(listing)
    bystander = Dispute(world, order)
    ending(orders[0])
    orders[0].prove_content()
    with refused("NotFaulty", listing, 0):
        bystander.refund()
    world.reach(bystander.maturity)
    assert moved(world, bystander.withdraw) == {"payout": ETHER, "market": -ETHER}


def test_a_buyers_two_orders_are_two(world: World) -> None:
    listing = world.list()
    first, second = Dispute(world, world.buy(listing)), Dispute(world, world.buy(listing))
    world.release(listing)
    first.bucket = second.bucket = world.bucket(listing)
    world.chain.advance(600)
    first.challenge()
    first.respond_wrongly()
    assert moved(world, first.prove_key) == {"buyer": ETHER, "market": -ETHER}
    second.challenge()
    second.respond()
    with refused("KeyIsRight"):
        second.prove_key()
    world.chain.advance(2 * DAY)
    assert moved(world, second.settle) == {"payout": ETHER, "market": -ETHER}
    assert world.held() == 0
