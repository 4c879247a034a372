"""A seller's answers to challenges, from the chain and the seller secret alone.

The manifest stands in the release's log, and the key derives from its salt and the secret: a machine that has nothing
else can answer. Of a copy only the hash is on chain: its manifest comes from the journal, else from the store.
docs/protocol.md §2 "Disputes".
"""

from collections.abc import Collection
from hashlib import sha256
from typing import Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.clock import MINING_TIME, Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.core.errors import (
    AccountError,
    ExitCode,
    NetworkError,
    NumerbayChainError,
    RefusedError,
    RevertedError,
    TooLateError,
)
from numerbay_chain.core.units import format_duration, format_until
from numerbay_chain.crypto.dispute_keys import seal_response
from numerbay_chain.delivery import posting
from numerbay_chain.delivery.journal import RoundJournal
from numerbay_chain.disputes.advice import changed_meanwhile, command, words
from numerbay_chain.disputes.docket import OpenChallenge, confirmed_challenges, in_time, open_challenges, scope_of
from numerbay_chain.disputes.results import Answer, Answers, Unanswered
from numerbay_chain.orders.manifests import resolve_manifest
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.rounds import read_again, read_round
from numerbay_chain.protocol.events import event_of
from numerbay_chain.protocol.finality import FINALITY_ENDS
from numerbay_chain.protocol.rules import is_operated, require_operator
from numerbay_chain.protocol.types import ZERO_HASH, Challenge
from numerbay_chain.session import Session

_EACH: Final = 24
"""Seconds that an answer takes until it is mined and the next one follows: two of Ethereum's blocks."""
_READING: Final = 600
"""Seconds that content is read for one answer at most."""


def respond(
    session: Session, order: int | None = None, round: int | None = None, *, listings: Collection[int] = ()
) -> Answers:
    """Respond to a challenge with the content key, or to all that are open about the listings that the account looks
    after (`looks_after`), own ones and urgent ones first; from the chain and the seller secret alone.

    What can't be answered (yet) is in `.left`, with the reason. A challenge with nothing at stake is answered only
    where its order is named. Without `order` it looks at last for challenges that the node left out
    (`confirmed_challenges`), and answers those: `.doubt` says where it can't be sure.

    Raises `RefusedError` where an order was named and there is nothing to answer, `AccountError` where the seller
    secret is not the one it was sealed with.
    """
    if order is None:
        return _respond_all(session, listings)
    case = read_round(session, order, round, "disputed", "respond")
    if case.state != "challenged":
        earlier = _resumed(session, case)
        if earlier is not None:
            return Answers((earlier,), ())
        raise RefusedError(
            f"there is nothing to answer: {words(session, case)}", _instead(case), code="nothing-to-answer"
        )
    young = _young(session, case)
    if young is not None:
        return Answers((), (young,))
    with session.content.reading(session.clock.left(case.deadline or 0, case.margin, case.now)):
        return Answers((_respond(session, case),), ())


def _instead(case: OrderRound) -> str:
    if case.state == "answered":
        return "wait for that"
    if case.state == "unproven":
        return f"use `{command(case, 'dispute settle')}`"
    return "see what there is to answer with `dispute list --seller`"


def _respond_all(session: Session, named: Collection[int]) -> Answers:
    """The most urgent first, what nothing is at stake for not at all. One that can't be answered does not keep the
    others from it, nor does one that the node leaves out."""
    answered: list[Answer] = []
    left: list[Unanswered] = []
    worthless = 0
    try:
        look = session.contract.look()
        challenges = open_challenges(session, scope_of(session, named, look), look)
        staked = [one for one in challenges if one.at_stake]
        _answer_in_turn(session, staked, answered, left)
        # of what a node says about worth, the contract's word is asked once all else is done
        free = [one for one in challenges if not one.at_stake and not one.answered]
        doubtful, free = _by_worth(session, free, left)
        _answer_in_turn(session, doubtful, answered, left)
        worthless = len(free)
        seen = {(one.order, one.round) for one in challenges}
        others = [one for one in confirmed_challenges(session, named) if (one.order, one.round) not in seen]
        _answer_in_turn(session, [one for one in others if one.at_stake], answered, left)
    except NetworkError as error:
        if session.dry_run or not (answered or left):
            raise
        return Answers(tuple(answered), tuple(left), error, worthless)
    return Answers(tuple(answered), tuple(left), worthless=worthless)


def _by_worth(
    session: Session, free: list[OpenChallenge], left: list[Unanswered]
) -> tuple[list[OpenChallenge], list[OpenChallenge]]:
    """Those whose orders were paid for by the contract's word, and those that were free."""
    paid, worthless = list[OpenChallenge](), list[OpenChallenge]()
    if not free:
        return paid, worthless
    look = session.contract.look()
    look.load(*(("order", one.order) for one in free))
    for one in free:
        try:
            (paid if look.order(one.order).price else worthless).append(one)
        except RevertedError as error:  # the logs tell of an order that the contract does not know
            left.append(_kept(one, error))
    return paid, worthless


def _answer_in_turn(
    session: Session, challenges: list[OpenChallenge], answered: list[Answer], left: list[Unanswered]
) -> None:
    if not challenges:
        return
    now = session.clock.now()
    # by the logs these are too late, or answered: what the contract says of them can wait for the others
    last = [one for one in challenges if one.answered or one.deadline < now]
    due = in_time([one for one in challenges if one not in last], now + MINING_TIME, _EACH)
    for number, one in enumerate([*due, *last]):
        try:
            with session.content.reading(_share(session, due[number:])):
                case = read_round(session, one.order, one.round)
                if case.state == "unanswered":
                    left.append(_missed(case))
                elif case.state == "challenged":
                    young = _young(session, case)
                    if young is None:
                        answered.append(_respond(session, case))
                    else:
                        left.append(young)
        except NumerbayChainError as error:
            if session.dry_run:
                raise
            left.append(_kept(one, error))
            session.connection.block_number()  # a node that is gone ends this


def _share(session: Session, due: list[OpenChallenge]) -> float:
    """Seconds that content may be read for the first of these, so that all get their share of the time that is left:
    a store that hangs for one of them must not use up another one's deadline."""
    if not due:
        return _READING
    left = max(session.clock.left(min(one.deadline for one in due)) - MINING_TIME, 0)
    return min(left / len(due), _READING)


def _respond(session: Session, case: OrderRound) -> Answer:
    opened = case.challenge
    require_operator(case.listing, session.account)
    earlier = _resumed(session, case)
    if earlier is not None:
        return earlier
    if opened is None:
        raise RefusedError(words(session, case), code="nothing-to-answer")
    until = _refuse_late(session, case)
    manifest = manifest_of(session, case)
    order = case.order.id if case.terms.copies else 0
    try:
        key = posting.content_key(session, Manifest.decode(manifest), case.listing.id, case.round, order)
    except AccountError as error:
        raise AccountError(
            f"{case.name} can't be answered with this seller secret: {error}",
            f"{error.hint}; if it is lost, {case.amount(opened.stake)} can be settled to the buyer after the deadline",
            code="wrong-secret",
        ) from error
    response = seal_response(key, opened.dispute_key, case.context)
    call = calls.respond(
        order=case.order.id,
        round=case.round,
        opened=opened,
        manifest=manifest,
        response_key=response.response_key,
        sealed_key=response.sealed_key,
    )
    stake = session.sending.at_stake(case.terms.token, opened.stake)
    with session.decision():
        _require_unchanged(session, case, manifest)
        # an answer is sealed anew each time
        window = Window(until=until, margin=case.margin, stake=stake)
        sent = session.sending.send_secret(_label(case), call, window, _identity(case, opened))
    event_of(sent.receipt, "Responded")
    return Answer(case.order.id, case.round, sent.receipt, sent.resumed)


def _require_unchanged(session: Session, case: OrderRound, manifest: bytes) -> None:
    """All that the answer rests on, read once more: what took long to read may have changed it, and a second node is
    asked the same. Raises `RefusedError`."""
    now = read_again(session, case)
    sold_by_us = is_operated(now.listing, session.account)
    # a buyer who cancels meanwhile stops no answer: it is sealed to the key of the challenge
    if (now.state, now.challenge, now.order.buyer) != (
        "challenged",
        case.challenge,
        case.order.buyer,
    ) or not sold_by_us:
        raise changed_meanwhile(f"this changed meanwhile: {words(session, now)}")
    if now.content_hash != sha256(manifest).digest():
        raise changed_meanwhile(f"{case.name} was promised other content than its answer is about")
    if (young := _young(session, now)) is not None:
        raise RefusedError(young.reason, code="too-early")


def _refuse_late(session: Session, case: OrderRound) -> int:
    """The last second for the answer. One that is mined later is refused by the contract, and the buyer reads the key
    in it all the same. Raises `TooLateError`."""
    until = case.deadline
    if until is None:
        raise RefusedError(words(session, case), code="nothing-to-answer")
    if session.clock.is_late(until, case.margin, case.now):
        by = format_until(until, case.now)
        raise TooLateError(
            f"{case.name} had to be answered until {by}: an answer could be mined too late, and give the buyer the key "
            "for nothing",
            "look at `dispute list --seller` more often",
        )
    return until


def manifest_of(session: Session, case: OrderRound) -> bytes:
    """Return the manifest whose hash was posted for the order, 288 bytes. Raises `RefusedError` where there is none,
    and as `resolve_manifest`."""
    release = case.released()
    if case.content_hash == ZERO_HASH:
        raise RefusedError(
            f"no copy of round {case.round} was posted for order {case.order}: the challenge can't be answered",
            "its money goes back to the buyer",
            code="no-copy",
        )
    journal = RoundJournal(session.journal_folder(case.listing.id), case.listing.id)
    entry = journal.load(case.round) if case.terms.copies else None
    known = entry.copy_manifest(case.order.id) if entry else b""
    return resolve_manifest(session, case.listing, release, case.content_hash, known)


def _young(session: Session, case: OrderRound) -> Unanswered | None:
    """A challenge that could still vanish, with the order that it is about, is answered later, if there is time."""
    deadline = case.deadline
    if case.opened is None or deadline is None:
        return None
    wait = session.finality().seconds_left(case.opened.block)
    if wait == 0 or case.now + wait + FINALITY_ENDS > deadline:
        return None
    reason = f"the challenge is not final yet: that takes about {format_duration(wait)} more; run this again then"
    return Unanswered(case.order.id, case.round, reason, deadline, False, ExitCode.DONE, "too-early")


def _missed(case: OrderRound) -> Unanswered:
    reason = f"it is too late, {case.amount(case.price + case.bond)} can be claimed by the buyer"
    return Unanswered(case.order.id, case.round, reason, _deadline(case), True, ExitCode.REFUSED, "too-late")


def _kept(challenge: OpenChallenge, error: NumerbayChainError) -> Unanswered:
    reason = f"{error}" + (f"; {error.hint}" if error.hint else "")
    return Unanswered(challenge.order, challenge.round, reason, challenge.deadline, True, error.exit_code, error.code)


def _deadline(case: OrderRound) -> int | None:
    return case.terms.response_deadline(case.challenge.challenged_at) if case.challenge else None


def _resumed(session: Session, case: OrderRound) -> Answer | None:
    sent = session.sending.resume(_label(case))
    return Answer(case.order.id, case.round, sent.receipt, sent.resumed) if sent else None


def _label(case: OrderRound) -> str:
    """A challenge that fell out of the chain and came back needs another answer."""
    since = case.challenge.challenged_at if case.challenge else 0
    return f"respond-{case.order.id}-{case.round}-{since}"


def _identity(case: OrderRound, opened: Challenge) -> str:
    return f"respond {case.order.id} {case.round} to {opened.dispute_key:064x} of {opened.challenged_at}"
