"""What a seller's client does over a node that leaves out logs: nothing is released twice, no key goes to who was paid
back, and no challenge is lost by silence. Logs are compared with what the contract holds."""

import json
from collections.abc import Callable

import pytest

from numerbay_chain.buyer import Buyer
from numerbay_chain.core.errors import ExitCode, NetworkError
from numerbay_chain.seller import Seller
from tests.support.codes import fails_with
from tests.support.fixtures import Says
from tests.support.nodes import LyingIndex, leaving_out
from tests.support.places import PRICE, Place
from tests.support.told import Told

HOUR, DAY = 3_600, 86_400


@pytest.fixture
def forgetting(place: Place) -> Callable[..., Seller]:
    """The seller, over a node that leaves out these events."""

    def make(*names: str, order: int | None = None) -> Seller:
        session = place.session("seller", 0)
        session.index = LyingIndex(place.contract, leaving_out(*names, order=order))
        return Seller(session)

    return make


def envelopes_of(place: Place, listing: int) -> list[int]:
    return [delivery.count for delivery in Told(place.contract).deliveries(listing, 0)]


def test_a_release_that_the_node_leaves_out_is_not_released_again(
    place: Place, forgetting: Callable[..., Seller]
) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    order = place.buyer().buy(listing.id, rounds=3).order
    assert place.seller.deliver(place.file(), listing.id).state == "waiting"
    place.chain.advance(DAY)
    with fails_with(NetworkError, "node-incomplete", 0):
        forgetting("Released").deliver(place.file(), listing.id)
    with fails_with(NetworkError, "node-incomplete", 0):
        forgetting("Released").serve(listing.id)
    assert place.contract.listing(listing.id).next_round == 1
    taken_up = place.seller.deliver(place.file(), listing.id)
    assert (taken_up.resumed, taken_up.newly_posted) == (True, (order.id,))


def test_a_node_that_leaves_out_the_release_just_made_keeps_the_entry(
    place: Place, forgetting: Callable[..., Seller]
) -> None:
    listing = place.seller.create_listing(PRICE)
    place.buyer().buy(listing.id, rounds=2)
    with fails_with(NetworkError, "node-incomplete", 0):
        forgetting("Released").deliver(place.file(), listing.id)
    assert place.seller.deliver(place.file(), listing.id).resumed
    assert [release.round for release in Told(place.contract).releases(listing.id)] == [0]


@pytest.mark.parametrize("price", [PRICE, 0])
def test_a_decline_that_the_node_leaves_out_gets_no_key(
    place: Place, forgetting: Callable[..., Seller], price: int
) -> None:
    listing = place.seller.create_listing(price, decline_window=600)
    declined, kept = (place.buyer(number).buy(listing.id, rounds=2).order for number in (1, 2))
    place.seller.deliver(place.file(), listing.id)
    place.buyer(1).decline(declined.id)
    place.chain.advance(601)
    with fails_with(NetworkError, "node-incomplete", 0):
        forgetting("Declined").serve(listing.id)
    assert envelopes_of(place, listing.id) == []
    assert [one.newly_posted for one in place.seller.serve(listing.id).rounds] == [(kept.id,)]


def test_a_decline_that_the_node_leaves_out_gets_no_key_after_the_money_was_withdrawn(
    place: Place, forgetting: Callable[..., Seller]
) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    declined, kept = (place.buyer(number).buy(listing.id).order for number in (1, 2))
    place.seller.deliver(place.file(), listing.id)
    place.buyer(1).decline(declined.id)
    place.chain.advance(5 * DAY)
    place.seller.withdraw(listing.id)
    with fails_with(NetworkError, "node-incomplete"):
        forgetting("Declined").serve(listing.id)
    assert [one.newly_posted for one in place.seller.serve(listing.id).rounds] == [(kept.id,)]


def test_a_refund_that_the_node_leaves_out_gets_no_key_with_the_release(
    place: Place, forgetting: Callable[..., Seller]
) -> None:
    listing = place.seller.create_listing(PRICE)
    refunded, kept = (place.buyer(number).buy(listing.id).order for number in (1, 2))
    place.seller.refund(refunded.id)
    with fails_with(NetworkError, "node-incomplete", 0):
        forgetting("Refunded").deliver(place.file(), listing.id)
    assert place.seller.deliver(place.file(), listing.id).newly_posted == (kept.id,)


def test_late_buyers_refunds_and_withdrawals_are_no_reason_to_distrust_a_node(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, instant=True)
    place.buyer(1).buy(listing.id)
    given_back = place.buyer(2).buy(listing.id).order
    place.seller.deliver(place.file(), listing.id)
    place.seller.refund(given_back.id, round=0)
    same_bucket = place.buyer(3).buy(listing.id).order
    assert [one.newly_posted for one in place.seller.serve(listing.id).rounds] == [(same_bucket.id,)]
    place.chain.advance(2 * DAY)
    later = place.buyer(4).buy(listing.id).order
    place.seller.withdraw(listing.id)
    assert [one.newly_posted for one in place.seller.serve(listing.id).rounds] == [(later.id,)]
    place.chain.advance(2 * DAY)
    last = place.buyer(5).buy(listing.id).order
    assert [one.newly_posted for one in place.seller.serve(listing.id).rounds] == [(last.id,)]


# ----------------------------------------------------------------------------------------- no challenge lost by silence


@pytest.fixture
def challenged(place: Place) -> int:
    """An order whose buyer has challenged round 0; two more wait for its key."""
    listing = place.seller.create_listing(PRICE, decline_window=600, dispute_window=DAY, response_window=HOUR)
    orders = [place.buyer(number).buy(listing.id, rounds=2).order.id for number in (1, 2, 3)]
    place.seller.deliver(place.file(), listing.id)
    place.chain.advance(601)
    place.buyer(1).open_dispute(orders[0])
    return orders[0]


def test_a_challenge_that_the_node_leaves_out_is_noticed(
    place: Place, forgetting: Callable[..., Seller], challenged: int
) -> None:
    with fails_with(NetworkError, "node-incomplete", 0, 1):
        forgetting("Challenged").require_all_challenges()
    with fails_with(NetworkError, "node-incomplete"):
        forgetting("Challenged").respond()
    assert [dispute.order for dispute in place.seller.disputes()] == [challenged]


def test_what_the_node_tells_of_is_answered_all_the_same(
    place: Place, forgetting: Callable[..., Seller], challenged: int
) -> None:
    second = challenged + 1
    place.buyer(2).open_dispute(second)
    answers = forgetting("Challenged", order=challenged).respond()
    assert [answer.order for answer in answers.answered] == [second]
    assert "which may be a challenge" in str(answers.doubt)
    assert [answer.order for answer in place.seller.respond().answered] == [challenged]


def test_the_command_line_answers_what_it_was_told_of_then_says_so(place: Place, nbc: Says, challenged: int) -> None:
    place.buyer(2).open_dispute(challenged + 1)
    place.index = LyingIndex(place.contract, leaving_out("Challenged", order=challenged))
    listed = nbc("seller", 0, "dispute", "list", "--seller", "--json", code=ExitCode.NETWORK)
    assert [one["order"] for one in json.loads(listed.stdout)["disputes"]] == [challenged + 1]
    assert "which may be a challenge\n" in listed.stderr
    nbc("seller", 0, "dispute", "respond", code=ExitCode.NETWORK)
    assert Told(place.contract).challenge(challenged + 1, 0).responded


def test_rounds_that_the_node_leaves_out_are_noticed(
    place: Place, forgetting: Callable[..., Seller], challenged: int
) -> None:
    with fails_with(NetworkError, "node-incomplete", 1):
        forgetting("Released", "Challenged").require_all_challenges()


@pytest.mark.parametrize("fate", ["answered", "paid back", "paid to the seller", "refunded", "withdrawn", "skipped"])
def test_what_else_becomes_of_a_round_is_no_reason_to_distrust_a_node(place: Place, challenged: int, fate: str) -> None:
    if fate in ("answered", "paid to the seller"):
        place.seller.respond()
    if fate == "paid back":
        place.chain.advance(HOUR + 1)
        place.buyer(1).claim(challenged)
    if fate == "paid to the seller":
        place.chain.advance(40 * HOUR)
        place.seller.settle(challenged)
    if fate == "refunded":
        place.seller.refund(challenged + 1, round=0)
    if fate == "withdrawn":
        place.chain.advance(2 * DAY)
        place.seller.withdraw(1)
    if fate == "skipped":
        place.chain.advance(HOUR)
        place.seller.skip(1)

    place.seller.require_all_challenges()
    assert len(place.seller.disputes()) == (fate in ("answered", "refunded", "withdrawn", "skipped"))


def test_a_view_without_a_release_that_the_contract_counts_is_refused(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600).id
    order = place.buyer().buy(listing).order.id
    place.seller.deliver(place.file(), listing)
    session = place.session("buyer-1", 1)
    session.index = LyingIndex(session.contract, leaving_out("Released"))
    for look in (Buyer(session).orders, lambda: Buyer(session).order(order)):
        with pytest.raises(NetworkError) as refused:
            look()
        assert refused.value.code == "node-incomplete"
