"""Proofs against a seller: sent once, and only while what they rest on still stands."""

from dataclasses import replace
from hashlib import sha256

from numerbay_chain.chain.clock import Window
from numerbay_chain.chain.sending.outbox import Sent
from numerbay_chain.core.errors import NumerbayChainError, RefusedError
from numerbay_chain.core.progress import Note, Progress, silent
from numerbay_chain.disputes.advice import changed_meanwhile, words
from numerbay_chain.disputes.judge import content_until, judge_case, promised, refuse_late, refuse_stale, refuse_young
from numerbay_chain.disputes.recourse import RECOURSE
from numerbay_chain.disputes.results import Judgement, ProofKind, Proven
from numerbay_chain.disputes.settle import call_to_end, end
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.rounds import read_again, read_round
from numerbay_chain.protocol.events import Receipt, event_of
from numerbay_chain.retrieval.promise import Promise
from numerbay_chain.session import Session


def prove(
    session: Session,
    order: int,
    round: int | None = None,
    *,
    publish_key: bool = False,
    judgement: Judgement | None = None,
    progress: Progress = silent,
) -> Proven:
    """Prove a wrong key or wrong content, and get price (and bond) back.

    `publish_key`: a proof of wrong content makes the content key public, and that is agreed to. `judgement`: what
    `judge` said a moment ago. Raises as `judge`, before anything left this machine.
    """
    if judgement is not None and not session.sending.holds(_labels(order)):
        with session.decision():
            case = read_round(session, order, judgement.round if round is None else round)
            return _prove(session, case, judgement, publish_key)
    case = read_round(session, order, round, "open", "prove")
    if before := _resumed(session, case):
        return before
    if judgement is None:
        session.require_second()
        judgement = judge_case(Promise(session, case, RECOURSE), progress)
    with session.decision():
        return _prove(session, read_again(session, case), judgement, publish_key)


def _prove(session: Session, case: OrderRound, judged: Judgement, publish_key: bool) -> Proven:
    """Sends the proof, if what it rests on stands in the newest block too, for both nodes where there are two."""
    judged = _still_meant(session, case, judged)
    _require_promised(session, case, judged)
    if judged.publishes_key and not publish_key:
        hint = "agree to that: `dispute prove` asks for it, `prove` takes publish_key=True"
        raise RefusedError(judged.words, hint, code="not-agreed")
    stake = session.sending.at_stake(case.terms.token, judged.returns)
    window = Window(until=judged.until, margin=case.margin, stake=stake)
    sent = session.sending.send_secret(_label(case), judged.call, window)
    return _finish(session, case, sent)


def _require_promised(session: Session, case: OrderRound, judged: Judgement) -> None:
    """That the proof is about what was promised, and that this stays in the chain. Raises `RefusedError`."""
    if judged.chunk is None:
        if case.answered is not None:
            refuse_young(session, case, "the seller's answer", case.answered.block, judged.until)
        return
    manifest: bytes = judged.call.arguments["manifest"]
    if case.content_hash != sha256(manifest).digest():
        raise changed_meanwhile(f"{case.name} was promised other content than the proof is about")
    if case.terms.copies and judged.call.arguments["bucket"] != case.bucket:
        raise changed_meanwhile(f"the money for {case.name} lies elsewhere than the proof says")
    what, block = promised(case)
    refuse_young(session, case, what, block, judged.until)


def resume_proof(session: Session, order: int, round: int | None = None) -> Proven | None:
    """Return what became of a proof that an interrupted `prove` had sent; None if there is none. Judges nothing
    anew."""
    if not session.sending.holds(_labels(order)):
        return None
    return _resumed(session, read_round(session, order, round, "disputed"))


def _resumed(session: Session, case: OrderRound) -> Proven | None:
    sent = session.sending.resume(_label(case))
    return _finish(session, case, sent) if sent else None


def _finish(session: Session, case: OrderRound, sent: Sent) -> Proven:
    """Proven wrong content marks the round for all its buyers: this one's money takes a second transaction. Whatever
    becomes of that one, the proof was mined."""
    kind, chunk = _what(sent.receipt)
    receipts, paid = [sent.receipt], _paid(sent.receipt)
    if kind != "wrong-key" and not paid:
        try:
            after = read_round(session, case.order.id, case.round)
            if call_to_end(after) is not None:
                ended = end(session, after, "settle")
                receipts.append(ended.receipt)
                paid = ended.paid
        except NumerbayChainError as error:
            said = f"it is proven, but the money did not come back yet ({error}): run `dispute settle`"
            session.notify(Note(said, "not-settled"))
    return Proven(case.order.id, case.round, kind, chunk, paid, case.token, tuple(receipts), sent.resumed)


def _label(case: OrderRound) -> str:
    return f"{_labels(case.order.id)}{case.round}"


def _labels(order: int) -> str:
    return f"prove-{order}-"


def _still_meant(session: Session, case: OrderRound, judgement: Judgement) -> Judgement:
    """A judgement made before, if it is still about what is there now. Wrong content stays wrong whatever the dispute
    about it has become: who reads for long loses nothing if the seller answers meanwhile. Raises `RefusedError`."""
    known = (judgement.order, judgement.round) == (case.order.id, case.round)
    if known and (judgement.state, judgement.challenge) != (case.state, case.challenge):
        if judgement.chunk is not None:
            refuse_stale(case)
        known = judgement.chunk is not None
    if not known:
        raise changed_meanwhile(f"this changed meanwhile: {words(session, case)}")
    until = judgement.until if judgement.chunk is None else content_until(case)
    refuse_late(session, case, until, case.now)
    opened = case.challenge
    returns = judgement.returns if judgement.chunk is None else case.price + (opened.bond if opened else 0)
    return replace(judgement, until=until, returns=returns, state=case.state, challenge=opened)


def _what(receipt: Receipt) -> tuple[ProofKind, int | None]:
    if event := receipt.event("RoundFaulty"):
        return "wrong-content", event["chunk"]
    if event := receipt.event("CopyFaulty"):
        return "wrong-copy", event["chunk"]
    event_of(receipt, "ChallengeEnded")
    return "wrong-key", None


def _paid(receipt: Receipt) -> int:
    event = receipt.event("ChallengeEnded") or receipt.event("FaultyRefunded")
    return event["paid"] if event else 0
