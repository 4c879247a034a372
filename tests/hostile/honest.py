"""Honest people: they run the package's own clients, look as often as the terms ask, and do what they are told."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.clock import STALE
from numerbay_chain.chain.types import Settlement
from numerbay_chain.choices import Choices
from numerbay_chain.delivery import deliver, serve
from numerbay_chain.errors import ExitCode, NetworkError, NumerbayChainError
from numerbay_chain.ipfs import ContentStore
from numerbay_chain.market import Market
from numerbay_chain.progress import silent
from numerbay_chain.results import OrderView, RoundView
from numerbay_chain.seller import Seller
from numerbay_chain.verdicts import Answers
from tests.hostile.nodes import LyingNode
from tests.hostile.world import World

PRICE = 10**16
HOUR = 3_600


@dataclass
class Honest:
    """`said` is what the clients refused. Who is told by a client that the node can't be right takes another one."""

    world: World
    number: int
    store: ContentStore
    lying: LyingNode | None = None
    said: list[str] = field(default_factory=list)
    keep: int = 1 << 30  # bytes of checked artifacts on their own disk

    def market(self) -> Market:
        return self.world.market(self.number, self.store, self.lying, keep=self.keep)

    def awake(self) -> None:
        """A node whose newest block is far from one's own clock is noticed without any client."""
        if self.lying is not None and abs(self.market().connection.now() - self.world.now) > STALE:
            self.lying = None

    def _doubts(self, answers: Answers) -> bool:
        self.said += [f"{self.world.now} left: {one.reason}" for one in answers.left]
        return answers.doubt is not None or any(one.code is ExitCode.NETWORK for one in answers.left)

    def attempt(self, step: Callable[[], Any]) -> Any:
        """The step's result; None where the client refused it, which it may."""
        try:
            found = step()
            if not (isinstance(found, Answers) and self._doubts(found)) or self.lying is None:
                return found
        except NumerbayChainError as error:
            self.said.append(f"{self.world.now} {type(error).__name__} {error.code}: {error}")
            if not isinstance(error, NetworkError) or self.lying is None:
                return None
        self.lying = None
        return self.attempt(step)


@dataclass
class HonestSeller(Honest):
    """Delivers each round once, serves late buyers, answers challenges, withdraws."""

    second: ContentStore | None = None
    careless: bool = False  # looks late: may lose a price by silence, but never a key
    listings: dict[int, list[Path]] = field(default_factory=dict)  # what is still to be delivered
    _seen: dict[str, int] = field(default_factory=dict)

    @property
    def role(self) -> Seller:
        return Seller(self.market())

    def choices(self) -> Choices:
        return Choices(self.role.market.finality(), self.second, False, silent)

    def list(self, rounds: int, **terms: Any) -> int:
        listing = self.role.create_listing(PRICE, **terms).id
        files = []
        for round in range(rounds):
            files.append(self.world.folder / f"file-{listing}-{round}")
            files[-1].write_bytes(os.urandom(self.world.rng.choice((30, 5_000, 20_000))))
        self.listings[listing] = files
        return listing

    def release(self, listing: int) -> None:
        """Delivers the next round, or goes on with it."""
        files = self.listings[listing]
        if files and self.attempt(lambda: deliver(self.role.market, files[0], listing, "", False, self.choices())):
            files.pop(0)

    def answer(self) -> None:
        """What a seller does several times in each response window, whatever else is going on."""
        if self._nothing_new("answer"):
            return
        before = len(self.world.node.mined)
        self.awake()
        answers = self.attempt(lambda: self.role.respond())
        if answers is not None and not answers.left and self.lying is None:
            self._seen["answer"] = before

    def serve(self) -> None:
        """Keys for late buyers."""
        if self._nothing_new("serve"):
            return
        before = len(self.world.node.mined)
        self.awake()
        served = [self.attempt(partial(self._serve, listing)) for listing in self.listings]
        if all(one is not None and not one.rounds for one in served) and self.lying is None:
            self._seen["serve"] = before

    def _serve(self, listing: int) -> Any:
        return serve(self.market(), listing, self.choices())

    def _nothing_new(self, what: str) -> bool:
        """Whether nobody sent anything since a look that left nothing open: one that would find nothing is spared.
        Looks over a node that lies are not counted: it may have hidden something."""
        return self.lying is None and self._seen.get(what) == len(self.world.node.mined)

    def collect(self) -> None:
        """What can wait: settles what was not proven against them, and withdraws."""
        for listing in self.listings:
            for dispute in self.attempt(lambda listing=listing: self.role.disputes(listing)) or []:
                if dispute.state == "unproven":
                    self.attempt(lambda dispute=dispute: self.role.settle(dispute.order, dispute.round))
            self.attempt(lambda listing=listing: self.role.withdraw(listing))


@dataclass
class HonestBuyer(Honest):
    """Buys, checks within the decline window, fetches, and takes what remedy there is."""

    bought: list[int] = field(default_factory=list)
    files: dict[tuple[int, int], bytes] = field(default_factory=dict)  # (order, round) → sha256 of what was fetched

    @property
    def role(self) -> Buyer:
        return Buyer(self.market())

    def register(self) -> None:
        self.role.register_key()

    def buy(self, listing: int, rounds: int = 1) -> None:
        if bought := self.attempt(lambda: self.role.buy(listing, rounds)):
            self.bought.append(bought.order.id)

    def look(self) -> None:
        """What a buyer does within each window."""
        self.awake()
        for order in self.bought:
            view = self.attempt(lambda order=order: self.role.order(order))
            for round in view.rounds if view else ():
                self._round(view, round)

    def _round(self, view: OrderView, round: RoundView) -> None:
        order, number = view.id, round.round
        if (order, number) in self.files or round.settlement in (Settlement.PAID_BACK, Settlement.PAID_TO_SELLER):
            return
        if round.missed or (round.released_at is None and round.due is not None and self.world.now > round.due):
            self.attempt(lambda: self.role.collect_missed(order, number))
        elif round.refundable or round.dispute in ("faulty", "unanswered"):
            self.attempt(lambda: self.role.settle(order, number))
        elif round.released_at is None or round.dispute == "unproven":
            return
        elif round.declinable_until is not None:
            self._check(order, number)
        else:
            self._fetch(order, round)

    def _check(self, order: int, round: int) -> None:
        found = self.attempt(lambda: self.role.verify(order, round))
        if found is None or not found.ok:
            self.attempt(lambda: self.role.decline(order, round))

    def _fetch(self, order: int, round: RoundView) -> None:
        path = self.world.folder / f"got-{self.number}-{order}-{round.round}"
        fetched = self.attempt(lambda: self.role.fetch(order, round.round, path=path, overwrite=True))
        if fetched:
            self.files[order, round.round] = fetched.sha256
            return
        proven = self.attempt(lambda: self.role.prove(order, round.round, publish_key=True))
        if proven is None and round.challengeable_until is not None and round.dispute == "none":
            self.attempt(lambda: self.role.open_dispute(order, round.round, unseen=True))
