"""What is asked of an `EventSource`, in as few questions as there are subjects for, and what its answers must hold.

Every function returns facts as of block `last` (None: the latest one) about the listings and orders it was asked for,
as far as events with the `names` tell of them.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final, TypeVar

from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.index.events import EventSource
from numerbay_chain.protocol.facts import Facts
from numerbay_chain.protocol.replay import replay
from numerbay_chain.protocol.types import Delivery, Listing, Order, Release

Names = tuple[str, ...]
Value = TypeVar("Value", int, str)

SALES: Final[Names] = ("Bought", "Declined", "Cancelled", "Reclaimed", "Refunded", "FaultyRefunded")
"""Orders as they stand."""
ROUNDS: Final[Names] = ("Released", "Skipped")
"""What became of a listing's rounds."""
DISPUTES: Final[Names] = ("Challenged", "Responded", "ChallengeEnded", "FaultyRefunded")
"""What became of challenges, and of rounds that were proven faulty."""
OF_A_ROUND: Final[Names] = ("Bought", "Released", "Delivered", "CopyDelivered", *DISPUTES)
"""What became of a round of an order."""
MOST_VALUES: Final = 500
"""In one question."""
MOST_ROUNDS: Final = MOST_VALUES // 2
"""Of orders, in one question: each adds a listing, an order, a round and a buyer at most."""


def read_about(
    source: EventSource,
    subjects: Iterable[int],
    names: Names,
    *,
    facts: Facts | None = None,
    last: int | None = None,
    **indexed: Any,
) -> Facts:
    """Return what is told about listings and orders, by id, added to `facts`: one question for 500 of them."""
    once, known = [*dict.fromkeys(names)], Facts() if facts is None else facts
    for some in _in_parts(dict.fromkeys(subjects)):
        replay(source.events(once, last=last, about=some, **indexed), known)
    return known


def read_orders(source: EventSource, ids: Iterable[int], names: Names = (), *, last: int | None = None) -> Facts:
    """Return orders as they stand, with what else `names` tell of them. Raise as `require_orders`."""
    return _read_complete(source, ids, SALES + names, last)


def read_listing(source: EventSource, listing: Listing, names: Names, *, last: int | None = None) -> Facts:
    """Return a listing with all of its orders as they stand, and what else `names` tell of it and of them. Raise as
    `require_orders`."""
    return read_many_listings(source, [listing], names, last=last)


def read_many_listings(
    source: EventSource, listings: Collection[Listing], names: Names, *, last: int | None = None
) -> Facts:
    """Return `read_listing`, of several: one question for 500 listings and orders."""
    orders = chain.from_iterable(listing.order_ids() for listing in listings)
    return _read_complete(source, chain((listing.id for listing in listings), orders), SALES + names, last)


def _read_complete(source: EventSource, subjects: Iterable[int], names: Names, last: int | None) -> Facts:
    """`read_about`, checked question by question: a node may tell of millions of orders that nobody bought."""
    facts = Facts()
    for some in _in_parts(subjects):
        read_about(source, some, names, facts=facts, last=last)
        require_orders(source, facts, (id for id in some if id >> 32))
    return facts


def read_purchases(source: EventSource, buyer: str, *, last: int | None = None) -> Facts:
    """Return all orders of a buyer as they were sold."""
    return replay(source.events(("Bought",), last=last, buyer=checksummed(buyer)))


def read_keys(source: EventSource, owners: Iterable[str], facts: Facts, *, last: int | None = None) -> None:
    """Add the owners' keys to what is known."""
    for some in _in_parts(sorted({*owners})):
        replay(source.events(("KeyRegistered",), last=last, owner=some), facts)


def read_disputes(source: EventSource, *, last: int | None = None) -> Facts:
    """Return everybody's challenges, and how they ended."""
    return replay(source.events(("Challenged", "Responded", "ChallengeEnded"), last=last))


def read_listings(source: EventSource, seller: str | None = None, *, last: int | None = None) -> Facts:
    """Return who sells and operates each listing, of all or of one seller's (as it was created)."""
    if seller is not None:
        return replay(source.events(("ListingCreated",), last=last, seller=checksummed(seller)))
    return replay(source.events(("ListingCreated", "OperatorChanged"), last=last))


def read_release(source: EventSource, listing: int, round: int, *, last: int | None = None) -> Release | None:
    """Return a round's release, None where there is none. Raise as `release_in`."""
    return release_in(source, read_about(source, [listing], ("Released",), last=last, round=round), listing, round)


def read_rounds(source: EventSource, places: Iterable[tuple[Order, int]], *, last: int | None = None) -> Facts:
    """Return what is told about rounds of orders: release, envelopes, copy, dispute, and the purchases, in one
    question. At most `MOST_ROUNDS` of them."""
    asked = [*places]
    subjects = {id for order, _ in asked for id in (order.listing, order.id)}
    rounds, buyers = sorted({round for _, round in asked}), sorted({order.buyer for order, _ in asked})
    return read_about(source, sorted(subjects), OF_A_ROUND, last=last, round=rounds, buyer=buyers)


def envelopes_in(facts: Facts, order: Order, round: int) -> list[Delivery]:
    """Return the envelopes of a round in which the order's key may be, the first ones first: all that were posted since
    it was bought."""
    since = facts.order(order.id).block
    return [posted for posted in facts.listing(order.listing).postings.get(round, ()) if posted.block >= since]


# --------------------------------------------------------------------------------------------------- are they complete?


def release_in(source: EventSource, facts: Facts, listing: int, round: int) -> Release | None:
    """Return a round's release out of the facts. Raise `NetworkError` (`node-incomplete`) where there is more than
    one."""
    known = facts.listing(listing)
    if round in known.doubled:
        raise NetworkError(
            f"{source.name} answered with more than one release of round {round}", code="node-incomplete"
        )
    return known.releases.get(round)


def require_orders(source: EventSource, facts: Facts, ids: Iterable[int]) -> None:
    """Raise `NetworkError` (`node-incomplete`) unless each order's purchase is among the facts, before all else about
    it."""
    orders = [facts.order(id) for id in ids]
    for known in orders:
        if known.cut:
            raise NetworkError(
                f"{source.name} left out logs of order {known.id}", "use another node", code="node-incomplete"
            )
    if missing := sum(known.order is None for known in orders):
        raise NetworkError(
            f"{source.name} left out the logs of {missing} orders",
            "check from_block: it must be the block of the deployment or an earlier one",
            code="node-incomplete",
        )


def require_rounds(source: EventSource, facts: Facts, listing: Listing) -> None:
    """Raise `NetworkError` (`node-incomplete`) where the contract counts rounds of which no event tells: a release that
    is left out is one that nobody declines, fetches or challenges in time."""
    known = facts.listing(listing.id)
    if known.doubled or len(known.releases) + len(known.missed) != listing.next_round:
        raise NetworkError(
            f"the logs of {source.name} leave out rounds of listing {listing.id}",
            "check from_block, or use another node",
            code="node-incomplete",
        )


def _in_parts(values: Iterable[Value]) -> Iterator[list[Value]]:
    left: Iterator[Value] = iter(values)
    while some := list(islice(left, MOST_VALUES)):
        yield some
