"""What was promised to an order for a round, as the chain has it. Nothing is believed that was not checked."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Self

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.core.errors import (
    ContentError,
    NetworkError,
    NotFoundError,
    NumerbayChainError,
    RefusedError,
    SlowSourceError,
)
from numerbay_chain.core.units import format_duration, format_time
from numerbay_chain.ipfs import ContentStore
from numerbay_chain.orders.manifests import resolve_manifest
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.results import Remedy
from numerbay_chain.orders.rounds import read_again, read_round
from numerbay_chain.protocol.types import ZERO_HASH, Listing, Order, Release
from numerbay_chain.retrieval.key_search import reading_time
from numerbay_chain.retrieval.recourse import Recourse
from numerbay_chain.retrieval.results import Problem, ProblemError, ProblemKind
from numerbay_chain.session import Session

_CODES: Final[dict[ProblemKind, str]] = {
    "not-released": "not-released",
    "overdue": "overdue",
    "missed": "missed",
    "not-covered": "not-covered",
    "paid-back": "already-settled",
    "no-copy": "no-copy",
    "no-envelope": "no-envelope",
    "faulty": "faulty",
}
"""The error codes of what is refused without another error that it comes from."""


def elsewhere(advice: str) -> str:
    """Advice where the store that was asked, which the error names, lacks something."""
    return f"try another `--store` first; else {advice}"


def kind_of(error: NumerbayChainError) -> type[NumerbayChainError]:
    """What an object that is not available is told as."""
    return next((one for one in (NotFoundError, SlowSourceError) if isinstance(error, one)), NetworkError)


@dataclass(frozen=True, slots=True)
class Promise:
    """One round of one order, as the chain has it."""

    session: Session
    case: OrderRound
    recourse: Recourse

    @classmethod
    def open(cls, session: Session, order_id: int, round: int | None, recourse: Recourse) -> Self:
        """`round` None: the newest one released that the order covers, else its next one. Raises `RevertedError`
        (no such order)."""
        return cls(session, read_round(session, order_id, round), recourse)

    @property
    def order(self) -> Order:
        return self.case.order

    @property
    def listing(self) -> Listing:
        return self.case.listing

    @property
    def round(self) -> int:
        return self.case.round

    @property
    def now(self) -> int:
        return self.case.now

    def refuse(
        self,
        kind: ProblemKind,
        text: str,
        *,
        fault: bool = False,
        error: type[NumerbayChainError] = RefusedError,
        advice: str | None = None,
        because: NumerbayChainError | None = None,
    ) -> ProblemError:
        """A problem, with what can be done about it. What is not in the store that was asked may be in another one. The
        error has the code of the one that it is `because` of, else that of its kind."""
        found = None if advice else self.remedy(kind, fault)
        said = found.text if found else advice
        if issubclass(error, NetworkError) and said:
            said = elsewhere(said)
        code = because.code if because else _CODES.get(kind) if error is RefusedError else None
        return ProblemError(Problem(kind, text, said, fault, found), error(text, said, code=code))

    def remedy(self, kind: ProblemKind, fault: bool) -> Remedy:
        """What the order's buyer can do about a problem."""
        return self.recourse.remedy(self.session, self.case, kind, fault)

    def again(self) -> Self:
        """The same round as it stands now."""
        return type(self)(self.session, read_again(self.session, self.case), self.recourse)

    def release(self) -> Release:
        """The round's release. Raises `ProblemError` where the order has no right to one, or there is none yet."""
        order, round = self.order, self.round
        name = f"round {round} of listing {self.listing.id}"
        paid_back = f"{name} was paid back to order {order}"
        if self.case.state == "paid-to-buyer":
            raise self.refuse("paid-back", paid_back, advice="there is nothing to fetch")
        if not order.covers(round):
            raise self.refuse("not-covered", str(self.case.not_covered()), advice="name another round")
        if round in self.listing.overdue(self.now):
            due = format_time(self.listing.terms.due(round) or 0)
            raise self.refuse("overdue", f"{name} is overdue: it was due by {due}", fault=True)
        if round >= self.listing.next_round:
            raise self.refuse("not-released", f"{name} is not released yet", advice=self._when_due())
        if self.case.missed:
            paid = "it was paid back: there is nothing to fetch" if self.case.state == "paid-back" else None
            raise self.refuse("missed", f"{name} was skipped", fault=True, advice=paid)
        if self.case.state == "paid-back":
            raise self.refuse("paid-back", paid_back, advice="there is nothing to fetch")
        return self.case.released()

    def _when_due(self) -> str:
        due = self.listing.terms.due(self.round)
        if due is None:
            return "wait for the seller, or cancel the order"
        return f"it is due in {format_duration(due - self.now)} at the latest"

    def manifest(self, release: Release) -> Manifest:
        """The manifest that the hash on chain stands for. Raises `ProblemError`."""
        if self.case.content_hash == ZERO_HASH:
            raise self.refuse("no-copy", f"no copy of round {self.round} was posted for order {self.order}", fault=True)
        copies, case = self.listing.terms.copies, self.case
        try:
            seconds = reading_time(self.session, case.act_until, case.margin) if copies else None
            with self.session.content.reading(seconds):
                return Manifest.decode(resolve_manifest(self.session, self.listing, release, case.content_hash))
        except ContentError as error:
            raise self.refuse("manifest", str(error), fault=True, error=ContentError) from error
        except (NetworkError, RefusedError) as error:
            if not copies:
                raise
            raise self.refuse(
                "manifest", f"the manifest is not available: {error}", fault=True, error=kind_of(error)
            ) from error

    def store(self, manifest: Manifest) -> ContentStore:
        """Return where the artifact is read from: what is kept of it, then the user's store."""
        return self.session.content.reader(manifest.content_hash)

    def keeps(self, manifest: Manifest) -> bool:
        """Return whether what is read now is kept once it was read to its end."""
        return self.session.content.keep.is_recording(manifest.content_hash)

    def keeping(self, manifest: Manifest, beside: int = 0) -> AbstractContextManager[None]:
        """Keep what is read inside the block on this machine, as long as the round can be disputed. `beside`: bytes
        that are written meanwhile, which come first where the disk has no room for both."""
        case = self.case
        until = case.terms.needed_until(case.matures_at)
        if case.challenge is not None:
            until = max(until, case.terms.proof_deadline(case.challenge))
        order = self.order.id if case.terms.copies else None
        return self.session.content.keeping(manifest, self.listing.id, self.round, order, until, beside)
