"""What ends a dispute: claims and settlements, each sent once."""

from typing import Literal

from numerbay_chain.chain.clock import Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.chain.sending.steps import Prepared
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.disputes.advice import what_next, words
from numerbay_chain.disputes.results import EndedDispute
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.rounds import read_round
from numerbay_chain.protocol.events import Event, event_of
from numerbay_chain.protocol.types import Ground
from numerbay_chain.session import Session


def claim(session: Session, order: int, round: int | None = None) -> EndedDispute:
    """Get price and bond back where the seller did not respond in time. Raises `RefusedError` where that is not so
    (yet)."""
    return end(session, read_round(session, order, round, "disputed", "claim"), "claim")


def settle(session: Session, order: int, round: int | None = None) -> EndedDispute:
    """End a dispute as it stands, for whomever that is: an unanswered challenge or a faulty round to the buyer, an
    answer against which nothing was proven in time to the seller. By anyone."""
    return end(session, read_round(session, order, round, "disputed", "settle"), "settle")


def end(session: Session, case: OrderRound, step: Literal["claim", "settle"]) -> EndedDispute:
    """Send what ends it now. Raises `RefusedError` where nothing does."""

    def prepare() -> Prepared:
        call = call_to_end(case)
        if call is None or (step == "claim" and call.function != "claimTimeout"):
            raise RefusedError(words(session, case), what_next(case, step), code="nothing-to-settle")
        return Prepared(call, Window(after=_end_from(case)))

    sent = session.sending.resume_or_send(f"end-{case.order.id}-{case.round}", prepare)
    refunded = sent.receipt.event("FaultyRefunded")
    event: Event = refunded or event_of(sent.receipt, "ChallengeEnded")
    return EndedDispute(
        order=case.order.id,
        round=case.round,
        ground=Ground.WRONG_CONTENT if refunded else event["ground"],
        receiver=case.order.buyer if refunded else event["receiver"],
        paid=event["paid"],
        token=case.token,
        receipt=sent.receipt,
        resumed=sent.resumed,
    )


def _end_from(case: OrderRound) -> int | None:
    """The first second in which it can be ended as it stands; None: at once."""
    opened = case.challenge
    if opened is None or case.state not in ("unanswered", "unproven"):
        return None
    last = case.terms.proof_deadline(opened) if opened.responded else case.terms.response_deadline(opened.challenged_at)
    return last + 1


def call_to_end(case: OrderRound) -> Call | None:
    """What anybody can send to end it as it stands; None where that has to wait, or has happened."""
    order, round, opened = case.order.id, case.round, case.challenge
    if case.state == "refundable":
        return calls.refund_faulty(order=order, round=round, bucket=case.bucket)
    if opened is None:
        return None
    if case.state == "unanswered":
        return calls.claim_timeout(order=order, round=round, opened=opened)
    if case.state in ("faulty", "unproven"):
        return calls.settle_challenge(order=order, round=round, opened=opened)
    return None
