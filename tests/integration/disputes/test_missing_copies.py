"""Copies whose manifest nobody gives: they protect no wrong answer, and keep no other order from its key."""

import pytest

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.clock import ANY_TIME, Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.core.errors import NetworkError, NotFoundError, NumerbayChainError, RefusedError, SlowSourceError
from numerbay_chain.crypto.content_key import ContentKey
from tests.support.adversary import ANOTHER_KEY, BOND, CONTENT, Cheat, blind, sold
from tests.support.noise import noise
from tests.support.places import OPERATOR, PRICE, Place
from tests.support.wrapped import altered, meanwhile

COPIES = {"copies": True, "decline_window": 600, "min_interval": 3_600}
Dispute = tuple[int, Manifest, ContentKey]


@pytest.fixture
def challenged(place: Place, cheat: Cheat) -> Dispute:
    """A challenged order, its copy's manifest, which its buyer finds nowhere, and the key."""
    _, (order,) = sold(place, **COPIES)
    manifest, key = cheat.release_junk(order >> 32, CONTENT, chunk=2, order=order)
    place.chain.advance(700)
    blind(place).open_dispute(order, unseen=True)
    return order, manifest, key


@pytest.fixture
def cheat(place: Place) -> Cheat:
    return Cheat(place.seller.session)


def test_a_wrong_answer_about_a_copy_is_proven_without_its_manifest(
    place: Place, cheat: Cheat, challenged: Dispute
) -> None:
    order, manifest, _ = challenged
    cheat.answer(order, manifest, ANOTHER_KEY)
    checked = blind(place).verify(order)
    kinds = {problem.kind: problem.remedy.kind for problem in checked.problems if problem.remedy}
    assert kinds == {"manifest": "prove", "answer": "prove"}
    proven = blind(place).prove(order)
    assert (proven.kind, proven.paid) == ("wrong-key", PRICE + BOND)


def test_a_right_answer_about_a_copy_without_manifest_is_not_taken_for_a_wrong_one(
    place: Place, cheat: Cheat, challenged: Dispute
) -> None:
    order, manifest, key = challenged
    cheat.answer(order, manifest, key)
    with pytest.raises(NotFoundError):
        blind(place).prove(order, publish_key=True)
    assert {problem.kind for problem in blind(place).verify(order).problems} == {"manifest"}


def test_one_copy_that_is_not_to_be_had_keeps_no_other_order_from_its_key(place: Place) -> None:
    listing, (mine, other) = sold(place, buyers=2, **COPIES)
    operator = place.session("operator", OPERATOR)
    place.seller.set_operator(listing, operator.account)
    place.seller.deliver_copies(listing, {mine: place.file()})
    posted = calls.deliver_copies(listing=listing, round=0, orders=[other], hashes=[noise(32)])
    operator.sending.sender.send(posted)
    place.chain.advance(700)
    (served,) = place.seller.serve(listing).rounds
    assert (served.newly_posted, [(left.order, left.code) for left in served.left]) == ((mine,), [(other, "not-found")])
    assert place.buyer(1).fetch(mine, path=place.output()).size > 0


def test_copies_of_which_none_can_be_opened_are_an_error(place: Place) -> None:
    listing, (order,) = sold(place, **COPIES)
    place.seller.session.sending.sender.send(calls.release(listing=listing, round=0))
    posted = calls.deliver_copies(listing=listing, round=0, orders=[order], hashes=[noise(32)])
    place.seller.session.sending.sender.send(posted)
    place.chain.advance(700)
    with pytest.raises(NotFoundError):
        place.seller.serve(listing)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SlowSourceError("nothing came"), "slow-source"),
        (NotFoundError("404"), "not-found"),
        (NetworkError("busy", code="store-busy"), "network"),
        (RefusedError("no room", code="too-large"), "network"),
    ],
)
def test_a_manifest_that_is_not_to_be_had_is_declined_for_whatever_the_reason(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: NumerbayChainError, code: str
) -> None:
    listing, (order,) = sold(place, **COPIES)
    place.seller.deliver_copies(listing, {order: place.file()})

    def fails(*_: object) -> bytes:
        raise error

    altered(monkeypatch, place.store, "read_block", fails)
    (problem,) = place.buyer().verify(order).problems
    assert problem.remedy is not None
    assert (problem.kind, problem.remedy.kind) == ("manifest", "decline")
    with pytest.raises(NumerbayChainError) as raised:
        place.buyer().fetch(order, path=place.output())
    assert raised.value.code == code


def test_copies_that_must_be_posted_in_time_may_cost_what_their_orders_paid(place: Place) -> None:
    listing, orders = sold(place, buyers=2, **COPIES)
    stakes: dict[str, int | None] = {}
    seller = place.seller

    def noted(_: str, call: calls.Call, __: str | None = None, window: Window = ANY_TIME) -> None:
        stakes[call.function] = window.stake

    meanwhile(seller.session.sending, "send", noted)
    seller.deliver_copies(listing, {order: place.file() for order in orders})
    assert stakes["deliverCopies"] == 2 * PRICE
