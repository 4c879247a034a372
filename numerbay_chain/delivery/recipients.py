"""Who has a right to a round's key, out of the logs, and whether those logs agree with what the contract holds."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from numerbay_chain.chain.finality import Finality
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.delivery.results import Left
from numerbay_chain.index.events import EventSource
from numerbay_chain.index.questions import Names, read_about, read_keys, read_listing, read_many_listings
from numerbay_chain.protocol.facts import Facts
from numerbay_chain.protocol.rules import bucket_of
from numerbay_chain.protocol.types import Listing, Order, Release, Settlement
from numerbay_chain.session import Session

MARGIN: Final = 3_600
"""Seconds. Keys go out together with a release only that long before it is due, and not to an order that its buyer
could have back by then: a release that is stuck shows them to everybody before it counts."""

POSTED: Final = ("Delivered", "CopyDelivered")
_APART: Final = ("RoundRefunded", "Challenged", "FaultyRefunded")


@dataclass(frozen=True, slots=True)
class Sales:
    """A listing and its orders, as they stand in the block of `look`. `now`: the time that a transaction meets, in Unix
    seconds; `final`: the newest block that stays in the chain (None: every block does)."""

    look: Snapshot
    now: int
    listing: Listing
    facts: Facts
    final: int | None

    @classmethod
    def read(
        cls, session: Session, look: Snapshot, listing_id: int, finality: Finality | None = None, more: Names = ()
    ) -> "Sales":
        """`finality` None: every block stays; `more`: events that are wanted beside those of the orders. Raises
        `NetworkError`, and `RevertedError` for a listing that does not exist."""
        listing = look.listing(listing_id)
        facts = Facts()
        if listing.orders or more:
            facts = read_listing(session.index, listing, _APART + more, last=look.block)
        waits = finality is not None and listing.orders and not finality.is_instant
        return cls(look, look.time, listing, facts, finality.block() if finality is not None and waits else None)

    @classmethod
    def of_round(
        cls, session: Session, look: Snapshot, listing_id: int, round: int, finality: Finality | None = None
    ) -> "Sales":
        """The same, with a round's release and what was posted for it."""
        sales = cls.read(session, look, listing_id, finality)
        subjects = [listing_id, *(sales.listing.order_ids() if sales.listing.terms.copies else ())]
        names = ("Released", *POSTED)
        read_about(session.index, subjects, names, facts=sales.facts, last=look.block, round=round)
        return sales

    @classmethod
    def of_many(cls, session: Session, look: Snapshot, listings: Collection[Listing], more: Names) -> "list[Sales]":
        """`read`, of several listings by one question for their events."""
        facts = read_many_listings(session.index, listings, _APART + more, last=look.block)
        return [cls(look, look.time, listing, facts, None) for listing in listings]

    def seen_at(self, look: Snapshot) -> "Sales | None":
        """The same at a later look; None where the chain has moved on, or a second node is to be asked all of it."""
        return replace(self, now=look.time) if look.repeats(self.look) else None

    def copies(self, round: int) -> dict[int, bytes]:
        """Order → content hash of its copy of the round."""
        posted = {id: self.facts.order(id).at(round).copy for id in self.listing.order_ids()}
        return {id: copy.content_hash for id, copy in posted.items() if copy is not None}

    @property
    def orders(self) -> list[Order]:
        """By id."""
        return [self.facts.order(id).sold for id in self.listing.order_ids()]

    def rightful(self, round: int) -> list[Order]:
        """The orders that cover the round and were not paid back for it: declined and refunded ones end before it.

        One that challenged the round gets its key by the answer, or its money back: an envelope could give it both.
        """
        return [order for order in self.orders if order.covers(round) and not self._is_apart(order, round)]

    def _is_apart(self, order: Order, round: int) -> bool:
        """Whether the order's money for the round left its pot by itself."""
        return self.facts.order(order.id).at(round).settlement is not Settlement.NONE

    def is_settled(self, order: Order) -> bool:
        """Whether the purchase stays in the chain."""
        return self.final is None or self.facts.order(order.id).block <= self.final

    def key_of(self, order: Order) -> bytes:
        """The public key that the order was bought with, once `require_keys` has asked for it."""
        key = self.facts.keys.get((order.buyer, order.epoch))
        if key is None:
            raise NetworkError(
                f"the node left out the key of order {order}",
                "check from_block, or use another node",
                code="node-incomplete",
            )
        return key

    def require_keys(self, index: EventSource, orders: Sequence[Order]) -> None:
        """Before a key is sealed to `orders`: learn their buyers' keys (`key_of`), and raise `NetworkError` where the
        contract knows another buyer, or another key of theirs, than the logs tell."""
        unknown = (order.buyer for order in orders if (order.buyer, order.epoch) not in self.facts.keys)
        read_keys(index, unknown, self.facts, last=self.look.block)
        places = [(order.buyer, order.epoch) for order in orders]
        self.look.load(*(("key_at", *place) for place in places), *(("order", order.id) for order in orders))
        held = zip(self.look.keys_at(places), self.look.orders(order.id for order in orders), strict=True)
        for order, (key, as_held) in zip(orders, held, strict=True):
            if key != self.key_of(order) or as_held != order:
                raise NetworkError(
                    f"the node's logs and the contract do not agree on whose key order {order} was bought with",
                    "no key was handed out: use another node",
                    code="node-incomplete",
                )

    # ------------------------------------------------------------------------------------------------ are they all?

    def require_all_for_next(self) -> None:
        """Raises `NetworkError` unless the orders that the logs tell of are what the next round would earn."""
        if sum(order.price for order in self.rightful(self.listing.next_round)) != self.listing.active:
            raise self._left_out(self.listing.next_round)

    def require_all_for(self, release: Release, orders: Sequence[Order]) -> None:
        """Before `orders` get the key of a round that is out: raises `NetworkError` where the pots that hold their
        money hold other sums than the logs tell. A decline that a node leaves out would hand the key to who was paid
        back. What a pot can't tell (it was withdrawn, or the order was free) is asked order by order."""
        earned, round = self._earned(release), release.round
        buckets = sorted({bucket_of(order, release) for order in orders})
        withdrawn = set[int]()
        for bucket, pot in zip(buckets, self.look.pots((release.listing, round, one) for one in buckets), strict=True):
            if pot.amount == 0 and self.now >= self.listing.terms.maturity_of(bucket):
                withdrawn.add(bucket)
            elif pot.amount != earned.get(bucket, 0):
                raise self._left_out(round)
        alone = [order for order in orders if order.price == 0 or bucket_of(order, release) in withdrawn]
        places = [(order.id, round) for order in alone]
        self.look.load(*(("settled", *place) for place in places), *(("order", order.id) for order in alone))
        held = zip(self.look.settlements(places), self.look.orders(order.id for order in alone), strict=True)
        if any(settled is Settlement.PAID_BACK or not order.covers(round) for settled, order in held):
            raise self._left_out(round)

    def require_all_challenges(self) -> None:
        """Raises `NetworkError` where a pot that can be challenged holds another sum than the logs tell: a challenge
        takes its price out of the pot, and one that a node leaves out is lost by silence. All releases must be among
        the facts (`index.questions.require_rounds`)."""
        terms, told = self.listing.terms, self.challengeable()
        for place, pot in zip(told, self.look.pots(told), strict=True):
            _, round, bucket = place
            withdrawn = pot.amount == 0 and self.now >= terms.maturity_of(bucket)
            if self._challenged(round, bucket) if withdrawn else pot.amount != told[place]:
                raise NetworkError(
                    f"the node's logs leave out what became of round {round} of listing {self.listing.id}, which may "
                    "be a challenge",
                    "use another node, before the time to answer is over",
                    code="node-incomplete",
                )

    def challengeable(self) -> dict[tuple[int, int, int], int]:
        """Listing, round and bucket of the pots that can be challenged, or whose challenge can still be answered → what
        they hold by the logs."""
        terms, told = self.listing.terms, dict[tuple[int, int, int], int]()
        for release in self.facts.listing(self.listing.id).releases.values():
            for bucket, amount in self._earned(release).items():
                if self.now <= terms.response_deadline(terms.maturity_of(bucket) - 1):
                    told[release.listing, release.round, bucket] = amount
        return told

    def _challenged(self, round: int, bucket: int) -> bool:
        """Whether the contract knows of a challenge of which the logs tell nothing."""
        release = self.facts.listing(self.listing.id).releases[round]
        paid = [(order.id, round) for order in self.rightful(round) if bucket_of(order, release) == bucket]
        return Settlement.CHALLENGED in self.look.settlements(paid)

    def _earned(self, release: Release) -> dict[int, int]:
        """Bucket → what the round's rightful orders paid that matures with it."""
        earned = {release.bucket: 0}
        for order in self.rightful(release.round):
            bucket = bucket_of(order, release)
            earned[bucket] = earned.get(bucket, 0) + order.price
        return earned

    def _left_out(self, round: int) -> NetworkError:
        return NetworkError(
            f"the node's logs and the contract do not agree on who paid for round {round} of listing {self.listing.id}",
            "no key was handed out: check from_block, use another node, or run this again",
            code="node-incomplete",
        )


def choose(sales: Sales, round: int, *, released_at: int | None = None) -> tuple[list[Order], list[Left]]:
    """The orders whose key may go out now, and those that must wait, with the reason. `released_at`: the time at which
    the release is to leave that shows the keys; None: the round is out."""
    chosen: list[Order] = []
    left: list[Left] = []
    for order in sales.rightful(round):
        if not sales.is_settled(order):
            reason = f"order {order} was bought too recently: its block could still vanish"
            left.append(Left(order.id, reason, "too-early"))
        elif released_at is not None and _could_be_reclaimed(order, sales.listing, released_at):
            left.append(Left(order.id, f"order {order} could be reclaimed until the release is final", "too-early"))
        else:
            chosen.append(order)
    return chosen, left


def _could_be_reclaimed(order: Order, listing: Listing, now: int) -> bool:
    """Whether its buyer, who may cancel on seeing the release on its way, could have the money back within the
    margin."""
    return now + MARGIN >= (order.cancelled_at or now) + listing.terms.notice_period


def keys_until(sales: Sales, chosen: Iterable[Order], due: int | None) -> int:
    """The last second in which a release may leave that shows the key to `chosen`: the margin before it is due, and
    before any of them could have the money back."""
    notice = sales.listing.terms.notice_period
    ends = [(order.cancelled_at or sales.now) + notice for order in chosen] + ([] if due is None else [due])
    return min(ends, default=sales.now) - MARGIN - 1
