"""Reading rounds of orders: one look at the chain, one request for all that the contract holds of them, and one
question for the events of `MOST_ROUNDS`. What events tell is compared with what the contract keeps of it.

A round that this session has read in the same block is not read again: it is the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from numerbay_chain.chain.contract import challenge_hash
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.index.questions import (
    MOST_ROUNDS,
    ROUNDS,
    envelopes_in,
    read_about,
    read_rounds,
    release_in,
    require_rounds,
)
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.protocol.facts import Facts, RoundFacts
from numerbay_chain.protocol.rules import OVER, WAITING, Step
from numerbay_chain.protocol.types import ZERO_HASH, Listing, Order, Settlement
from numerbay_chain.session import Session

Pair = tuple[int, int]
"""An order and a round."""
Prefer = Literal["released", "open", "disputed"]
"""Which round is meant where none is named: the newest one released; the newest whose dispute is open, else that; or,
between these two, the newest that was ever disputed."""


def read_round(
    session: Session, order: int, round: int | None, prefer: Prefer = "released", step: Step | None = None
) -> OrderRound:
    """Return a round of an order as it stands now; where none is named, before all others the newest one that waits for
    `step`. Raise `RevertedError` (no such order)."""
    look = session.contract.look()
    if round is not None:
        return _read(session, look, [(order, round)])[0]
    look.load(("order", order), ("listing", order >> 32))
    held, listing = look.order(order), look.listing(order >> 32)
    if prefer != "released":
        disputed = _read(session, look, [(order, one) for one in _disputed_rounds(session, look, held)], held)
        waiting = WAITING[step] if step else ()
        open_ = [one for one in disputed if one.state not in OVER]
        chosen = next((one for one in open_ if one.state in waiting), open_[0] if open_ else None)
        if chosen is None and prefer == "disputed" and disputed:
            chosen = disputed[0]
        if chosen is not None:
            return chosen
    newest = _newest_round(session, look, held, listing)
    return _read(session, look, [(order, newest)], held)[0]


def read_many(session: Session, pairs: Iterable[Pair], look: Snapshot | None = None) -> list[OrderRound]:
    """Return rounds of orders, each as `read_round`, all of one block."""
    asked = [*pairs]
    return _read(session, look or session.contract.look(), asked) if asked else []


def read_again(session: Session, case: OrderRound) -> OrderRound:
    """Return the same round as it stands now: what took long to read may have changed it."""
    return read_round(session, case.order.id, case.round)


def _read(session: Session, look: Snapshot, pairs: Sequence[Pair], held: Order | None = None) -> list[OrderRound]:
    """`held`: as for `_load`."""
    found = {pair: known for pair in pairs if (known := _known(session, look, pair))}
    missing = [pair for pair in pairs if pair not in found]
    _load(session, look, missing, held)
    look.tokens([look.listing(order >> 32).terms.token for order, _ in missing])
    for start in range(0, len(missing), MOST_ROUNDS):
        for case in _with_events(session, look, missing[start : start + MOST_ROUNDS]):
            found[case.order.id, case.round] = case
            session.memory.keep(("round", case.order.id, case.round), case)
    return [found[pair] for pair in pairs]


def _known(session: Session, look: Snapshot, pair: Pair) -> OrderRound | None:
    """What was read of the look's block before; None within a decision, where a second node is to be asked all of
    it."""
    known = session.memory.known(("round", *pair))
    if not isinstance(known, OrderRound) or known.block_hash != look.hash or session.connection.decision is not None:
        return None
    return replace(known, now=look.time)


def _load(session: Session, look: Snapshot, pairs: Sequence[Pair], held: Order | None = None) -> None:
    """Ask the contract all about these rounds, in one request. `held`: their one order, where it was read before: the
    public key that it was bought with comes along, and is kept for who opens an envelope."""
    questions: list[tuple[Any, ...]] = []
    for order, round in pairs:
        listing = order >> 32
        questions += [("order", order), ("listing", listing)]
        questions += [(name, order, round) for name in ("settled", "challenge_of", "copy_faulty_at", "hash_of")]
        questions += [(name, listing, round) for name in ("is_missed", "faulty_at")]
    if held is not None and pairs:
        look.load(*questions, ("key_at", held.buyer, held.epoch))
        session.memory.keep(("public key", held.buyer, held.epoch), look.key_at(held.buyer, held.epoch))
    else:
        look.load(*questions)


def _with_events(session: Session, look: Snapshot, pairs: Sequence[Pair]) -> list[OrderRound]:
    """Events are asked for where the contract lets any be expected: a round that is not out has none."""
    told = [(look.order(order), round) for order, round in pairs if _is_told(look, order, round)]
    facts = read_rounds(session.index, told, last=look.block) if told else Facts()
    return [_order_round(session, look, facts, order, round) for order, round in pairs]


def _is_out(look: Snapshot, order: int, round: int) -> bool:
    return look.order(order).covers(round) and round < look.listing(order >> 32).next_round


def _is_told(look: Snapshot, order: int, round: int) -> bool:
    """What refunds an order's last round as faulty ends the order before it, and settles nothing."""
    if not _is_out(look, order, round):
        return round < look.listing(order >> 32).next_round
    return not look.is_missed(order >> 32, round) or look.settled(order, round) is not Settlement.NONE


def _order_round(session: Session, look: Snapshot, facts: Facts, id: int, round: int) -> OrderRound:
    order, listing = look.order(id), look.listing(id >> 32)
    known, out = facts.order(id).at(round), _is_out(look, id, round)
    missed = out and look.is_missed(listing.id, round)
    settlement = look.settled(id, round) if out else Settlement.NONE
    if settlement is Settlement.CHALLENGED:
        _require_challenge(session, look, known, order, round)
    faulty_at = 0
    if out and listing.terms.adjudicated:
        faulty_at = look.copy_faulty_at(id, round) if listing.terms.copies else look.faulty_at(listing.id, round)
    return OrderRound(
        chain_id=session.connection.chain_id,
        marketplace=session.contract.address,
        block_hash=look.hash,
        now=look.time,
        order=order,
        listing=listing,
        token=look.token(listing.terms.token),
        round=round,
        release=release_in(session.index, facts, listing.id, round) if out and not missed else None,
        missed=missed,
        settlement=settlement,
        content_hash=look.hash_of(id, round) if out and not missed else ZERO_HASH,
        faulty_at=faulty_at,
        posted=tuple(envelopes_in(facts, order, round)),
        copy=known.copy,
        challenge=known.challenge,
        opened=known.opened,
        answered=known.answered,
        ended=known.outcome,
    )


def _require_challenge(session: Session, look: Snapshot, known: RoundFacts, order: Order, round: int) -> None:
    """Raise `NetworkError` (`node-incomplete`) unless a challenge that is open is the one that the contract holds."""
    if known.challenge is None or challenge_hash(known.challenge) != look.challenge_of(order.id, round):
        raise NetworkError(
            f"{session.index.name} left out logs of the challenge of order {order}",
            "use another node",
            code="node-incomplete",
        )


def _disputed_rounds(session: Session, look: Snapshot, order: Order) -> list[int]:
    """The newest first. A faulty round counts while it is the order's, and once it was paid back."""
    names = ("Challenged", "FaultyRefunded", "RoundFaulty")
    facts = read_about(session.index, [order.listing, order.id], names, last=look.block)
    faulty = {round for round in facts.listing(order.listing).faulty if order.covers(round)}
    return sorted(faulty | facts.order(order.id).rounds.keys(), reverse=True)


def _newest_round(session: Session, look: Snapshot, order: Order, listing: Listing) -> int:
    """The newest released round that the order covers, else its next one."""
    over = range(order.first, min(order.end, listing.next_round))
    if over:
        _load(session, look, [(order.id, over[-1])], order)
    if over and look.is_missed(listing.id, over[-1]):
        facts = read_about(session.index, [listing.id], ROUNDS, last=look.block)
        require_rounds(session.index, facts, listing)
        missed = facts.listing(listing.id).is_missed
        over = range(over.start, next((round + 1 for round in reversed(over) if not missed(round)), over.start))
    return over[-1] if over else max(order.first, min(listing.next_round, order.end - 1))
