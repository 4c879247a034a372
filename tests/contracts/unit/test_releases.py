"""Releases, skips and deliveries: in order, on time, not twice, and the manifest checked."""

from hashlib import sha256

import pytest

from tests.contracts.unit.words import only, refused
from tests.support.evm.world import ETHER, HOUR, World, commitment, manifest
from tests.support.model.manifest import FIELD, MAX_SIZE, encode, is_point
from tests.support.model.terms import DAY

ENVELOPES = sha256(b"envelopes").digest()


class TestRelease:
    def test_the_manifest_goes_into_the_event_and_its_hash_is_the_content_hash(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing)
        receipt = world.market.release(listing, 0, manifest(), sender=world.seller)
        bucket, content_hash = world.bucket(listing), sha256(manifest()).digest()
        assert only(receipt, "Released") == {
            "listing": listing, "round": 0, "contentHash": content_hash, "bucket": bucket,
            "releasedAt": world.chain.now, "manifest": manifest(),
        }  # fmt: skip
        assert world.market.hashOf(order, 0) == content_hash
        assert world.listing(listing)["lastTurn"] == world.chain.now
        assert world.listing(listing)["nextRound"] == 1

    def test_it_earns_the_round_of_every_order_that_covers_it_and_no_other(self, world: World) -> None:
        listing = world.list()
        world.buy(listing)
        world.buy(listing, by=world.other, rounds=2)
        world.buy(listing, by=world.friend, rounds=3)
        pots = []
        for round_ in range(4):
            world.release(listing)
            pots.append(world.market.pot(listing, round_, world.bucket(listing)))
        assert pots == [(3 * ETHER, True), (2 * ETHER, True), (ETHER, True), (0, True)]
        assert world.listing(listing)["active"] == 0

    def test_the_operator_may(self, world: World) -> None:
        world.release(world.list(), by=world.operator)

    def test_nobody_else_may(self, world: World) -> None:
        listing = world.list()
        for caller in (world.buyer, world.payout, world.stranger):
            with refused("NotOperator", caller, world.seller, world.operator):
                world.release(listing, by=caller)

    def test_a_double_send_fails(self, world: World) -> None:
        listing = world.list()
        world.release(listing)
        world.chain.advance(DAY)
        with refused("NotNextRound", listing, 0, 1):
            world.market.release(listing, 0, manifest(), sender=world.seller)
        with refused("NotNextRound", listing, 2, 1):
            world.market.release(listing, 2, manifest(), sender=world.seller)

    def test_the_next_one_waits_for_the_interval(self, world: World) -> None:
        listing = world.list()
        world.release(listing)
        earliest = world.chain.now + HOUR
        world.chain.at(earliest - 1)
        with refused("TooEarly", listing, 1, earliest):
            world.market.release(listing, 1, manifest(1), sender=world.seller)
        world.chain.at(earliest)
        world.market.release(listing, 1, manifest(1), sender=world.seller)

    def test_the_first_one_need_not_wait(self, world: World) -> None:
        listing = world.list(minInterval=365 * DAY)
        world.market.release(listing, 0, manifest(), sender=world.seller)

    def test_a_schedule_opens_one_period_before_a_round_is_due_and_closes_when_it_is(self, world: World) -> None:
        due = world.chain.now + 3 * DAY
        listing = world.list(firstDue=due, period=DAY)
        world.chain.at(due - DAY - 1)
        with refused("TooEarly", listing, 0, due - DAY):
            world.market.release(listing, 0, manifest(), sender=world.seller)
        world.chain.at(due - DAY)
        world.market.release(listing, 0, manifest(), sender=world.seller)
        with refused("TooEarly", listing, 1, due):
            world.market.release(listing, 1, manifest(), sender=world.seller)
        world.chain.at(due + DAY)
        world.market.release(listing, 1, manifest(), sender=world.seller)
        world.chain.at(due + 2 * DAY + 1)
        with refused("Overdue", listing, 2, due + 2 * DAY):
            world.market.release(listing, 2, manifest(), sender=world.seller)

    def test_a_period_longer_than_the_age_of_the_chain_is_no_obstacle(self, world: World) -> None:
        listing = world.list(firstDue=world.chain.now + DAY, period=2**32 - 1)
        world.market.release(listing, 0, manifest(), sender=world.seller)

    def test_a_listing_that_is_not_there_releases_nothing(self, world: World) -> None:
        with refused("NoListing", 7):
            world.market.release(7, 0, manifest(), sender=world.seller)


class TestManifest:
    off_curve = next(x for x in range(5, 99) if not is_point(x))

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            manifest()[:-1],
            manifest() + b"\0",
            manifest(version=0),
            manifest(version=2),
            manifest(version=2**255 + 1),
            manifest(size=MAX_SIZE + 1),
            manifest(size=2**256 - 1),
            encode(0),
            encode(off_curve),
            encode(FIELD),
            encode(FIELD + commitment() % 2**32),
            encode(2**256 - 1),
        ],
    )
    def test_a_malformed_one_is_refused(self, world: World, content: bytes) -> None:
        listing = world.list()
        with refused("InvalidManifest"):
            world.market.release(listing, 0, content, sender=world.seller)
        with refused("InvalidManifest"):
            world.market.releaseAndDeliver(listing, 0, content, ENVELOPES, 1, sender=world.seller)

    @pytest.mark.parametrize("size", [0, 1, 4096, MAX_SIZE])
    def test_every_size_that_can_be_sealed_is_accepted(self, world: World, size: int) -> None:
        world.market.release(world.list(), 0, manifest(size=size), sender=world.seller)

    @pytest.mark.parametrize("number", range(8))
    def test_every_point_is_accepted(self, world: World, number: int) -> None:
        world.market.release(world.list(), 0, manifest(number), sender=world.seller)


class TestSkip:
    def test_the_round_is_missed_and_nothing_is_earned(self, world: World) -> None:
        listing = world.list()
        world.buy(listing, rounds=2)
        receipt = world.market.skip(listing, 0, sender=world.operator)
        assert only(receipt, "Skipped") == {"listing": listing, "round": 0, "lastTurn": world.chain.now}
        assert world.market.isMissed(listing, 0)
        assert world.listing(listing)["nextRound"] == 1
        assert world.listing(listing)["active"] == ETHER
        assert world.listing(listing)["lastTurn"] == world.chain.now

    def test_a_voluntary_one_waits_for_the_interval(self, world: World) -> None:
        listing = world.list()
        world.release(listing)
        earliest = world.chain.now + HOUR
        world.chain.at(earliest - 1)
        with refused("TooEarly", listing, 1, earliest):
            world.market.skip(listing, 1, sender=world.seller)
        world.chain.at(earliest)
        world.market.skip(listing, 1, sender=world.seller)
        with refused("TooEarly", listing, 2, earliest + HOUR):  # and it starts an interval itself
            world.market.skip(listing, 2, sender=world.seller)
        with refused("TooEarly", listing, 2, earliest + HOUR):
            world.market.release(listing, 2, manifest(), sender=world.seller)

    def test_a_voluntary_one_comes_no_earlier_than_one_period_before_the_round_is_due(self, world: World) -> None:
        due = world.chain.now + 3 * DAY
        listing = world.list(firstDue=due, period=DAY)
        world.chain.at(due - DAY - 1)
        with refused("TooEarly", listing, 0, due - DAY):
            world.market.skip(listing, 0, sender=world.seller)
        world.chain.at(due - DAY)
        world.market.skip(listing, 0, sender=world.seller)

    def test_one_of_an_overdue_round_starts_no_interval(self, world: World) -> None:
        due = world.chain.now + DAY
        listing = world.list(firstDue=due, period=DAY)
        world.chain.at(due + DAY + 1)
        for round_ in (0, 1):
            receipt = world.market.skip(listing, round_, sender=world.seller)
            assert only(receipt, "Skipped")["lastTurn"] == 0
        world.market.release(listing, 2, manifest(), sender=world.seller)

    def test_anyone_skips_what_is_overdue(self, world: World) -> None:
        due = world.chain.now + DAY
        listing = world.list(firstDue=due, period=DAY)
        world.chain.at(due)
        with refused("NotOperator", world.stranger, world.seller, world.operator):
            world.market.skip(listing, 0, sender=world.stranger)
        world.chain.at(due + 1)
        world.market.skip(listing, 0, sender=world.stranger)

    def test_without_a_schedule_nothing_is_ever_overdue(self, world: World) -> None:
        listing = world.list()
        world.chain.advance(1000 * DAY)
        with refused("NotOperator", world.stranger, world.seller, world.operator):
            world.market.skip(listing, 0, sender=world.stranger)

    def test_only_the_next_round(self, world: World) -> None:
        listing = world.list()
        with refused("NotNextRound", listing, 1, 0):
            world.market.skip(listing, 1, sender=world.seller)


class TestDeliver:
    def test_envelopes_are_posted_for_a_released_round_as_often_as_needed(self, world: World) -> None:
        listing = world.list()
        world.release(listing)
        for count in (3, 1):
            receipt = world.market.deliver(listing, 0, ENVELOPES, count, sender=world.operator)
            assert only(receipt, "Delivered") == {"listing": listing, "round": 0, "digest": ENVELOPES, "count": count}

    def test_together_with_the_release(self, world: World) -> None:
        listing = world.list()
        world.buy(listing)
        receipt = world.market.releaseAndDeliver(listing, 0, manifest(), ENVELOPES, 1, sender=world.seller)
        assert [event.name for event in receipt.events] == ["Released", "Delivered"]

    def test_not_for_a_round_that_was_not_released(self, world: World) -> None:
        listing = world.list()
        world.market.skip(listing, 0, sender=world.seller)
        for round_ in (0, 1):
            with refused("NotReleased", listing, round_):
                world.market.deliver(listing, round_, ENVELOPES, 1, sender=world.seller)

    def test_not_by_a_stranger(self, world: World) -> None:
        listing = world.list()
        world.release(listing)
        with refused("NotOperator", world.stranger, world.seller, world.operator):
            world.market.deliver(listing, 0, ENVELOPES, 1, sender=world.stranger)
