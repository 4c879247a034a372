"""What events tell of listings and orders. `protocol.replay` is the one place that says what an event changes here.

`Facts` hold what *some* events tell: those of a few listings, of one buyer's orders, of one round. They are right about
what all events were given of, and silent about the rest. So they have no sums: what is owed in all, only a whole
history can say (`protocol.ledger.Ledger`, which is `Facts` too).
"""

from dataclasses import dataclass, field

from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.rules import is_in
from numerbay_chain.protocol.types import (
    Challenge,
    CopyDelivery,
    Delivery,
    Ground,
    Offer,
    Order,
    Release,
    Settlement,
    Terms,
)


@dataclass(slots=True)
class RoundFacts:
    """What happened to one round of one order alone. `settlement` is what the contract holds of it."""

    settlement: Settlement = Settlement.NONE
    copy: CopyDelivery | None = None
    challenge: Challenge | None = None  # as it stands, or as it stood when it ended
    opened: Event | None = None  # Challenged
    answered: Event | None = None  # Responded
    ended: Event | None = None  # ChallengeEnded
    repaid: Event | None = None  # FaultyRefunded
    missed: bool = False  # it was skipped, and paid back for that
    faulty_at: int = 0  # when the order's copy was proven faulty (Unix seconds); 0: never

    @property
    def open_challenge(self) -> Challenge | None:
        """The challenge that has not ended."""
        return self.challenge if self.ended is None else None

    @property
    def marked_at(self) -> int:
        """When its challenged copy was proven faulty: the contract keeps no mark of one that nobody had challenged."""
        return self.faulty_at if self.challenge else 0

    @property
    def outcome(self) -> Event | None:
        """What ended a dispute about it, or paid a faulty round back."""
        return self.ended or self.repaid

    @property
    def ground(self) -> Ground | None:
        """Why a dispute about it ended, or a faulty round was paid back; None where neither happened."""
        if self.repaid is not None:
            return Ground.WRONG_CONTENT
        return self.ended["ground"] if self.ended is not None else None


@dataclass(slots=True)
class OrderFacts:
    """An order, its purchase (`block`, `transaction`), and its rounds to which something happened alone."""

    id: int
    order: Order | None = None  # as it stands; None: its purchase is not among the events
    block: int = 0
    transaction: str = ""
    voucher: bytes | None = None  # the digest of the one that it was bought with
    cut: bool = False  # an event ended it before any event sold it
    rounds: dict[int, RoundFacts] = field(default_factory=dict)

    @property
    def sold(self) -> Order:
        """The order as it stands. Raises `LookupError` where its purchase is not among the events."""
        if self.order is None:
            raise LookupError(self.id)
        return self.order

    def at(self, round: int) -> RoundFacts:
        """What happened to a round of it."""
        return self.rounds.get(round) or RoundFacts()


@dataclass(slots=True)
class Offering:
    """Who sells a listing, and on which terms; made in `block`."""

    seller: str
    operator: str
    payout: str
    terms: Terms
    offer: Offer
    version: int
    block: int


@dataclass(slots=True)
class ListingFacts:
    """A listing and its rounds. `offering` is None where its creation is not among the events."""

    id: int
    offering: Offering | None = None
    releases: dict[int, Release] = field(default_factory=dict)
    missed: list[int] = field(default_factory=list)  # rounds that were skipped, in order
    doubled: set[int] = field(default_factory=set)  # rounds that are told to be released or skipped more than once
    faulty: dict[int, int] = field(default_factory=dict)  # round → when it was proven faulty (Unix seconds)
    postings: dict[int, list[Delivery]] = field(default_factory=dict)  # round → its envelopes, the first ones first
    withdrawn: set[tuple[int, int]] = field(default_factory=set)  # (round, bucket)

    def is_missed(self, round: int) -> bool:
        return is_in(self.missed, round)

    def is_over(self, round: int) -> bool:
        """Whether it was released or skipped."""
        return round in self.releases or self.is_missed(round)


@dataclass
class Facts:
    """What the events tell that were replayed."""

    listings: dict[int, ListingFacts] = field(default_factory=dict)
    orders: dict[int, OrderFacts] = field(default_factory=dict)
    keys: dict[tuple[str, int], bytes] = field(default_factory=dict)  # (owner, epoch) → X25519 public key
    voucher_uses: dict[bytes, int] = field(default_factory=dict)  # by digest
    revoked: set[bytes] = field(default_factory=set)

    def admit(self, event: Event) -> bool:
        """Whether the event may change anything. A whole history keeps its books here, before it does."""
        return True

    def listing(self, id: int) -> ListingFacts:
        """A listing: empty where no event tells of it."""
        return self.listings.setdefault(id, ListingFacts(id))

    def order(self, id: int) -> OrderFacts:
        """An order: empty where no event tells of it."""
        return self.orders.setdefault(id, OrderFacts(id))
