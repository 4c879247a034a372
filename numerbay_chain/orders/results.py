"""What is answered about orders: frozen, typed, in integers (wei, seconds); hashes and keys are 32 `bytes`."""

from dataclasses import dataclass
from typing import Literal

from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.rules import DisputeState
from numerbay_chain.protocol.types import Ground, Listing, Order, Settlement, Token

RemedyKind = Literal["decline", "dispute", "prove", "claim", "settle", "reclaim", "wait", "nothing"]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What can be done about a problem. `until`: the last second for it, in Unix seconds; `gas` in units and `fee`,
    the most it can cost, in wei; `bond` and what comes back (`returns`) in the listing's token."""

    kind: RemedyKind
    text: str
    until: int | None = None
    gas: int = 0
    fee: int = 0
    bond: int = 0
    returns: int = 0


@dataclass(frozen=True, slots=True)
class RoundView:
    """One round of one order, as it stands."""

    round: int
    due: int | None  # the last second in which it can be released
    released_at: int | None
    missed: bool
    settlement: Settlement
    declinable_until: int | None  # the last second for it; None: it can't be declined (any more)
    matures_at: int | None  # when the seller can withdraw the money for it
    content_hash: bytes | None
    envelopes: int  # how many times envelopes were posted for the round since the order was bought
    challenged_at: int | None = None
    answered_at: int | None = None  # when the seller answered the challenge
    ground: Ground | None = None  # why a dispute, or a faulty round, was settled
    faulty_at: int | None = None  # when the round, or this order's copy, was proven faulty
    refundable: bool = False  # proven faulty in time, and not paid back yet: `Buyer.settle`
    dispute: DisputeState = "none"
    dispute_until: int | None = None  # the last second for what comes next in the dispute
    challengeable_until: int | None = None  # the last second to open one; None: it can't be opened now
    too_late: bool = False  # the time to open one is over, and none was
    overdue: bool = False  # late, and not skipped yet


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order, and what its buyer can do next. `rounds`: those that are over and the next one; of an order in a list
    only the newest, and what waits for a step."""

    order: Order
    token: Token
    rounds: tuple[RoundView, ...]
    status: str  # "active", "cancelled", "ended"
    reclaimable_from: int | None  # Unix seconds, for a cancelled order whose last round is not out
    earlier: int = 0  # rounds that are over and left out
    to_come: range = range(0)
    overdue: range = range(0)  # of those to come, the ones that are late
    unpaid: int = 0  # rounds that were missed, or are overdue, and not paid back yet

    @property
    def id(self) -> int:
        return self.order.id


@dataclass(frozen=True, slots=True)
class PotView:
    """Earned money of a round. It can be withdrawn from `matures_at` on (Unix seconds)."""

    round: int
    bucket: int
    amount: int
    matures_at: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """`amount` went to `payout`; there are no `receipts` where nothing had matured. `waiting` matures later.
    `frozen` is the buyers': those rounds were proven faulty before it matured. `resumed`: the first of the receipts is
    of a transaction that an earlier, interrupted call had sent."""

    amount: int
    token: Token
    payout: str
    pots: tuple[PotView, ...]
    waiting: tuple[PotView, ...]
    receipts: tuple[Receipt, ...]
    resumed: bool = False
    frozen: tuple[PotView, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """The buyer's key. `receipt` is None where it was registered before; `created`: a new key file was written to
    `path`."""

    owner: str
    epoch: int
    public_key: bytes
    path: str
    created: bool
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Quote:
    """All that a purchase would bind its buyer to. `buy` refuses if any of it has changed since."""

    listing: Listing
    token: Token
    price: int  # per round
    rounds: int
    first_round: int
    already_out: bool  # the first round is out: it is checked before it is bought
    total: int
    recipient: str
    epoch: int  # of the recipient's key; 0: none is registered
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order that was bought and paid for. `resumed`: by a transaction that an earlier, interrupted call had sent."""

    order: Order
    token: Token
    total: int
    receipt: Receipt
    approval: Receipt | None
    resumed: bool

    @property
    def id(self) -> int:
        return self.order.id
