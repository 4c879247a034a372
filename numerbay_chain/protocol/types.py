"""What the contract holds and answers, as frozen results: Solidity's names in snake_case.

Amounts are in wei (or the token's smallest unit), times in Unix seconds, windows in seconds, addresses checksummed
`str`, hashes and keys 32 `bytes`. Nothing here loads web3. Source: contracts/interfaces, docs/protocol.md §2.
"""

from dataclasses import astuple, dataclass, field
from enum import IntEnum
from typing import Any

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.units import format_order_id, parse_amount

ZERO_ADDRESS = "0x" + 40 * "0"
ZERO_HASH = bytes(32)
VOUCHER_VERSION = 65_535  # an order's `version` where a voucher named the price
LEAST_BUCKET = 60  # seconds
_MONTH = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Terms:
    """What is fixed for good when a listing is created. `token` 0 is the native coin; 0 means none for most others."""

    token: str
    supply: int
    max_rounds: int
    instant: bool
    copies: bool
    first_due: int
    period: int
    min_interval: int
    decline_window: int
    notice_period: int
    dispute_window: int
    response_window: int
    challenge_bond: int

    @property
    def adjudicated(self) -> bool:
        """Whether challenges and proofs are possible."""
        return self.dispute_window > 0

    @property
    def scheduled(self) -> bool:
        """Whether rounds have a due time."""
        return self.period > 0

    @property
    def native(self) -> bool:
        """Whether it is paid in the chain's own coin."""
        return int(self.token, 16) == 0

    @property
    def bucket_length(self) -> int:
        """Seconds."""
        return max(self.dispute_window // 4, LEAST_BUCKET)

    def bucket_at(self, timestamp: int) -> int:
        """The bucket of money that is earned at `timestamp`."""
        return (timestamp + self.decline_window + self.dispute_window) // self.bucket_length + 1

    def maturity_of(self, bucket: int) -> int:
        """When the bucket's money can be withdrawn, in Unix seconds."""
        return bucket * self.bucket_length

    def due(self, round: int) -> int | None:
        """The last second in which the round can be released; None where there is no schedule."""
        return self.first_due + round * self.period if self.scheduled else None

    def bond(self, price: int) -> int:
        """What a challenge of a round that cost `price` asks for, in wei."""
        return min(self.challenge_bond, price // 10)

    def challenge_from(self, released_at: int) -> int:
        """The first second in which a round released then can be challenged: its decline window is over."""
        return released_at + self.decline_window

    def response_deadline(self, challenged_at: int) -> int:
        """The last second for the seller's answer; after it the buyer claims."""
        return challenged_at + self.response_window

    def proof_deadline(self, challenge: "Challenge") -> int:
        """The last second for a proof against an answer; after it the challenge is the seller's."""
        return max(challenge.responded_at + self.dispute_window, self.maturity_of(challenge.bucket) - 1)

    def needed_until(self, matures_at: int) -> int:
        """Return until when a buyer may need the content: a challenge in the last second before the money matures, its
        answer and a proof against that. Where nothing is adjudicated, a month for fetching it."""
        return matures_at + (self.response_window + self.dispute_window if self.adjudicated else _MONTH)

    def release_from(self, round: int, last_turn: int) -> int:
        """The first second in which the round can be released, `last_turn` being the time of the last one (or 0)."""
        due = self.due(round)
        earliest = last_turn + self.min_interval if last_turn else 0
        return earliest if due is None else max(earliest, due - self.period)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the seller may change, for later orders only; `details` is the sha2-256 of a public description."""

    price: int
    open: bool
    details: bytes = ZERO_HASH


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing as it stands. `next_round` counts the rounds released or skipped, `active` is what the next earns."""

    id: int
    seller: str
    operator: str
    payout: str
    terms: Terms
    offer: Offer
    version: int
    next_round: int
    orders: int
    voided: int
    last_turn: int
    active: int

    @property
    def places_left(self) -> int | None:
        """How many orders can still be sold; None where there is no cap."""
        return max(self.terms.supply - (self.orders - self.voided), 0) if self.terms.supply else None

    def overdue(self, now: int) -> range:
        """Return the rounds that are late at `now`: due before it, and neither released nor skipped."""
        late = (now - 1 - self.terms.first_due) // self.terms.period if self.terms.scheduled else -1
        return range(self.next_round, max(late + 1, self.next_round))

    def order_ids(self) -> range:
        """The ids of all orders sold so far."""
        return range(self.id << 32, (self.id << 32) + self.orders)


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands: it covers rounds `first` to `end - 1` at `price` each.

    `bucket` is 0 unless its first round was out when it was bought; `cancelled_at` is 0 unless it was cancelled;
    `epoch` is the one of the buyer's key.
    """

    id: int
    buyer: str
    first: int
    rounds: int
    price: int
    version: int
    epoch: int
    bucket: int
    cancelled_at: int

    @property
    def listing(self) -> int:
        return self.id >> 32

    @property
    def index(self) -> int:
        return self.id & 0xFFFF_FFFF

    @property
    def end(self) -> int:
        """One past the last round it covers."""
        return self.first + self.rounds

    @property
    def by_voucher(self) -> bool:
        return self.version == VOUCHER_VERSION

    def covers(self, round: int) -> bool:
        return self.first <= round < self.end

    def __str__(self) -> str:
        return format_order_id(self.id)


@dataclass(frozen=True, slots=True)
class Release:
    """A released round. `manifest` is empty, and `content_hash` 0, in a listing of copies."""

    listing: int
    round: int
    content_hash: bytes
    manifest: bytes
    bucket: int
    released_at: int
    block: int
    transaction: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Envelopes that were posted: `count` records of 88 bytes, `digest` the one of their IPFS root block."""

    listing: int
    round: int
    digest: bytes
    count: int
    block: int
    transaction: str


@dataclass(frozen=True, slots=True)
class CopyDelivery:
    """An order's own copy of a round."""

    order: int
    round: int
    content_hash: bytes
    block: int
    transaction: str


@dataclass(frozen=True, slots=True)
class Pot:
    """Earned money of a round that matures with one bucket; `released`: the release's money went there."""

    amount: int
    released: bool


@dataclass(frozen=True, slots=True)
class Voucher:
    """A seller's permission to buy at another price, or from a closed listing. `buyer` 0 is anyone."""

    listing: int
    buyer: str
    price: int
    max_rounds: int
    uses: int
    deadline: int
    nonce: int

    @classmethod
    def none(cls) -> "Voucher":
        """What `buyWith` takes where there is no voucher."""
        return cls(0, ZERO_ADDRESS, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Permit:
    """An ERC-2612 permit for the marketplace; `deadline` 0 is none."""

    value: int
    deadline: int
    v: int
    r: bytes = field(repr=False)
    s: bytes = field(repr=False)

    @classmethod
    def none(cls) -> "Permit":
        """What `buyWith` takes where there is no permit."""
        return cls(0, 0, 0, ZERO_HASH, ZERO_HASH)


class Settlement(IntEnum):
    """How one order's money for one round ended, where it left its pot one by one."""

    NONE = 0
    CHALLENGED = 1
    PAID_TO_SELLER = 2
    PAID_BACK = 3


class Ground(IntEnum):
    """Why a challenge ended."""

    NO_RESPONSE = 0
    WRONG_KEY = 1
    WRONG_CONTENT = 2
    NOTHING_PROVEN = 3


@dataclass(frozen=True, slots=True)
class Challenge:
    """An order's buyer asked for the content key of a round; from `responded_at` on, what the seller answered.

    Keys are x-coordinates of secp256k1. The contract keeps nothing but the hash of this.
    """

    dispute_key: int
    bucket: int
    price: int
    bond: int
    challenged_at: int
    responded_at: int = 0
    response_key: int = 0
    sealed_key: bytes = ZERO_HASH
    key_commitment: int = 0

    @property
    def responded(self) -> bool:
        return self.responded_at != 0

    @property
    def stake(self) -> int:
        """Price and bond, in wei: what the challenge is about."""
        return self.price + self.bond


@dataclass(frozen=True, slots=True)
class Token:
    """What amounts are counted in. The native coin has address 0. The symbol is the token's own claim."""

    address: str
    symbol: str
    decimals: int

    @property
    def native(self) -> bool:
        return int(self.address, 16) == 0

    def amount(self, value: int | str) -> int:
        """A price in the smallest unit, given so or as text with a unit. Raise `UsageError`."""
        amount = value if isinstance(value, int) else parse_amount(value, self.decimals, self.symbol, coin=self.native)
        if not 0 <= amount < 2**88:
            raise UsageError("the price is out of range", "it is below 2^88 of the smallest unit", code="out-of-range")
        return amount


NATIVE_TOKEN = Token(ZERO_ADDRESS, "ETH", 18)


def abi_tuple(struct: Terms | Offer | Voucher | Permit | Challenge) -> tuple[Any, ...]:
    """The struct as ABI encoders take it."""
    return astuple(struct)
