"""What a purchase asks for, and refuses: vouchers, gifts, second orders, terms that changed meanwhile."""

import dataclasses
from collections.abc import Iterator

from numerbay_chain.core.errors import AccountError, RefusedError, UsageError
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.types import ZERO_ADDRESS
from tests.support.codes import fails_with
from tests.support.nodes import LyingIndex
from tests.support.places import PRICE, Place

DAY = 86_400


def test_a_voucher_buys_from_a_closed_listing_until_it_is_revoked(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, opened=False)
    buyer = place.buyer()
    with fails_with(RefusedError, "closed"):
        buyer.buy(listing.id)
    voucher = place.seller.sign_voucher(listing.id, price=0, buyer=buyer.session.account, uses=2)
    assert place.seller.voucher_status(voucher).problem is None
    purchase = buyer.buy(listing.id, voucher=voucher)
    assert (purchase.total, purchase.order.by_voucher) == (0, True)
    assert place.seller.voucher_status(voucher).used == 1
    with fails_with(RefusedError, "voucher-unusable"):
        place.buyer(2).buy(listing.id, voucher=voucher)
    place.seller.revoke_voucher(voucher)
    assert place.seller.voucher_status(voucher).revoked
    with fails_with(RefusedError, "voucher-unusable"):
        buyer.buy(listing.id, voucher=voucher, again=True)
    assert place.auditor.audit().ok


def test_a_forged_voucher_is_refused_before_anything_is_sent(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    voucher = place.seller.sign_voucher(listing.id, price=PRICE)
    cheaper = dataclasses.replace(voucher, voucher=dataclasses.replace(voucher.voucher, price=1))
    assert place.cost(1, lambda: None) == 0
    with fails_with(RefusedError, "voucher-unusable"):
        place.buyer().buy(listing.id, voucher=cheaper)


def test_no_other_content_is_bought_than_was_checked(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, instant=True).id
    place.seller.deliver(place.file(), listing)
    buyer, told = place.buyer(), list[Event]()

    def turned_around(events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            told.extend([event] * (event.name == "Released"))
            other = {**event.arguments, "contentHash": bytes(32)}
            yield dataclasses.replace(event, arguments=other) if event.name == "Released" and len(told) > 1 else event

    buyer.session.index = LyingIndex(place.contract, turned_around)
    with fails_with(RefusedError, "terms-changed"):
        buyer.buy(listing)
    assert place.contract.listing(listing).orders == 0
    told.clear()
    assert buyer.buy(listing, check=False).order.first == 0


def test_somebody_else_can_pay(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    friend, payer = place.buyer(2), place.buyer(1, registered=False)
    order = payer.buy(listing.id, recipient=friend.session.account).order
    assert order.buyer == friend.session.account
    place.seller.deliver(place.file(), listing.id)
    assert friend.fetch(order.id, path=place.output()).size == 24
    assert [view.id for view in friend.orders()] == [order.id]
    assert payer.orders() == []


def test_a_second_order_for_the_same_round_must_be_meant(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    buyer = place.buyer()
    first = buyer.buy(listing.id).order
    with fails_with(RefusedError, "already-bought", "1-0"):
        buyer.buy(listing.id)
    second = buyer.buy(listing.id, again=True).order
    assert (first.index, second.index) == (0, 1)


def test_what_changed_since_the_quote_is_refused(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    buyer = place.buyer()
    quote = buyer.quote(listing.id, 2)
    assert (quote.total, quote.already_out) == (2 * PRICE, False)
    place.seller.edit_listing(listing.id, price="0.02 ether")
    with fails_with(RefusedError, "terms-changed"):
        buyer.buy(listing.id, 2, quote=quote)
    with fails_with(RefusedError, "price-too-high", "0.01 ETH"):
        buyer.buy(listing.id, max_price="0.01 ether")
    assert buyer.buy(listing.id, max_price="0.02 ether").total == 2 * PRICE


def test_a_release_between_quote_and_purchase_is_noticed(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, instant=True)
    buyer = place.buyer()
    quote = buyer.quote(listing.id)
    place.seller.deliver(place.file(), listing.id)
    with fails_with(RefusedError, "terms-changed"):
        buyer.buy(listing.id, quote=quote)


def test_what_can_t_be_bought_says_why(place: Place) -> None:
    seller = place.seller
    unregistered = place.buyer(3, registered=False)
    small = seller.create_listing(PRICE, supply=1, max_rounds=2)
    with fails_with(AccountError, "no-key"):
        unregistered.buy(small.id)
    with fails_with(RefusedError, "rounds-out-of-bounds", 1, 2, 3):
        place.buyer().buy(small.id, rounds=3)
    with fails_with(RefusedError, "round-moved", 0, 4):
        place.buyer().buy(small.id, first_round=4)
    place.buyer(1).buy(small.id)
    with fails_with(RefusedError, "sold-out"):
        place.buyer(2).buy(small.id)
    scheduled = seller.create_listing(PRICE, preset="daily")
    place.chain.advance(DAY + 60)
    with fails_with(RefusedError, "overdue"):
        place.buyer().buy(scheduled.id)
    dear = seller.create_listing("20000 ether")
    with fails_with(AccountError, "insufficient-funds"):
        place.buyer().buy(dear.id)


def test_nobody_buys_for_address_0(place: Place) -> None:
    listing = place.seller.create_listing(PRICE).id
    with fails_with(UsageError, "not-an-address"):
        place.buyer().quote(listing, recipient=ZERO_ADDRESS)
