"""A transaction that was mined and reverted while nobody looked does not stand in the way of the next one."""

import json
from pathlib import Path

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.core.errors import RefusedError, RevertedError
from tests.support.codes import fails_with
from tests.support.dying import KilledError, death
from tests.support.places import PRICE, Place
from tests.support.told import Told


def entries(place: Place) -> list[Path]:
    return [*place.folder.glob("buyer-1/outbox/*/*.json")]


def purchase_that_reverted_while_away(place: Place) -> None:
    """Killed before the broadcast; then the price changed, and the transaction reached the chain by another way."""
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        place.buyer().buy(1)
    place.seller.edit_listing(1, price=2 * PRICE)
    (path,) = entries(place)
    (signed,) = json.loads(path.read_text())["transactions"]
    with fails_with(RevertedError, "terms-changed", 1, 0):
        place.buyer().session.sending.sender.resume(bytes.fromhex(signed["raw"]))


def test_a_purchase_that_reverted_is_made_again_on_todays_terms(place: Place) -> None:
    place.seller.create_listing(PRICE)
    place.buyer()
    purchase_that_reverted_while_away(place)
    bought = place.buyer().buy(1)
    assert (bought.resumed, bought.order.price) == (False, 2 * PRICE)
    assert [order.price for order in Told(place.contract).orders_of(1)] == [2 * PRICE]
    assert entries(place) == []


def test_once_made_it_is_not_made_a_third_time(place: Place) -> None:
    place.seller.create_listing(PRICE)
    place.buyer()
    purchase_that_reverted_while_away(place)
    with death([(Connection, "send_raw")], 1, after=True), pytest.raises(KilledError):
        place.buyer().buy(1)
    assert place.buyer().buy(1).resumed
    with fails_with(RefusedError, "already-bought", "1-0"):
        place.buyer().buy(1)
    assert len(Told(place.contract).orders_of(1)) == 1
