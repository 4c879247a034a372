"""A marketplace's books: the sums that its whole history adds up to, and what is owed in all."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from numerbay_chain.protocol.facts import Facts, ListingFacts, Offering, OrderFacts
from numerbay_chain.protocol.types import Order, Settlement, Terms

Balances = dict[str, int]
"""Token address → amount in its smallest unit."""


def add_to(balances: Balances, token: str, amount: int) -> None:
    """Add to what there is of a token."""
    balances[token] = balances.get(token, 0) + amount


_BITS: Final = 25
"""Rounds have 24 bits, an order ends one above."""


class Prices:
    """The sum of prices over rounds: an order adds its price to all rounds that it covers, and takes it away from those
    that it gives up. Each takes the same few steps, however many orders and rounds there are (a Fenwick tree)."""

    def __init__(self) -> None:
        self._sums: dict[int, int] = {}

    def add(self, first: int, end: int, price: int) -> None:
        """Add `price` to rounds `first` to `end - 1`."""
        if first < end:
            self._change(first, price)
            self._change(end, -price)

    def at(self, round: int) -> int:
        """The sum of the prices of all orders that cover a round."""
        place, total = round + 1, 0
        while place:
            total += self._sums.get(place, 0)
            place &= place - 1
        return total

    def _change(self, round: int, price: int) -> None:
        place = round + 1
        while place < 1 << _BITS:
            self._sums[place] = self._sums.get(place, 0) + price
            place += place & -place


@dataclass(slots=True)
class PotBook:
    """Earned money of a round that matures with one bucket."""

    amount: int = 0
    released: bool = False


@dataclass(slots=True)
class ListingBook:
    """A listing, its orders and its pots. `next_round` and `last_turn` are as the contract has them."""

    facts: ListingFacts
    orders: list[OrderFacts] = field(default_factory=list)  # by index
    next_round: int = 0
    last_turn: int = 0
    prices: Prices = field(default_factory=Prices)  # what each round earns when it is released
    pots: dict[tuple[int, int], PotBook] = field(default_factory=dict)  # (round, bucket)

    @property
    def id(self) -> int:
        return self.facts.id

    @property
    def offering(self) -> Offering:
        """Raises `LookupError` before its creation."""
        if self.facts.offering is None:
            raise LookupError(self.id)
        return self.facts.offering

    @property
    def terms(self) -> Terms:
        return self.offering.terms

    @property
    def over(self) -> list[int]:
        """The rounds that were released or skipped by the logs: all below `next_round`, unless logs are left out."""
        return sorted({*self.facts.releases, *self.facts.missed})

    @property
    def voided(self) -> int:
        """Orders that ended before their first round, counted where there is a supply."""
        return sum(not order.sold.rounds for order in self.orders) if self.terms.supply else 0

    def earn_from(self, order: Order) -> None:
        """Count on an order's rounds. One that was bought for the round that was out has paid for that one already."""
        self.prices.add(_ahead(order), order.end, order.price)

    def end(self, order: Order, end: int) -> None:
        """Count on no round of the order from `end` on."""
        self.prices.add(max(end, _ahead(order)), order.end, -order.price)

    def earned_by(self, round: int) -> int:
        """The sum of the prices of all orders that cover the round, but for those bought when it was out."""
        return self.prices.at(round)

    def leaving(self) -> dict[int, int]:
        """End of orders → sum of their prices, for ends above the next round."""
        found: dict[int, int] = {}
        for order in self._with_rounds_to_come():
            found[order.end] = found.get(order.end, 0) + order.price
        return found

    @property
    def unreleased(self) -> int:
        """Owed for rounds that are to come."""
        return sum(
            order.price * (order.end - max(order.first, self.next_round)) for order in self._with_rounds_to_come()
        )

    def _with_rounds_to_come(self) -> Iterator[Order]:
        return (one.sold for one in self.orders if one.sold.end > self.next_round)

    @property
    def owed_for_missed(self) -> int:
        """Owed for missed rounds that were not paid back."""
        return sum(one.sold.price * self._missed_of(one) for one in self.orders)

    def _missed_of(self, one: OrderFacts) -> int:
        order, missed = one.sold, self.facts.missed
        covered = bisect_left(missed, order.end) - bisect_left(missed, order.first)
        return covered - sum(
            known.settlement is not Settlement.NONE and order.covers(round) and self.facts.is_missed(round)
            for round, known in one.rounds.items()
        )

    @property
    def owed_for_challenges(self) -> int:
        """Prices and bonds of open challenges."""
        rounds = (known for order in self.orders for known in order.rounds.values())
        return sum(known.open_challenge.stake for known in rounds if known.open_challenge)

    def is_frozen(self, round: int, bucket: int) -> bool:
        """Whether the round was proven faulty before the pot matured."""
        return round in self.facts.faulty and self.facts.faulty[round] < self.terms.maturity_of(bucket)


def _ahead(order: Order) -> int:
    """The first round that the order had not paid for when it was bought."""
    return order.first + (order.bucket != 0)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """An event that the ones before it do not explain. `code` stays the same when the words change."""

    subject: str
    text: str
    code: str


@dataclass
class Books(Facts):
    """All that is known of one marketplace, and what it adds up to. `received` and `paid` are what went in and out by
    token; `credited_in` the sum of the credits by token; `discrepancies` what did not add up; `events` how many there
    were."""

    books: dict[int, ListingBook] = field(default_factory=dict)  # by listing
    by_token: dict[str, list[ListingBook]] = field(default_factory=dict)
    credits: dict[tuple[str, str], int] = field(default_factory=dict)  # (account, token)
    credited_in: Balances = field(default_factory=dict)
    received: Balances = field(default_factory=dict)
    paid: Balances = field(default_factory=dict)
    discrepancies: list[Discrepancy] = field(default_factory=list)
    events: int = 0

    def doubt(self, subject: str, text: str, code: str) -> None:
        """Note what does not add up."""
        self.discrepancies.append(Discrepancy(subject, text, code))

    def unreleased(self, token: str) -> int:
        return sum(book.unreleased for book in self._with(token))

    def missed(self, token: str) -> int:
        return sum(book.owed_for_missed for book in self._with(token))

    def pots(self, token: str) -> int:
        return sum(pot.amount for book in self._with(token) for pot in book.pots.values())

    def challenged(self, token: str) -> int:
        """Prices and bonds of open challenges."""
        return sum(book.owed_for_challenges for book in self._with(token))

    def credited(self, token: str) -> int:
        return self.credited_in.get(token, 0)

    def owed(self, token: str) -> int:
        """All that the contract owes in a token."""
        kept = self.pots(token) + self.challenged(token)
        return self.unreleased(token) + self.missed(token) + kept + self.credited(token)

    @property
    def tokens(self) -> list[str]:
        """Every token that a listing is sold for."""
        return sorted(self.by_token)

    def _with(self, token: str) -> Iterable[ListingBook]:
        return self.by_token.get(token, ())
