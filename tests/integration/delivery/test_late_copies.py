"""Copies that come late: for whoever bought late, or was forgotten."""

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.core.errors import RefusedError
from tests.support.codes import fails_with
from tests.support.dying import KilledError, death
from tests.support.places import PRICE, Place

DAY = 86_400  # seconds


def test_a_late_buyer_of_a_round_of_copies_gets_one(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, instant=True, dispute_window=0)
    early = place.buyer(1).buy(listing.id).order
    place.seller.deliver_copies(listing.id, {early.id: place.file("early.csv", b"early")})
    late = place.buyer(2).buy(listing.id, check=False).order
    assert late.first == 0
    place.chain.advance(DAY)
    delivered = place.seller.deliver_copies(listing.id, {late.id: place.file("late.csv", b"late one")})
    assert (delivered.round, delivered.release, delivered.resumed) == (0, None, False)
    assert delivered.newly_posted == (late.id,)
    assert place.buyer(2).fetch(late.id, path=place.output()).size == 8
    assert place.buyer(1).verify(early.id).problems == ()
    assert place.contract.listing(listing.id).next_round == 1


def test_a_forgotten_copy_is_added_to_its_round_instead_of_releasing_the_next(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, dispute_window=0)
    first, forgotten = (place.buyer(number).buy(listing.id, rounds=2).order for number in (1, 2))
    one, two = place.file("one.csv", b"one"), place.file("two.csv", b"two")
    delivered = place.seller.deliver_copies(listing.id, {first.id: one})
    assert [(left.order, left.code) for left in delivered.left] == [(forgotten.id, "no-copy")]
    place.chain.advance(DAY)
    assert place.seller.deliver_copies(listing.id, {forgotten.id: two}).round == 0
    assert place.buyer(2).fetch(forgotten.id, path=place.output()).size == 3
    both = {first.id: place.file("three.csv", b"three"), forgotten.id: place.file("four.csv", b"four")}
    assert place.seller.deliver_copies(listing.id, both).round == 1


def test_a_copy_that_comes_too_late_for_its_round_is_for_the_next(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, decline_window=600)
    first, forgotten = (place.buyer(number).buy(listing.id, rounds=2).order for number in (1, 2))
    place.seller.deliver_copies(listing.id, {first.id: place.file()})
    place.chain.advance(601)
    place.seller.serve(listing.id)
    place.chain.advance(DAY)
    assert place.seller.deliver_copies(listing.id, {forgotten.id: place.file("two.csv", b"two")}).round == 1


def test_a_late_copy_that_was_interrupted_is_taken_up(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, instant=True, dispute_window=0)
    early = place.buyer(1).buy(listing.id).order
    place.seller.deliver_copies(listing.id, {early.id: place.file("early.csv", b"early")})
    late = place.buyer(2).buy(listing.id, check=False).order
    files = {late.id: place.file("late.csv", b"late one")}
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        place.seller.deliver_copies(listing.id, files)
    with fails_with(RefusedError, "unfinished-delivery"):
        place.seller.deliver_copies(listing.id, {late.id: place.file("other.csv", b"another file")})
    assert place.seller.deliver_copies(listing.id, files).resumed
    assert place.buyer(2).fetch(late.id, path=place.output()).size == 8
