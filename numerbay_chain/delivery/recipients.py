"""Who has a right to a round's key, out of the logs, and whether those logs agree with what the contract holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.finality import Finality
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.delivery.results import Left
from numerbay_chain.index.questions import Names, read_about, read_keys, read_listing
from numerbay_chain.protocol.facts import Facts
from numerbay_chain.protocol.rules import bucket_of
from numerbay_chain.protocol.types import Listing, Order, Release, Settlement
from numerbay_chain.session import Market

MARGIN: Final = 3_600
"""Seconds. Keys go out together with a release only that long before it is due, and not to an order that its buyer
could have back by then: a release that is stuck shows them to everybody before it counts."""

POSTED: Final = ("Delivered", "CopyDelivered")
_APART: Final = ("RoundRefunded", "Challenged", "FaultyRefunded")


@dataclass(frozen=True, slots=True)
class Sales:
    """A listing's orders, as they stand in block `head`; `settled_orders` stay in the chain."""

    head: int
    listing: Listing
    facts: Facts
    settled_orders: frozenset[int]

    @classmethod
    def read(
        cls,
        market: Market,
        listing_id: int,
        finality: Finality | None = None,
        head: int | None = None,
        more: Names = (),
    ) -> "Sales":
        """`head`: the block that is looked at, the latest unless said; without `finality`, all orders stay; `more`:
        events that are wanted beside those of the orders. Raises `NetworkError`, and `RevertedError` for a listing that
        does not exist."""
        head = market.connection.block_number() if head is None else head
        listing = market.contract.listing(listing_id, block=head)
        ids = listing.order_ids()
        facts = read_listing(market.index, listing, _APART + more, last=head) if ids or more else Facts()
        deep = frozenset(ids)
        if finality is not None and ids and not finality.is_instant:
            final = finality.block()
            deep = frozenset(id for id in ids if facts.order(id).block <= final)
        return cls(head, listing, facts, deep)

    @classmethod
    def of_round(
        cls, market: Market, listing_id: int, round: int, finality: Finality | None = None, head: int | None = None
    ) -> "Sales":
        """The same, with a round's release and what was posted for it."""
        sales = cls.read(market, listing_id, finality, head)
        subjects = [listing_id, *(sales.listing.order_ids() if sales.listing.terms.copies else ())]
        names = ("Released", *POSTED)
        read_about(market.index, subjects, names, facts=sales.facts, last=sales.head, round=round)
        return sales

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

    def require_keys(self, market: Market, orders: Sequence[Order]) -> None:
        """Before a key is sealed to `orders`: learn their buyers' keys (`key_of`), and raise `NetworkError` where the
        contract knows another buyer, or another key of theirs, than the logs tell."""
        read_keys(market.index, (order.buyer for order in orders), self.facts, last=self.head)
        reads = market.contract.at(self.head)
        keys = reads.keys_at([(order.buyer, order.epoch) for order in orders])
        for order, key, held in zip(orders, keys, reads.orders(order.id for order in orders), strict=True):
            if key != self.key_of(order) or held != order:
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

    def require_all_for(self, contract: MarketplaceContract, release: Release, orders: Iterable[Order]) -> None:
        """Before `orders` get the key of a round that is out: raises `NetworkError` where the pots that hold their
        money hold other sums than the logs tell. A decline that a node leaves out would hand the key to who was paid
        back. What a pot can't tell (it was withdrawn, or the order was free) is asked order by order."""
        matured = self.listing.terms.maturity_of
        now = contract.connection.timestamp(self.head)
        by_bucket: dict[int, list[Order]] = {}
        for order in orders:
            by_bucket.setdefault(bucket_of(order, release), []).append(order)
        reads, untold = contract.at(self.head), list[Order]()
        pots = reads.pots((release.listing, release.round, bucket) for bucket in by_bucket)
        for (bucket, served), pot in zip(by_bucket.items(), pots, strict=True):
            withdrawn = pot.amount == 0 and now >= matured(bucket)
            if not withdrawn and pot.amount != self._earned(release, bucket):
                raise self._left_out(release.round)
            untold += [order for order in served if withdrawn or order.price == 0]
        settled = reads.settlements((order.id, release.round) for order in untold)
        for held, settlement in zip(reads.orders(order.id for order in untold), settled, strict=True):
            if not held.covers(release.round) or settlement is Settlement.PAID_BACK:
                raise self._left_out(release.round)

    def require_all_challenges(self, contract: MarketplaceContract) -> None:
        """Raises `NetworkError` where a pot that can be challenged holds another sum than the logs tell: a challenge
        takes its price out of the pot, and one that a node leaves out is lost by silence. All releases must be among
        the facts (`index.questions.require_rounds`)."""
        now = contract.connection.timestamp(self.head)
        terms = self.listing.terms
        pots = [
            (release, bucket)
            for release in self.facts.listing(self.listing.id).releases.values()
            for bucket in sorted(
                {bucket_of(order, release) for order in self.rightful(release.round)} | {release.bucket}
            )
            if now <= terms.response_deadline(terms.maturity_of(bucket) - 1)
        ]
        held = contract.at(self.head).pots((self.listing.id, release.round, bucket) for release, bucket in pots)
        for (release, bucket), pot in zip(pots, held, strict=True):
            withdrawn = pot.amount == 0 and now >= terms.maturity_of(bucket)
            if withdrawn:
                left_out = self._challenged(contract, release, bucket)
            else:
                left_out = pot.amount != self._earned(release, bucket)
            if left_out:
                raise NetworkError(
                    f"the node's logs leave out what became of round {release.round} of listing {self.listing.id}, "
                    "which may be a challenge",
                    "use another node, before the time to answer is over",
                    code="node-incomplete",
                )

    def _challenged(self, contract: MarketplaceContract, release: Release, bucket: int) -> bool:
        """Whether the contract knows of a challenge of which the logs tell nothing."""
        orders = (order for order in self.rightful(release.round) if bucket_of(order, release) == bucket)
        settled = contract.at(self.head).settlements((order.id, release.round) for order in orders)
        return Settlement.CHALLENGED in settled

    def _earned(self, release: Release, bucket: int) -> int:
        return sum(order.price for order in self.rightful(release.round) if bucket_of(order, release) == bucket)

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
        if order.id not in sales.settled_orders:
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


def keys_until(sales: Sales, chosen: Iterable[Order], now: int, due: int | None) -> int:
    """The last second in which a release may leave that shows the key to `chosen`: the margin before it is due, and
    before any of them could have the money back."""
    notice = sales.listing.terms.notice_period
    ends = [(order.cancelled_at or now) + notice for order in chosen] + ([] if due is None else [due])
    return min(ends, default=now) - MARGIN - 1
