"""Who has a right to a round's key, out of the logs, and whether those logs agree with what the contract holds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.finality import Finality
from numerbay_chain.chain.logs import MOST_TOPICS
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.delivery.results import Left
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.rules import bucket_of
from numerbay_chain.protocol.types import Listing, Order, Release, Settlement

MARGIN: Final = 3_600
"""Seconds. Keys go out together with a release only that long before it is due, and not to an order that its buyer
could have back by then: a release that is stuck shows them to everybody before it counts."""

_APART: Final = ("RoundRefunded", "Challenged", "FaultyRefunded")


@dataclass(frozen=True, slots=True)
class Sales:
    """A listing's orders and their buyers' keys, as they stand in block `head`; `settled_orders` stay in the chain."""

    head: int
    listing: Listing
    orders: tuple[Order, ...]
    settled_orders: frozenset[int]
    keys: Mapping[tuple[str, int], bytes]  # (owner, epoch) → X25519 public key
    apart: frozenset[tuple[int, int]]  # (order, round) whose money left its pot by itself

    @classmethod
    def read(
        cls, contract: MarketplaceContract, listing_id: int, finality: Finality | None = None, head: int | None = None
    ) -> "Sales":
        """`head`: the block that is looked at, the latest unless said; without `finality`, all orders stay. Raises
        `NetworkError`, and `RevertedError` for a listing that does not exist."""
        head = contract.connection.block_number() if head is None else head
        listing = contract.listing(listing_id, block=head)
        orders = tuple(contract.orders_of(listing_id, to_block=head)) if listing.orders else ()
        deep = frozenset(order.id for order in orders)
        if finality is not None and orders and not finality.is_instant:
            final = finality.block()
            bought = _events(contract, ["Bought"], "order", [order.id for order in orders], head)
            deep = frozenset(event["order"] for event in bought if event.block <= final)
        owners = sorted({order.buyer for order in orders})
        registered = _events(contract, ["KeyRegistered"], "owner", owners, head)
        apart = _events(contract, _APART, "order", [order.id for order in orders], head)
        return cls(
            head,
            listing,
            orders,
            deep,
            {(event["owner"], event["epoch"]): event["publicKey"] for event in registered},
            frozenset((event["order"], event["round"]) for event in apart),
        )

    def rightful(self, round: int) -> list[Order]:
        """The orders that cover the round and were not paid back for it: declined and refunded ones end before it.

        One that challenged the round gets its key by the answer, or its money back: an envelope could give it both.
        """
        return [order for order in self.orders if order.covers(round) and (order.id, round) not in self.apart]

    def key_of(self, order: Order) -> bytes:
        """The public key that the order was bought with."""
        key = self.keys.get((order.buyer, order.epoch))
        if key is None:
            raise NetworkError(
                f"the node left out the key of order {order}",
                "check from_block, or use another node",
                code="node-incomplete",
            )
        return key

    def require_keys(self, contract: MarketplaceContract, orders: Iterable[Order]) -> None:
        """Before a key is sealed to `orders`: raises `NetworkError` where the contract knows another buyer, or another
        key of his, than the logs tell."""
        for order in orders:
            key = contract.key_at(order.buyer, order.epoch, block=self.head)
            if key != self.key_of(order) or contract.order(order.id, block=self.head) != order:
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
        for bucket, served in by_bucket.items():
            held = contract.pot(release.listing, release.round, bucket, block=self.head).amount
            withdrawn = held == 0 and now >= matured(bucket)
            if not withdrawn and held != self._earned(release, bucket):
                raise self._left_out(release.round)
            for order in served:
                if (withdrawn or order.price == 0) and not self._still_has(contract, order, release.round):
                    raise self._left_out(release.round)

    def require_all_challenges(self, contract: MarketplaceContract) -> None:
        """Raises `NetworkError` where a pot that can be challenged holds another sum than the logs tell: a challenge
        takes its price out of the pot, and one that a node leaves out is lost by silence."""
        now = contract.connection.timestamp(self.head)
        releases = contract.releases(self.listing.id, to_block=self.head)
        skipped = [*contract.events(["Skipped"], to_block=self.head, listing=self.listing.id)]
        if len(releases) + len(skipped) != self.listing.next_round:
            raise NetworkError(
                f"the node's logs leave out rounds of listing {self.listing.id}",
                "check from_block, or use another node",
                code="node-incomplete",
            )
        terms = self.listing.terms
        for release in releases:
            buckets = {bucket_of(order, release) for order in self.rightful(release.round)} | {release.bucket}
            for bucket in sorted(buckets):
                maturity = terms.maturity_of(bucket)
                if now > terms.response_deadline(maturity - 1):
                    continue
                held = contract.pot(release.listing, release.round, bucket, block=self.head).amount
                withdrawn = held == 0 and now >= maturity
                if self._challenged(contract, release, bucket) if withdrawn else held != self._earned(release, bucket):
                    raise NetworkError(
                        f"the node's logs leave out what became of round {release.round} of listing {self.listing.id}, "
                        "which may be a challenge",
                        "use another node, before the time to answer is over",
                        code="node-incomplete",
                    )

    def _challenged(self, contract: MarketplaceContract, release: Release, bucket: int) -> bool:
        """Whether the contract knows of a challenge of which the logs tell nothing."""
        return any(
            contract.settled(order.id, release.round, block=self.head) is Settlement.CHALLENGED
            for order in self.rightful(release.round)
            if bucket_of(order, release) == bucket
        )

    def _earned(self, release: Release, bucket: int) -> int:
        return sum(order.price for order in self.rightful(release.round) if bucket_of(order, release) == bucket)

    def _still_has(self, contract: MarketplaceContract, order: Order, round: int) -> bool:
        settled = contract.settled(order.id, round, block=self.head)
        return contract.order(order.id, block=self.head).covers(round) and settled is not Settlement.PAID_BACK

    def _left_out(self, round: int) -> NetworkError:
        return NetworkError(
            f"the node's logs and the contract do not agree on who paid for round {round} of listing {self.listing.id}",
            "no key was handed out: check from_block, use another node, or run this again",
            code="node-incomplete",
        )


def _events(
    contract: MarketplaceContract, names: Sequence[str], argument: str, values: Sequence[int | str], head: int
) -> Iterator[Event]:
    for start in range(0, len(values), MOST_TOPICS):
        yield from contract.events(names, to_block=head, **_where(argument, values[start : start + MOST_TOPICS]))


def _where(argument: str, values: Sequence[int | str]) -> dict[str, Any]:
    return {argument: list(values)}


def choose(sales: Sales, round: int, now: int, *, before_release: bool) -> tuple[list[Order], list[Left]]:
    """The orders whose key may go out now, and those that must wait, with the reason."""
    chosen: list[Order] = []
    left: list[Left] = []
    for order in sales.rightful(round):
        if order.id not in sales.settled_orders:
            reason = f"order {order} was bought too recently: its block could still vanish"
            left.append(Left(order.id, reason, "too-early"))
        elif before_release and _could_be_reclaimed(order, sales.listing, now):
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
