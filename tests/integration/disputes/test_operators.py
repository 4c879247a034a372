"""Whose challenges are answered, and in which order: nobody else's objects use up a seller's own deadline."""

from collections.abc import Callable
from typing import Any

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.core.errors import NotFoundError, UsageError
from numerbay_chain.core.home.config import load_settings
from numerbay_chain.core.home.home import Home
from numerbay_chain.disputes.docket import OpenChallenge, in_time
from numerbay_chain.ipfs import Cid, EmbeddedStore
from numerbay_chain.seller import Seller
from tests.support.adversary import DAY, HOUR, Cheat, blind, sold
from tests.support.fixtures import Says
from tests.support.places import OPERATOR, PRICE, Place
from tests.support.slowness import Wire, advance_to, as_public
from tests.support.wrapped import altered

ROGUE, PUPPET = 3, 4


def rogue_listing(place: Place, price: int = 0, count: int = 1, window: int = HOUR - 40, **terms: object) -> list[int]:
    """Orders of somebody else's listing of copies that names the seller its operator; all are challenged, and no copy
    can be had."""
    rogue = Seller(place.session("rogue", ROGUE))
    asked = {"decline_window": 4, "min_interval": 60, "dispute_window": 7 * DAY, "response_window": window, **terms}
    operator = place.seller.session.account
    evil = rogue.create_listing(price, copies=True, operator=operator, **asked).id
    puppet = place.buyer(PUPPET)
    orders = [puppet.buy(evil, again=True).order.id for _ in range(count)]
    Cheat(rogue.session).release_worthless_copies(evil, orders)
    place.chain.advance(5)
    for order in orders:
        blind(place, PUPPET).open_dispute(order, unseen=True)
    return orders


def challenged(place: Place, **terms: object) -> tuple[int, int, int]:
    """An own listing with an order whose key went out, and that is challenged all the same; with the deadline."""
    listing, (order,) = sold(place, **terms)
    Cheat(place.seller.session).release(listing, str(place.file()))
    return listing, order, blind(place).open_dispute(order, unseen=True).dispute.deadline or 0


def hanging(place: Place, monkeypatch: pytest.MonkeyPatch, hang: Callable[[], object]) -> list[Cid]:
    """A store that waits for blocks that nobody has: `hang` is what happens meanwhile."""
    real, asked = EmbeddedStore.read_block, list[Cid]()

    def read(store: EmbeddedStore, cid: Cid) -> bytes:
        try:
            return real(store, cid)
        except NotFoundError:
            asked.append(cid)
            hang()
            raise

    altered(monkeypatch, place.store, "read_block", read)
    return asked


def questions(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    for name in ("call", "logs", "block_number", "now", "timestamp"):
        real = getattr(Connection, name)

        def counted(self: Connection, *given: object, _real=real, _name=name, **more: object):
            asked.append(_name)
            return _real(self, *given, **more)

        altered(monkeypatch, place.chain.connection, name, counted)
    return asked


def test_who_is_named_operator_by_strangers_answers_for_own_listings_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, order, _ = challenged(place)
    rogue_listing(place, count=3)
    asked = hanging(place, monkeypatch, lambda: place.chain.advance(60))
    answers = place.seller.respond()
    assert [one.order for one in answers.answered] == [order]
    assert (answers.left, answers.worthless, asked) == ((), 0, [])
    scope = place.seller.looks_after()
    assert (scope.operated, scope.others) == (frozenset(), 1)
    assert [one.order for one in place.seller.disputes()] == [order]


def test_no_question_is_asked_about_a_stranger_s_challenge(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    sold(place)
    counts = []
    for count in (1, 2):
        rogue_listing(place, count=count)
        with monkeypatch.context() as counting:
            asked = questions(place, counting)
            place.seller.respond()
            counts.append(len([one for one in asked if one != "logs"]))
    assert counts[0] == counts[1]


def test_own_challenges_come_before_those_of_a_listing_that_is_operated(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, order, deadline = challenged(place)
    (other,) = rogue_listing(place, price=PRICE)  # its deadline comes first
    asked = hanging(place, monkeypatch, lambda: advance_to(place, deadline + 1))
    seller = Seller(place.session("seller", 0, operates=[other >> 32]))
    assert [one.order for one in seller.open_challenges()] == [order, other]
    answers = seller.respond()
    assert [one.order for one in answers.answered] == [order]
    assert [one.order for one in answers.left] == [other]
    assert len(asked) == 1


def test_what_is_most_urgent_is_answered_first(place: Place) -> None:
    _, later, _ = challenged(place, response_window=12 * HOUR)
    _, sooner, _ = challenged(place, response_window=HOUR)
    assert [one.order for one in place.seller.respond().answered] == [sooner, later]


def test_a_challenge_that_hangs_makes_no_other_answer_late(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (hangs,) = rogue_listing(place, price=PRICE)
    operated, later, deadline = challenged(place)
    place.seller.set_operator(operated, place.chain.signer(OPERATOR).address)
    Seller(place.session("rogue", ROGUE)).set_operator(hangs >> 32, place.chain.signer(OPERATOR).address)
    operator = Seller(place.session("seller", OPERATOR, operates=[operated, hangs >> 32]))
    advance_to(place, deadline - 800)
    hanging(place, monkeypatch, lambda: advance_to(place, deadline - 8))
    as_public(place, monkeypatch)
    wire = Wire.watch(place, monkeypatch)
    answers = operator.respond()
    assert (answers.answered, wire.sent) == ((), [])
    assert {one.order for one in answers.left} == {hangs, later}


def test_each_challenge_gets_its_share_of_the_time_that_is_left(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = rogue_listing(place, price=PRICE, count=3)
    shares: list[float] = []
    real = EmbeddedStore.within

    def within(store: EmbeddedStore, seconds: float):
        shares.append(seconds)
        return real(store, seconds)

    altered(monkeypatch, place.store, "within", within)
    seller = Seller(place.session("seller", 0, operates=[orders[0] >> 32]))
    deadline = min(one.deadline for one in seller.open_challenges())
    advance_to(place, deadline - 960)
    hanging(place, monkeypatch, lambda: place.chain.advance(int(shares[-1])))
    answers = seller.respond()
    assert len(answers.left) == 3
    assert len(shares) == 3
    assert min(shares) > 250, "the last one gets as much as the first"
    assert place.chain.connection.now() <= deadline - 60 + 3


def test_what_nothing_is_at_stake_for_is_answered_on_request_alone(place: Place, cheat: Cheat) -> None:
    listing = place.seller.create_listing(0, dispute_window=DAY, response_window=HOUR).id
    order = place.buyer().buy(listing).order.id
    cheat.release(listing, str(place.file()))
    blind(place).open_dispute(order, unseen=True)
    answers = place.seller.respond()
    assert (answers.answered, answers.left, answers.worthless) == ((), (), 1)
    assert place.seller.respond(order).answered


def test_a_node_that_calls_a_challenge_worthless_is_not_believed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _, order, _ = challenged(place, challenge_bond=0)
    from dataclasses import replace

    from numerbay_chain.disputes import docket, respond

    real = docket.open_challenges
    monkeypatch.setattr(respond, "open_challenges", lambda *given: [replace(one, price=0) for one in real(*given)])
    assert [one.order for one in place.seller.respond().answered] == [order]


def test_an_order_that_the_contract_does_not_know_keeps_no_other_from_its_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, order, _ = challenged(place, challenge_bond=0)
    from dataclasses import replace

    from numerbay_chain.disputes import docket, respond

    real = docket.open_challenges

    def told(*given: Any) -> list[OpenChallenge]:
        found = [replace(one, price=0) for one in real(*given)]
        return [replace(found[0], order=order + 7), *found]

    monkeypatch.setattr(respond, "open_challenges", told)
    answers = place.seller.respond()
    assert [one.order for one in answers.answered] == [order]
    assert [(one.order, one.error_code) for one in answers.left] == [(order + 7, "no-order")]
    assert answers.worthless == 0


def test_a_challenge_that_the_logs_call_answered_or_late_is_looked_at_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from numerbay_chain.disputes import docket, respond

    _, order, _ = challenged(place)
    real = docket.open_challenges
    monkeypatch.setattr(
        respond, "open_challenges", lambda *given: [replace(one, answered=True, deadline=1) for one in real(*given)]
    )
    assert [one.order for one in place.seller.respond().answered] == [order]


def test_an_operator_answers_for_the_listings_that_they_named(place: Place, nbc: Says) -> None:
    listing, order, _ = challenged(place)
    place.seller.set_operator(listing, place.chain.signer(OPERATOR).address)
    told = nbc("seller", OPERATOR, "dispute", "respond", "--json")
    assert told.object["answered"] == []
    assert "1 listing of somebody else's names this account as operator" in told.stderr
    listed = nbc("seller", OPERATOR, "dispute", "list", "--seller", "--listing", listing, "--json")
    assert [one["order"] for one in listed.object["disputes"]] == [order]
    told = nbc("seller", OPERATOR, "dispute", "respond", "--listing", listing, "--json")
    assert [one["order"] for one in told.object["answered"]] == [order]


@pytest.mark.parametrize(
    ("written", "read"), [("3, 5", "3, 5"), ([3, 5], "3, 5"), (7, "7"), ("3,x", None), ("0", None), ([-1], None)]
)
def test_the_setting_names_listings(place: Place, written: object, read: str | None) -> None:
    home = Home(place.folder / "home")
    if read is None:
        with pytest.raises(UsageError):
            load_settings(None, {"home": home.path, "operates": written}, {})
    else:
        assert load_settings(None, {"home": home.path, "operates": written}, {}).operates == read


def test_cheap_challenges_do_not_use_up_the_deadline_of_a_dear_one(place: Place) -> None:
    cheap = place.seller.create_listing(PRICE // 100, dispute_window=7 * DAY, response_window=HOUR).id
    orders = [place.buyer(PUPPET).buy(cheap, again=True).order.id for _ in range(3)]
    Cheat(place.seller.session).release(cheap, str(place.file()))
    for order in orders:
        blind(place, PUPPET).open_dispute(order, unseen=True)
    _, dear, deadline = challenged(place)
    assert [one.order for one in place.seller.open_challenges()] == [*orders, dear]
    advance_to(place, deadline - 100)  # time for two
    answers = place.seller.respond()
    assert [one.order for one in answers.answered][:2] == [orders[2], dear]


def challenge(order: int, deadline: int, price: int, unit: str = "A") -> OpenChallenge:
    return OpenChallenge(order, 0, True, deadline, price, 0, unit)


@pytest.mark.parametrize(
    ("deadlines", "prices", "order"),
    [
        ([30, 60, 90], [1, 1, 1], [0, 1, 2]),
        ([20, 20, 20], [1, 2, 3], [2, 1, 0]),
        ([20, 20, 45], [1, 5, 9], [1, 2, 0]),
        ([0, 30, 60], [9, 1, 1], [0, 1, 2]),
        ([-1, 30, 60], [9, 1, 1], [1, 2, 0]),
    ],
)
def test_what_is_least_worth_is_given_up_first(deadlines: list[int], prices: list[int], order: list[int]) -> None:
    challenges = [challenge(number, *one) for number, one in enumerate(zip(deadlines, prices, strict=True))]
    assert [one.order for one in in_time(challenges, 0, 24)] == order


def test_amounts_of_two_tokens_are_not_compared() -> None:
    challenges = [challenge(0, 10, 1, "A"), challenge(1, 10, 10**30, "B")]
    assert [one.order for one in in_time(challenges, 0, 24)] == [0, 1]
