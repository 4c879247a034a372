"""What ends a dispute, and the challenge that begins it: each step is sent once, and can be run again.

The challenge's one-time key derives from the buyer's own key file: a crash between it and a proof loses nothing.
docs/protocol.md §2 "Disputes". Proofs are in `proving`.
"""

from numerbay_chain.chain import calls, tokens
from numerbay_chain.chain.calls import Call
from numerbay_chain.chain.types import Event, Ground, Receipt
from numerbay_chain.diagnosis import describe, refusal_to_open, words
from numerbay_chain.disputes import Case, buyers_cases, read_case, sellers_cases
from numerbay_chain.errors import NetworkError, NotFoundError, RefusedError, UnseenKeyError
from numerbay_chain.market import Market
from numerbay_chain.outbox import Sent
from numerbay_chain.reception import ProblemError, Reception
from numerbay_chain.results import event_of
from numerbay_chain.verdicts import Dispute, EndedDispute, OpenedDispute, Step


def show_dispute(market: Market, order: int, round: int | None, step: Step | None) -> Dispute:
    """See `Buyer.show_dispute`."""
    case = read_case(market, order, round, "disputed", step)
    if round is not None and case.state == "none" and not case.order.covers(round):
        held = case.order
        several = f"rounds {held.first} to {held.end - 1}" if held.rounds > 1 else f"round {held.first}"
        covered = several if held.rounds else "no round any more"
        raise RefusedError(f"order {held} covers {covered}, not round {round}", "see them with `orders`")
    return describe(case)


def preview(market: Market, order: int, round: int | None) -> Dispute:
    """See `Buyer.disputable`."""
    case = read_case(market, order, round)
    if case.state == "none" and (refusal := refusal_to_open(case)) is not None:
        raise refusal
    return describe(case)


def list_disputes(market: Market, *, ended: bool) -> list[Dispute]:
    """See `Buyer.disputes`."""
    return [describe(case) for case in buyers_cases(market, ended=ended)]


def list_sold(market: Market, listing: int | None, *, ended: bool) -> list[Dispute]:
    """See `Seller.disputes`."""
    return [describe(case) for case in sellers_cases(market, listing, ended=ended)]


# ------------------------------------------------------------------------------------------------------ the challenge


def open_dispute(market: Market, order_id: int, round: int | None, unseen: bool) -> OpenedDispute:
    """See `Buyer.open_dispute`."""
    reception = Reception.open(market, order_id, round)
    case = reception.case
    label = f"challenge-{order_id}-{case.round}"
    sent, approval = market.resume(label), None
    if sent is None:
        if case.settlement and case.challenge and case.state not in ("paid-to-buyer", "paid-to-seller"):
            return OpenedDispute(describe(case), None, resumed=True)
        _refuse_to_open(reception, unseen)
        try:
            key = case.dispute_key(reception.pair())
        except ProblemError as error:
            raise error.error from error
        approval = _approve(case)
        bond = case.bond if case.terms.native else 0
        call = calls.challenge(order=order_id, round=case.round, bucket=case.bucket, dispute_key=key.x, bond=bond)
        sent = market.send(label, call)
    event_of(sent.receipt, "Challenged")
    after = read_case(market, order_id, case.round)
    if after.challenge is None:
        raise NetworkError("the challenge was mined, but the node does not show it", "run this again")
    return OpenedDispute(describe(after), sent.receipt, approval, sent.resumed)


def _refuse_to_open(reception: Reception, unseen: bool) -> None:
    case = reception.case
    if (refusal := refusal_to_open(case)) is not None:
        raise refusal
    account, buyer = case.market.account, case.order.buyer
    if account != buyer:
        raise RefusedError(f"only the buyer {buyer} may challenge, not {account}", "use the buyer's account")
    lost = "gas and the bond" if case.bond else "gas"
    try:
        reception.key(reception.manifest(case.released()), reception.pair())
    except ProblemError as error:
        if unseen or case.market.explicit_store or not isinstance(error.error, NotFoundError):
            return
        raise UnseenKeyError(
            f"{error.problem.text}, but only the store on this machine was asked: a challenge costs {lost} for nothing "
            "if the right key was handed out",
            "name the store where the seller pins with --store; `open_dispute` takes unseen=True",
        ) from error
    except NetworkError as error:
        if unseen:
            return
        raise UnseenKeyError(
            f"whether the right key was handed out can't be seen ({error}): if it was, a challenge costs {lost} for "
            "nothing",
            "try again later, or with another store; `open_dispute` takes unseen=True",
        ) from error
    raise RefusedError(
        f"the right key for {case.name} was handed out: a challenge would cost {lost} for nothing",
        "fetch the round; if its content is wrong, `dispute prove` needs no challenge",
    )


def _approve(case: Case) -> Receipt | None:
    """Lets the marketplace take the bond, where it is in tokens."""
    market, address = case.market, case.terms.token
    if case.terms.native or case.bond == 0:
        return None
    tokens.require_balance(market.connection, address, market.account, case.bond)
    spender = market.contract.address
    if tokens.allowance(market.connection, address, market.account, spender) >= case.bond:
        return None
    if market.dry_run:
        market.send("approve", calls.approve(token=address, spender=spender, amount=case.bond))
    return market.sender.approve(address, case.bond)


# ------------------------------------------------------------------------------------------------------------ the end


def claim(market: Market, order_id: int, round: int | None) -> EndedDispute:
    """See `Buyer.claim`."""
    case = read_case(market, order_id, round, "disputed", "claim")
    return _resumed(case) or end(case, "claim")


def settle(market: Market, order_id: int, round: int | None) -> EndedDispute:
    """See `Buyer.settle`."""
    case = read_case(market, order_id, round, "disputed", "settle")
    return _resumed(case) or end(case, "settle")


def end(case: Case, step: str) -> EndedDispute:
    """Sends what ends it now. Raises `RefusedError` where nothing does."""
    call = call_to_end(case)
    if call is None or (step == "claim" and call.function != "claimTimeout"):
        raise RefusedError(words(case), _when(case, step))
    return _ended(case, case.market.send(_label(case), call))


def call_to_end(case: Case) -> Call | None:
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


def _when(case: Case, step: str) -> str:
    if case.state == "answered":
        return "run this again after that; until then the buyer can `fetch`, and `dispute prove` what is wrong"
    if case.state == "challenged":
        return "run this again after that"
    if step == "claim" and call_to_end(case) is not None:
        return "use `dispute settle`"
    return "see it with `dispute show`"


def _label(case: Case) -> str:
    return f"end-{case.order.id}-{case.round}"


def _resumed(case: Case) -> EndedDispute | None:
    sent = case.market.resume(_label(case))
    return _ended(case, sent) if sent else None


def _ended(case: Case, sent: Sent) -> EndedDispute:
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
