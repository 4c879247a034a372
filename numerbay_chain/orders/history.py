"""What a listing's logs tell, asked for in few questions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.logs import MOST_TOPICS
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.protocol.events import Event, release_of
from numerbay_chain.protocol.rules import is_in
from numerbay_chain.protocol.types import Delivery, Listing, Order, Release, Token
from numerbay_chain.session import Market


@dataclass(frozen=True, slots=True)
class ListingLog:
    """What the logs tell about a listing's rounds."""

    listing: Listing
    token: Token
    now: int
    releases: dict[int, Release] = field(default_factory=dict)
    missed: list[int] = field(default_factory=list)  # in order
    faulty: dict[int, int] = field(default_factory=dict)  # round → when it was proven faulty
    postings: dict[int, list[int]] = field(default_factory=dict)  # round → the blocks in which envelopes were posted

    def meet(self, event: Event) -> None:
        """Take in one event of the listing."""
        round = event["round"]
        match event.name:
            case "Released":
                self.releases[round] = release_of(event)
            case "Skipped":
                self.missed.append(round)
            case "RoundFaulty":
                self.faulty[round] = event["faultyAt"]
            case "Delivered":
                self.postings.setdefault(round, []).append(event.block)

    def require_all_rounds(self, node: str) -> None:
        """Raise `NetworkError` (`node-incomplete`) where the contract counts rounds of which the logs tell nothing: a
        release that a node leaves out is one that nobody declines, fetches or challenges in time."""
        if len(self.releases) + len(self.missed) != self.listing.next_round:
            raise NetworkError(
                f"the logs of {node} leave out rounds of listing {self.listing.id}",
                "check from_block, or use another node",
                code="node-incomplete",
            )


def read_logs(market: Market, listings: Iterable[int]) -> dict[int, ListingLog]:
    """Return the logs of several listings as of one block, asked for in as few questions as their number allows. Raise
    as `ListingLog.require_all_rounds`."""
    contract, now, ids = market.contract, market.connection.now(), sorted(set(listings))
    head = market.connection.block_number()
    logs: dict[int, ListingLog] = {}
    for start in range(0, len(ids), MOST_TOPICS):
        some = ids[start : start + MOST_TOPICS]
        for id in some:
            listing = contract.listing(id, block=head)
            logs[id] = ListingLog(listing, market.token(listing.terms.token), now)
        names = ["Released", "Skipped", "RoundFaulty", "Delivered"]
        for event in contract.events(names, to_block=head, listing=some):
            logs[event["listing"]].meet(event)
    for log in logs.values():
        log.require_all_rounds(contract.connection.name)
    return logs


def bought_in(contract: MarketplaceContract, ids: Sequence[int]) -> dict[int, int]:
    """The block of each order's purchase: what was posted before it can't hold the order's key."""
    blocks: dict[int, int] = {}
    for start in range(0, len(ids), MOST_TOPICS):
        for event in contract.events(["Bought"], order=list(ids[start : start + MOST_TOPICS])):
            blocks[event["order"]] = event.block
    return blocks


def deliveries_to(contract: MarketplaceContract, order: Order, round: int) -> list[Delivery]:
    """The envelopes of a round in which the order's key may be: all that were posted since it was bought."""
    bought = bought_in(contract, [order.id]).get(order.id, 0)
    return [one for one in contract.deliveries(order.listing, round) if one.block >= bought]


def missed_rounds(contract: MarketplaceContract, listing: int) -> list[int]:
    """Return the rounds of a listing that were skipped, in order, by one question to the logs."""
    return sorted(event["round"] for event in contract.events(["Skipped"], listing=listing))


def newest_round(market: Market, order: Order, listing: Listing) -> int:
    """Return the newest released round that the order covers, else its next one. Raises `NetworkError` where the node's
    logs leave out rounds that were skipped."""
    contract, over = market.contract, range(order.first, min(order.end, listing.next_round))
    if over and contract.is_missed(listing.id, over[-1]):
        missed = missed_rounds(contract, listing.id)
        over = range(over.start, next((round + 1 for round in reversed(over) if not is_in(missed, round)), over.start))
        if over and contract.is_missed(listing.id, over[-1]):
            raise NetworkError(
                f"the node's logs leave out rounds of listing {listing.id} that were skipped",
                "check from_block, or use another node",
                code="node-incomplete",
            )
    return over[-1] if over else max(order.first, min(listing.next_round, order.end - 1))
