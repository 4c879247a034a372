"""One chain, one clock, and what everybody saw of it: the stage on which honest and hostile people meet."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.identity.deployment import deploy
from numerbay_chain.chain.second import SecondNode
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import LocalSigner
from numerbay_chain.core.home.home import Home
from numerbay_chain.ipfs import ContentStore, EmbeddedStore
from numerbay_chain.session import Session
from tests.hostile.nodes import LyingNode
from tests.support.evm.node import Node, NodeTransport

SELLER, BUYER, OTHER, RIVAL, ROGUE, STRANGER = range(6)
HONEST = (SELLER, BUYER, OTHER)
"""Account numbers: an honest seller and two honest buyers; a hostile buyer, a hostile seller, and a stranger who helps
both."""
CHAIN_ID = 424_242  # nobody's: no development chain, so that its clients take nothing for granted
_ACCOUNTS = 6


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A signed transaction as a node saw it, before it was mined or not."""

    sender: int
    raw: bytes
    time: int


@dataclass
class World:
    """`interrupt` is called while the clock moves within somebody's command: what others do meanwhile."""

    folder: Path
    rng: random.Random
    node: Node = field(default_factory=lambda: Node(chain_id=CHAIN_ID))
    broadcasts: list[Broadcast] = field(default_factory=list)
    interrupt: Callable[[], None] = lambda: None
    interrupting: bool = False  # whoever acts now does so within somebody else's wait
    hesitation: tuple[int, ...] = (0, 0, 0, 30, 180)
    """Seconds until somebody types a password: with what mining takes, less than `verify` leaves them
    of a decline window."""

    def __post_init__(self) -> None:
        self.pinned = EmbeddedStore(self.folder / "network")
        for number in range(_ACCOUNTS):
            self.node.fund(self.address_of(number))
        self.connection = Connection(NodeTransport(self.node.request), name="the chain", local=False)
        deployment = deploy(Sender(self.connection, self.signer(SELLER)))
        self.address, self.block = deployment.address, deployment.block
        self.contract = MarketplaceContract(self.connection, self.address, self.block)

    @property
    def released(self) -> bool:
        """Whether the first listing's first round is out: from then on nobody's program may hang."""
        return self.contract.listing_count() > 0 and self.contract.listing(1).next_round > 0

    # ---------------------------------------------------------------------------------------------------------- clock

    @property
    def now(self) -> int:
        return self.node.now

    def wait(self, seconds: float) -> None:
        """Time that passes within somebody's command: others act meanwhile."""
        self.sleep(int(seconds))
        if seconds >= 1:
            self.interrupt()

    def sleep(self, seconds: int) -> None:
        """Time that passes between two commands."""
        self.node.now += max(seconds, 0)

    # --------------------------------------------------------------------------------------------------------- people

    def signer(self, number: int) -> LocalSigner:
        """The account's key, for a chain that is no development chain to its client."""
        return _signer(number)

    def address_of(self, number: int) -> str:
        return _signer(number).address

    def session(self, number: int, store: ContentStore, lying: LyingNode | None = None, **more: Any) -> Session:
        """A new command of this person's: over an honest node, or a lying one with an honest one beside it."""
        connection = Witnessed(self, number, (lying or self.node).request)
        if lying is not None:
            connection.second = SecondNode(lambda _: Witnessed(self, number, self.node.request))
        return Session(
            home=Home(self.folder / f"home-{number}"),
            connection=connection,
            contract=MarketplaceContract(connection, self.address, self.block),
            signer=Hesitant(self, number),
            store=store,
            notify=lambda _: None,
            **more,
        )


class Hesitant(LocalSigner):
    """Somebody who types the password when they find it."""

    def __init__(self, world: World, number: int) -> None:
        super().__init__(_signer(number)._key)
        self._world = world

    def unlock(self) -> None:
        if self.address in [_signer(number).address for number in HONEST]:
            seconds = self._world.rng.choice(self._world.hesitation)
            # one clock for all: who lingers within another's wait would use up the other's time
            self._world.wait(0 if self._world.interrupting else seconds)


@cache
def _signer(number: int) -> LocalSigner:
    return LocalSigner.from_key(keccak(text=f"account {number} of a hostile world"))


class Witnessed(Connection):
    """A node in a public network: what it is told is public at once, and mined some seconds later."""

    def __init__(self, world: World, number: int, ask: Callable[[str, list[Any]], Any]) -> None:
        super().__init__(NodeTransport(ask), name=f"node-{number}", local=False)
        self._world, self._number = world, number

    def send_raw(self, raw: bytes) -> str:
        world = self._world
        world.broadcasts.append(Broadcast(self._number, raw, world.now))
        if self._number in HONEST:
            world.wait(world.rng.choice((0, 0, 4, 12, 24)))
        return super().send_raw(raw)


@contextmanager
def simulated_time(world: World) -> Iterator[None]:
    """This process's clocks are the chain's: waiting for something moves both."""
    real = time.time, time.monotonic, time.sleep
    time.time = lambda: float(world.now)
    time.monotonic = lambda: float(world.now)
    time.sleep = world.wait  # type: ignore[assignment]  # it takes whole seconds
    try:
        yield
    finally:
        time.time, time.monotonic, time.sleep = real
