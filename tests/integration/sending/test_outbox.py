"""A transaction is sent once: what a call that died left behind is taken to its end."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import calls
from numerbay_chain.core.errors import RefusedError, RevertedError
from numerbay_chain.session import Session
from tests.support.codes import fails_with
from tests.support.dying import KilledError, death
from tests.support.places import PRICE, Place
from tests.support.told import Told

OFFER_LABEL = "offer"


@pytest.fixture
def session(place: Place) -> Session:
    place.seller.create_listing(PRICE)
    return place.session("seller", 0)


def offer(session: Session, price: int) -> calls.Call:
    return calls.change_offer(listing=1, offer=replace(session.contract.listing(1).offer, price=price))


def entries(session: Session) -> list[Path]:
    return [*session.home.path.glob("outbox/*/*.json")]


def changes(session: Session) -> list[int]:
    return [event["offer"].price for event in Told(session.contract).events(["OfferChanged"])]


def killed_before_the_broadcast(session: Session, call: calls.Call) -> None:
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        session.sending.send(OFFER_LABEL, call)


def killed_after_the_broadcast(session: Session, call: calls.Call) -> None:
    with death([(Connection, "send_raw")], 1, after=True), pytest.raises(KilledError):
        session.sending.send(OFFER_LABEL, call)


def test_nothing_is_left_when_all_went_well(session: Session) -> None:
    sent = session.sending.send(OFFER_LABEL, offer(session, 5))
    assert (sent.resumed, entries(session)) == (False, [])


def test_what_was_signed_is_private_and_whole(session: Session) -> None:
    killed_before_the_broadcast(session, offer(session, 5))
    (path,) = entries(session)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["function"] == "changeOffer"
    assert changes(session) == []


def test_the_same_call_sends_what_was_signed(session: Session) -> None:
    killed_before_the_broadcast(session, offer(session, 5))
    sent = session.sending.send(OFFER_LABEL, offer(session, 5))
    assert (sent.resumed, changes(session), entries(session)) == (True, [5], [])


def test_the_same_call_finds_what_was_mined(session: Session) -> None:
    call = offer(session, 5)
    killed_after_the_broadcast(session, call)
    assert changes(session) == [5]
    assert session.sending.send(OFFER_LABEL, call).resumed
    assert changes(session) == [5]


def test_another_call_does_not_send_what_never_left(session: Session) -> None:
    killed_before_the_broadcast(session, offer(session, 5))
    sent = session.sending.send(OFFER_LABEL, offer(session, 6))
    assert (sent.resumed, changes(session)) == (False, [6])
    assert session.sending.resume(OFFER_LABEL) is None, "the first one's nonce is used: it can never be mined"


def test_another_call_is_told_of_what_went_through(session: Session) -> None:
    killed_after_the_broadcast(session, offer(session, 5))
    with fails_with(RefusedError, "earlier-transaction"):
        session.sending.send(OFFER_LABEL, offer(session, 6))
    assert session.sending.send(OFFER_LABEL, offer(session, 6)).resumed is False
    assert changes(session) == [5, 6]


def test_a_nonce_that_was_used_elsewhere_makes_room_for_a_new_one(session: Session) -> None:
    call = offer(session, 5)
    killed_before_the_broadcast(session, call)
    session.sending.sender.send(calls.set_payout(listing=1, payout=session.account))
    sent = session.sending.send(OFFER_LABEL, call)
    assert (sent.resumed, changes(session)) == (False, [5])


def test_a_call_that_the_contract_refuses_leaves_nothing(session: Session) -> None:
    with pytest.raises(RevertedError):
        session.sending.send(OFFER_LABEL, calls.set_payout(listing=1, payout="0x" + 40 * "0"))
    assert entries(session) == []


def test_killed_twice_it_is_sent_once(session: Session) -> None:
    killed_before_the_broadcast(session, offer(session, 5))
    killed_before_the_broadcast(session, offer(session, 6))
    killed_after_the_broadcast(session, offer(session, 6))
    assert session.sending.send(OFFER_LABEL, offer(session, 6)).resumed
    assert changes(session) == [6]


def test_a_damaged_entry_stops_everything(session: Session) -> None:
    killed_before_the_broadcast(session, offer(session, 5))
    (path,) = entries(session)
    path.write_text('{"version": 1, "function": "", "transactions": [{"hash": "0x"}]}')
    with fails_with(RefusedError, "bad-journal"):
        session.sending.send(OFFER_LABEL, offer(session, 5))
    assert changes(session) == []


@pytest.mark.parametrize("byte", [0, 1, 5, 40, -1])
def test_an_entry_whose_transaction_was_altered_is_named(session: Session, byte: int) -> None:
    killed_before_the_broadcast(session, offer(session, 5))
    (path,) = entries(session)
    document = json.loads(path.read_text())
    raw = bytearray.fromhex(document["transactions"][0]["raw"])
    raw[byte] ^= 3
    document["transactions"][0]["raw"] = raw.hex()
    path.write_text(json.dumps(document))
    with fails_with(RefusedError, "bad-journal", path.name):
        session.sending.send(OFFER_LABEL, offer(session, 5))
    assert changes(session) == []


def test_an_entry_that_an_earlier_version_wrote_is_taken_to_its_end(session: Session) -> None:
    killed_before_the_broadcast(session, offer(session, 5))
    (path,) = entries(session)
    document = json.loads(path.read_text())
    document["transactions"] = [
        {key: one[key] for key in ("hash", "raw", "identity")} for one in document["transactions"]
    ]
    path.write_text(json.dumps(document))
    sent = session.sending.send(OFFER_LABEL, offer(session, 5))
    assert (sent.resumed, changes(session), entries(session)) == (True, [5], [])
