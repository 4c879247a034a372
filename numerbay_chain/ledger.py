"""The marketplace's books, kept from its events alone: what every order, round and pot is worth, and so what is
owed.

A small accounting of its own, with none of the contract's shortcuts: what a release earns is summed up over the
orders that cover the round. `Ledger.apply` takes events in the chain's order; memory grows with orders and pots,
not with events.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from numerbay_chain.chain.types import Event, Offer, Settlement, Terms
from numerbay_chain.units import format_order_id

REVOKED: Final = 2**256 - 1
"""How often a revoked voucher was used, as the contract has it."""

Balances = dict[str, int]
"""Token address → amount in its smallest unit."""


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
    voucher: bytes | None = None  # the digest of the one that it was bought with

    def covers(self, round: int) -> bool:
        return self.first <= round < self.end


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
    missed: set[int] = field(default_factory=set)
    pots: dict[tuple[int, int], PotBook] = field(default_factory=dict)  # (round, bucket)

    @property
    def voided(self) -> int:
        """Orders that ended before their first round, counted where there is a supply."""
        return sum(order.end == order.first for order in self.orders) if self.terms.supply else 0

    def earned_by(self, round: int) -> int:
        """The sum of the prices of all orders that cover the round, but for those bought when it was out."""
        return sum(
            order.price for order in self.orders if order.covers(round) and not (order.bucket and order.first == round)
        )

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
        return sum(
            order.price
            for order in self.orders
            for round in self.missed
            if order.covers(round) and round not in order.settled
        )


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """An event that the ones before it do not explain."""

    subject: str
    text: str


class Ledger:
    """Books of one marketplace. `received` and `paid` are what went in and out by token; `discrepancies` what did
    not add up."""

    def __init__(self) -> None:
        self.listings: dict[int, ListingBook] = {}
        self.keys: dict[tuple[str, int], bytes] = {}
        self.credits: dict[tuple[str, str], int] = {}  # (account, token)
        self.voucher_uses: dict[bytes, int] = {}
        self.revoked: set[bytes] = set()
        self.received: Balances = {}
        self.paid: Balances = {}
        self.discrepancies: list[Discrepancy] = []
        self.events = 0

    def apply(self, event: Event) -> None:
        """Books one event. What can't be booked becomes a discrepancy: it never raises for what a contract may have
        written."""
        self.events += 1
        handler = _HANDLERS.get(event.name)
        if handler is None:
            return
        try:
            handler(self, event.arguments)
        except LookupError:
            self.doubt(
                f"block {event.block}", f"the event {event.name} is about something that no event before it made"
            )

    def doubt(self, subject: str, text: str) -> None:
        """Notes what does not add up."""
        self.discrepancies.append(Discrepancy(subject, text))

    # ------------------------------------------------------------------------------------------------------- look up

    def order(self, id: int) -> OrderBook:
        """Raises `LookupError`."""
        return self.listings[id >> 32].orders[id & 0xFFFF_FFFF]

    def unreleased(self, token: str) -> int:
        return sum(listing.unreleased for listing in self._with(token))

    def missed(self, token: str) -> int:
        return sum(listing.owed_for_missed for listing in self._with(token))

    def pots(self, token: str) -> int:
        return sum(pot.amount for listing in self._with(token) for pot in listing.pots.values())

    def credited(self, token: str) -> int:
        return sum(amount for (_, other), amount in self.credits.items() if other == token)

    def owed(self, token: str) -> int:
        """All that the contract owes in a token."""
        return self.unreleased(token) + self.missed(token) + self.pots(token) + self.credited(token)

    @property
    def tokens(self) -> list[str]:
        """Every token that a listing is sold for."""
        return sorted({listing.terms.token for listing in self.listings.values()})

    def _with(self, token: str) -> Iterable[ListingBook]:
        return (listing for listing in self.listings.values() if listing.terms.token == token)

    # --------------------------------------------------------------------------------------------------------- events

    def _listing_created(self, event: dict[str, Any]) -> None:
        id = event["listing"]
        if id != len(self.listings) + 1:
            self.doubt(f"listing {id}", f"it is number {len(self.listings) + 1} by the logs")
        self.listings[id] = ListingBook(
            id, event["seller"], event["operator"], event["payout"], event["terms"], event["offer"]
        )

    def _offer_changed(self, event: dict[str, Any]) -> None:
        listing = self.listings[event["listing"]]
        offer: Offer = event["offer"]
        same = (offer.price, offer.details) == (listing.offer.price, listing.offer.details)
        if event["version"] != listing.version + (not same):
            self.doubt(f"listing {listing.id}", f"its offer went from version {listing.version} to {event['version']}")
        listing.offer, listing.version = offer, event["version"]

    def _operator_changed(self, event: dict[str, Any]) -> None:
        self.listings[event["listing"]].operator = event["operator"]

    def _payout_changed(self, event: dict[str, Any]) -> None:
        self.listings[event["listing"]].payout = event["payout"]

    def _key_registered(self, event: dict[str, Any]) -> None:
        self.keys[event["owner"], event["epoch"]] = event["publicKey"]

    def _bought(self, event: dict[str, Any]) -> None:
        id = event["order"]
        listing = self.listings[id >> 32]
        if (id & 0xFFFF_FFFF) != len(listing.orders):
            self.doubt(_name(id), f"it is order {len(listing.orders)} of its listing by the logs")
        order = OrderBook(
            id, event["buyer"], event["first"], event["first"] + event["rounds"], event["price"], event["version"],
            event["epoch"], event["bucket"],
        )  # fmt: skip
        if (order.buyer, order.epoch) not in self.keys:
            self.doubt(_name(id), f"its buyer had no key of epoch {order.epoch}")
        if order.first != listing.next_round - (order.bucket != 0):
            self.doubt(
                _name(id), f"it begins with round {order.first} when round {listing.next_round} was the next one"
            )
        if order.bucket:
            listing.pots.setdefault((order.first, order.bucket), PotBook()).amount += order.price
        listing.orders.append(order)
        _add(self.received, listing.terms.token, event["price"] * event["rounds"])

    def _voucher_used(self, event: dict[str, Any]) -> None:
        self.order(event["order"]).voucher = event["digest"]
        self.voucher_uses[event["digest"]] = self.voucher_uses.get(event["digest"], 0) + 1

    def _voucher_revoked(self, event: dict[str, Any]) -> None:
        self.revoked.add(event["digest"])

    def _released(self, event: dict[str, Any]) -> None:
        listing, round = self.listings[event["listing"]], event["round"]
        if round != listing.next_round:
            self.doubt(f"listing {listing.id}", f"round {round} was released when round {listing.next_round} was next")
        listing.releases[round] = ReleaseBook(event["contentHash"], event["bucket"], event["releasedAt"])
        pot = listing.pots.setdefault((round, event["bucket"]), PotBook())
        pot.amount, pot.released = pot.amount + listing.earned_by(round), True
        listing.next_round, listing.last_turn = round + 1, event["releasedAt"]

    def _skipped(self, event: dict[str, Any]) -> None:
        listing, round = self.listings[event["listing"]], event["round"]
        if round != listing.next_round:
            self.doubt(f"listing {listing.id}", f"round {round} was missed when round {listing.next_round} was next")
        listing.missed.add(round)
        listing.next_round, listing.last_turn = round + 1, event["lastTurn"]

    def _copy_delivered(self, event: dict[str, Any]) -> None:
        order, round = self.order(event["order"]), event["round"]
        if round in order.copies or not order.covers(round):
            self.doubt(_name(order.id), f"a copy of round {round} was posted twice, or without a right to it")
        order.copies[round] = event["contentHash"]

    def _ends(self, event: dict[str, Any], end: int) -> None:
        """An order that ends early is paid for the rounds that it gives up: one that is out leaves its pot."""
        order = self.order(event["order"])
        listing = self.listings[order.id >> 32]
        if not order.first <= end <= order.end:
            self.doubt(_name(order.id), f"it was ended before round {end}, which it does not cover")
        for round in range(end, min(order.end, listing.next_round)):
            release = listing.releases[round]
            self._take(listing, round, release.bucket, order.price, _name(order.id))
        self._pay(event, order, order.price * (order.end - end))
        order.end = end

    def _declined(self, event: dict[str, Any]) -> None:
        self._ends(event, event["round"])

    def _ended_early(self, event: dict[str, Any]) -> None:
        self._ends(event, event["end"])

    def _cancelled(self, event: dict[str, Any]) -> None:
        self.order(event["order"]).cancelled_at = event["cancelledAt"]
        self._ends(event, event["end"])

    def _round_refunded(self, event: dict[str, Any]) -> None:
        order = self.order(event["order"])
        self._settle(order, event["round"])
        self._take(self.listings[order.id >> 32], event["round"], event["bucket"], order.price, _name(order.id))
        self._pay(event, order, order.price)

    def _missed_refunded(self, event: dict[str, Any]) -> None:
        order = self.order(event["order"])
        if event["round"] not in self.listings[order.id >> 32].missed:
            self.doubt(_name(order.id), f"round {event['round']} was paid back as missed, but was not")
        self._settle(order, event["round"])
        self._pay(event, order, order.price)

    def _withdrawn(self, event: dict[str, Any]) -> None:
        listing = self.listings[event["listing"]]
        subject = f"round {event['round']} of listing {listing.id}"
        self._take(listing, event["round"], event["bucket"], event["amount"], subject)
        if listing.pots[event["round"], event["bucket"]].amount:
            self.doubt(subject, "less than its pot was withdrawn")
        listing.pots[event["round"], event["bucket"]].released = False  # the contract clears the slot
        if event["payout"] != listing.payout:
            self.doubt(subject, f"its money went to {event['payout']} instead of {listing.payout}")
        _add(self.paid, listing.terms.token, event["amount"])

    def _credited(self, event: dict[str, Any]) -> None:
        place = (event["account"], event["token"])
        self.credits[place] = self.credits.get(place, 0) + event["amount"]
        _add(self.paid, event["token"], -event["amount"])

    def _collected(self, event: dict[str, Any]) -> None:
        place = (event["account"], event["token"])
        held = self.credits.pop(place)
        if held != event["amount"]:
            self.doubt(f"account {place[0]}", f"it collected {event['amount']} of a credit of {held}")
        _add(self.paid, event["token"], event["amount"])

    # --------------------------------------------------------------------------------------------------------- money

    def _settle(self, order: OrderBook, round: int) -> None:
        if round in order.settled or not order.covers(round):
            self.doubt(_name(order.id), f"round {round} was paid back twice, or without a right to it")
        order.settled[round] = Settlement.PAID_BACK

    def _take(self, listing: ListingBook, round: int, bucket: int, amount: int, subject: str) -> None:
        pot = listing.pots[round, bucket]
        pot.amount -= amount
        if pot.amount < 0:
            self.doubt(subject, f"more left the pot of round {round} than it held")

    def _pay(self, event: dict[str, Any], order: OrderBook, amount: int) -> None:
        if event["paid"] != amount:
            self.doubt(_name(order.id), f"it was paid {event['paid']} where {amount} were due")
        _add(self.paid, self.listings[order.id >> 32].terms.token, event["paid"])


def _add(balances: Balances, token: str, amount: int) -> None:
    balances[token] = balances.get(token, 0) + amount


def _name(order: int) -> str:
    return f"order {format_order_id(order)}"


_HANDLERS: Final[dict[str, Callable[[Ledger, dict[str, Any]], None]]] = {
    "ListingCreated": Ledger._listing_created,
    "OfferChanged": Ledger._offer_changed,
    "OperatorChanged": Ledger._operator_changed,
    "PayoutChanged": Ledger._payout_changed,
    "KeyRegistered": Ledger._key_registered,
    "Bought": Ledger._bought,
    "VoucherUsed": Ledger._voucher_used,
    "VoucherRevoked": Ledger._voucher_revoked,
    "Released": Ledger._released,
    "Skipped": Ledger._skipped,
    "CopyDelivered": Ledger._copy_delivered,
    "Declined": Ledger._declined,
    "Cancelled": Ledger._cancelled,
    "Reclaimed": Ledger._ended_early,
    "Refunded": Ledger._ended_early,
    "RoundRefunded": Ledger._round_refunded,
    "MissedRefunded": Ledger._missed_refunded,
    "Withdrawn": Ledger._withdrawn,
    "Credited": Ledger._credited,
    "Collected": Ledger._collected,
}
