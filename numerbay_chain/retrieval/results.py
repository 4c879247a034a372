"""What is answered about a round on its way in: frozen, typed, in integers (seconds, bytes); hashes are 32 `bytes`."""

from dataclasses import dataclass
from typing import Literal

from numerbay_chain.core.errors import NumerbayChainError
from numerbay_chain.crypto.details import Details
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.orders.results import Remedy

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


class ProblemError(NumerbayChainError):
    """Carries a `Problem`; `error` is what `fetch` raises."""

    def __init__(self, problem: Problem, error: NumerbayChainError) -> None:
        super().__init__(problem.text, problem.advice, code=error.code)
        self.problem, self.error = problem, error
