"""Reading rounds of orders: what is asked, and that what is told without asking is what would be read."""

from dataclasses import replace

import pytest

from numerbay_chain.orders.rounds import read_again, read_many, read_round
from tests.support.adversary import HOUR, Cheat, blind, sold
from tests.support.nodes import watched
from tests.support.places import Place

A_READING = ["eth_getBlockByNumber", "eth_call", "eth_getLogs"]


def asked(said: list[str]) -> list[str]:
    methods = [line.partition(" ")[0] for line in said]
    said.clear()
    return methods


def test_a_round_is_read_once_a_block(place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    session, said = place.buyer().session, watched(monkeypatch)
    first = read_round(session, order, 0)
    assert asked(said) == A_READING
    place.chain.advance(HOUR)
    again = read_again(session, first)
    assert asked(said) in (A_READING[:1], A_READING)  # some chains make a block of an hour that passes
    assert (again.state, again.release) == ("none", first.release)
    assert again.now == first.now + HOUR
    assert replace(again, now=first.now, block_hash=first.block_hash) == first
    blind(place).open_dispute(order, unseen=True)
    said.clear()
    assert read_again(session, again).state == "challenged"
    assert asked(said) == A_READING


def test_many_rounds_are_read_like_one(place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, orders = sold(place, 3)
    cheat.release(listing, str(place.file()))
    session = place.buyer().session
    alone = [read_round(place.buyer().session, order, 0) for order in orders]
    said = watched(monkeypatch)
    assert read_many(session, [(order, 0) for order in orders]) == alone
    assert asked(said) == A_READING
    assert read_many(session, []) == []
    assert asked(said) == []


def test_a_challenge_s_event_tells_all_that_changes(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    session = blind(place).session
    before = read_round(session, order, 0)
    opened = blind(place).open_dispute(order, unseen=True)
    assert opened.receipt is not None
    event = opened.receipt.event("Challenged")
    assert event is not None
    told, after = before.challenged(event), read_again(session, before)
    assert replace(told, now=after.now, block_hash=after.block_hash) == after
    assert told.now == event["challengedAt"]
    assert opened.dispute.state == "challenged"
    assert opened.dispute.deadline == after.deadline
