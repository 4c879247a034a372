"""One round of one order as a dispute sees it: rebuilt from the contract and its logs, whose turn it is, until when.

docs/protocol.md §2 "Disputes". What is read here is the node's word, compared with what the contract keeps of it.
"""

from dataclasses import dataclass
from typing import Literal

from numerbay_chain.chain.clock import mining_margin
from numerbay_chain.chain.contract import challenge_hash
from numerbay_chain.core.errors import NetworkError, RefusedError
from numerbay_chain.core.units import format_amount
from numerbay_chain.crypto.dispute_keys import DisputePlace
from numerbay_chain.index.questions import DISPUTES, ROUNDS, read_about, release_in, require_rounds
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.facts import Facts, OrderRound
from numerbay_chain.protocol.rules import (
    OVER,
    WAITING,
    DisputeState,
    Step,
    bucket_of,
    challengeable_from,
    declinable_until,
    dispute_deadline,
    dispute_state,
)
from numerbay_chain.protocol.types import Challenge, Listing, Order, Release, Settlement, Terms, Token
from numerbay_chain.session import Market


@dataclass(frozen=True, slots=True)
class Case:
    """`challenge` is there also when it has ended; `faulty_at`: when the round, or this order's challenged copy, was
    proven faulty (0: never); `opened`, `answered` and `ended` are the logs of it."""

    market: Market
    order: Order
    listing: Listing
    round: int
    release: Release | None
    missed: bool
    settlement: Settlement
    faulty_at: int
    challenge: Challenge | None
    opened: Event | None
    answered: Event | None
    ended: Event | None
    now: int

    @property
    def name(self) -> str:
        return f"round {self.round} of order {self.order}"

    @property
    def terms(self) -> Terms:
        return self.listing.terms

    @property
    def token(self) -> Token:
        return self.market.contract.token(self.terms.token)

    @property
    def place(self) -> DisputePlace:
        """What one-time keys and answers are bound to."""
        contract = self.market.contract
        return DisputePlace(
            contract.connection.chain_id, bytes.fromhex(contract.address[2:]), self.order.id, self.round
        )

    def released(self) -> Release:
        """Raises `RefusedError` for a round that was not, or not bought, and `NetworkError` where the logs lack it."""
        if self.release is not None:
            return self.release
        if not self.order.covers(self.round):
            raise self.not_covered()
        if self.missed:
            raise RefusedError(f"{self.name} was missed", "get it paid back with `reclaim --missed`", code="missed")
        if self.round >= self.listing.next_round:
            raise RefusedError(
                f"{self.name} is not released yet", "wait for it, or cancel the order", code="not-released"
            )
        raise NetworkError(
            f"the node left out the release of {self.name}",
            "check from_block, or use another node",
            code="node-incomplete",
        )

    def not_covered(self) -> RefusedError:
        """For a round that is none of the order's."""
        held = self.order
        several = f"rounds {held.first} to {held.end - 1}" if held.rounds > 1 else f"round {held.first}"
        covered = several if held.rounds else "no round any more"
        return RefusedError(
            f"order {held} covers {covered}, not round {self.round}", "see them with `orders`", code="not-covered"
        )

    # ----------------------------------------------------------------------------------------------------- its times

    @property
    def bucket(self) -> int:
        return bucket_of(self.order, self.released())

    @property
    def matures_at(self) -> int:
        """When the seller can withdraw the money, unless it is challenged or the round was proven faulty."""
        return self.terms.maturity_of(self.bucket)

    @property
    def declinable_until(self) -> int | None:
        """The last second in which the round can be declined; None where it can't be (any more)."""
        if self.settlement is not Settlement.NONE:
            return None
        return declinable_until(self.listing, self.order, self.release, self.now)

    @property
    def challengeable_from(self) -> int:
        """The first second for a challenge."""
        return challengeable_from(self.listing, self.released())

    @property
    def state(self) -> DisputeState:
        matures_at = self.matures_at if self.release else 0
        return dispute_state(
            self.terms, self.now, self.settlement, self.challenge, self.ended is not None, self.faulty_at, matures_at
        )

    @property
    def deadline(self) -> int | None:
        """The last second for what comes next; None where there is nothing, or no hurry."""
        return dispute_deadline(self.terms, self.state, self.challenge)

    @property
    def act_until(self) -> int | None:
        """The last second for whatever the buyer can still do about the round, the step that ends first; None where
        nothing hurries."""
        if (until := self.declinable_until) is not None:
            return until
        if self.state in ("challenged", "answered"):
            return self.deadline
        hurries = self.state == "none" and self.release is not None and self.terms.adjudicated
        return self.matures_at - 1 if hurries and self.now < self.matures_at else None

    @property
    def price(self) -> int:
        return self.challenge.price if self.challenge else self.order.price

    @property
    def bond(self) -> int:
        """What is held, or what a challenge would ask for."""
        return self.challenge.bond if self.challenge else self.terms.bond(self.order.price)

    @property
    def margin(self) -> int:
        """Seconds before a deadline in which nothing is sent any more that reveals a secret."""
        return mining_margin(self.terms.response_window)

    def is_late(self, until: int) -> bool:
        """Whether a transaction that is sent now, not when this case was read, may be mined after the second `until`.
        Raises `NetworkError` where the node is too far behind to tell."""
        return self.market.clock.is_late(until, self.margin)

    def again(self) -> "Case":
        """The same round as it stands now: what took long to read may have changed it."""
        return read_case(self.market, self.order.id, self.round)

    def seconds_to_final(self, block: int) -> int:
        """About how many seconds it takes until `block` can't vanish any more."""
        return self.market.finality().seconds_left(block)

    def amount(self, value: int) -> str:
        """In the listing's token, for people."""
        return format_amount(value, self.token.symbol, self.token.decimals)


Prefer = Literal["released", "open", "disputed"]
"""Which round is meant where none is named: the newest one released; the newest whose dispute is open, else that; or,
between these two, the newest that was ever disputed."""


def read_case(
    market: Market, order_id: int, round: int | None, prefer: Prefer = "released", step: Step | None = None
) -> Case:
    """The present state, all of it of one block; where no round is named, before all others the newest one that waits
    for `step`. Raises `RevertedError` (no such order)."""
    block = market.connection.block_number()
    order = market.contract.order(order_id, block=block)
    listing = market.contract.listing(order.listing, block=block)
    if round is None and prefer != "released":
        cases = [_read(market, order, listing, one, block) for one in _disputed_rounds(market, order, block)]
        waiting = WAITING[step] if step else ()
        open_ = [case for case in cases if case.state not in OVER]
        chosen = next((case for case in open_ if case.state in waiting), open_[0] if open_ else None)
        if chosen is None and prefer == "disputed" and cases:
            chosen = cases[0]
        if chosen is not None:
            return chosen
    wanted = _newest_round(market, order, listing, block) if round is None else round
    return _read(market, order, listing, wanted, block)


def _disputed_rounds(market: Market, order: Order, block: int) -> list[int]:
    """The newest first. A faulty round counts while it is the order's, and once it was paid back."""
    names = ("Challenged", "FaultyRefunded", "RoundFaulty")
    facts = read_about(market.index, [order.listing, order.id], names, last=block)
    faulty = {round for round in facts.listing(order.listing).faulty if order.covers(round)}
    return sorted(faulty | facts.order(order.id).rounds.keys(), reverse=True)


def _read(market: Market, order: Order, listing: Listing, round: int, block: int) -> Case:
    contract = market.contract
    out = order.covers(round) and round < listing.next_round
    settlement = contract.settled(order.id, round, block=block) if out else Settlement.NONE
    missed = out and contract.is_missed(listing.id, round, block=block)
    released = out and not missed
    # what refunds an order's last round as faulty ends the order before it, and settles nothing
    quiet = settlement is Settlement.NONE and (out or round >= listing.next_round)
    facts = Facts()
    if released or not quiet:
        subjects, names = [listing.id, order.id], ("Released", *DISPUTES)
        facts = read_about(market.index, subjects, names, last=block, round=round)
    known = facts.order(order.id).at(round)
    if settlement is Settlement.CHALLENGED:
        require_challenge(market, known, order, round, block)
    faulty_at = 0
    if out and listing.terms.adjudicated:
        if listing.terms.copies:
            faulty_at = contract.copy_faulty_at(order.id, round, block=block)
        else:
            faulty_at = contract.faulty_at(listing.id, round, block=block)
    return Case(
        market=market,
        order=order,
        listing=listing,
        round=round,
        release=release_in(market.index, facts, listing.id, round) if released else None,
        missed=missed,
        settlement=settlement,
        faulty_at=faulty_at,
        challenge=known.challenge,
        opened=known.opened,
        answered=known.answered,
        ended=known.outcome,
        now=market.connection.now(),
    )


def require_challenge(market: Market, known: OrderRound, order: Order, round: int, block: int) -> None:
    """Raise `NetworkError` (`node-incomplete`) unless a challenge that is open is the one that the contract holds."""
    held = market.contract.challenge_of(order.id, round, block=block)
    if known.challenge is None or challenge_hash(known.challenge) != held:
        raise NetworkError(
            f"{market.index.name} left out logs of the challenge of order {order}",
            "use another node",
            code="node-incomplete",
        )


def _newest_round(market: Market, order: Order, listing: Listing, block: int) -> int:
    """The newest released round that the order covers, else its next one."""
    over = range(order.first, min(order.end, listing.next_round))
    if over and market.contract.is_missed(listing.id, over[-1], block=block):
        facts = read_about(market.index, [listing.id], ROUNDS, last=block)
        require_rounds(market.index, facts, listing)
        missed = facts.listing(listing.id).is_missed
        over = range(over.start, next((round + 1 for round in reversed(over) if not missed(round)), over.start))
    return over[-1] if over else max(order.first, min(listing.next_round, order.end - 1))
