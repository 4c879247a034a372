"""An answer that could be mined after its deadline never leaves the machine; one that can is not held up."""

import json

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.sending.outgoing import name_of
from numerbay_chain.core.errors import NetworkError, RefusedError
from tests.support.adversary import DAY, HOUR, Cheat, blind, sold
from tests.support.codes import fails_with
from tests.support.nodes import watched
from tests.support.places import PRICE, Place
from tests.support.slowness import BLOCK, Wire, advance_to, as_public
from tests.support.wrapped import altered, meanwhile, with_policy


def challenged(place: Place, cheat: Cheat) -> tuple[int, int]:
    """An order that was challenged before its key was handed out, and the deadline for the answer."""
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    return order, blind(place).open_dispute(order, unseen=True).dispute.deadline or 0


@pytest.mark.parametrize("left", [BLOCK - 4, 45])
def test_an_answer_that_could_be_mined_too_late_is_not_sent(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    order, deadline = challenged(place, cheat)
    advance_to(place, deadline - left)
    as_public(place, monkeypatch)
    wire = Wire.watch(place, monkeypatch)
    with fails_with(RefusedError, "too-late"):
        place.seller.respond(order)
    assert wire.sent == []


def test_time_that_passes_while_the_key_is_derived_stops_an_answer(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, deadline = challenged(place, cheat)
    as_public(place, monkeypatch)
    wire, said = Wire.watch(place, monkeypatch), watched(monkeypatch)
    seller = place.seller
    meanwhile(seller.session, "context", lambda *_: advance_to(place, deadline - 20))
    with fails_with(RefusedError, "too-late"):
        seller.respond(order)
    assert wire.sent == []
    assert said
    assert not any(abi.selector(abi.functions()["respond"]).hex() in line for line in said)


def test_time_that_passes_while_earlier_transactions_are_looked_at_stops_an_answer(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, deadline = challenged(place, cheat)
    as_public(place, monkeypatch)
    wire, seller = Wire.watch(place, monkeypatch), place.seller
    meanwhile(seller.session.sending.outbox, "_refuse_beside", lambda *_: advance_to(place, deadline - 20))
    with fails_with(RefusedError, "too-late"):
        seller.respond(order)
    assert wire.sent == []


@pytest.mark.parametrize(("lag", "left"), [(0, 600), (400, 200), (-400, 600), (1_000, 600)])
def test_the_time_that_is_left_is_the_later_clock_s_where_the_node_lags_a_little(
    place: Place, monkeypatch: pytest.MonkeyPatch, lag: int, left: int
) -> None:
    session, now = place.seller.session, place.chain.connection.now()
    with_policy(monkeypatch, place.chain.connection, trial=False)
    with_policy(monkeypatch, place.chain.connection, time=lambda: now + lag)
    assert session.clock.left(now + 600) == left


def test_a_buyer_who_cancels_while_the_answer_is_made_stops_nothing(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = place.seller.create_listing(PRICE, max_rounds=3, dispute_window=DAY, response_window=HOUR).id
    order = place.buyer().buy(listing, 3).order.id
    cheat.release(listing, str(place.file()))
    blind(place).open_dispute(order, unseen=True)
    seller = place.seller

    def cancels(*_: int) -> None:
        if not place.contract.order(order).cancelled_at:
            place.buyer().cancel(order)

    meanwhile(seller.session, "context", cancels)
    assert [one.order for one in seller.respond(order).answered] == [order]


def test_an_answer_that_never_left_is_not_sent_late(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, deadline = challenged(place, cheat)
    with monkeypatch.context() as dying:
        seller = place.seller
        dying.setattr(
            seller.session.sending.sender, "_broadcast", lambda *_: (_ for _ in ()).throw(NetworkError("dead"))
        )
        with pytest.raises(NetworkError):
            seller.respond(order)
    (entry,) = (place.folder / "seller" / "outbox").glob("*/respond-*.json")
    (signed,) = json.loads(entry.read_text())["transactions"]
    assert signed["until"] == deadline
    as_public(place, monkeypatch)
    advance_to(place, deadline - 30)
    wire = Wire.watch(place, monkeypatch)
    with fails_with(RefusedError, "too-late"):
        place.seller.respond(order)
    assert wire.sent == []


def test_an_answer_that_the_node_dropped_is_not_handed_over_again_late(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, deadline = challenged(place, cheat)
    as_public(place, monkeypatch)
    handed: list[bytes] = []

    def drop(_: Connection, raw: bytes) -> str:
        handed.append(raw)
        advance_to(place, deadline - 30)
        return name_of(raw)

    altered(monkeypatch, place.chain.connection, "send_raw", drop)
    with fails_with(RefusedError, "too-late"):
        place.seller.respond(order)
    assert len(handed) == 1


def test_a_node_that_is_far_behind_is_told_no_answer(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, _ = challenged(place, cheat)
    with_policy(monkeypatch, place.chain.connection, trial=False)
    here = place.chain.connection.now()
    with_policy(monkeypatch, place.chain.connection, time=lambda: here + 901)
    wire = Wire.watch(place, monkeypatch)
    with fails_with(NetworkError, "stale-node"):
        place.seller.respond(order)
    assert wire.sent == []
    with_policy(monkeypatch, place.chain.connection, time=lambda: here + 60)
    assert place.seller.respond(order).answered


def test_a_node_that_lags_a_little_does_not_hide_a_deadline(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, deadline = challenged(place, cheat)
    advance_to(place, deadline - 600)
    with_policy(monkeypatch, place.chain.connection, trial=False)
    with_policy(monkeypatch, place.chain.connection, time=lambda: deadline - 10)
    with fails_with(RefusedError, "too-late"):
        place.seller.respond(order)
