"""An audit's samples, and sums of prices over rounds: exact, and not one step for each order of each round."""

import random
from dataclasses import replace

from numerbay_chain.audit import samples
from numerbay_chain.protocol.books import ListingBook, Prices
from numerbay_chain.protocol.facts import ListingFacts, Offering, OrderFacts, RoundFacts
from numerbay_chain.protocol.types import ZERO_ADDRESS, CopyDelivery, Offer, Order, Settlement, Terms

TERMS = Terms(ZERO_ADDRESS, 0, 999, False, False, 0, 0, 60, 0, 60, 0, 0, 0)


def book(orders: int, rounds: int, first: int = 0) -> ListingBook:
    offering = Offering("", "", "", TERMS, Offer(0, True), 0, 0)
    made = ListingBook(ListingFacts(1, offering, missed=[*range(rounds)]), next_round=rounds)
    for index in range(orders):
        sell(made, Order(1 << 32 | index, "", first, 60_000, 5, 0, 1, 0, 0))
    return made


def sell(book: ListingBook, order: Order) -> None:
    book.orders.append(OrderFacts(order.id, order))
    book.earn_from(order)


def end(book: ListingBook, place: int, end: int) -> None:
    sale = book.orders[place]
    book.end(sale.sold, end)
    sale.order = replace(sale.sold, rounds=end - sale.sold.first)


def test_as_many_places_as_orders_and_rounds_and_all_of_each() -> None:
    places = samples.places(book(200, 300))
    assert len(places) <= 200 + 300
    assert {place for place, _ in places} == set(range(200))
    assert {round for _, round in places} == set(range(300))


def test_where_something_happened_is_always_asked_about() -> None:
    made = book(50, 50)
    made.orders[7].rounds[13] = RoundFacts(Settlement.PAID_BACK)
    made.orders[8].rounds[14] = RoundFacts(copy=CopyDelivery(1 << 32 | 8, 14, bytes(32), 0, ""))
    made.orders[9].rounds[15] = RoundFacts(faulty_at=1)
    made.orders[9].rounds[70] = RoundFacts(Settlement.PAID_BACK)  # of a round that is not over
    for _ in range(20):
        assert {(7, 13), (8, 14), (9, 15)} <= {*samples.places(made)}
        assert (9, 70) not in samples.places(made)


def test_a_small_listing_is_asked_about_whole() -> None:
    assert samples.places(book(1, 9)) == [(0, round) for round in range(9)]
    assert samples.places(book(9, 1)) == [(place, 0) for place in range(9)]


def test_a_round_far_ahead_that_one_log_tells_of_is_no_more_to_ask_about() -> None:
    made = book(50, 50)
    made.next_round = 1 << 24
    assert len(samples.places(made)) <= 50 + 50


def test_nobody_can_foresee_the_others() -> None:
    made = book(60, 60)
    assert len({tuple(samples.places(made)) for _ in range(5)}) == 5
    asked = {place for _ in range(60) for place in samples.places(made)}
    assert len(asked) > 60 * 60 * 0.6


def test_orders_that_begin_later_or_ended_are_not_asked_about() -> None:
    made = book(5, 10, first=10)
    assert samples.places(made) == []
    made = book(5, 10)
    for place in range(5):
        end(made, place, 0)
    assert samples.places(made) == []


def test_sums_of_prices_are_those_of_the_orders() -> None:
    chance = random.Random(7)
    prices, orders = Prices(), list[tuple[int, int, int]]()
    for _ in range(300):
        first = chance.randrange(400)
        one = (first, first + chance.randrange(60), chance.randrange(10**18))
        orders.append(one)
        prices.add(*one)
    for first, end, price in orders[::3]:
        prices.add((first + end) // 2, end, -price)
    cut = [(first, (first + end) // 2 if n % 3 == 0 else end, price) for n, (first, end, price) in enumerate(orders)]
    for round in range(470):
        assert prices.at(round) == sum(price for first, end, price in cut if first <= round < end)
    assert prices.at(2**24 - 1) == 0


def test_an_order_that_ends_early_gives_up_what_it_paid_for_later_rounds() -> None:
    made = book(2, 0)
    assert (made.earned_by(0), made.earned_by(59_999), made.earned_by(60_000)) == (10, 10, 0)
    end(made, 0, 3)
    assert [made.earned_by(round) for round in (2, 3, 59_999)] == [10, 5, 5]
    sell(made, Order(1 << 32 | 2, "", 4, 2, 7, 0, 1, 9, 0))  # its first round was out when it was bought
    assert [made.earned_by(round) for round in (4, 5, 6)] == [5, 12, 5]
    end(made, 2, 4)
    assert [made.earned_by(round) for round in (4, 5)] == [5, 5]


def test_what_is_owed_for_missed_rounds_is_counted_without_looking_at_each() -> None:
    made = book(3, 50_000)
    made.facts.missed = list(range(0, 50_000, 2))
    made.orders[1].rounds[4] = RoundFacts(Settlement.PAID_BACK)
    made.orders[2].rounds[5] = RoundFacts(Settlement.CHALLENGED)  # of a round that was released
    assert made.owed_for_missed == 5 * (3 * 25_000 - 1)
