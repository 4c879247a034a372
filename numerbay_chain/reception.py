"""A round on its way in: what was promised, whether it is available, and the key to it. Nothing is believed that
was not checked.

`verify` says what is wrong; `fetch` writes the file, or raises the first thing that is.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, TypeVar

from numerbay_chain import artifact, keyfile
from numerbay_chain.chain.types import ZERO_HASH, Delivery, Listing, Order, Release
from numerbay_chain.crypto.content_key import ContentKey, word
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE, find_envelope, open_envelope
from numerbay_chain.diagnosis import remedy, words
from numerbay_chain.disputes import Case, read_case
from numerbay_chain.errors import (
    AccountError,
    ContentError,
    DecryptionError,
    NetworkError,
    NotFoundError,
    NumerbayChainError,
    RefusedError,
    SlowSourceError,
    WrongContentError,
)
from numerbay_chain.ipfs import Cid, ContentStore
from numerbay_chain.keyfile import KeyPair
from numerbay_chain.keysearch import reading_time, search
from numerbay_chain.manifest import Manifest
from numerbay_chain.market import Market
from numerbay_chain.overview import bought_when_out, deliveries_to
from numerbay_chain.problems import ProblemError
from numerbay_chain.progress import Progress
from numerbay_chain.results import Fetched, Problem, ProblemKind, Verification
from numerbay_chain.units import format_duration, format_time

_Result = TypeVar("_Result")
VERIFY_MARGIN: Final = 300
"""Seconds before the end of the decline window in which `verify` stops; a quarter of a window that is short."""
_NAME_IT: Final = "name the right one with `--key FILE`, or restore it from its backup"
RESTORE: Final = "restore the key file from its backup: no other key opens what was bought with it"


def elsewhere(advice: str) -> str:
    """Advice where the store that was asked, which the error names, lacks something."""
    return f"try another `--store` first; else {advice}"


def _kind(error: NumerbayChainError) -> type[NumerbayChainError]:
    """What an object that is not available is told as."""
    return next((one for one in (NotFoundError, SlowSourceError) if isinstance(error, one)), NetworkError)


def verify_margin(decline_window: int) -> int:
    """Seconds before the end of the decline window in which `verify` reads no more, so that there is time to
    decline."""
    return min(VERIFY_MARGIN, decline_window // 4)


@dataclass(frozen=True, slots=True)
class Reception:
    """One round of one order, as the chain has it."""

    market: Market
    case: Case

    @classmethod
    def open(cls, market: Market, order_id: int, round: int | None) -> "Reception":
        """`round` None: the newest one released that the order covers, else its next one. Raises `RevertedError`
        (no such order)."""
        return cls(market, read_case(market, order_id, round))

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
    ) -> ProblemError:
        """A problem, with what can be done about it. What is not in the store that was asked may be in another one."""
        found = None if advice else remedy(self.case, kind, fault)
        said = found.text if found else advice
        if issubclass(error, NetworkError) and said:
            said = elsewhere(said)
        return ProblemError(Problem(kind, text, said, fault, found), error(text, said))

    # --------------------------------------------------------------------------------------------------- the promise

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
        promised = self.market.contract.hash_of(self.order.id, self.round)
        if promised == ZERO_HASH:
            raise self.refuse("no-copy", f"no copy of round {self.round} was posted for order {self.order}", fault=True)
        block = release.manifest
        if self.listing.terms.copies:
            try:
                with self.market.reading(reading_time(self.market, self.case.act_until, self.case.margin)):
                    block = self.market.small_block(Cid.raw(promised))
            except (NetworkError, RefusedError) as error:
                raise self.refuse(
                    "manifest", f"the manifest is not available: {error}", fault=True, error=_kind(error)
                ) from error
            except ContentError as error:
                raise self.refuse("manifest", str(error), fault=True, error=ContentError) from error
        elif sha256(block).digest() != promised or release.content_hash != promised:
            raise NetworkError(
                "the node's logs and the contract do not agree on the manifest",
                "use another node",
                code="node-incomplete",
            )
        try:
            return Manifest.decode(block)
        except ContentError as error:
            raise self.refuse("manifest", str(error), fault=True, error=ContentError) from error

    def store(self, manifest: Manifest) -> ContentStore:
        """Return where the artifact is read from: what is kept of it, then the user's store."""
        return self.market.reader(manifest.content_hash)

    def keeping(self, manifest: Manifest) -> AbstractContextManager[None]:
        """Keep what is read inside the block on this machine, as long as the round can be disputed."""
        case = self.case
        until = case.terms.needed_until(case.matures_at)
        if case.challenge is not None:
            until = max(until, case.terms.proof_deadline(case.challenge))
        order = self.order.id if case.terms.copies else None
        return self.market.keeping(manifest, self.listing.id, self.round, order, until)

    def read_content(
        self, manifest: Manifest, key: ContentKey | None, progress: Progress
    ) -> tuple[list[artifact.Problem], WrongContentError | None]:
        """Read every byte, once; return what is wrong with it, and with the key the first chunk that is not what was
        committed to. Raises `NetworkError` where it was not read to its end, `SlowSourceError` among them where that
        took so long that the time to decline is near its end, and `RefusedError` where this machine has no room."""
        store, over = self.store(manifest), self._alarm()

        def report(done: int, total: int) -> None:
            progress("check", done, total)
            if done < total and over():
                raise SlowSourceError(f"{store.name} did not give the content in the time that was left for it")

        with self.market.reading(self.time_to_verify):
            if key is None:
                return artifact.check(manifest.encode(), manifest.content_hash, store, report), None
            return artifact.examine(manifest, key, store, report)

    def content_problems(self, checked: list[artifact.Problem], wrong: WrongContentError | None) -> list[Problem]:
        """What `read_content` found, with what can be done about it."""
        found = self._problems(checked)
        # without the data root nothing leads to what was committed to, and nothing can be proven
        if wrong is None or any(one.code == "data-root" for one in checked):
            return found
        return [*found, self.refuse("wrong-content", str(wrong), fault=True, error=DecryptionError).problem]

    def again(self) -> "Reception":
        """The same round as it stands now."""
        return Reception(self.market, self.case.again())

    @property
    def time_to_verify(self) -> float | None:
        """Seconds for reading content, so that there is time to decline what is wrong; None: nothing hurries. Who
        begins within the margin has half of what is left."""
        until = self.case.declinable_until
        if until is None:
            return None
        left = self.market.clock.left(until)
        return max(left - verify_margin(self.listing.terms.decline_window), left / 2)

    def _alarm(self) -> Callable[[], bool]:
        seconds = self.time_to_verify
        return (lambda: False) if seconds is None else self.market.clock.alarm(seconds)

    def unread(self, error: NumerbayChainError) -> Problem:
        """For content that was not read to its end: nobody can say whether all of it is there."""
        found = remedy(self.case, "slow", True)
        text = f"the content was not read to its end: {error}"
        advice = f"{found.text}; or keep the order, and accept the round unread"
        return Problem("slow", text, advice if isinstance(error, SlowSourceError) else elsewhere(advice), False, found)

    def _problems(self, found: Iterable[artifact.Problem]) -> list[Problem]:
        problems = []
        for one in found:
            part = one.code.partition("-")[0]
            kind: ProblemKind = (
                "commitments" if part == "commitments" else "details" if part == "details" else "content"
            )
            error = NotFoundError if one.code.endswith("-missing") else RefusedError
            problems.append(self.refuse(kind, one.message, fault=True, error=error).problem)
        return problems

    # -------------------------------------------------------------------------------------------------------- the key

    def key(self, manifest: Manifest, pair: KeyPair) -> ContentKey:
        """The content key: out of the seller's answer on chain, which takes no store, else out of the newest envelope
        that opens. Raises `ProblemError`."""
        place = ("key", self.order.id, self.round, manifest.content_hash, pair.public_key)
        known = self.market.memory.known(place)
        if not isinstance(known, ContentKey):
            known = self._find_key(manifest, pair)
            self.market.memory.keep(place, known)
        return known

    def _find_key(self, manifest: Manifest, pair: KeyPair) -> ContentKey:
        doubt: NumerbayChainError | None = None
        try:
            answered = self.answer(pair, manifest)
            if answered is not None:
                return answered
        except (ProblemError, NetworkError) as error:
            doubt = error  # an envelope may hold the right one all the same
        deliveries = deliveries_to(self.market.contract, self.order, self.round)

        def attempt(delivery: Delivery) -> ContentKey | None:
            record = self._envelope(delivery, manifest)
            return None if record is None else self._open(record, pair, manifest)

        key, failure = search(self.market, deliveries, attempt, self.case.act_until, self.case.margin)
        if key is not None:
            return key
        raise doubt or failure or self._no_envelope(bool(deliveries))

    def answer(self, pair: KeyPair, manifest: Manifest | None) -> ContentKey | None:
        """Return the key out of the seller's answer on chain; None where there is no answer, and without `manifest`
        where it holds the right one. Raises `ProblemError` for a wrong one."""
        try:
            scalar = self.case.sealed_scalar(pair)
        except AccountError as error:
            raise self.refuse("key-file", str(error), error=AccountError, advice=error.hint) from error
        if scalar is None:
            return None
        challenge = self.case.challenge
        known = None if challenge is None else word(challenge.key_commitment)
        if known is None or (manifest is not None and known != manifest.key_commitment):
            raise NetworkError(
                "the node's logs of the answer and of the release do not agree",
                "use another node",
                code="node-incomplete",
            )
        if not self.case.is_right(scalar):
            text = "the seller's answer to the challenge does not hold the key that he committed to"
            raise self.refuse("answer", text, fault=True, error=DecryptionError)
        return None if manifest is None else ContentKey.from_bytes(word(scalar), manifest.key_commitment)

    def _no_envelope(self, posted: bool) -> ProblemError:
        case, named = self.case, f"order {self.order} and round {self.round}"
        late = case.terms.adjudicated and case.now >= case.matures_at
        over = late or case.state not in ("none", "challenged")
        if over:  # waiting leads nowhere
            return self.refuse("no-envelope", f"no key for {named} was handed out in time", fault=True)
        text, found = f"there is no key for {named} yet", remedy(case, "no-envelope", False)
        advice = self._when_key(posted)
        if case.state == "challenged":
            advice = found.text
        elif case.terms.adjudicated:
            advice = f"{advice}; {found.text}"
        return ProblemError(Problem("no-envelope", text, advice, False, found), RefusedError(text, advice))

    def _envelope(self, delivery: Delivery, manifest: Manifest) -> bytes | None:
        size = delivery.count * ENVELOPE_SIZE
        if not 0 < delivery.count <= self.listing.orders:
            raise self.refuse("envelope", "envelopes were posted for more orders than there are", fault=True)
        cid = Cid.of(delivery.digest, size)

        def read(offset: int, length: int) -> bytes:
            return self.store(manifest).read_bytes(cid, size, offset, length)

        try:
            return self.market.memory.get(
                ("envelope", cid, self.order.id), lambda: find_envelope(read, delivery.count, self.order.id)
            )
        except (NetworkError, RefusedError) as error:
            # whatever a source answers for one object, it is one candidate that failed
            text = f"the envelopes {cid} were posted, but are not available: {error}"
            raise self.refuse("no-envelope", text, fault=True, error=_kind(error)) from error
        except ContentError as error:
            raise self.refuse("envelope", str(error), fault=True, error=ContentError) from error

    def _open(self, record: bytes, pair: KeyPair, manifest: Manifest) -> ContentKey:
        context = self.market.context(self.listing.id, self.round)
        try:
            return open_envelope(record, pair.reveal_private_key(), context, self.order.id, manifest.key_commitment)
        except (ContentError, DecryptionError) as error:
            text = f"the envelope for order {self.order} does not hold the key: {error}"
            raise self.refuse("key", text, fault=True, error=DecryptionError) from error

    def _when_key(self, posted: bool) -> str:
        over = self.case.released().released_at + self.listing.terms.decline_window
        if over > self.now:
            return f"keys go out when the decline window is over, in {format_duration(over - self.now)}"
        if bought_when_out(self.order, self.round) or posted:
            return "the seller seals keys to late buyers when he looks next: try again later"
        return "the seller has to hand it out: try again later, then ask"

    def pair(self) -> KeyPair:
        """The key pair that the order was bought with. Raises `ProblemError` where there is none here, or another
        one."""
        order = self.order
        wanted = self.market.contract.key_at(order.buyer, order.epoch)
        try:
            return find_key(self.market, wanted)
        except AccountError as error:
            self._confirm_key()
            text = f"order {order} was bought with the key {keyfile.encode(wanted)}: {error}"
            raise self.refuse("key-file", text, error=AccountError, advice=error.hint) from error

    def _confirm_key(self) -> None:
        """Before a key file is said to be missing: raise `NetworkError` (`nodes-disagree`) where the second node names
        another key. A buyer who believes one node's word looks for a file that never was, while time runs out."""
        connection = self.market.connection
        if connection.second is None or connection.decision is not None:
            return
        with self.market.decision():
            order = self.market.contract.order(self.order.id)
            self.market.contract.key_at(order.buyer, order.epoch)
            self.market.confirm()


def find_key(market: Market, public_key: bytes) -> KeyPair:
    """The pair with that public key: in the key file that was set, else in the home folder. Raises `AccountError`."""
    chosen = market.key_path
    if chosen is not None:
        try:
            pair = keyfile.load(chosen)
        except AccountError as error:
            raise AccountError(str(error), RESTORE) from error
        if pair.public_key == public_key:
            return pair
    unusable: AccountError | None = None
    for path in sorted((market.home.path / "keys").glob("*.json")):
        try:
            pair = keyfile.load(path)
        except AccountError as error:
            unusable = unusable or error
            continue
        if pair.public_key == public_key:
            return pair
    if chosen is not None:
        raise AccountError(f"the key file {chosen} is another one", _NAME_IT, code="wrong-key-file")
    missing = f"no key file in {market.home.path / 'keys'} has it"
    if unusable is not None:
        raise AccountError(f"{missing}, and {unusable}", RESTORE, code="no-key-file") from unusable
    raise AccountError(missing, _NAME_IT, code="no-key-file")


# ---------------------------------------------------------------------------------------------------------- the steps


def verify(market: Market, order_id: int, round: int | None, content: bool, progress: Progress) -> Verification:
    """See `Buyer.verify`."""
    reception = Reception.open(market, order_id, round)
    problems: list[Problem] = []
    manifest = _collect(problems, lambda: reception.manifest(reception.release()))
    key, of_key = None, list[Problem]()
    stopped_at = None
    with nullcontext() if manifest is None else reception.keeping(manifest):
        pair = None if manifest is None and reception.case.state != "answered" else _collect(of_key, reception.pair)
        if pair is not None and manifest is not None:
            key = _collect(of_key, lambda: reception.key(manifest, pair))
        elif pair is not None:
            _collect(of_key, lambda: reception.answer(pair, None))
        if manifest is not None and content:
            try:
                read = reception.read_content(manifest, key, progress)
            except (NetworkError, RefusedError) as error:
                # who lets the content hang, or claims more than a disk has room for, must hide neither the time to
                # decline nor a key that is wrong
                if reception.case.declinable_until is None and not any(one.fault for one in of_key):
                    raise
                stopped_at, reception = market.clock.now(), reception.again()
                problems.append(reception.unread(error))
            else:
                reception = reception.again()
                problems += reception.content_problems(*read)
    problems += of_key
    if reception.case.state in ("faulty", "refundable"):
        problems.append(reception.refuse("faulty", words(reception.case), fault=True).problem)
    kinds = {problem.kind for problem in problems}
    return Verification(
        order=order_id,
        round=reception.round,
        content_hash=manifest.content_hash if manifest else None,
        cid=manifest.cid if manifest else None,
        ciphertext_cid=manifest.ciphertext_cid if manifest else None,
        size=manifest.size if manifest else None,
        checked_content=manifest is not None and content and not kinds & {"content", "commitments", "slow"},
        has_envelope=key is not None or bool(kinds & {"key", "envelope"}),
        key_opened=key is not None,
        declinable_until=reception.case.declinable_until if manifest else None,
        problems=tuple(problems),
        stopped_at=stopped_at,
    )


def _collect(problems: list[Problem], step: Callable[[], _Result]) -> _Result | None:
    try:
        return step()
    except ProblemError as error:
        problems.append(error.problem)
        return None


def _open_into(
    reception: Reception,
    manifest: Manifest,
    key: ContentKey,
    target: str | Path | IO[bytes],
    overwrite: bool,
    progress: Progress,
) -> artifact.OpenedArtifact:
    """Decrypt to the target. What is not as committed to is read to its end all the same, so that it is kept and can be
    proven."""
    store = reception.store(manifest)

    def report(done: int, total: int) -> None:
        progress("fetch", done, total)

    try:
        return artifact.unseal(manifest, key, store, target, report, overwrite=overwrite)
    except WrongContentError as error:
        with suppress(NumerbayChainError):
            artifact.check(manifest.encode(), manifest.content_hash, store, report)
        advice = remedy(reception.case, "wrong-content", True).text
        raise WrongContentError(str(error), advice, index=error.index) from error
    except (NotFoundError, ContentError) as error:
        advice = remedy(reception.case, "content", True).text
        raise type(error)(str(error), elsewhere(advice) if isinstance(error, NotFoundError) else advice) from error


def fetch(
    market: Market,
    order_id: int,
    round: int | None,
    target: str | Path | IO[bytes],
    overwrite: bool,
    progress: Progress,
) -> Fetched:
    """See `Buyer.fetch`."""
    reception = Reception.open(market, order_id, round)
    try:
        manifest = reception.manifest(reception.release())
        with reception.keeping(manifest):
            key = reception.key(manifest, reception.pair())
            opened = _open_into(reception, manifest, key, target, overwrite, progress)
    except ProblemError as error:
        raise error.error from error
    for problem in opened.problems:
        market.notify(problem.message)
    return Fetched(
        order=order_id,
        round=reception.round,
        path=str(target) if isinstance(target, (str, Path)) else None,
        size=opened.size,
        sha256=opened.sha256,
        content_hash=manifest.content_hash,
        cid=manifest.cid,
        ciphertext_cid=manifest.ciphertext_cid,
        details=opened.details,
    )
