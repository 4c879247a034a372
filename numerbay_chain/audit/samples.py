"""Which rounds of which orders an audit asks the contract about.

Of a small listing all of them. Of a large one those to which something happened by the logs, and one other round of
each order and one other order of each round, which nobody can foresee. All of them would let N orders of M
rounds, which cost N + M transactions, cost the auditor N × M questions. What was left out of the logs changes a pot or
the balance, and those are compared to the last unit.
"""

import secrets
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from numerbay_chain.protocol.books import ListingBook
from numerbay_chain.protocol.types import Order

_TRIES: Final = 8
"""Looks for an order that covers a round: most do, or few orders are left."""

_WHOLE: Final = 4
"""Places for each order and each round that a listing may have to be asked about whole."""

Place = tuple[int, int]
"""An order, by its place in the listing's book, and a round."""


def rounds_out(book: ListingBook, order: Order) -> range:
    """Return the rounds of an order that are over, one way or the other."""
    return range(order.first, max(min(order.end, book.next_round), order.first))


def places(book: ListingBook) -> list[Place]:
    """Return the places to ask about, in order: some for each order, round and event, never for each pair of them."""
    outs = [rounds_out(book, sale.sold) for sale in book.orders]
    if sum(map(len, outs)) <= _WHOLE * (len(outs) + len(book.over)):
        return [(place, round) for place, out in enumerate(outs) for round in out]
    return sorted({*_happened(book), *_round_of_each_order(book), *_order_of_each_round(book)})


def _happened(book: ListingBook) -> Iterator[Place]:
    for place, sale in enumerate(book.orders):
        out = rounds_out(book, sale.sold)
        for round in sale.rounds:
            if round in out:
                yield place, round


def _round_of_each_order(book: ListingBook) -> Iterator[Place]:
    for place, sale in enumerate(book.orders):
        if out := rounds_out(book, sale.sold):
            yield place, secrets.choice(out)


def _order_of_each_round(book: ListingBook) -> Iterator[Place]:
    """Orders stand in the book as they were sold, so that their first rounds go up."""
    firsts = [sale.sold.first for sale in book.orders]
    for round in book.over:
        there = bisect_right(firsts, round)
        for _ in range(_TRIES if there else 0):
            place = secrets.randbelow(there)
            if book.orders[place].sold.covers(round):
                yield place, round
                break
