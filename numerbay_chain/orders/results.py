"""What the roles answer with: frozen, typed, in integers (wei, seconds, bytes); hashes and keys are 32 `bytes`."""

from dataclasses import dataclass
from typing import Literal

from numerbay_chain.crypto.details import Details
from numerbay_chain.disputes.results import Remedy
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.listings.description import Description
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.rules import DisputeState
from numerbay_chain.protocol.types import Ground, Listing, Order, Settlement, Token, Voucher

# -------------------------------------------------------------------------------------------------------------- both


@dataclass(frozen=True, slots=True)
class ListingView:
    """A listing with what is said about it. `description` is None where it is not available: `trouble` says why."""

    listing: Listing
    token: Token
    description: Description | None
    trouble: str | None
    words: tuple[str, ...]  # the terms in plain words, for both sides
    due: int | None = None  # the last second for the next round; None: there is no schedule
    overdue: range = range(0)  # rounds that are late: anybody can skip them, so that they are paid back

    @property
    def id(self) -> int:
        return self.listing.id


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


# ------------------------------------------------------------------------------------------------------------- seller


@dataclass(frozen=True, slots=True)
class Created:
    """A new listing. `id` is its number."""

    listing: Listing
    words: tuple[str, ...]
    details_cid: Cid | None
    receipt: Receipt

    @property
    def id(self) -> int:
        return self.listing.id


@dataclass(frozen=True, slots=True)
class Left:
    """An order that got no envelope this time, why, in one sentence, and the code of that reason."""

    order: int
    reason: str
    code: str


DeliveryState = Literal["delivered", "waiting"]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a delivery. `waiting`: released, keys can go out from `waiting_until` on: run it again then
    (`waiting_for` says what is waited for). `release` and `delivery` are None where that was done before or is not
    due; `left` names the orders that got no key now."""

    listing: int
    round: int
    state: DeliveryState
    content_hash: bytes | None  # None in a listing of copies
    cid: Cid | None  # the manifest's
    ciphertext_cid: Cid | None
    size: int | None  # bytes of the artifact; None where this machine never saw it
    sha256: bytes | None  # of the artifact
    release: Receipt | None
    delivery: Receipt | None
    envelopes: int  # records in what was posted last
    newly_posted: tuple[int, ...]  # orders that got their first envelope (or copy) by this call
    left: tuple[Left, ...]
    waiting_until: int | None
    waiting_for: str | None
    resumed: bool  # an interrupted delivery was taken up


@dataclass(frozen=True, slots=True)
class Served:
    """Keys for whoever waited: one `Delivered` for each round in which somebody did or will."""

    listing: int
    rounds: tuple[Delivered, ...]


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
class VoucherStatus:
    """Whether a voucher can be used. `problem` is None if it can."""

    digest: bytes
    voucher: Voucher
    signer: str  # who signed it
    used: int
    revoked: bool
    problem: str | None


# -------------------------------------------------------------------------------------------------------------- buyer


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


ProblemKind = Literal[
    "not-released",
    "overdue",
    "missed",
    "not-covered",
    "paid-back",
    "no-copy",
    "manifest",
    "content",
    "slow",  # it was not read to its end in the time that was left
    "commitments",
    "details",
    "no-envelope",
    "envelope",
    "key-file",
    "key",
    "answer",
    "wrong-content",
    "faulty",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in one sentence; `advice` says what can be done about it and until when; `fault`: the
    seller's, not only bad luck or impatience; `remedy`: the advice for programs, where it is a step of the buyer's."""

    kind: ProblemKind
    text: str
    advice: str | None = None
    fault: bool = False
    remedy: Remedy | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Verification:
    """What can be said about one round of an order without writing the artifact. No problems: `fetch` will work.
    `ok`: nothing is wrong, though the key may still be to come."""

    order: int
    round: int
    content_hash: bytes | None
    cid: Cid | None
    ciphertext_cid: Cid | None
    size: int | None
    checked_content: bool  # every byte of ciphertext and commitments was read and agrees with the hash on chain
    has_envelope: bool
    key_opened: bool  # the envelope holds the key that the manifest commits to
    declinable_until: int | None
    problems: tuple[Problem, ...]
    stopped_at: int | None = None  # when reading ended before all was read, so that there is time to decline

    @property
    def ok(self) -> bool:
        return all(problem.kind == "no-envelope" and not problem.fault for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A decrypted artifact whose every byte is what the seller committed to on chain. `path` is None for a stream."""

    order: int
    round: int
    path: str | None
    size: int
    sha256: bytes
    content_hash: bytes
    cid: Cid
    ciphertext_cid: Cid
    details: Details
