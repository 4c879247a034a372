"""Gateways on a clock that jumps: what somebody pinned is given, late, in drips, altered, refused, or not at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError, NumerbayChainError
from numerbay_chain.ipfs import Cid, ContentStore, EmbeddedStore
from numerbay_chain.ipfs.stores.base import ContentWriter, Store
from tests.hostile.world import World

Manner = Literal["gives", "late", "drips", "refuses", "alters", "lacks", "breaks"]
ONE_EXCHANGE = 300
"""Seconds: the most that one block takes over HTTP, however it drips."""
IDLE = 60
"""Seconds until a gateway that has nothing says so."""


@dataclass
class Host:
    """How objects are served: `manner(cid, size)` is asked once for each object and gateway."""

    manner: Callable[[Cid, int | None], Manner]
    known: dict[Cid, Manner] = field(default_factory=dict)

    def of(self, cid: Cid, size: int | None) -> Manner:
        if cid not in self.known:
            self.known[cid] = self.manner(cid, size)
        return self.known[cid]

    def change(self) -> None:
        """From now on every object is asked about anew."""
        self.known.clear()


class Gateway(Store):
    """One person's view of what is pinned. Waiting moves the clock; a budget (`within`) ends it."""

    idle = IDLE

    def __init__(self, world: World, name: str, host: Host) -> None:
        self.name, self.writable = f"gateway https://{name}.example", False
        self._world, self._host = world, host

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        manner = self._begin(cid, size)
        pieces = self._world.pinned.read(cid, size, offset, length)
        for number, piece in enumerate(pieces):
            if manner == "drips" and size > 1000 and number == 0:
                self._pass(self._world.rng.choice((1_000, 2_000)), cid)
            yield piece

    def read_block(self, cid: Cid) -> bytes:
        self._begin(cid, None)
        return self._world.pinned.read_block(cid)

    def _begin(self, cid: Cid, size: int | None) -> Manner:
        manner = self._host.of(cid, size)
        match manner:
            case "late" | "drips":
                self._pass(self._world.rng.choice((20, ONE_EXCHANGE - 1)), cid)
            case "refuses":
                raise refused(self.name, cid)
            case "breaks":
                raise NetworkError(f"{self.name} can't be reached")
            case "alters":
                raise ContentError(f"{self.name}: the bytes are not what {cid} promises")
            case "lacks":
                self._pass(self.idle, cid)
                raise NotFoundError(f"{self.name} has no {cid}")
        try:
            self._world.pinned.read_block(cid) if size is None else None
        except NotFoundError:
            self._pass(self.idle, cid)
            raise NotFoundError(f"{self.name} has no {cid}") from None
        return manner

    def _pass(self, seconds: int, cid: Cid) -> None:
        left = seconds if self._ends is None else max(self._ends - self._world.now, 0)
        self._world.wait(min(seconds, left))
        if seconds > left:
            raise self._too_slow()


def refused(name: str, cid: Cid) -> NumerbayChainError:
    """What a gateway's 403, 451 or 500 for one object becomes."""
    return NotFoundError(f"{name} refuses {cid}: HTTP 451")


class Pinning(EmbeddedStore):
    """A person's own daemon: what is written is pinned for all, after `pause(label)` seconds."""

    def __init__(self, world: World, pause: Callable[[str], int]) -> None:
        super().__init__(world.folder / "network")
        self._world, self._pause = world, pause

    def writer(self, label: str = "") -> ContentWriter:
        self._world.wait(self._pause(label))
        return super().writer(label)


def reading_only(*stores: ContentStore) -> ContentStore:
    """The stores, asked in order."""
    from numerbay_chain.ipfs.stores.fallback import FallbackStore

    return FallbackStore(stores)
