"""A marketplace's books: what its events tell of each order, pot, round and listing, and what is owed in all."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from numerbay_chain.protocol.types import Challenge, Offer, Settlement, Terms

Balances = dict[str, int]
"""Token address → amount in its smallest unit."""


def add_to(balances: Balances, token: str, amount: int) -> None:
    """Add to what there is of a token."""
    balances[token] = balances.get(token, 0) + amount


@dataclass(slots=True)
class OrderBook:
    """An order: it covers rounds `first` to `end - 1`."""

    id: int
    buyer: str
    first: int
    end: int
    price: int
    version: int
    epoch: int
    bucket: int
    cancelled_at: int = 0
    settled: dict[int, Settlement] = field(default_factory=dict)
    copies: dict[int, bytes] = field(default_factory=dict)  # round → content hash
    challenges: dict[int, Challenge] = field(default_factory=dict)  # round → the open one
    copy_faulty: dict[int, int] = field(default_factory=dict)  # round → when its challenged copy was proven faulty
    voucher: bytes | None = None  # the digest of the one that it was bought with

    def covers(self, round: int) -> bool:
        return self.first <= round < self.end


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


@dataclass(frozen=True, slots=True)
class ReleaseBook:
    """A released round."""

    content_hash: bytes
    bucket: int
    released_at: int


@dataclass(slots=True)
class ListingBook:
    """A listing with its orders and pots."""

    id: int
    seller: str
    operator: str
    payout: str
    terms: Terms
    offer: Offer
    version: int = 0
    next_round: int = 0
    last_turn: int = 0
    orders: list[OrderBook] = field(default_factory=list)  # by index
    releases: dict[int, ReleaseBook] = field(default_factory=dict)
    missed: list[int] = field(default_factory=list)  # in order
    prices: Prices = field(default_factory=Prices)  # what each round earns when it is released
    faulty: dict[int, int] = field(default_factory=dict)  # round → when it was proven so
    pots: dict[tuple[int, int], PotBook] = field(default_factory=dict)  # (round, bucket)

    @property
    def voided(self) -> int:
        """Orders that ended before their first round, counted where there is a supply."""
        return sum(order.end == order.first for order in self.orders) if self.terms.supply else 0

    def take_in(self, order: OrderBook) -> None:
        """Add an order. One that was bought for the round that was out has paid for that one already."""
        self.orders.append(order)
        self.prices.add(order.first + (order.bucket != 0), order.end, order.price)

    def end(self, order: OrderBook, end: int) -> None:
        """End an order before round `end`."""
        self.prices.add(max(end, order.first + (order.bucket != 0)), order.end, -order.price)
        order.end = end

    def is_missed(self, round: int) -> bool:
        place = bisect_left(self.missed, round)
        return place < len(self.missed) and self.missed[place] == round

    def earned_by(self, round: int) -> int:
        """The sum of the prices of all orders that cover the round, but for those bought when it was out."""
        return self.prices.at(round)

    def leaving(self) -> dict[int, int]:
        """End of orders → sum of their prices, for ends above the next round."""
        found: dict[int, int] = {}
        for order in self.orders:
            if order.end > self.next_round:
                found[order.end] = found.get(order.end, 0) + order.price
        return found

    @property
    def unreleased(self) -> int:
        """Owed for rounds that are to come."""
        return sum(
            order.price * (order.end - max(order.first, self.next_round))
            for order in self.orders
            if order.end > self.next_round
        )

    @property
    def owed_for_missed(self) -> int:
        """Owed for missed rounds that were not paid back."""
        return sum(order.price * self._missed_of(order) for order in self.orders)

    def _missed_of(self, order: OrderBook) -> int:
        missed = bisect_left(self.missed, order.end) - bisect_left(self.missed, order.first)
        return missed - sum(order.covers(round) and self.is_missed(round) for round in order.settled)

    @property
    def owed_for_challenges(self) -> int:
        """Prices and bonds of open challenges."""
        return sum(challenge.stake for order in self.orders for challenge in order.challenges.values())

    def is_frozen(self, round: int, bucket: int) -> bool:
        """Whether the round was proven faulty before the pot matured."""
        return round in self.faulty and self.faulty[round] < self.terms.maturity_of(bucket)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """An event that the ones before it do not explain."""

    subject: str
    text: str


class Books:
    """All that is known of one marketplace. `received` and `paid` are what went in and out by token; `credited_in` the
    sum of the credits by token; `discrepancies` what did not add up."""

    def __init__(self) -> None:
        self.listings: dict[int, ListingBook] = {}
        self.keys: dict[tuple[str, int], bytes] = {}
        self.credits: dict[tuple[str, str], int] = {}  # (account, token)
        self.credited_in: Balances = {}
        self.by_token: dict[str, list[ListingBook]] = {}
        self.voucher_uses: dict[bytes, int] = {}
        self.revoked: set[bytes] = set()
        self.received: Balances = {}
        self.paid: Balances = {}
        self.discrepancies: list[Discrepancy] = []
        self.events = 0

    def doubt(self, subject: str, text: str) -> None:
        """Note what does not add up."""
        self.discrepancies.append(Discrepancy(subject, text))

    def order(self, id: int) -> OrderBook:
        """Raises `LookupError`."""
        return self.listings[id >> 32].orders[id & 0xFFFF_FFFF]

    def unreleased(self, token: str) -> int:
        return sum(listing.unreleased for listing in self._with(token))

    def missed(self, token: str) -> int:
        return sum(listing.owed_for_missed for listing in self._with(token))

    def pots(self, token: str) -> int:
        return sum(pot.amount for listing in self._with(token) for pot in listing.pots.values())

    def challenged(self, token: str) -> int:
        """Prices and bonds of open challenges."""
        return sum(listing.owed_for_challenges for listing in self._with(token))

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
