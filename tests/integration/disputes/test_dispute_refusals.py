"""What can't be disputed, and whose disputes are shown."""

from typing import Any

import pytest

from numerbay_chain import Buyer, Seller
from numerbay_chain.chain import tokens
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import AccountError, RefusedError
from tests.integration.roles.test_tokens import deploy_token, mint
from tests.support.adversary import DAY, HOUR, Cheat, sold
from tests.support.codes import fails_with
from tests.support.places import OPERATOR, PRICE, Place


def test_a_challenge_is_made_once(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    buyer = place.buyer()
    assert buyer.open_dispute(order).receipt is not None
    again = buyer.open_dispute(order)
    assert (again.receipt, again.dispute.state) == (None, "challenged")


def test_only_its_own_key_file_opens_a_dispute(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    stranger = place.buyer(2)
    with fails_with(RefusedError, "not-buyer"):
        stranger.open_dispute(order)
    elsewhere = Buyer(place.session("elsewhere", 1))
    with fails_with(AccountError, "no-key-file"):
        elsewhere.open_dispute(order)
    with fails_with(RefusedError, "not-released"):
        place.buyer().open_dispute(place.buyer().buy(listing).id)


def test_a_right_key_that_was_handed_out_is_not_disputed(place: Place) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    with fails_with(RefusedError, "nothing-to-prove"):
        place.buyer().open_dispute(order)


def test_a_seller_reads_his_own_disputes_alone_and_past_ones_only_when_asked(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (past, present) = sold(place, 2)
    cheat.release(listing, str(place.file()))
    rival = Seller(place.session("rival", 5))
    other = rival.create_listing(PRICE, dispute_window=DAY, response_window=HOUR).id
    foreign = place.buyer(3).buy(other).order.id
    Cheat(rival.session).release(other, str(place.file()))
    for number, order in ((1, past), (3, foreign)):
        place.buyer(number).open_dispute(order)
    place.chain.advance(HOUR + 2)
    place.buyer().claim(past)
    place.buyer(2).open_dispute(present)
    read: set[int] = set()
    asked = Snapshot.load

    def load(look: Snapshot, *questions: Any) -> None:
        read.update(arguments[0] for name, *arguments in questions if name == "order")
        asked(look, *questions)

    monkeypatch.setattr(Snapshot, "load", load)
    assert [one.order for one in place.seller.disputes()] == [present]
    assert read == {present}
    assert [one.order for one in place.seller.disputes(listing, ended=True)] == [present, past]
    assert place.seller.disputes(other) == []
    assert foreign not in read
    operator = Seller(place.session("operator", OPERATOR))
    assert operator.disputes() == []
    place.seller.set_operator(listing, operator.session.account)
    assert operator.disputes() == [], "who is named operator by others did not ask for that"
    assert [one.order for one in operator.disputes(listing)] == [present]
    place.seller.set_operator(listing, None)
    assert operator.disputes(ended=True) == []


def test_a_listing_without_disputes_says_so_before_and_after(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, dispute_window=0).id
    buyer = place.buyer()
    assert any("NOT ADJUDICATED" in line for line in buyer.quote(listing).words)
    order = buyer.buy(listing).id
    place.seller.deliver(place.file(), listing)
    for step in (buyer.open_dispute, buyer.prove):
        with fails_with(RefusedError, "not-adjudicated"):
            step(order)
    assert "not adjudicated" in buyer.show_dispute(order).words


def test_a_bond_in_tokens_is_approved_and_comes_back(place: Place) -> None:
    token = deploy_token(place, "StandardToken")
    unit = 10**18
    listing = place.seller.create_listing(
        "10 STD", token=token, challenge_bond="5 STD", dispute_window=DAY, response_window=HOUR
    ).id
    mint(place, token, 1, 11 * unit)
    buyer = place.buyer()
    order = buyer.buy(listing).id
    Cheat(place.seller.session).release(listing, str(place.file()))
    opened = buyer.open_dispute(order)
    assert (opened.dispute.bond, opened.approval is not None) == (unit, True)
    assert tokens.balance_of(place.chain.connection, token, buyer.session.account) == 0
    place.chain.advance(HOUR + 2)
    assert buyer.settle(order).paid == 11 * unit
    assert tokens.balance_of(place.chain.connection, token, buyer.session.account) == 11 * unit
