"""A listing with some terms, on a chain of its own, where the sentences that explain them are played out."""

import re
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

from numerbay_chain.listings.terms import build_terms
from numerbay_chain.listings.words import explain
from numerbay_chain.protocol.types import NATIVE_TOKEN, Terms
from tests.contracts.unit.words import moved
from tests.support.evm.chain import GENESIS
from tests.support.evm.disputes import Dispute, Sealed, bare
from tests.support.evm.world import DETAILS, World

PRICE = 10**15


@dataclass(frozen=True)
class Offer:
    """What is explained. `gas_price` 0: unknown."""

    terms: Terms
    price: int = PRICE
    gas_price: int = 0

    @property
    def lines(self) -> list[str]:
        return explain(self.terms, self.price, NATIVE_TOKEN, self.gas_price)


def offer(preset: Any = None, price: int = PRICE, gas_price: int = 0, **changes: Any) -> Offer:
    return Offer(build_terms(GENESIS, preset, changes, NATIVE_TOKEN), price, gas_price)


class Deal:
    """A listing with these terms on a chain of its own, and what people do there."""

    def __init__(self, offered: Offer) -> None:
        self.world, self.terms, self.price = World(), offered.terms, offered.price
        self.market = self.world.market
        arguments = (astuple(self.terms), (self.price, True, DETAILS), self.world.operator, self.world.payout)
        self.listing = int(self.market.createListing(*arguments, sender=self.world.seller).value)

    def buy(self, rounds: int = 1, *, by: Any = None, out: bool = False) -> int:
        return self.world.buy(self.listing, rounds=rounds, by=by, out=out)

    def reach_turn(self) -> int:
        """Wait for the first second in which the next round may be released; the round."""
        state = self.world.listing(self.listing)
        due = self.terms.due(state["nextRound"])
        opens = 0 if due is None else due - self.terms.period
        self.world.reach(max(opens, state["lastTurn"] + self.terms.min_interval if state["lastTurn"] else 0))
        return int(state["nextRound"])

    @property
    def next(self) -> int:
        """The next round."""
        return int(self.world.listing(self.listing)["nextRound"])

    def manifest(self, content: Sealed | None = None) -> bytes:
        """What the release of the next round carries."""
        return b"" if self.terms.copies else (content or bare(self.next)).manifest

    def release(self, content: Sealed | None = None, *orders: int) -> int:
        """The next round, as soon as it may be; in a listing of copies `content` is posted for the orders."""
        round_ = self.reach_turn()
        self.market.release(self.listing, round_, self.manifest(content), sender=self.world.seller)
        if self.terms.copies:
            hashes = [(content or bare(round_)).content_hash for _ in orders]
            self.market.deliverCopies(self.listing, round_, list(orders), hashes, sender=self.world.seller)
        return round_

    def dispute(self, content: Sealed | None = None) -> Dispute:
        """An order whose round was just released, with keys due now."""
        order = self.buy()
        round_ = self.release(content, order)
        self.world.chain.advance(self.terms.decline_window)
        return Dispute(self.world, order, round_, content)

    def moved(self, call: Callable[[], Any]) -> dict[str, int]:
        return moved(self.world, call)


Scenario = Callable[[Deal, "re.Match[str]"], None]
SCENARIOS: dict[str, Scenario] = {}


def says(pattern: str) -> Callable[[Scenario], Scenario]:
    """This scenario is what sentences of that form promise."""

    def keep(scenario: Scenario) -> Scenario:
        SCENARIOS[pattern] = scenario
        return scenario

    return keep
