"""A dispute is between the seller and one buyer: the others get their keys all the same."""

import pytest

from numerbay_chain.protocol.types import Settlement
from tests.support.places import PRICE, Place

HOUR = 3_600


@pytest.mark.parametrize("state", ["challenged", "answered", "paid back", "paid to the seller", "the other refunded"])
def test_who_waits_for_a_key_gets_it_whatever_becomes_of_anothers_challenge(place: Place, state: str) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600, dispute_window=24 * HOUR, response_window=HOUR)
    challenger, patient = place.buyer(1), place.buyer(2)
    challenged, kept = challenger.buy(listing.id, rounds=2).order, patient.buy(listing.id, rounds=2).order
    place.seller.deliver(place.file(), listing.id)
    place.chain.advance(601)
    challenger.open_dispute(challenged.id)
    if state in ("answered", "paid to the seller"):
        place.seller.respond(challenged.id)
    if state == "paid back":
        place.chain.advance(HOUR + 1)
        challenger.claim(challenged.id)
        assert place.contract.settled(challenged.id, 0) is Settlement.PAID_BACK
    if state == "paid to the seller":
        place.chain.advance(40 * HOUR)
        place.seller.settle(challenged.id)
        assert place.contract.settled(challenged.id, 0) is Settlement.PAID_TO_SELLER
    if state == "the other refunded":
        place.seller.refund(kept.id, round=0)

    served = place.seller.serve(listing.id).rounds

    if state == "the other refunded":
        assert served == ()
    else:
        assert [one.newly_posted for one in served] == [(kept.id,)], "and the challenger has his answer, or his money"
        patient.fetch(kept.id, path=place.output())
    again = place.seller.deliver(place.file("next.csv", b"next"), listing.id)
    assert again.release is not None, "the next round is not held up either"
    place.chain.advance(601)
    (later,) = [one for one in place.seller.serve(listing.id).rounds if one.round == 1]
    assert later.newly_posted == (challenged.id, kept.id)
    assert challenger.fetch(challenged.id, path=place.output("second")).size == 4
    assert place.auditor.audit().ok
