"""Rounds that were not released in time: skipped by anybody, then paid back to each order that covers them."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice, takewhile
from typing import Final

from numerbay_chain.chain.clock import Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.sending.steps import Prepared
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.index.questions import read_about, read_listing
from numerbay_chain.orders.payouts import paid_by
from numerbay_chain.protocol.events import Done
from numerbay_chain.protocol.facts import Facts
from numerbay_chain.protocol.gas import RECLAIM_GAS
from numerbay_chain.protocol.rules import is_in
from numerbay_chain.protocol.types import Listing, Order, Settlement, Token
from numerbay_chain.session import Session

MOST_TRANSACTIONS: Final = 200
"""Of one call: an order of a year's daily rounds takes two for each that nobody released."""

_PAID_BACK: Final = ("Skipped", "MissedRefunded")

Claim = tuple[int, int]
"""An order, and a round that it was not given and not paid back for."""


@dataclass(frozen=True, slots=True)
class MissedRounds:
    """What is owed for missed and overdue rounds. `overdue` are skipped first, a transaction each; then each of
    `claims` is paid back, a transaction each. `more`: transactions that are left for another call. `amount` in the
    token's smallest unit, `gas` in units, `fee` the most that it can cost now, in wei of the
    `coin`. `skipped`: all rounds of the listing that were skipped, in order."""

    listing: Listing
    token: Token
    overdue: range
    claims: tuple[Claim, ...]
    amount: int
    more: int
    gas: int
    fee: int
    coin: str
    skipped: tuple[int, ...] = ()

    @property
    def transactions(self) -> int:
        return len(self.overdue) + len(self.claims)


def missed_of_order(session: Session, order: int, round: int | None = None) -> MissedRounds:
    """Return what `collect_missed` would pay back, in how many transactions, for how much gas. Sends nothing. Raises
    `RevertedError` where there is no such order."""
    look = session.contract.look()
    return _missed_of_order(session, look, order, round)


def _missed_of_order(session: Session, look: Snapshot, order: int, round: int | None) -> MissedRounds:
    look.load(("order", order), ("listing", order >> 32))
    held, listing = look.order(order), look.listing(order >> 32)
    facts = read_about(session.index, [listing.id, order], _PAID_BACK, last=look.block)
    return _find(session, look, listing, [held], facts, round)


def missed_of_listing(session: Session, listing_id: int) -> MissedRounds:
    """Return what `collect_all_missed` would pay back. Sends nothing. Raises `RevertedError` where there is no such
    listing."""
    look = session.contract.look()
    listing = look.listing(listing_id)
    facts = read_listing(session.index, listing, _PAID_BACK, last=look.block)
    return _find(session, look, listing, [facts.order(id).sold for id in listing.order_ids()], facts, None)


def _find(
    session: Session, look: Snapshot, listing: Listing, orders: Sequence[Order], facts: Facts, round: int | None
) -> MissedRounds:
    paid = [order for order in orders if order.price]
    end = max((order.end for order in paid), default=0)
    late = listing.overdue(look.time)
    overdue = range(late.start, max(min(late.stop, end if round is None else round + 1), late.start))
    missed = facts.listing(listing.id).missed
    claims, count = _claims(facts, paid, [*missed, *overdue] if round is None else [round])
    prices = {order.id: order.price for order in paid}
    first = overdue[:MOST_TRANSACTIONS]
    last = max(first.stop, listing.next_round)  # what is later has to be skipped by another call
    there = takewhile(lambda claim: claim[1] < last, claims)
    chosen = tuple(islice(there, MOST_TRANSACTIONS - len(first)))
    gas = RECLAIM_GAS["skip"] * len(first) + RECLAIM_GAS["refundMissed"] * len(chosen)
    return MissedRounds(
        listing=listing,
        token=look.token(listing.terms.token),
        overdue=first,
        claims=chosen,
        amount=sum(prices[order] for order, _ in chosen),
        more=len(overdue) + count - len(first) - len(chosen),
        gas=gas,
        fee=gas * session.connection.gas_price(),
        coin=session.connection.coin,
        skipped=tuple(missed),
    )


def _claims(facts: Facts, orders: Sequence[Order], missed: Sequence[int]) -> tuple[Iterator[Claim], int]:
    """The claims to these rounds (in order), the oldest round first, and how many there are: orders times rounds, which
    are not listed. So much is paid back by the logs, and the contract is asked again before any is paid."""
    paid = {
        (order.id, round) for order in orders for round, known in facts.order(order.id).rounds.items() if known.missed
    }

    def covered(order: Order) -> range:
        return range(bisect_left(missed, order.first), bisect_left(missed, order.end))

    def of(order: Order) -> Iterator[tuple[int, int]]:
        return ((missed[place], order.id) for place in covered(order) if (order.id, missed[place]) not in paid)

    count = sum(len(covered(order)) for order in orders) - sum(is_in(missed, round) for _, round in paid)
    return ((order, round) for round, order in merge(*map(of, orders))), count


def collect_missed(session: Session, order: int, round: int | None = None) -> list[Done]:
    """Get missed rounds paid back (all, or one); skip the overdue ones among them first. By anyone, for the order's
    buyer. Sends at most 200 transactions: what is left (`missed`) takes another call."""
    look = session.contract.look()
    found = _missed_of_order(session, look, order, round)
    resumed = _resume(session, look.order(order), found, round)
    left = [claim for claim in found.claims if claim[1] not in {done.round for done in resumed}]
    if round is not None and not resumed:
        left = [(order, round)]  # what can't be paid back is the contract's to say
    return sorted(resumed + _pay(session, found, left), key=lambda done: done.round or 0)


def collect_all_missed(session: Session, listing_id: int) -> list[Done]:
    """Get missed rounds of every order of a listing that was paid for paid back, to each order's buyer. By anyone.
    Sends at most 200 transactions."""
    found = missed_of_listing(session, listing_id)
    return _pay(session, found, found.claims)


def _resume(session: Session, order: Order, found: MissedRounds, round: int | None) -> list[Done]:
    """What interrupted calls had sent for this order, also where its log is there already."""
    over = found.skipped if round is None else [round]
    sent = (session.sending.resume(_label(order.id, one)) for one in over if order.covers(one))
    return [paid_by(one, "MissedRefunded", found.token) for one in sent if one is not None]


def _pay(session: Session, found: MissedRounds, claims: Sequence[Claim]) -> list[Done]:
    _skip(session, found)
    paid: list[Done] = []
    settled = dict(zip(claims, session.contract.settlements(claims), strict=True))
    for order, round in claims:

        def prepare(claim: Claim = (order, round)) -> Prepared | None:
            if settled[claim] is not Settlement.NONE:
                return None  # somebody else was faster
            return Prepared(calls.refund_missed(order=claim[0], round=claim[1]))

        try:
            sent = session.sending.resume_or_send(_label(order, round), prepare)
        except RevertedError as error:
            if error.name != "AlreadySettled":
                raise
            continue
        if sent is not None:
            paid.append(paid_by(sent, "MissedRefunded", found.token))
    return paid


def _label(order: int, round: int) -> str:
    return f"missed-{order}-{round}"


def _skip(session: Session, found: MissedRounds) -> None:
    """Skip the overdue rounds, each once, as anybody may."""
    contract, id = session.contract, found.listing.id
    label = f"skip-{id}"
    session.sending.resume(label)  # one that was on its way moves the listing to its next round
    next_round = contract.listing(id).next_round if found.overdue else 0
    for round in found.overdue:
        if next_round > round:
            continue
        due = found.listing.terms.due(round)
        window = Window(after=None if due is None else due + 1)
        session.sending.send(label, calls.skip(listing=id, round=round), window=window)
        next_round = contract.listing(id).next_round
        if next_round <= round:
            raise NetworkError(
                f"the node does not know yet that round {round} was skipped", "run this again", code="node-behind"
            )
