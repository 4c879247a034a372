"""What would win against a seller, decided on this machine before anybody hears of it.

A proof that loses gives a secret to the world and brings nothing: so what would be proven is found here, from the
answer or from the content itself, and no node is asked to try it out. A node that lies about the chain can still make
a client reveal a key: the content hash that a proof rests on is said. docs/protocol.md §2 "Disputes".
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.unseal import content_proof, wrong_chunk
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError, RefusedError, TooLateError
from numerbay_chain.core.home.keyfile import KeyPair
from numerbay_chain.core.progress import Progress, silent
from numerbay_chain.core.units import format_duration, format_until
from numerbay_chain.crypto import secp256k1
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.disputes.advice import command, content_gas, standing, what_next
from numerbay_chain.disputes.keys import dispute_key, is_right, sealed_scalar
from numerbay_chain.disputes.recourse import RECOURSE
from numerbay_chain.disputes.results import Judgement, ProofKind
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.rounds import read_again, read_round
from numerbay_chain.protocol.finality import FINALITY_ENDS
from numerbay_chain.protocol.gas import DISPUTE_GAS
from numerbay_chain.retrieval.key_sources import content_key, pair_of
from numerbay_chain.retrieval.promise import Promise
from numerbay_chain.retrieval.results import ProblemError
from numerbay_chain.session import Session

_OF_FUNCTION: Final[dict[str, ProofKind]] = {
    "proveWrongKey": "wrong-key",
    "proveWrongContent": "wrong-content",
    "proveWrongCopy": "wrong-copy",
}


def judge(session: Session, order: int, round: int | None = None, *, progress: Progress = silent) -> Judgement:
    """Return what could be proven against the seller, decided on this machine. Sends nothing and asks no node.

    Raises `RefusedError` where a proof would lose, or bring nothing; `AccountError` without the key file.
    """
    session.require_second()
    return judge_case(Promise(session, read_round(session, order, round, "open", "prove"), RECOURSE), progress)


def judge_case(promise: Promise, progress: Progress) -> Judgement:
    session, case = promise.session, promise.case
    refuse_stale(case)
    try:
        try:
            manifest = promise.manifest(promise.release())
        except ProblemError:
            # the chain has all that an answer is judged by: a copy's manifest that nobody gives protects no wrong one
            wrong = _wrong_answer(session, case, None, pair_of(promise)) if case.state == "answered" else None
            if wrong is not None:
                return wrong
            raise
        pair = pair_of(promise)
        wrong = _wrong_answer(session, case, manifest, pair) if case.state == "answered" else None
        if wrong is not None:
            return wrong
        with promise.keeping(manifest):  # the envelope too
            return _wrong_content(promise, manifest, content_key(promise, manifest, pair), progress)
    except ProblemError as error:
        unread = isinstance(error.error, NetworkError) and not isinstance(error.error, NotFoundError)
        if error.problem.kind in ("key", "envelope", "no-envelope") and not unread:
            raise RefusedError(
                f"{error.problem.text}: an envelope proves nothing, the seller has to be asked",
                error.problem.advice,
                code="nothing-to-prove",
            ) from error
        raise error.error from error


def refuse_stale(case: OrderRound) -> None:
    """Raises `RefusedError` where no proof brings anything any more."""
    if not case.terms.adjudicated:
        raise RefusedError(
            f"listing {case.listing.id} is not adjudicated: it takes no proof",
            "ask the seller for a refund",
            code="not-adjudicated",
        )
    if case.price == 0:
        raise RefusedError(
            f"{case.name} cost nothing: a proof would bring nothing back", "leave it at that", code="nothing-to-prove"
        )
    match case.state:
        case "faulty" | "refundable":
            raise RefusedError(f"it was proven already: {standing(case)}", what_next(case), code="already-proven")
        case "unanswered":
            raise RefusedError(f"no proof is needed: {standing(case)}", what_next(case), code="nothing-to-prove")
        case "unproven" | "paid-to-buyer" | "paid-to-seller" | "paid-back":
            raise RefusedError(f"nothing can be proven any more: {standing(case)}", what_next(case), code="too-late")
        case "none":
            case.released()
            if case.declinable_until is not None:
                by = format_until(case.declinable_until, case.now)
                raise RefusedError(
                    f"{case.name} can be declined until {by}",
                    "decline it: that costs less than a proof",
                    code="too-early",
                )
            if case.now >= case.matures_at:
                raise RefusedError(
                    f"the money for {case.name} has matured: a proof would bring nothing back",
                    "ask the seller",
                    code="too-late",
                )
            if case.faulty_at:
                raise RefusedError(
                    f"{case.name} was proven faulty, after its money had matured", "ask the seller", code="too-late"
                )


def _wrong_answer(session: Session, case: OrderRound, manifest: Manifest | None, pair: KeyPair) -> Judgement | None:
    """None: the seller answered with the right key. What the answer commits to is the contract's word (`challenge`);
    where the manifest is available, the two are compared."""
    answered, scalar, private_key = case.challenge, sealed_scalar(case, pair), dispute_key(case, pair).reveal()
    if answered is None or case.answered is None or scalar is None:
        return None
    if is_right(case, scalar, None if manifest is None else manifest.key_commitment):
        return None
    until = case.terms.proof_deadline(answered)
    # n - k and k + n are wrong answers that give k away all the same
    publishes = scalar % secp256k1.N != 0 and secp256k1.point_x(scalar % secp256k1.N) == answered.key_commitment
    if publishes:
        refuse_late(session, case, until)
    refuse_young(session, case, "the seller's answer", case.answered.block, until)
    call = calls.prove_wrong_key(order=case.order.id, round=case.round, answered=answered, private_key=private_key)
    told = session.connection.name
    said = f"the seller answered with another key than the one committed to, by the answer that {told} told"
    return _judgement(session, case, call, None, publishes, answered.stake, until, said)


def _wrong_content(promise: Promise, manifest: Manifest, key: ContentKey, progress: Progress) -> Judgement:
    session, chunk = promise.session, _wrong_chunk(promise, manifest, key, progress)
    case = read_again(session, promise.case)  # reading may have taken hours
    refuse_stale(case)
    answered, until = case.challenge, content_until(case)
    refuse_late(session, case, until, case.now)
    what, block = promised(case)
    refuse_young(session, case, what, block, until)
    try:
        with _time_for(session, case):
            report = _watched(session, case, progress, "prove")
            proof = content_proof(manifest, key, promise.store(manifest), chunk, report)
    except ContentError as error:
        raise _not_judged(error) from error
    if case.terms.copies:
        bucket = case.bucket
        call = calls.prove_wrong_copy(
            order=case.order.id, round=case.round, bucket=bucket, manifest=manifest.encode(), proof=proof.encode()
        )
    else:
        call = calls.prove_wrong_content(
            listing=case.listing.id, round=case.round, manifest=manifest.encode(), proof=proof.encode()
        )
    said = (
        f"chunk {chunk} of {case.name} does not decrypt to what was committed to, by the content hash "
        f"0x{manifest.content_hash.hex()} that {session.connection.name} told"
    )
    return _judgement(session, case, call, chunk, True, case.price + (answered.bond if answered else 0), until, said)


def _wrong_chunk(promise: Promise, manifest: Manifest, key: ContentKey, progress: Progress) -> int:
    """The first chunk that is not what was committed to. Raises `RefusedError` where there is none."""
    session, case = promise.session, promise.case
    report = _watched(session, case, progress, "check")
    try:
        with _time_for(session, case):
            store, kept = promise.store(manifest), promise.keeps(manifest)  # else it is read twice
            chunk = wrong_chunk(manifest, key, store, report, to_the_end=kept)
    except ContentError as error:
        raise _not_judged(error) from error
    if chunk is not None:
        return chunk
    answered = case.challenge is not None and case.challenge.responded
    right = "the seller answered with the right key" if answered else "the key is right"
    raise RefusedError(
        f"{right}, and the content of {case.name} is what was committed to: a proof would lose",
        "fetch it",
        code="nothing-to-prove",
    )


def _time_for(session: Session, case: OrderRound) -> AbstractContextManager[None]:
    """Bounds the reading of content: what comes after the deadline proves nothing."""
    return session.content.reading(session.clock.left(content_until(case)) - case.margin)


def _watched(session: Session, case: OrderRound, progress: Progress, label: str) -> Callable[[int, int], None]:
    """Tells progress, and ends reading that has become useless."""
    until = content_until(case)
    over = session.clock.alarm(session.clock.left(until) - case.margin)

    def report(done: int, total: int) -> None:
        progress(label, done, total)
        if over():
            raise _too_slow(session, case, until)

    return report


def content_until(case: OrderRound) -> int:
    """The last second for a proof of wrong content, as the dispute stands."""
    answered = case.challenge
    if answered is not None and answered.responded:
        return case.terms.proof_deadline(answered)
    return case.matures_at - 1 if case.deadline is None else case.deadline


def _not_judged(error: ContentError) -> RefusedError:
    """What anybody could see before the key was handed out is no fault to the contract."""
    return RefusedError(
        f"this is no fault that the contract judges: {error}",
        "decline such a round within its decline window",
        code="nothing-to-prove",
    )


def _judgement(
    session: Session,
    case: OrderRound,
    call: Call,
    chunk: int | None,
    publishes: bool,
    returns: int,
    until: int,
    said: str,
) -> Judgement:
    gas = DISPUTE_GAS[call.function] if chunk is None else content_gas(case)[0]
    public = "; the content key becomes public by the proof, and everybody can read the file" if publishes else ""
    return Judgement(
        order=case.order.id,
        round=case.round,
        kind=_OF_FUNCTION[call.function],
        chunk=chunk,
        publishes_key=publishes,
        returns=returns,
        token=case.token,
        until=until,
        gas=gas,
        fee=gas * session.connection.gas_price(),
        coin=session.connection.coin,
        words=f"{said}: {case.amount(returns)} come back{public}",
        state=case.state,
        challenge=case.challenge,
        call=call,
    )


def _too_slow(session: Session, case: OrderRound, until: int) -> TooLateError:
    """For content that did not come in the time that was left."""
    by = format_until(until, session.clock.now())
    return TooLateError(
        f"the content of {case.name} did not come in time: a proof had to be mined until {by}", _instead(case)
    )


def _instead(case: OrderRound) -> str:
    """What is left to the buyer where it is too late for a proof as the dispute stood."""
    if case.state != "challenged":
        return "ask the seller for a refund"
    show, prove = command(case, "dispute show"), command(case, "dispute prove")
    return (
        f"see with `{show}` how it stands then: `{prove}` has more time after an answer, and without one you are paid"
    )


def refuse_late(session: Session, case: OrderRound, until: int, now: int | None = None) -> None:
    """A content key that is revealed too late is given away for nothing. `now`: where the time was asked for a moment
    ago."""
    if session.clock.is_late(until, case.margin, now):
        by = format_until(until, session.clock.now())
        raise TooLateError(
            f"a proof had to be mined until {by}: it would come too late, and give the content key away for nothing",
            _instead(case),
        )


def promised(case: OrderRound) -> tuple[str, int]:
    """What the content hash was promised by, and its block."""
    release = case.released()
    if not case.terms.copies:
        return "the release", release.block
    return "the copy", case.copy.block if case.copy else release.block


def refuse_young(session: Session, case: OrderRound, what: str, block: int, until: int) -> None:
    """What could still vanish from the chain is not proven wrong yet, where there is time to wait."""
    wait = session.finality().seconds_left(block)
    if wait > 0 and case.now + wait + FINALITY_ENDS <= until:
        left = format_duration(wait)
        raise RefusedError(
            f"{what} is not final yet: that takes about {left} more", "run this again then", code="too-early"
        )
