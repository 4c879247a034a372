"""What disputes answer with: frozen, typed, in integers (wei, seconds, chunks). docs/protocol.md §2 "Disputes"."""

from dataclasses import dataclass, field
from typing import Literal

from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.core.errors import ExitCode, NetworkError
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.rules import DisputeState, Turn
from numerbay_chain.protocol.types import Challenge, Ground, Token


@dataclass(frozen=True, slots=True)
class OfRound:
    """What is said of one round of one order."""

    order: int
    round: int


@dataclass(frozen=True, slots=True)
class Dispute(OfRound):
    """A dispute about one round of one order, as it stands. `turn` can do what comes next until `deadline` (Unix
    seconds; None: at any time), by the commands in `steps`; `words` says all that in plain words. `ground`, `paid` and
    `receiver` are there once it has ended; `gas` and `fee` (wei at most) where one can be opened: what it takes of its
    buyer, in wei of the `coin`."""

    buyer: str
    seller: str
    token: Token
    state: DisputeState
    turn: Turn | None
    deadline: int | None
    steps: tuple[str, ...]
    words: str
    price: int
    bond: int
    opened_at: int | None
    answered_at: int | None
    faulty_at: int | None
    ground: Ground | None = None
    paid: int = 0
    receiver: str | None = None
    gas: int = 0
    fee: int = 0
    coin: str = "ETH"
    openable_until: int | None = None  # the last second to open one; None: it can't be opened now

    @property
    def listing(self) -> int:
        return self.order >> 32

    @property
    def ended(self) -> bool:
        return self.state in ("paid-to-buyer", "paid-to-seller", "paid-back")


@dataclass(frozen=True, slots=True)
class OpenedDispute:
    """A challenge. `receipt` is None where it was open already; `approval`: of a bond in tokens; `resumed`: an earlier
    call had sent it."""

    dispute: Dispute
    receipt: Receipt | None
    approval: Receipt | None = None
    resumed: bool = False


ProofKind = Literal["wrong-key", "wrong-content", "wrong-copy"]


@dataclass(frozen=True, slots=True)
class Judgement(OfRound):
    """A proof that would win, by what this machine found without asking anybody. `chunk`: of wrong content;
    `publishes_key`: whoever reads the chain can read the artifact afterwards; `returns`: wei that come back to the
    order's buyer; `until`: the last second for it; `gas` in units, `fee` in wei of the `coin` at most."""

    kind: ProofKind
    chunk: int | None
    publishes_key: bool
    returns: int
    token: Token
    until: int
    gas: int
    fee: int
    coin: str
    words: str
    state: DisputeState  # of the dispute that was judged
    challenge: Challenge | None
    call: Call = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proven(OfRound):
    """A proof that convicted, and what it brought back to the order's buyer. There is a second receipt where the money
    of proven wrong content took a transaction of its own."""

    kind: ProofKind
    chunk: int | None
    paid: int
    token: Token
    receipts: tuple[Receipt, ...]
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class EndedDispute(OfRound):
    """A dispute that a transaction ended: `paid` went to `receiver`, the order's buyer or the seller's payout
    address."""

    ground: Ground
    receiver: str
    paid: int
    token: Token
    receipt: Receipt
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class DisputeScope:
    """The listings whose disputes an account looks after: those that it sells, and those that it operates and whose
    operator named them. `others`: how many more name it as operator, which it did not name."""

    sold: frozenset[int]
    operated: frozenset[int]
    others: int

    @property
    def all(self) -> frozenset[int]:
        return self.sold | self.operated


@dataclass(frozen=True, slots=True)
class Answer(OfRound):
    """A challenge that the seller answered with the content key, sealed to its buyer."""

    receipt: Receipt
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Unanswered(OfRound):
    """A challenge that was not answered this time, why, and until when it can be (Unix seconds; None: that could not be
    read). `failed`: it can't be as things are; else it is only too early. `code`: the exit code of what kept it;
    `error_code`: the code of that error, as `NumerbayChainError.code`."""

    reason: str
    deadline: int | None
    failed: bool
    code: ExitCode = ExitCode.REFUSED
    error_code: str = "refused"


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of the challenges that had to be answered. `doubt`: why there may be more than the node told of;
    `worthless`: how many were left alone because nothing is at stake."""

    answered: tuple[Answer, ...]
    left: tuple[Unanswered, ...]
    doubt: NetworkError | None = None
    worthless: int = 0
