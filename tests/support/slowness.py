"""Content that takes its time: the chain's clock goes on while a store is read, and while a transaction is mined."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import abi
from numerbay_chain.ipfs import Cid, ContentStore
from tests.support.places import Place
from tests.support.wrapped import altered, with_policy

BLOCK = 12  # seconds


def as_public(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain counts as a public one; this machine's clock is the chain's."""
    with_policy(monkeypatch, place.chain.connection, trial=False, time=partial(chain_time, place.chain.connection))


def chain_time(connection: Connection) -> float:
    """What a clock shows that is the chain's: asked of the transport, since a connection looks at its machine's clock
    itself."""
    return int(connection.transport.request("eth_getBlockByNumber", ["pending", False])["timestamp"], 16)


def advance_to(place: Place, when: int) -> None:
    """Moves the chain's clock there, if it is not there yet."""
    if (missing := when - place.chain.connection.now()) > 0:
        place.chain.advance(missing)


@dataclass
class Slowly:
    """Runs `meanwhile` before a store is read, as often as `reads` says; counts what was read."""

    meanwhile: Callable[[], object]
    size: int | None = None  # only files of this size
    reads: int = 1
    seen: list[Cid] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch, store: ContentStore) -> "Slowly":
        read, read_block = store.read, store.read_block

        def slow_read(_: ContentStore, cid: Cid, size: int, *which: int | None) -> Iterator[bytes]:
            self._pass(cid, size)
            yield from read(cid, size, *which)  # type: ignore[arg-type]  # as they were given

        def slow_block(_: ContentStore, cid: Cid) -> bytes:
            self._pass(cid, None)
            return read_block(cid)

        altered(monkeypatch, store, "read", slow_read)
        altered(monkeypatch, store, "read_block", slow_block)
        return self

    def _pass(self, cid: Cid, size: int | None) -> None:
        if self.size not in (None, size):
            return
        self.seen.append(cid)
        if len(self.seen) <= self.reads:
            self.meanwhile()


@dataclass
class Wire:
    """The signed transactions that left this machine, each mined a block later."""

    sent: list[bytes] = field(default_factory=list)

    def names(self) -> list[str]:
        """The functions that were called."""
        selectors = {abi.selector(item): name for name, item in abi.functions().items()}
        return [next((name for code, name in selectors.items() if code in raw), "?") for raw in self.sent]

    @classmethod
    def watch(cls, place: Place, monkeypatch: pytest.MonkeyPatch, delay: int = BLOCK) -> "Wire":
        wire, original = cls(), Connection.send_raw

        def mined_later(connection: Connection, raw: bytes) -> str:
            wire.sent.append(raw)
            place.chain.advance(delay)
            return original(connection, raw)

        altered(monkeypatch, place.chain.connection, "send_raw", mined_later)
        return wire
