"""One round of one order as of one block: what the contract and its events told, and what follows from it.

Pure: nothing here asks a node or a clock. `rounds` reads it. docs/protocol.md §2 "Disputes".
"""

from dataclasses import dataclass, replace

from numerbay_chain.chain.clock import mining_margin
from numerbay_chain.core.errors import NetworkError, RefusedError
from numerbay_chain.core.units import format_amount
from numerbay_chain.crypto.dispute_keys import DisputeContext
from numerbay_chain.protocol.events import Event, challenge_after
from numerbay_chain.protocol.rules import (
    DisputeState,
    bucket_of,
    challengeable_from,
    declinable_until,
    dispute_deadline,
    dispute_state,
)
from numerbay_chain.protocol.types import (
    ZERO_HASH,
    Challenge,
    CopyDelivery,
    Delivery,
    Listing,
    Order,
    Release,
    Settlement,
    Terms,
    Token,
)


@dataclass(frozen=True, slots=True)
class OrderRound:
    """A round of an order, as it stands after a block, with its hash; `now`: the time that a transaction meets then, in
    Unix seconds.

    `content_hash`: what was promised to the order, 32 zeros where that is nothing yet; `posted`: the envelopes that its
    key may be in, the first ones first.
    `challenge` is there also when it has ended; `faulty_at`: when the round, or this order's challenged copy, was
    proven faulty (0: never); `opened`, `answered` and `ended` are the events of it.
    """

    chain_id: int
    marketplace: str
    block_hash: bytes
    now: int
    order: Order
    listing: Listing
    token: Token
    round: int
    release: Release | None
    missed: bool
    settlement: Settlement
    content_hash: bytes
    faulty_at: int
    posted: tuple[Delivery, ...]
    copy: CopyDelivery | None
    challenge: Challenge | None
    opened: Event | None
    answered: Event | None
    ended: Event | None

    def challenged(self, event: Event) -> "OrderRound":
        """The same after the challenge that an event tells of."""
        opened = challenge_after(None, event)
        return replace(
            self, settlement=Settlement.CHALLENGED, challenge=opened, opened=event, now=event["challengedAt"]
        )

    @property
    def name(self) -> str:
        return f"round {self.round} of order {self.order}"

    @property
    def terms(self) -> Terms:
        return self.listing.terms

    @property
    def context(self) -> DisputeContext:
        """What one-time keys and answers are bound to."""
        return DisputeContext(self.chain_id, bytes.fromhex(self.marketplace[2:]), self.order.id, self.round)

    @property
    def keys_posted(self) -> bool:
        """Whether envelopes were posted since the order was bought: its key may be in them."""
        return bool(self.posted) and not (self.terms.copies and self.content_hash == ZERO_HASH)

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

    def amount(self, value: int) -> str:
        """In the listing's token, for people."""
        return format_amount(value, self.token.symbol, self.token.decimals)
