"""Rounds that nobody released in time are paid back, all of them, by one call."""

import pytest

from numerbay_chain.errors import NetworkError, RevertedError
from numerbay_chain.journal import Entry
from tests.e2e.dying import KilledError, death
from tests.places import PRICE, Place

DAY = 86_400


@pytest.fixture
def overdue(place: Place) -> Place:
    """Order 1-0 paid for three daily rounds; none of them was released, and all of them are late."""
    place.seller.create_listing(PRICE, first_due="1d", period=DAY, min_interval=3_600)
    place.buyer().buy(1, rounds=3)
    place.chain.advance(4 * DAY)
    return place


def test_every_overdue_round_is_missed_and_paid_back_by_one_call(overdue: Place) -> None:
    paid = overdue.buyer().collect_missed(1 << 32)
    assert [(one.round, one.paid) for one in paid] == [(0, PRICE), (1, PRICE), (2, PRICE)]
    assert overdue.contract.listing(1).next_round == 3
    assert overdue.auditor.audit().ok


def test_a_later_overdue_round_can_be_asked_for_alone(overdue: Place) -> None:
    paid = overdue.buyer().collect_missed(1 << 32, 1)
    assert [(one.round, one.paid) for one in paid] == [(1, PRICE)]
    assert overdue.contract.listing(1).next_round == 2, "no further than that round"


def test_a_round_that_is_not_late_is_left_to_the_seller(place: Place) -> None:
    place.seller.create_listing(PRICE, first_due="1d", period=DAY, min_interval=3_600)
    place.buyer().buy(1, rounds=3)
    place.chain.advance(DAY + 60)
    assert [one.round for one in place.buyer().collect_missed(1 << 32)] == [0]
    assert place.contract.listing(1).next_round == 1
    with pytest.raises(RevertedError):
        place.buyer().collect_missed(1 << 32, 2)


def test_rounds_after_the_orders_last_are_not_missed_for_it(overdue: Place) -> None:
    overdue.chain.advance(9 * DAY)
    overdue.buyer().collect_missed(1 << 32)
    assert overdue.contract.listing(1).next_round == 3


def test_killed_after_any_transaction_it_goes_on_where_it_was(overdue: Place) -> None:
    for _ in range(5):  # three rounds are missed, then each is paid back: the last one is not interrupted
        with death([(Entry, "remove")], 1), pytest.raises(KilledError):
            overdue.buyer().collect_missed(1 << 32)
    overdue.buyer().collect_missed(1 << 32)
    names = [event.name for event in overdue.contract.events(["Skipped", "MissedRefunded"])]
    assert names == 3 * ["Skipped"] + 3 * ["MissedRefunded"]


def test_a_node_that_lags_behind_is_not_sent_the_same_miss_again(
    overdue: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = overdue.buyer()
    before = buyer.market.contract.listing(1)
    monkeypatch.setattr(buyer.market.contract, "listing", lambda *_, **__: before)
    with pytest.raises(NetworkError, match="does not know yet that round 0 was missed"):
        buyer.collect_missed(1 << 32)
    assert len([*overdue.contract.events(["Skipped"])]) == 1
