"""A transaction is sent once: what a call that died left behind is taken to its end."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import calls
from numerbay_chain.core.errors import RefusedError, RevertedError
from numerbay_chain.session import Market
from tests.support.codes import fails_with
from tests.support.dying import KilledError, death
from tests.support.places import PRICE, Place
from tests.support.told import Told

OFFER_LABEL = "offer"


@pytest.fixture
def market(place: Place) -> Market:
    place.seller.create_listing(PRICE)
    return place.market("seller", 0)


def offer(market: Market, price: int) -> calls.Call:
    return calls.change_offer(listing=1, offer=replace(market.contract.listing(1).offer, price=price))


def entries(market: Market) -> list[Path]:
    return [*market.home.path.glob("outbox/*/*.json")]


def changes(market: Market) -> list[int]:
    return [event["offer"].price for event in Told(market.contract).events(["OfferChanged"])]


def killed_before_the_broadcast(market: Market, call: calls.Call) -> None:
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        market.sending.send(OFFER_LABEL, call)


def killed_after_the_broadcast(market: Market, call: calls.Call) -> None:
    with death([(Connection, "send_raw")], 1, after=True), pytest.raises(KilledError):
        market.sending.send(OFFER_LABEL, call)


def test_nothing_is_left_when_all_went_well(market: Market) -> None:
    sent = market.sending.send(OFFER_LABEL, offer(market, 5))
    assert (sent.resumed, entries(market)) == (False, [])


def test_what_was_signed_is_private_and_whole(market: Market) -> None:
    killed_before_the_broadcast(market, offer(market, 5))
    (path,) = entries(market)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["function"] == "changeOffer"
    assert changes(market) == []


def test_the_same_call_sends_what_was_signed(market: Market) -> None:
    killed_before_the_broadcast(market, offer(market, 5))
    sent = market.sending.send(OFFER_LABEL, offer(market, 5))
    assert (sent.resumed, changes(market), entries(market)) == (True, [5], [])


def test_the_same_call_finds_what_was_mined(market: Market) -> None:
    call = offer(market, 5)
    killed_after_the_broadcast(market, call)
    assert changes(market) == [5]
    assert market.sending.send(OFFER_LABEL, call).resumed
    assert changes(market) == [5]


def test_another_call_does_not_send_what_never_left(market: Market) -> None:
    killed_before_the_broadcast(market, offer(market, 5))
    sent = market.sending.send(OFFER_LABEL, offer(market, 6))
    assert (sent.resumed, changes(market)) == (False, [6])
    assert market.sending.resume(OFFER_LABEL) is None, "the first one's nonce is used: it can never be mined"


def test_another_call_is_told_of_what_went_through(market: Market) -> None:
    killed_after_the_broadcast(market, offer(market, 5))
    with fails_with(RefusedError, "earlier-transaction"):
        market.sending.send(OFFER_LABEL, offer(market, 6))
    assert market.sending.send(OFFER_LABEL, offer(market, 6)).resumed is False
    assert changes(market) == [5, 6]


def test_a_nonce_that_was_used_elsewhere_makes_room_for_a_new_one(market: Market) -> None:
    call = offer(market, 5)
    killed_before_the_broadcast(market, call)
    market.sending.sender.send(calls.set_payout(listing=1, payout=market.account))
    sent = market.sending.send(OFFER_LABEL, call)
    assert (sent.resumed, changes(market)) == (False, [5])


def test_a_call_that_the_contract_refuses_leaves_nothing(market: Market) -> None:
    with pytest.raises(RevertedError):
        market.sending.send(OFFER_LABEL, calls.set_payout(listing=1, payout="0x" + 40 * "0"))
    assert entries(market) == []


def test_killed_twice_it_is_sent_once(market: Market) -> None:
    killed_before_the_broadcast(market, offer(market, 5))
    killed_before_the_broadcast(market, offer(market, 6))
    killed_after_the_broadcast(market, offer(market, 6))
    assert market.sending.send(OFFER_LABEL, offer(market, 6)).resumed
    assert changes(market) == [6]


def test_a_damaged_entry_stops_everything(market: Market) -> None:
    killed_before_the_broadcast(market, offer(market, 5))
    (path,) = entries(market)
    path.write_text('{"version": 1, "function": "", "transactions": [{"hash": "0x"}]}')
    with fails_with(RefusedError, "bad-journal"):
        market.sending.send(OFFER_LABEL, offer(market, 5))
    assert changes(market) == []


def test_an_entry_that_an_earlier_version_wrote_is_taken_to_its_end(market: Market) -> None:
    killed_before_the_broadcast(market, offer(market, 5))
    (path,) = entries(market)
    document = json.loads(path.read_text())
    document["transactions"] = [
        {key: one[key] for key in ("hash", "raw", "identity")} for one in document["transactions"]
    ]
    path.write_text(json.dumps(document))
    sent = market.sending.send(OFFER_LABEL, offer(market, 5))
    assert (sent.resumed, changes(market), entries(market)) == (True, [5], [])
