"""What an audit answers with: frozen, typed, in integers (wei, seconds, blocks)."""

from dataclasses import dataclass, field
from typing import Literal

from numerbay_chain.protocol.rules import DisputeState
from numerbay_chain.protocol.types import Challenge, Token

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an audit met. Only errors make it fail. `subject` is "listing 1", "order 1-0", "round 3 of listing
    1", "token 0x…"; `code` stays the same when the words of `text` change."""

    severity: Severity
    subject: str
    text: str
    code: str


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """What the contract owes in a token, by the logs alone, and what it holds. A surplus was sent in by mistake."""

    token: Token
    unreleased: int
    missed: int  # missed rounds that were not paid back yet
    pots: int
    challenges: int  # prices and bonds of open challenges
    credits: int
    held: int

    @property
    def owed(self) -> int:
        return self.unreleased + self.missed + self.pots + self.challenges + self.credits

    @property
    def surplus(self) -> int:
        return self.held - self.owed


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """A round that an order's buyer has challenged: the contract holds price and bond until it ends. `deadline`: the
    last second for what comes next (Unix seconds); None where there is none."""

    order: int
    round: int
    challenge: Challenge
    token: Token
    state: DisputeState
    deadline: int | None


@dataclass(frozen=True, slots=True)
class FaultyRound:
    """A round that was proven faulty. `frozen` is what still lies in pots that go back to the buyers."""

    listing: int
    round: int
    faulty_at: int
    frozen: int
    token: Token


@dataclass(frozen=True, slots=True)
class AuditReport:
    """`ok`: nothing is off. Blocks are the range whose logs were read; `checked` counts what was compared, by name.
    `unread`: content was to be read, and the store could not be asked for all of it."""

    contract: str
    chain_id: int
    from_block: int
    to_block: int
    balances: tuple[TokenBalance, ...]
    findings: tuple[Finding, ...]
    checked: dict[str, int] = field(default_factory=dict)
    unread: bool = False
    challenges: tuple[OpenChallenge, ...] = ()
    faulty_rounds: tuple[FaultyRound, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)
