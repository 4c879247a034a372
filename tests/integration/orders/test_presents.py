"""Free orders of tens of thousands of rounds, given by strangers: what they cost whom they were given to."""

import json
import tracemalloc

import pytest

from numerbay_chain import Seller
from numerbay_chain.artifacts.unseal import content_proof
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import calls
from numerbay_chain.cli.render.views import order_data, order_text
from numerbay_chain.core import paging
from numerbay_chain.session import Session
from tests.support.adversary import DAY, HOUR, Cheat, sold
from tests.support.fixtures import Says
from tests.support.noise import noise
from tests.support.places import PRICE, Place
from tests.support.wrapped import altered

LONGEST = 65_535


@pytest.fixture
def questions(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many questions the node was asked: one number, which a test may set back."""
    asked = [0]

    def count(name: str) -> None:
        real = getattr(Connection, name)

        def counted(self: Connection, *arguments: object, **more: object) -> object:
            asked[0] += 1
            return real(self, *arguments, **more)

        altered(monkeypatch, place.chain.connection, name, counted)

    count("call")
    count("logs")
    return asked


def presents(place: Place, count: int, **terms: object) -> int:
    """A stranger's listing, and so many of its longest orders for buyer 1."""
    rogue = Seller(place.session("rogue", 3))
    evil = rogue.create_listing(0, max_rounds=LONGEST, min_interval=60, **terms).id
    victim, giver = place.buyer(1).session.account, place.buyer(4)
    for _ in range(count):
        giver.buy(evil, LONGEST, recipient=victim, again=True)
    return evil


def test_what_is_shown_of_an_order_does_not_grow_with_its_length(place: Place) -> None:
    evil = presents(place, 4)
    tracemalloc.start()
    views = place.buyer(1).orders()
    shown = [order_data(view) for view in views]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(view.rounds) for view in views] == 4 * [1]
    assert [one["to_come"] for one in shown] == 4 * [{"first": 0, "end": LONGEST}]
    assert len(json.dumps(shown, default=str)) < 4 * 4_000
    assert peak < 8 << 20
    assert len(order_text(views[0])) < 2_000
    assert len(place.buyer(1).order(evil << 32).rounds) == 1


def test_an_order_abandoned_for_years_is_one_overdue_round_and_a_range(place: Place) -> None:
    now = place.chain.connection.now()
    evil = presents(place, 1, first_due=now + 60, period=60)
    place.chain.advance(60 * LONGEST * 2)
    (view,) = place.buyer(1).orders()
    assert [(one.round, one.overdue) for one in view.rounds] == [(0, True)]
    assert (view.overdue, view.unpaid) == (range(LONGEST), LONGEST)
    assert "reclaim --missed" not in [step["step"] for step in order_data(view)["next_steps"]], "it was free"
    assert place.buyer(1).collect_missed(evil << 32) == [], "and nothing is sent for it"
    assert place.buyer(1).show(evil).overdue.start == 0


def test_rounds_that_are_over_are_shown_in_a_list_up_to_a_bound(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numerbay_chain.orders.views.MOST", 3)
    now = place.chain.connection.now()
    evil = presents(place, 2, first_due=now + 600, period=600)
    place.chain.advance(5_000)
    rogue = Seller(place.session("rogue", 3))
    for round in range(7):
        rogue.session.sending.sender.send(calls.skip(listing=evil, round=round))
    for view in place.buyer(1).orders():
        assert [one.round for one in view.rounds] == [4, 5, 6, 7]
        assert (view.earlier, view.unpaid) == (4, 7 + len(view.overdue))
    whole = place.buyer(1).order(evil << 32)
    assert [one.round for one in whole.rounds] == [*range(8)]
    assert whole.earlier == 0


def test_questions_do_not_grow_with_presents_or_with_skipped_rounds(place: Place, questions: list[int]) -> None:
    now = place.chain.connection.now()
    evil = presents(place, 3, first_due=now + 600, period=600)
    counts = []
    for _ in range(2):
        questions[0] = 0
        place.buyer(1).orders()
        place.buyer(1).order(evil << 32)
        place.buyer(1).verify(evil << 32)
        counts.append(questions[0])
        giver = place.buyer(4)
        if place.contract.listing(evil).next_round == 0:
            for _ in range(5):
                giver.buy(evil, LONGEST, recipient=place.buyer(1).session.account, again=True)
            place.chain.advance(6_000)
            for round in range(8):
                place.seller.session.sending.sender.send(calls.skip(listing=evil, round=round))
    assert counts[1] <= counts[0] + 3


def test_what_was_paid_for_comes_before_presents(place: Place, nbc: Says) -> None:
    mine = place.seller.create_listing(PRICE).id
    order = place.buyer(1).buy(mine).order.id
    evil = presents(place, 3)
    shown = place.buyer(1).orders(2)
    assert [view.id for view in shown] == [order, (evil << 32) + 2]
    assert shown.more == 2
    assert (len(place.buyer(1).orders(None)), place.buyer(1).orders(None).more) == (4, 0)
    said = nbc("buyer-1", 1, "orders", "--limit", 2, "--json")
    assert said.object["more"] == 2
    assert [one["order"] for one in said.object["orders"]] == [order, (evil << 32) + 2]
    assert "--limit 0" in said.stderr
    everything = nbc("buyer-1", 1, "orders", "--limit", 0, "--json").object
    assert (len(everything["orders"]), everything["more"]) == (4, 0)


def test_a_list_of_listings_has_the_newest(place: Place, nbc: Says) -> None:
    ids = [place.seller.create_listing(PRICE).id for _ in range(4)]
    for chosen in (place.buyer().listings(3), place.seller.listings(limit=3)):
        assert ([view.id for view in chosen], chosen.more) == (ids[1:], 1)
    said = nbc("buyer-1", 1, "listing", "list", "--limit", 1, "--json").object
    assert ([one["listing"] for one in said["listings"]], said["more"]) == ([ids[-1]], 3)
    assert paging.MOST == 100


@pytest.mark.parametrize("price", [0, 1])
def test_faulty_rounds_of_presents_are_listed_up_to_a_bound(
    place: Place, questions: list[int], monkeypatch: pytest.MonkeyPatch, price: int
) -> None:
    monkeypatch.setattr("numerbay_chain.disputes.docket.MOST", 3)
    rogue = Seller(place.session("rogue", 3))
    evil = rogue.create_listing(price, max_rounds=100, min_interval=60, dispute_window=DAY, response_window=HOUR).id
    mine, (order,) = sold(place)
    victim, giver, cheat = place.buyer(1), place.buyer(4), Cheat(rogue.session)
    for _ in range(3):
        giver.buy(evil, 100, recipient=victim.session.account, again=True)
    for round in range(2):
        make_faulty(giver.session, cheat, evil, round)
        place.chain.advance(61)
    make_faulty(giver.session, Cheat(place.seller.session), mine, 0)
    questions[0] = 0
    found = victim.disputes()
    assert (len(found), found.more) == ((3, 4) if price else (1, 0))
    assert order in [one.order for one in found]
    assert questions[0] < 60


def make_faulty(session: Session, cheat: Cheat, listing: int, round: int) -> None:
    """A release of junk, proven so by whoever has the key."""
    manifest, key = cheat.release_junk(listing, noise(64, round), chunk=0)
    proof = content_proof(manifest, key, cheat.session.content.store, 0).encode()
    session.sending.sender.send(
        calls.prove_wrong_content(listing=listing, round=round, manifest=manifest.encode(), proof=proof)
    )
