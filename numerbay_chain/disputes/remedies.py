"""What a buyer can do about a problem with a round: until when, what it costs, what comes back."""

from typing import Final

from numerbay_chain.core.units import format_until
from numerbay_chain.disputes.advice import (
    OUTSIDE,
    asking,
    command,
    content_gas,
    cost_words,
    fee_of,
    overdue,
    refusal_to_open,
    standing,
)
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.results import Remedy, RemedyKind
from numerbay_chain.protocol.gas import BUYER_GAS, DISPUTE_GAS, RECLAIM_GAS
from numerbay_chain.retrieval.results import ProblemKind
from numerbay_chain.session import Session

_KEY_KINDS: Final = ("no-envelope", "envelope", "key", "no-copy", "manifest")
"""What a challenge is good for: who is asked for the key has to give it, with the manifest that stands for it."""


def remedy(session: Session, case: OrderRound, kind: ProblemKind, fault: bool) -> Remedy:
    """What the order's buyer can do about a problem with the round, until when, what it costs and what comes back."""
    if kind in ("missed", "overdue"):
        return _reclaim(session, case, kind)
    until = case.declinable_until
    if until is not None and fault:
        back = case.order.price * (case.order.end - case.round)
        text = f"decline the round until {format_until(until, case.now)}: it and all later ones are paid back"
        return _remedy(session, case, "decline", text, until, DISPUTE_GAS["decline"], returns=back)
    return _in_dispute(session, case, kind) or _before_dispute(session, case, kind, fault)


def _reclaim(session: Session, case: OrderRound, kind: ProblemKind) -> Remedy:
    """A round that was not released in time is paid back; one that nobody skipped yet is skipped first."""
    if case.order.price == 0:
        return _remedy(session, case, "nothing", "nothing was paid for it")
    gas = RECLAIM_GAS["refundMissed"] + (RECLAIM_GAS["skip"] if kind == "overdue" else 0)
    text = f"get it paid back with `reclaim {case.order} --missed`"
    return _remedy(session, case, "reclaim", text, None, gas, returns=case.order.price)


def _in_dispute(session: Session, case: OrderRound, kind: ProblemKind) -> Remedy | None:
    """The next step of a dispute that is there."""
    stake, until = case.price + case.bond, case.deadline
    match case.state:
        case "challenged":
            if kind not in _KEY_KINDS:
                return None
            return _remedy(session, case, "wait", f"wait: {standing(case)}", until)
        case "unanswered":
            claim = command(case, "dispute claim")
            text = f"get it back with `{claim}`: the seller did not answer in time, {overdue(case)}"
            return _remedy(session, case, "claim", text, None, DISPUTE_GAS["claimTimeout"], returns=stake)
        case "answered":
            by = format_until(until, case.now) if until is not None else ""
            if kind == "manifest":
                text = f"see with `{command(case, 'dispute prove')}` until {by} whether the answer is wrong"
                return _remedy(session, case, "prove", text, until, DISPUTE_GAS["proveWrongKey"], returns=stake)
            if kind not in ("answer", "wrong-content"):
                return None
            gas = (DISPUTE_GAS["proveWrongKey"], 0) if kind == "answer" else content_gas(case)
            text = f"prove it with `{command(case, 'dispute prove')}` until {by}"
            return _remedy(session, case, "prove", text, until, *gas, returns=stake, note=_publishes(kind))
        case "faulty" | "refundable":
            back = stake if case.state == "faulty" else case.price
            text = f"get it paid back with `{command(case, 'dispute settle')}`: it was proven faulty"
            call = "settleChallenge" if case.state == "faulty" else "refundFaulty"
            return _remedy(session, case, "settle", text, None, DISPUTE_GAS[call], returns=back)
        case "unproven":
            return _remedy(session, case, "nothing", standing(case))
    return None


def _before_dispute(session: Session, case: OrderRound, kind: ProblemKind, fault: bool) -> Remedy:
    refusal = refusal_to_open(case)
    last = case.matures_at - 1 if case.release else None
    by = format_until(last, case.now) if last is not None else ""
    if kind == "wrong-content" and case.state in ("none", "challenged") and (refusal is None or case.challenge):
        until = case.deadline or last
        by = format_until(until, case.now) if until is not None else by
        text = f"prove it with `{command(case, 'dispute prove')}` until {by}: no challenge is needed"
        back = case.challenge.stake if case.challenge else case.price
        return _remedy(session, case, "prove", text, until, *content_gas(case), returns=back, note=_publishes(kind))
    if kind in _KEY_KINDS and case.state == "none":
        begin = command(case, "dispute open")
        if refusal is None:
            stake = case.price + case.bond
            note = "the seller then has to give the right key, or this comes back"
            action: RemedyKind = "dispute" if fault else "wait"
            text = f"{'' if fault else 'if none comes, '}dispute it with `{begin}` until {by}"
            return _remedy(session, case, action, text, last, BUYER_GAS, bond=case.bond, returns=stake, note=note)
        if case.terms.adjudicated and case.release and case.now < case.challengeable_from:
            since = format_until(case.challengeable_from, case.now)
            return _remedy(session, case, "wait", f"dispute it with `{begin}` from {since} on, until {by}", last)
    if refusal is not None and case.release and case.terms.adjudicated and case.now >= case.matures_at:
        later = ", and you can cancel to get later rounds back" if case.order.end > case.listing.next_round else ""
        return _remedy(session, case, "nothing", f"{refusal}; {OUTSIDE}{later}")
    if not fault:
        return _remedy(session, case, "wait", "ask the seller, and try again later")
    if not case.terms.adjudicated:
        return _remedy(
            session, case, "nothing", f"this listing is not adjudicated: {asking(case)}, and cancel what is left"
        )
    text = "no contract judges this now: ask the seller for a refund, and cancel to get later rounds back"
    return _remedy(session, case, "nothing", text)


def _remedy(
    session: Session,
    case: OrderRound,
    kind: RemedyKind,
    text: str,
    until: int | None = None,
    gas: int = 0,
    proof: int = 0,
    *,
    bond: int = 0,
    returns: int = 0,
    note: str = "",
) -> Remedy:
    fee = fee_of(session, gas)
    said = [text]
    if gas:
        held = f", and a bond of {case.amount(bond)}" if bond else ""
        said.append(f"it costs {cost_words(gas, fee, session.connection.coin, proof)}{held}")
    if returns:
        little = case.terms.native and fee > returns - bond
        said.append(f"{'NOT WORTH IT: ' if little else ''}at stake is {case.amount(returns)}")
    if note:
        said.append(note)
    return Remedy(kind, "; ".join(said), until, gas, fee, bond, returns)


def _publishes(kind: ProblemKind) -> str:
    return "the content key, and so the file, becomes public by that" if kind == "wrong-content" else ""
