"""Listings sold as copies: a content hash of its own for every order."""

import pytest

from tests.contracts.unit.words import only, refused
from tests.support.evm.world import HOUR, World, key_of, manifest

HASH = key_of("a copy")
WINDOW = 600


@pytest.fixture
def listing(world: World) -> int:
    return world.list(copies=True, declineWindow=WINDOW)


def test_the_release_carries_no_manifest(world: World, listing: int) -> None:
    with refused("ManifestNotWanted", listing):
        world.market.release(listing, 0, manifest(), sender=world.seller)
    released = only(world.market.release(listing, 0, b"", sender=world.seller), "Released")
    assert (released["contentHash"], released["manifest"]) == (bytes(32), b"")


def test_a_copy_belongs_to_its_order_and_round(world: World, listing: int) -> None:
    mine, other = world.buy(listing, rounds=2), world.buy(listing, by=world.other, rounds=2)
    world.release(listing)
    receipt = world.market.deliverCopies(listing, 0, [mine], [HASH], sender=world.operator)
    assert only(receipt, "CopyDelivered") == {"order": mine, "round": 0, "contentHash": HASH}
    assert world.market.hashOf(mine, 0) == HASH
    assert world.market.hashOf(mine, 1) == bytes(32)
    assert world.market.hashOf(other, 0) == bytes(32)


def test_a_bad_item_is_skipped_and_the_batch_goes_on(world: World, listing: int) -> None:
    elsewhere = world.buy(world.list(copies=True))
    good, late = world.buy(listing), world.buy(listing, by=world.other)
    world.market.refund(late, sender=world.seller)
    world.release(listing)
    later = world.buy(listing)  # covers round 1 only
    orders = [elsewhere, late, later, 0, 2**255, listing << 32 | 99, good, good]
    hashes = [HASH] * 7 + [key_of("another")]
    receipt = world.market.deliverCopies(listing, 0, orders, hashes, sender=world.seller)
    assert [event["order"] for event in receipt.events] == [good]
    assert world.market.hashOf(good, 0) == HASH


def test_a_hash_of_zero_is_no_copy(world: World, listing: int) -> None:
    order = world.buy(listing)
    world.release(listing)
    world.market.deliverCopies(listing, 0, [order], [bytes(32)], sender=world.seller)
    world.market.deliverCopies(listing, 0, [order], [HASH], sender=world.seller)
    assert world.market.hashOf(order, 0) == HASH


def test_a_posted_copy_stays(world: World, listing: int) -> None:
    order = world.buy(listing)
    world.release(listing)
    for content_hash in (HASH, key_of("another")):
        world.market.deliverCopies(listing, 0, [order], [content_hash], sender=world.seller)
    assert world.market.hashOf(order, 0) == HASH


def test_an_adjudicated_copy_comes_in_the_first_half_of_the_decline_window(world: World, listing: int) -> None:
    first, second = world.buy(listing), world.buy(listing, by=world.other)
    world.release(listing)
    half = world.chain.now + WINDOW // 2
    world.chain.at(half - 1)
    world.market.deliverCopies(listing, 0, [first], [HASH], sender=world.seller)
    world.chain.at(half)
    with refused("TooLate", half):
        world.market.deliverCopies(listing, 0, [second], [HASH], sender=world.seller)


def test_an_adjudicated_copy_of_an_earlier_round_comes_too_late(world: World, listing: int) -> None:
    order = world.buy(listing, rounds=2)
    world.release(listing)
    world.release(listing)
    with refused("NotLatest", listing, 0, 2):
        world.market.deliverCopies(listing, 0, [order], [HASH], sender=world.seller)


def test_one_that_is_not_adjudicated_may_come_at_any_time(world: World) -> None:
    listing = world.list(copies=True, disputeWindow=0, responseWindow=0)
    order = world.buy(listing, rounds=2)
    world.release(listing)
    world.release(listing)
    world.chain.advance(1000 * HOUR)
    world.market.deliverCopies(listing, 0, [order], [HASH], sender=world.seller)
    assert world.market.hashOf(order, 0) == HASH


def test_who_got_no_copy_declines(world: World, listing: int) -> None:
    order = world.buy(listing)
    world.release(listing)
    world.chain.advance(WINDOW - 1)
    world.market.decline(order, 0, sender=world.buyer)
    assert world.held() == 0


def test_not_for_a_round_that_is_not_out(world: World, listing: int) -> None:
    order = world.buy(listing)
    with refused("NotReleased", listing, 0):
        world.market.deliverCopies(listing, 0, [order], [HASH], sender=world.seller)


def test_not_in_a_listing_of_one_ciphertext_for_all(world: World) -> None:
    listing = world.list()
    order = world.buy(listing)
    world.release(listing)
    with refused("NotCopies", listing):
        world.market.deliverCopies(listing, 0, [order], [HASH], sender=world.seller)


def test_not_with_lists_of_different_length(world: World, listing: int) -> None:
    order = world.buy(listing)
    world.release(listing)
    with refused("LengthsDiffer", 1, 2):
        world.market.deliverCopies(listing, 0, [order], [HASH, HASH], sender=world.seller)


def test_not_by_a_stranger(world: World, listing: int) -> None:
    order = world.buy(listing)
    world.release(listing)
    with refused("NotOperator", world.buyer, world.seller, world.operator):
        world.market.deliverCopies(listing, 0, [order], [HASH], sender=world.buyer)


def test_a_hash_is_promised_only_for_rounds_that_the_order_covers(world: World, listing: int) -> None:
    order = world.buy(listing)
    with refused("NotCovered", order, 1):
        world.market.hashOf(order, 1)
    with refused("NoOrder", 5):
        world.market.hashOf(5, 0)
