"""The challenge that begins a dispute: sent once, and it can be run again.

The challenge's one-time key derives from the buyer's own key file: a crash between it and a proof loses nothing.
docs/protocol.md §2 "Disputes". Proofs are in `prove`.
"""

from contextlib import suppress

from numerbay_chain.chain.clock import Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.chain.sending.outbox import Sent
from numerbay_chain.core.errors import NetworkError, RefusedError, RevertedError, UnseenKeyError
from numerbay_chain.core.home.keyfile import KeyPair
from numerbay_chain.crypto.dispute_keys import DisputeKey
from numerbay_chain.disputes.advice import changed_meanwhile, describe, refusal_to_open, words
from numerbay_chain.disputes.keys import dispute_key
from numerbay_chain.disputes.recourse import RECOURSE
from numerbay_chain.disputes.results import Dispute, OpenedDispute
from numerbay_chain.disputes.views import newest_keyless
from numerbay_chain.orders.allowance import ensure_allowance, missing_approval
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.rounds import read_again, read_round
from numerbay_chain.protocol.events import Receipt, event_of
from numerbay_chain.protocol.types import Settlement
from numerbay_chain.retrieval.key_sources import content_key, pair_of
from numerbay_chain.retrieval.promise import Promise
from numerbay_chain.retrieval.results import ProblemError
from numerbay_chain.session import Session


def open_dispute(session: Session, order: int, round: int | None = None, *, unseen: bool = False) -> OpenedDispute:
    """Challenge a released round: the seller has to respond with the content key, or price and bond come back. Pays the
    bond. `round` None: the newest one without a key that can be challenged, else the newest one released.

    Raises `RefusedError` where the round can't be challenged (not adjudicated, declinable, matured, settled), and
    where the right key was handed out; `UnseenKeyError` where the store can't be asked whether it was, or lacks what
    was posted, unless `unseen` agrees to that; `AccountError` without the key file that the order was bought with. A
    challenge that is open already is returned without a receipt.
    """
    case = _meant(session, order, round)
    waited = session.sending.holds(_label_to_open(case))
    if sent := session.sending.resume(_label_to_open(case)):
        return _opened(session, case, sent)
    if _is_open(case):
        return OpenedDispute(describe(session, case), None, resumed=True)
    key = _ready(session, case, unseen)
    approved = ensure_allowance(session, case.terms.token, case.bond)
    took_long = waited or approved is not None or case.keys_posted or case.terms.copies
    with session.decision():
        if took_long or session.connection.decision is not None:
            case = _still_open(session, case)
        session.confirm()
        stake = session.sending.at_stake(case.terms.token, case.order.price)
        window = Window(case.challengeable_from, case.matures_at - 1, stake=stake)
        sent = session.sending.send(_label_to_open(case), _challenge(case, key), window=window)
    return _opened(session, case, sent, approved)


def _still_open(session: Session, case: OrderRound) -> OrderRound:
    """What a challenge rests on, as it stands now: an earlier transaction was waited for, the store was read, or tokens
    were approved. It is all asked of a second node too: with keys that a node leaves out, a challenge would be for
    nothing. Raises `RefusedError`."""
    now = read_again(session, case)
    if (refusal := refusal_to_open(now)) is not None:
        raise refusal
    if now.posted != case.posted:  # the key may be among them, which takes reading
        raise changed_meanwhile(f"this changed meanwhile: {words(session, now)}")
    return now


def resume_challenge(session: Session, order: int, round: int | None = None) -> OpenedDispute | None:
    """Return what became of a challenge that an interrupted `open_dispute` had sent; None if there is none."""
    if not session.sending.holds(f"challenge-{order}-"):
        return None
    case = _meant(session, order, round)
    sent = session.sending.resume(_label_to_open(case))
    return _opened(session, case, sent) if sent else None


def preview(session: Session, order: int, round: int | None = None, *, unseen: bool = False) -> Dispute:
    """Return how the round stands that `open_dispute` would challenge. Sends nothing, and raises what that would raise,
    missing money too."""
    case = _meant(session, order, round)
    if not _is_open(case):
        key = _ready(session, case, unseen)
        session.sending.sender.plan(missing_approval(session, case.terms.token, case.bond) or _challenge(case, key))
    return describe(session, case)


def _meant(session: Session, order_id: int, round: int | None) -> OrderRound:
    """Where no round is named: one whose challenge an interrupted call may have sent; else the newest without a key
    that can be challenged; else the newest released."""
    if round is not None:
        return read_round(session, order_id, round)
    for label in session.sending.outbox.untold(f"challenge-{order_id}-"):
        case = read_round(session, order_id, int(label.rpartition("-")[2]))
        if case.state != "none" or refusal_to_open(case) is None:  # else it never got there, and never will
            return case
    newest = read_round(session, order_id, None)
    return newest_keyless(session, newest) or newest


def _label_to_open(case: OrderRound) -> str:
    return f"challenge-{case.order.id}-{case.round}"


def _is_open(case: OrderRound) -> bool:
    return case.settlement is Settlement.CHALLENGED


def _opened(session: Session, case: OrderRound, sent: Sent, approval: Receipt | None = None) -> OpenedDispute:
    event = event_of(sent.receipt, "Challenged")
    after = read_again(session, case) if sent.resumed else case.challenged(event)  # it may have ended since
    return OpenedDispute(describe(session, after), sent.receipt, approval, sent.resumed)


def _challenge(case: OrderRound, key: DisputeKey) -> Call:
    bond = case.bond if case.terms.native else 0
    return calls.challenge(order=case.order.id, round=case.round, bucket=case.bucket, dispute_key=key.x, bond=bond)


def _ready(session: Session, case: OrderRound, unseen: bool) -> DisputeKey:
    """The one-time key of a challenge that makes sense. Raises what speaks against it."""
    account, buyer = session.account, case.order.buyer
    if account != buyer:
        raise RefusedError(
            f"only the buyer {buyer} may challenge, not {account}", "use the buyer's account", code="not-buyer"
        )
    if (refusal := refusal_to_open(case)) is not None:
        raise refusal
    promise = Promise(session, case, RECOURSE)
    try:
        pair = pair_of(promise)
    except ProblemError as error:
        raise error.error from error
    key = dispute_key(case, pair)
    _refuse_for_nothing(promise, pair, unseen)
    _refuse_twice(session, case)
    return key


def _refuse_for_nothing(promise: Promise, pair: KeyPair, unseen: bool) -> None:
    """Where the right key was handed out, or that can't be seen: the contract does not know of envelopes."""
    case = promise.case
    lost = "gas and the bond" if case.bond else "gas"
    try:
        content_key(promise, promise.manifest(case.released()), pair)
    except ProblemError as error:
        if unseen or not isinstance(error.error, NetworkError):
            return
        raise UnseenKeyError(
            f"{error.problem.text}: try another --store first, a challenge costs {lost} for nothing if the right key "
            "was handed out",
            "name the store where the seller pins; `open_dispute` takes unseen=True",
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
        code="nothing-to-prove",
    )


def _refuse_twice(session: Session, case: OrderRound) -> None:
    """Where a challenge of an interrupted call was sent, and a dry run does not wait for it."""
    label = _label_to_open(case)
    transaction = session.sending.outbox.untold(label).get(label)  # not that of round 10 for round 1
    with suppress(RevertedError):  # mined without effect
        if transaction and session.sending.sender.lookup(transaction) == "pending":
            raise RefusedError(
                f"{case.name} is challenged already by transaction {transaction}, which is not mined yet",
                "run this again, without --dry-run, to wait for it",
                code="earlier-pending",
            )
