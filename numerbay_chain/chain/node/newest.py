"""Logs of the newest blocks: a node that is some blocks behind leaves their logs out without a word.

The header of a block says which logs it may hold: its Bloom filter (Ethereum yellow paper, 4.3.1) leaves none out. So
where a new block's header names what was asked for and the answer has no log of it, that block alone is asked for by
its hash, which a node without it can't answer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from numerbay_chain.chain.node.errors import NodeRefusedError, UnknownBlockError
from numerbay_chain.chain.node.freshness import Freshness, OutOfPatienceError
from numerbay_chain.chain.node.values import Header, NoAnswer, quantity
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.core.hashing import keccak

LAG: Final = 15
"""Seconds that a node may be behind others."""
MOST_BLOCKS: Final = 24

Logs = list[Mapping[str, Any]]


def may_hold(header: Header, address: bytes, topics: Sequence[Sequence[bytes]]) -> bool:
    """Return whether the block may hold a log of `address` with one of the `topics` at each place (none = any)."""
    if not header.bloom:
        return False
    bits = int.from_bytes(header.bloom)

    def has(value: bytes) -> bool:
        digest = keccak(value)
        return all(bits >> (int.from_bytes(digest[place : place + 2]) & 2047) & 1 for place in (0, 2, 4))

    return has(address) and all(any(has(value) for value in place) for place in topics if place)


class NewestLogs:
    """Completes answers with logs. `header` asks for a block's header, `get_logs` is one `eth_getLogs`; `block_time`:
    seconds between two blocks, where that is known."""

    def __init__(
        self, fresh: Freshness, header: Callable[[int], Header], get_logs: Callable[[Mapping[str, Any]], Logs]
    ) -> None:
        self._fresh, self._ask_header, self._get_logs = fresh, header, get_logs
        self._headers: dict[int, Header] = {}
        self._seen = 0
        self.block_time = 0.0

    def complete(self, query: Mapping[str, Any], first: int, last: int, ask: Callable[[], Logs]) -> Logs:
        """Return what `ask` answers to the `query` (address and topics) for blocks `first` to `last`, once no log of
        the newest blocks is missing.

        Raises `NetworkError` (`node-behind`) where logs stay missing.
        """
        if self._fresh.newest < self._seen:
            self._headers.clear()  # blocks were taken back
        self._seen = self._fresh.newest
        if last < self._fresh.newest - MOST_BLOCKS:
            return ask()
        try:
            return self._fresh.retried(ask, lambda logs: self._is_short(query, first, last, logs))
        except OutOfPatienceError:
            self._headers.clear()  # perhaps of blocks that were taken back
            raise NetworkError(
                f"{self._fresh.name} leaves out logs of the blocks up to {last}, though it has them",
                "wait a moment, or use another node",
                code="node-behind",
            ) from None

    def _is_short(self, query: Mapping[str, Any], first: int, last: int, logs: Logs) -> bool:
        answered = {_block_of(log) for log in logs}
        address = bytes.fromhex(query["address"][2:])
        topics = [[bytes.fromhex(value[2:]) for value in place or ()] for place in query["topics"]]
        for header in self._new_blocks(first, last):
            if header.number in answered or not may_hold(header, address, topics):
                continue
            try:
                if self._get_logs({**query, "blockHash": "0x" + header.hash.hex()}):
                    return True
            except UnknownBlockError:
                self._headers.clear()  # a node behind, or the block was taken back
                return True
            except NodeRefusedError:
                continue  # it knows no such question
        return False

    def _new_blocks(self, first: int, last: int) -> list[Header]:
        """The headers of blocks that are so new that a node may lack them, not below `first`."""
        found: list[Header] = []
        for number in range(last, max(first, last - MOST_BLOCKS + 1, 0) - 1, -1):
            header = self._header(number)
            if found and header.timestamp < found[0].timestamp - LAG:
                break
            found.append(header)
            if header.timestamp - self.block_time < found[0].timestamp - LAG:
                break  # the one before is too old
        return found

    def know(self, header: Header) -> None:
        """Remember a header that was asked for anyway."""
        if len(self._headers) >= 4 * MOST_BLOCKS:
            self._headers.clear()
        self._headers[header.number] = header

    def _header(self, number: int) -> Header:
        if number not in self._headers:
            self.know(self._fresh.at(number, lambda: self._ask_header(number)))
        return self._headers[number]


def _block_of(log: Mapping[str, Any]) -> int | None:
    try:
        return quantity(log.get("blockNumber"), 63)
    except NoAnswer:
        return None  # decoding it says so
