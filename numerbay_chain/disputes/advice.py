"""What is wrong with a round, how its dispute stands, and what can be done: in plain words, with dates and amounts.

docs/protocol.md §2 "Disputes", §5. Nothing here sends anything.
"""

from typing import Final

from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.units import format_fee, format_time, format_until
from numerbay_chain.disputes.results import Dispute
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.protocol.gas import BUYER_GAS, DISPUTE_GAS
from numerbay_chain.protocol.rules import DisputeState, Turn
from numerbay_chain.protocol.types import Ground
from numerbay_chain.session import Session

_TURNS: Final[dict[DisputeState, Turn]] = {
    "challenged": "seller",
    "unanswered": "anyone",
    "answered": "buyer",
    "unproven": "anyone",
    "faulty": "anyone",
    "refundable": "anyone",
}
_STEPS: Final[dict[DisputeState, tuple[str, ...]]] = {
    "challenged": ("dispute respond",),
    "unanswered": ("dispute claim",),
    "answered": ("fetch", "dispute prove"),
    "unproven": ("dispute settle",),
    "faulty": ("dispute settle",),
    "refundable": ("dispute settle",),
}
_GROUNDS: Final = {
    Ground.NO_RESPONSE: "the seller did not answer in time",
    Ground.WRONG_KEY: "the seller answered with another key than the one committed to",
    Ground.WRONG_CONTENT: "the content was proven wrong",
    Ground.NOTHING_PROVEN: "nothing was proven against the seller's answer in time",
}
OUTSIDE: Final = "the seller can pay back outside of the marketplace only"

# ------------------------------------------------------------------------------------------------------ how it stands


def describe(session: Session, case: OrderRound) -> Dispute:
    """How it stands, for people and programs."""
    opened, ended, state = case.challenge, case.ended, case.state
    receiver = None
    if ended is not None:
        receiver = ended["receiver"] if ended.name == "ChallengeEnded" else case.order.buyer
    openable = state == "none" and refusal_to_open(case) is None
    steps = _STEPS.get(state, ())
    if openable:
        steps = ("fetch",) if case.keys_posted else ("dispute open",)
    return Dispute(
        order=case.order.id,
        round=case.round,
        buyer=case.order.buyer,
        seller=case.listing.seller,
        token=case.token,
        state=state,
        turn=_TURNS.get(state),
        deadline=case.deadline,
        steps=tuple(command(case, step) for step in steps),
        gas=BUYER_GAS if openable else 0,
        fee=fee_of(session, BUYER_GAS) if openable else 0,
        coin=session.connection.coin,
        openable_until=case.matures_at - 1 if openable else None,
        words=words(session, case),
        price=case.price,
        bond=case.bond,
        opened_at=opened.challenged_at if opened else None,
        answered_at=opened.responded_at if opened and opened.responded else None,
        faulty_at=case.faulty_at or None,
        ground=ground_of(case),
        paid=ended["paid"] if ended else 0,
        receiver=receiver,
    )


def command(case: OrderRound, name: str) -> str:
    """What to type, without the order: with the round where another one of the order could be meant."""
    alone = case.order.rounds == 1 and case.order.covers(case.round)
    return name if alone else f"{name} --round {case.round}"


def overdue(case: OrderRound) -> str:
    """Since when the answer to a challenge is overdue; for an unanswered one."""
    opened = case.challenge
    if opened is None:
        return ""
    return f"an answer has been overdue since {format_time(case.terms.response_deadline(opened.challenged_at))}"


def ground_of(case: OrderRound) -> Ground | None:
    """Why it ended; None where it did not."""
    if case.ended is None:
        return None
    return case.ended["ground"] if case.ended.name == "ChallengeEnded" else Ground.WRONG_CONTENT


def words(session: Session, case: OrderRound) -> str:
    """How it stands, in one sentence; where a dispute can be opened, with what that takes."""
    openable = case.state == "none" and refusal_to_open(case) is None and not case.keys_posted
    return f"{standing(case)}, {_cost_of_dispute(session, case)}" if openable else standing(case)


def standing(case: OrderRound) -> str:
    """How it stands, in one sentence."""
    name, stake, until = case.name, case.amount(case.price + case.bond), case.deadline
    by = format_until(until, case.now) if until is not None else ""
    match case.state:
        case "challenged":
            return f"{name} is challenged: the seller has to answer by {by}, else the buyer can claim {stake}"
        case "unanswered":
            return (
                f"the seller did not answer the challenge of {name} in time, {overdue(case)}: "
                f"`{command(case, 'dispute claim')}` brings {stake} back to the buyer"
            )
        case "answered":
            return (
                f"the seller answered the challenge of {name}: the buyer can `{command(case, 'fetch')}` it, and until "
                f"{by} `{command(case, 'dispute prove')}` that key or content is wrong; after that {stake} can be "
                "settled to the seller"
            )
        case "unproven":
            return (
                f"nothing was proven against the seller's answer about {name} in time: {stake} can be settled to the "
                "seller"
            )
        case "faulty":
            return f"{name} was proven faulty: {stake} can be settled to the buyer"
        case "refundable":
            return f"{name} was proven faulty: {case.amount(case.price)} can be settled to the buyer"
        case "paid-back":
            return f"{name} was paid back, without a dispute"
        case "none":
            refusal = refusal_to_open(case)
            if refusal:
                return f"there is no dispute: {refusal}"
            by = format_until(case.matures_at - 1, case.now)
            if case.keys_posted:
                see = command(case, "fetch")
                return f"there is no dispute about {name}: keys were posted, see by `{see}` whether yours opens by {by}"
            return f"there is no dispute about {name}; one can be opened until {by}"
    ground = ground_of(case)
    if ground is None or case.ended is None:
        return f"the dispute about {name} has ended"
    who = "the seller" if case.state == "paid-to-seller" else "the buyer"
    return f"{_GROUNDS[ground]}: {case.amount(case.ended['paid'])} for {name} went to {who}"


def what_next(case: OrderRound, step: str = "open") -> str | None:
    """What to do where a step was asked for that is not due as it stands; None where nothing is left to do."""
    match case.state:
        case "answered" if step == "claim":
            return "a claim is for where no answer came"
        case "challenged" | "answered":
            return "run this again after that"
        case "unanswered":
            return f"use `{command(case, 'dispute claim')}`"
        case "unproven":
            return "nothing comes back to the buyer any more, who can still `fetch` what was answered"
        case "faulty" | "refundable":
            return f"use `{command(case, 'dispute settle')}`"
        case "none":
            if refusal := refusal_to_open(case):
                return refusal.hint
            begin = command(case, "dispute open")
            return (
                f"`{command(case, 'fetch')}` it, or `{begin}` if that fails"
                if case.keys_posted
                else f"the buyer can challenge with `{begin}`"
            )
    return None


def changed_meanwhile(what: str) -> RefusedError:
    """Return the error for a step that rested on what is another thing by now. Nothing was sent."""
    return RefusedError(what, "run this again", code="changed-meanwhile")


def refusal_to_open(case: OrderRound) -> RefusedError | None:
    """Why the round can't be challenged (now); None where it can."""
    if not case.terms.adjudicated:
        return RefusedError(
            f"listing {case.listing.id} is not adjudicated: it takes no challenge and no proof",
            f"{asking(case)}, and cancel what is left of the order",
            code="not-adjudicated",
        )
    if case.state == "paid-to-buyer":
        return RefusedError(standing(case), code="already-disputed")
    try:
        case.released()
    except RefusedError as error:
        return error
    if case.state != "none":
        return RefusedError(standing(case), what_next(case), code="already-disputed")
    if case.faulty_at and not case.terms.copies:
        return RefusedError(
            f"the money for {case.name} matured before the round was proven faulty", OUTSIDE, code="too-late"
        )
    if case.now < case.challengeable_from:
        declinable = case.declinable_until is not None
        return RefusedError(
            f"the decline window of {case.name} is open until {format_until(case.challengeable_from - 1, case.now)}",
            "decline the round: that costs less" if declinable else "run this again when it is over",
            code="too-early",
        )
    if case.now >= case.matures_at:
        return RefusedError(
            f"the time for a dispute about {case.name} ended {format_time(case.matures_at - 1)}: the money for it has "
            "matured, it is the seller's",
            OUTSIDE,
            code="too-late",
        )
    return None


def asking(case: OrderRound) -> str:
    """What is left to a buyer whom no contract judges: a seller can refund until the money has matured."""
    return OUTSIDE if case.release and case.now >= case.matures_at else "ask the seller for a refund"


# ----------------------------------------------------------------------------------------------------- what can be done


def cost_words(gas: int, fee: int, coin: str, proof: int = 0) -> str:
    """`about 80,000 gas, at most 0.0001 ETH`. `proof`: how much of it a proof takes, if not all."""
    parts = f" ({proof:,} for the proof, {gas - proof:,} to be paid back)" if 0 < proof < gas else ""
    return f"about {gas:,} gas{parts}" + (f", at most {format_fee(fee, coin)}" if fee else "")


def content_gas(case: OrderRound) -> tuple[int, int]:
    """What a proof of wrong content takes of its sender with the payment that it leads to, and the proof alone. A wrong
    copy that was not challenged is paid back by its proof."""
    proof = DISPUTE_GAS["proveWrongCopy" if case.terms.copies else "proveWrongContent"]
    if case.challenge:
        return proof + DISPUTE_GAS["settleChallenge"], proof
    return proof + (0 if case.terms.copies else DISPUTE_GAS["refundFaulty"]), proof


def _cost_of_dispute(session: Session, case: OrderRound) -> str:
    fee = fee_of(session, BUYER_GAS)
    less = ": MORE THAN THE PRICE" if case.terms.native and fee > case.price else ""
    return f"and takes {cost_words(BUYER_GAS, fee, session.connection.coin)}{less}"


def fee_of(session: Session, gas: int) -> int:
    """The most that so much gas can cost now, in wei."""
    return gas * session.connection.gas_price() if gas else 0
