"""What the logs tell, for tests that look at the outcome: read anew each time, over a contract's own node."""

from collections.abc import Iterator
from typing import Any

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.index.questions import (
    DISPUTES,
    SALES,
    read_about,
    read_listing,
    read_orders,
    read_purchases,
    read_release,
)
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.types import Challenge, CopyDelivery, Delivery, Order, Release


class Told:
    """The events of a marketplace, and what they say about a listing, a round, an order."""

    def __init__(self, contract: MarketplaceContract) -> None:
        self.contract = contract
        self.index = NodeEvents(contract.connection, contract.address, contract.from_block)

    def events(self, names: list[str] | None = None, **asked: Any) -> Iterator[Event]:
        return self.index.events(names, **asked)

    def releases(self, listing: int) -> list[Release]:
        return [*read_about(self.index, [listing], ("Released",)).listing(listing).releases.values()]

    def release(self, listing: int, round: int) -> Release | None:
        return read_release(self.index, listing, round)

    def deliveries(self, listing: int, round: int) -> list[Delivery]:
        return read_about(self.index, [listing], ("Delivered",)).listing(listing).postings.get(round, [])

    def copies_of(self, listing: int, round: int) -> list[CopyDelivery]:
        facts = read_listing(self.index, self.contract.listing(listing), ("CopyDelivered",))
        copies = (facts.order(order).at(round).copy for order in self.contract.listing(listing).order_ids())
        return [copy for copy in copies if copy is not None]

    def challenge(self, order: int, round: int) -> Challenge | None:
        return read_about(self.index, [order], DISPUTES).order(order).at(round).open_challenge

    def orders_of(self, listing: int, last: int | None = None) -> list[Order]:
        ids = self.contract.at(last).listing(listing).order_ids()
        facts = read_orders(self.index, ids, last=last)
        return [facts.order(id).sold for id in ids]

    def orders_by(self, buyer: str) -> list[Order]:
        ids = sorted(read_purchases(self.index, buyer).orders)
        facts = read_about(self.index, ids, SALES)
        return [facts.order(id).sold for id in ids]
