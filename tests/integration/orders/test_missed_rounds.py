"""Rounds that nobody released in time are paid back, all of them, by one call."""

import tracemalloc
from itertools import pairwise

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.core.files.journal import Entry
from numerbay_chain.orders import missed
from numerbay_chain.protocol.types import ZERO_ADDRESS, Listing, Offer, Terms
from tests.support.dying import KilledError, death
from tests.support.fixtures import Says
from tests.support.places import PRICE, Place
from tests.support.told import Told
from tests.support.wrapped import altered

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
    names = [event.name for event in Told(overdue.contract).events(["Skipped", "MissedRefunded"])]
    assert names == 3 * ["Skipped"] + 3 * ["MissedRefunded"]


def test_a_buyer_who_never_cancelled_is_shown_the_way_to_overdue_rounds(overdue: Place, nbc: Says) -> None:
    assert (
        nbc("buyer-1", 1, "fetch", "1-0", "-o", overdue.output(), "--json", code=1).object["error"]["code"] == "overdue"
    )
    told = nbc("buyer-1", 1, "reclaim", "1-0", "--json", code=1).object["error"]
    assert told["code"] == "not-cancelled"
    assert "reclaim 1-0 --missed" in told["hint"]
    assert nbc("buyer-1", 1, "reclaim", "1-0", "--missed", "--json").object["paid"] == str(3 * PRICE)


def test_a_node_that_lags_behind_is_not_sent_the_same_miss_again(
    overdue: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = overdue.buyer()
    before = buyer.session.contract.listing(1)
    monkeypatch.setattr(buyer.session.contract, "listing", lambda *_, **__: before)
    with pytest.raises(NetworkError) as caught:
        buyer.collect_missed(1 << 32)
    assert caught.value.code == "node-behind"
    assert len([*Told(overdue.contract).events(["Skipped"])]) == 1


# ------------------------------------------------------------------------------------------------ before it is skipped


def test_an_overdue_round_is_shown_to_its_buyer_with_what_brings_it_back(overdue: Place, nbc: Says) -> None:
    listing, order = nbc("buyer-1", 1, "listing", "show", 1, "--json").object, nbc("buyer-1", 1, "orders", "--json")
    assert (listing["state"], listing["overdue"]) == ("overdue", {"first": 0, "end": 4})
    assert listing["due"] == overdue.contract.listing(1).terms.due(0)
    everybody = "numerbay-chain reclaim --missed --all 1"
    assert listing["next_steps"] == [
        {"step": "reclaim --missed", "command": everybody, "from": None, "until": None},
    ]
    (one,) = order.object["orders"]
    for shown in (one, nbc("buyer-1", 1, "orders", "1-0", "--json").object):
        assert (shown["overdue"], shown["to_come"]) == (2 * ({"first": 0, "end": 3},))
        assert shown["unpaid_missed_rounds"] == 3
        assert [(round["round"], round["state"]) for round in shown["rounds"]] == [(0, "overdue")]
        mine = "numerbay-chain reclaim 1-0 --missed"
        assert {"step": "reclaim --missed", "command": mine, "from": None, "until": None} in shown["next_steps"]
    checked = nbc("buyer-1", 1, "verify", "1-0", "--json", code=1).object
    assert [(problem["kind"], problem["fault"]) for problem in checked["problems"]] == [("overdue", True)]
    assert [step["command"] for step in checked["next_steps"]] == [mine]
    assert checked["problems"][0]["remedy"]["returns"] == str(PRICE)
    row = nbc("buyer-1", 1, "orders").stdout.splitlines()[1]
    assert "0: overdue" in row
    assert "reclaim --missed" in row
    assert everybody in nbc("buyer-1", 1, "listing", "show", 1).stdout


def test_a_round_is_overdue_from_the_second_after_its_last(place: Place) -> None:
    place.seller.create_listing(PRICE, first_due="1d", period=DAY, min_interval=3_600)
    order = place.buyer().buy(1, rounds=3).order.id
    due = place.contract.listing(1).terms.first_due
    for passed, late in ((due, 0), (due + 1, 1), (due + DAY, 1), (due + DAY + 1, 2)):
        place.chain.advance(passed - place.chain.connection.now())
        view = place.buyer().order(order)
        assert (view.overdue, view.unpaid, view.rounds[0].overdue) == (range(late), late, late > 0), passed
        assert place.buyer().show(1).overdue == range(late if late else 0)
    assert place.buyer().verify(order, 2).problems[0].kind == "not-released"


def test_a_missed_round_says_so_until_it_was_paid_back(overdue: Place, nbc: Says) -> None:
    overdue.seller.skip(1, 0)
    checked = overdue.buyer().verify(1 << 32, 0)
    assert [(one.kind, one.remedy and one.remedy.kind) for one in checked.problems] == [("missed", "reclaim")]
    view = overdue.buyer().order(1 << 32)
    assert (view.unpaid, view.overdue) == (3, range(1, 3))
    overdue.buyer().collect_missed(1 << 32)
    view = overdue.buyer().order(1 << 32)
    assert (view.unpaid, view.overdue, view.status) == (0, range(3, 3), "ended")
    steps = nbc("buyer-1", 1, "orders", "1-0", "--json").object["next_steps"]
    assert "reclaim --missed" not in [step["step"] for step in steps]


def test_a_skip_says_that_each_order_must_be_reclaimed(overdue: Place, nbc: Says) -> None:
    said = nbc("seller", 0, "skip", 1, "--json")
    assert "each order that covers it must be reclaimed" in said.stderr
    assert [step["command"] for step in said.object["next_steps"]] == ["numerbay-chain reclaim --missed --all 1"]


# ----------------------------------------------------------------------------------------------------- for everybody


@pytest.fixture
def shared(place: Place) -> Place:
    """Four orders of a listing whose first three rounds are late; the last order was free, the third one declined."""
    place.seller.create_listing(PRICE, first_due="1d", period=DAY, min_interval=3_600)
    place.buyer(1).buy(1, rounds=3)
    place.buyer(2).buy(1, rounds=2)
    place.buyer(2).buy(1, rounds=1, again=True)
    place.seller.edit_listing(1, price=0)
    place.buyer(3).buy(1, rounds=3)
    place.chain.advance(4 * DAY)
    return place


def test_anybody_gets_all_orders_paid_back_that_were_paid_for(shared: Place, nbc: Says) -> None:
    before = [shared.balance(number) for number in (1, 2, 3)]
    paid = nbc("buyer-5", 5, "reclaim", "--missed", "--all", 1, "--json").object
    assert (paid["paid"], paid["skipped"], paid["more"]) == (str(6 * PRICE), [0, 1, 2], 0)
    assert sorted((one["name"], one["round"]) for one in paid["rounds"]) == [
        ("1-0", 0), ("1-0", 1), ("1-0", 2), ("1-1", 0), ("1-1", 1), ("1-2", 0),
    ]  # fmt: skip
    after = [shared.balance(number) for number in (1, 2, 3)]
    assert [now - then for then, now in zip(before, after, strict=True)] == [3 * PRICE, 3 * PRICE, 0]
    once_more = nbc("buyer-5", 5, "reclaim", "--missed", "--all", 1, "--json")
    assert once_more.stderr == "", "nothing is announced where nothing is to be done"
    again = once_more.object
    assert (again["paid"], again["transactions"]) == ("0", [])
    assert shared.auditor.audit().ok


def test_what_it_takes_is_said_before_and_a_dry_run_sends_nothing(shared: Place, nbc: Says) -> None:
    found = shared.buyer(5, registered=False).all_missed(1)
    assert (found.transactions, found.amount, found.more) == (9, 6 * PRICE, 0)
    assert found.gas == 9 * 70_000
    plan = nbc("buyer-5", 5, "reclaim", "--missed", "--all", 1, "--dry-run", "--json").object
    assert plan["function"] == "skip"
    assert not [*Told(shared.contract).events(["Skipped"])]


def test_a_call_sends_a_bounded_number_and_the_next_goes_on(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missed, "MOST_TRANSACTIONS", 4)
    buyer = shared.buyer(5, registered=False)
    seen = []
    while (found := buyer.all_missed(1)).transactions:
        assert found.transactions <= 4
        seen.append((len(found.overdue), len(found.claims), found.more))
        buyer.collect_all_missed(1)
    assert seen == [(3, 1, 5), (0, 4, 1), (0, 1, 0)]
    assert len([*Told(shared.contract).events(["MissedRefunded"])]) == 6


def test_what_is_owed_is_counted_not_listed_however_many_orders_have_however_many_rounds(place: Place) -> None:
    now, most, orders = place.chain.connection.now(), 65_535, 10
    place.seller.create_listing(1, first_due=now + 600, period=60, min_interval=60, max_rounds=most)
    for _ in range(orders):
        place.buyer().buy(1, most, again=True)
    place.chain.advance(60 * (most + 20))
    buyer = place.buyer(5, registered=False)
    tracemalloc.start()
    try:
        found = buyer.all_missed(1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.transactions == missed.MOST_TRANSACTIONS
    assert found.more == most + orders * most - missed.MOST_TRANSACTIONS
    assert peak < 20 << 20


def test_killed_after_any_transaction_all_of_it_goes_on(shared: Place) -> None:
    buyer = shared.buyer(5, registered=False)
    for _ in range(8):
        with death([(Entry, "remove")], 1), pytest.raises(KilledError):
            buyer.collect_all_missed(1)
    buyer.collect_all_missed(1)
    names = [event.name for event in Told(shared.contract).events(["Skipped", "MissedRefunded"])]
    assert sorted(names) == 6 * ["MissedRefunded"] + 3 * ["Skipped"]


def test_one_that_somebody_else_got_paid_back_meanwhile_is_left_out(
    shared: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = shared.buyer(5, registered=False)
    known = buyer.all_missed(1)
    shared.buyer(1).collect_missed(1 << 32)
    monkeypatch.setattr(missed, "missed_of_listing", lambda *_: known)
    paid = buyer.collect_all_missed(1)
    assert sum(one.paid for one in paid) == 3 * PRICE


def test_finding_what_is_owed_takes_as_many_questions_however_many_rounds_were_skipped(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = place.chain.connection.now()
    place.seller.create_listing(PRICE, first_due=now + 600, period=600, min_interval=60, max_rounds=50)
    order = place.buyer().buy(1, rounds=50).order.id
    asked: list[int] = []
    real = Connection.call

    def counted(self: Connection, *arguments: object, **more: object) -> bytes:
        asked[-1] += 1
        return real(self, *arguments, **more)  # type: ignore[arg-type]  # call's own

    altered(monkeypatch, place.chain.connection, "call", counted)
    place.chain.advance(15_000)
    for _ in range(2):
        asked.append(0)
        place.buyer().missed(order)
        place.buyer().verify(order)
        place.buyer().order(order)
        count, questions = len(place.contract.listing(1).overdue(place.chain.connection.now())), asked[-1]
        for round in range(place.contract.listing(1).next_round, place.contract.listing(1).next_round + 8):
            place.seller.skip(1, round)
        asked[-1] = questions
        assert count
    before, after = asked
    assert after <= before + 2


def test_rounds_that_are_late_by_the_terms_alone() -> None:
    terms = Terms(ZERO_ADDRESS, 0, 9, False, False, 1_000, 600, 60, 0, 60, 0, 0, 0)
    listing = Listing(1, "", "", "", terms, Offer(0, True), 0, 2, 0, 0, 0, 0)
    assert [listing.overdue(now) for now in (0, 999, 1_000, 2_200)] == 4 * [range(2, 2)]
    for earlier, later in pairwise([2_200, 2_800, 3_400]):
        assert len(listing.overdue(later)) == len(listing.overdue(earlier)) + 1
    assert listing.overdue(2_201) == range(2, 3)
