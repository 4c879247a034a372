"""Listings: terms within bounds and fixed for good, an offer that changes for later orders only."""

from typing import Any

import pytest

from tests.contracts.unit.words import only, refused
from tests.support.evm.world import DETAILS, ETHER, HOUR, TERMS_OF_USE, World
from tests.support.model.terms import DAY, TERMS
from tests.support.model.wallets import NATIVE


def test_a_listing_is_numbered_from_1_and_says_its_terms_in_an_event(world: World) -> None:
    terms = tuple(TERMS_OF_USE[name] for name in TERMS)
    receipt = world.market.createListing(
        terms, (ETHER, True, DETAILS), world.operator, world.payout, sender=world.seller
    )
    assert receipt.value == 1
    assert world.market.listingCount() == 1
    assert only(receipt, "ListingCreated") == {
        "listing": 1, "seller": str(world.seller), "operator": str(world.operator), "payout": str(world.payout),
        "terms": terms, "offer": (ETHER, True, DETAILS),
    }  # fmt: skip


def test_a_new_listing_reads_as_it_was_made(world: World) -> None:
    state = world.listing(world.list(supply=7, copies=True))
    assert state["terms"] == TERMS_OF_USE | {"supply": 7, "copies": True}
    assert state["offer"] == (ETHER, True, DETAILS)
    assert (state["version"], state["nextRound"], state["orders"], state["active"]) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "term", "value", "least", "most"),
    [
        ({"maxRounds": 0}, "maxRounds", 0, 1, 2**16 - 1),
        ({"declineWindow": 7 * DAY + 1, "minInterval": 8 * DAY}, "declineWindow", 7 * DAY + 1, 0, 7 * DAY),
        ({"minInterval": 59, "declineWindow": 0}, "minInterval", 59, 60, 365 * DAY),
        ({"minInterval": 599}, "minInterval", 599, 600, 365 * DAY),
        ({"minInterval": 365 * DAY + 1}, "minInterval", 365 * DAY + 1, 600, 365 * DAY),
        ({"noticePeriod": 59}, "noticePeriod", 59, 60, 90 * DAY),
        ({"noticePeriod": 90 * DAY + 1}, "noticePeriod", 90 * DAY + 1, 60, 90 * DAY),
        ({"disputeWindow": 1199, "responseWindow": 600}, "disputeWindow", 1199, 1200, 90 * DAY),
        ({"disputeWindow": 119, "declineWindow": 0}, "disputeWindow", 119, 120, 90 * DAY),
        ({"disputeWindow": 90 * DAY + 1}, "disputeWindow", 90 * DAY + 1, 1200, 90 * DAY),
        ({"responseWindow": 599}, "responseWindow", 599, 600, DAY // 2),
        ({"responseWindow": 59, "declineWindow": 0}, "responseWindow", 59, 60, DAY // 2),
        ({"responseWindow": DAY // 2 + 1}, "responseWindow", DAY // 2 + 1, 600, DAY // 2),
        ({"disputeWindow": 0, "responseWindow": 60}, "responseWindow", 60, 0, 0),
        ({"disputeWindow": 0, "responseWindow": 0, "challengeBond": 1}, "challengeBond", 1, 0, 0),
        ({"firstDue": 2**39}, "period", 0, HOUR, 2**32 - 1),
    ],
)
def test_a_term_out_of_bounds_is_named_with_its_bounds(
    world: World, changes: dict[str, Any], term: str, value: int, least: int, most: int
) -> None:
    with refused("TermOutOfBounds", term, value, least, most):
        world.list(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"maxRounds": 1},
        {"declineWindow": 7 * DAY, "minInterval": 7 * DAY, "disputeWindow": 14 * DAY, "responseWindow": 7 * DAY},
        {"minInterval": 60, "declineWindow": 0, "disputeWindow": 120, "responseWindow": 60, "noticePeriod": 60},
        {"minInterval": 365 * DAY, "noticePeriod": 90 * DAY, "disputeWindow": 90 * DAY, "responseWindow": 45 * DAY},
        {"disputeWindow": 0, "responseWindow": 0},
    ],
)
def test_the_bounds_themselves_are_allowed(world: World, changes: dict[str, Any]) -> None:
    assert world.list(**changes) == 1


def test_a_schedule_begins_in_the_future_and_leaves_room_between_releases(world: World) -> None:
    now = world.chain.now
    with refused("TermOutOfBounds"):
        world.list(firstDue=now, period=HOUR)
    with refused("TermOutOfBounds", "period", HOUR - 1, HOUR, 2**32 - 1):
        world.list(firstDue=now + 1, period=HOUR - 1)
    assert world.list(firstDue=now + 1, period=HOUR) == 1


@pytest.mark.parametrize("changes", [{"declineWindow": 0}, {"declineWindow": 1}, {"instant": True}])
def test_adjudicated_copies_need_a_decline_window_and_cant_be_instant(world: World, changes: dict[str, Any]) -> None:
    with refused("CopiesNeedDeclineWindow", changes.get("declineWindow", 600), 2):
        world.list(copies=True, **changes)
    assert world.list(copies=True, disputeWindow=0, responseWindow=0, **changes) == 1


def test_the_token_is_a_contract(world: World) -> None:
    with refused("NotAToken", world.stranger):
        world.list(token=world.stranger)


def test_a_payout_address_is_needed(world: World) -> None:
    listing = world.list()
    for nobody in (NATIVE, world.market):
        with refused("InvalidReceiver", nobody):
            world.list(payout=nobody)
        with refused("InvalidReceiver", nobody):
            world.market.setPayout(listing, nobody, sender=world.seller)


def test_what_is_not_there_cant_be_read(world: World) -> None:
    with refused("NoListing", 1):
        world.market.getListing(1)
    with refused("NoListing", 0):
        world.market.getListing(0)
    with refused("NoOrder", 1 << 32):
        world.market.getOrder(1 << 32)


class TestOffer:
    def change(
        self, world: World, listing: int, price: int = ETHER, opened: bool = True, details: bytes = DETAILS
    ) -> Any:
        return world.market.changeOffer(listing, (price, opened, details), sender=world.seller)

    def test_a_change_of_price_or_details_is_a_new_version(self, world: World) -> None:
        listing = world.list()
        receipt = self.change(world, listing, price=2 * ETHER)
        assert only(receipt, "OfferChanged") == {"listing": listing, "version": 1, "offer": (2 * ETHER, True, DETAILS)}
        self.change(world, listing, price=2 * ETHER, details=bytes(32))
        assert world.listing(listing)["version"] == 2

    def test_opening_and_closing_is_not(self, world: World) -> None:
        listing = world.list()
        self.change(world, listing, opened=False)
        assert world.listing(listing)["version"] == 0
        assert world.listing(listing)["offer"] == (ETHER, False, DETAILS)

    def test_earlier_orders_keep_their_price(self, world: World) -> None:
        listing = world.list()
        order = world.buy(listing, rounds=2)
        self.change(world, listing, price=5 * ETHER)
        later = world.buy(listing)
        assert (world.order(order)["price"], world.order(order)["version"]) == (ETHER, 0)
        assert (world.order(later)["price"], world.order(later)["version"]) == (5 * ETHER, 1)

    def test_the_offer_cant_change_more_than_65_534_times(self, world: World) -> None:
        listing = world.list()
        call = world.market.kind.functions["changeOffer"].encode
        offers = [call(listing, (price, True, DETAILS)) for price in (1, 2)]
        for number in range(65_534):  # straight to the machine: this is many calls
            world.chain.transact(world.seller, world.market.address, offers[number % 2])
        assert world.listing(listing)["version"] == 65_534
        with refused("TooManyVersions", listing):
            self.change(world, listing, price=3)
        self.change(world, listing, price=world.listing(listing)["offer"][0], opened=False)


class TestWhoMayChangeIt:
    def test_only_the_seller(self, world: World) -> None:
        listing = world.list()
        calls = {"changeOffer": ((1, True, DETAILS),), "setOperator": (world.friend,), "setPayout": (world.friend,)}
        for function, arguments in calls.items():
            for caller in (world.operator, world.stranger):
                with refused("NotSeller", caller, world.seller):
                    getattr(world.market, function)(listing, *arguments, sender=caller)

    def test_another_operator_takes_over_or_nobody(self, world: World) -> None:
        listing = world.list()
        receipt = world.market.setOperator(listing, world.friend, sender=world.seller)
        assert only(receipt, "OperatorChanged") == {"listing": listing, "operator": str(world.friend)}
        with refused("NotOperator", world.operator, world.seller, world.friend):
            world.release(listing, by=world.operator)
        world.market.setOperator(listing, NATIVE, sender=world.seller)
        with refused("NotOperator", world.friend, world.seller, NATIVE):
            world.release(listing, by=world.friend)

    def test_withdrawals_go_to_the_new_payout_address(self, world: World) -> None:
        listing = world.list()
        world.buy(listing)
        world.release(listing)
        bucket = world.bucket(listing)
        receipt = world.market.setPayout(listing, world.friend, sender=world.seller)
        assert only(receipt, "PayoutChanged") == {"listing": listing, "payout": str(world.friend)}
        world.reach(world.market.maturityOf(listing, bucket))
        before = world.chain.balance(world.friend)
        world.market.withdraw(listing, [0], [bucket], sender=world.stranger)
        assert world.chain.balance(world.friend) - before == ETHER
