"""How a node is asked, whatever the question: at which block, again where it is behind, and with errors of ours."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from numerbay_chain.chain.networks import network
from numerbay_chain.chain.node import values
from numerbay_chain.chain.node.blocks import is_development_chain, most_blocks
from numerbay_chain.chain.node.errors import FAULTS, NodeRefusedError, NodeTimeoutError, UnknownBlockError, translated
from numerbay_chain.chain.node.freshness import Freshness
from numerbay_chain.chain.node.newest import NewestLogs
from numerbay_chain.chain.node.pages import PageSizes
from numerbay_chain.chain.node.transport import Transport
from numerbay_chain.chain.node.values import At, Header
from numerbay_chain.core.errors import NetworkError, UsageError
from numerbay_chain.core.policy import Policy

_NO_PENDING: Final = re.compile(r"pending|tag|param|argument|block|support|invalid", re.IGNORECASE)

T = TypeVar("T")


class Node:
    """`transport` takes the questions; `name` is for messages; `is_development`: a development chain's id, on this
    machine; `fresh`: what the node has shown of the chain; `lacks`: what it can't do, and `has`: what was found there;
    `pages`: how many blocks it answers for at a time; `policy`: what is taken for granted of the network."""

    def __init__(
        self,
        transport: Transport,
        name: str,
        local: bool,
        expected_chain_id: int | None,
        redacted: Callable[[str], str],
        policy: Policy,
    ) -> None:
        self.transport = transport
        self.name = name
        self._redacted = redacted
        self.lacks: set[str] = set()
        self.has: set[str] = set()
        self.policy = policy
        self.fresh = Freshness(name, policy.catch_up, sleep=policy.sleep)
        self.pages = PageSizes()
        self._believed: dict[str, tuple[float, int, Header]] = {}
        self.newest_logs = NewestLogs(self.fresh, self.header_of, self.get_logs)
        with self.guard("asking for its chain id"):
            self.chain_id = values.quantity(transport.request("eth_chainId", []), 63)
        self.require_chain(expected_chain_id)
        known = network(self.chain_id)
        self._block_time = known.block_time if known else None
        self.newest_logs.block_time = self._block_time or 0.0
        self.is_development = is_development_chain(self.chain_id, local=local)

    def remember(self, folder: Path) -> None:
        """Keep in a folder what the node refuses, by chain and host, so that the next run begins with what it takes. Of
        a development chain nothing is kept: its port is another one each time."""
        if not self.is_development:
            host = sha256(self.name.encode()).hexdigest()[:16]
            self.pages.keep(folder / f"{self.chain_id}-{host}.json")

    def require_chain(self, expected: int | None) -> None:
        """Raises `UsageError` for another chain than expected, if one is."""
        if expected is not None and self.chain_id != expected:
            raise UsageError(
                f"{self.name} is on chain {self.chain_id}, but chain {expected} was asked for",
                "give the address of a node of that chain, or change chain_id",
                code="wrong-chain",
            )

    # What a call or estimate is made on: a development chain makes no blocks while nothing happens, so that its latest
    # one may be hours old, and the windows that ended since would still look open.
    @property
    def tip(self) -> str:
        return "pending" if self.is_development and "pending" not in self.lacks else "latest"

    def without_pending(self, error: NodeRefusedError) -> None:
        """Remembers that the node knows no pending block. Raises what it said where that was about something else."""
        if isinstance(error, NodeTimeoutError) or not _NO_PENDING.search(error.answer):
            raise error
        self.lacks.add("pending")

    def ask(self, doing: str, decode: Callable[[Any], T], method: str, *params: Any) -> T:
        """Return what `decode` makes of the result of one request. `doing`, as in "asking for a balance". Raises
        `NetworkError`, as all below; also (bad-answer) for a result that `decode` finds wrong by `NoAnswer`."""
        with self.guard(doing):
            return decode(self.transport.request(method, values.plain(params)))

    def newest_number(self) -> int:
        """The number of the newest block."""

        def ask() -> int:
            found = self.ask("asking for the latest block", lambda found: values.quantity(found, 63), "eth_blockNumber")
            self.require_possible(found)
            return found

        return ask() if self.is_development else self.fresh.head(ask, lambda height: height)

    def latest(self) -> Header:
        """The newest block's header, asked for now."""

        def ask() -> Header:
            return self.header_of("latest")

        if self.is_development:
            return ask()
        header = self.fresh.head(ask, lambda header: header.number)
        self.newest_logs.know(header)
        self._believe("latest", header)
        return header

    def believed(self, tag: Literal["latest", "finalized", "safe"] = "latest") -> Header:
        """The header of the block that the node calls so, where it was `known` a moment ago, else asked for now. Raises
        as `header_of`."""
        if (header := self.known(tag)) is not None:
            return header
        header = self.latest() if tag == "latest" else self.header_of(tag)
        self._believe(tag, header)
        return header

    def known(self, tag: Literal["latest", "finalized", "safe"] = "latest") -> Header | None:
        """The same where it was asked for in the last `Policy.believed` seconds, and nothing has shown a newer block
        since (of what is final: more than one, which may be our own transaction's), else None. Nobody is asked."""
        asked, newest, header = self._believed.get(tag, (0.0, 0, None))
        stands = 0 <= self.fresh.newest - newest <= (tag != "latest")  # and no block was taken back
        return header if stands and time.monotonic() - asked < self.policy.believed else None

    def _believe(self, tag: str, header: Header) -> None:
        if not self.is_development:
            self._believed[tag] = time.monotonic(), self.fresh.newest, header

    def doubt(self) -> None:
        """Believe no block to be the newest one any more: the next read asks."""
        self._believed.pop("latest", None)

    def header_of(self, block: At) -> Header:
        """A block's header. Raises `UnknownBlockError` where the node does not have it."""
        # a pending block has no number in the answers of some nodes
        header = self._block(block, False, lambda found: values.header(found, 0 if block == "pending" else None))
        if header is None:
            raise UnknownBlockError(
                f"{self.name} does not have the block when asking for block {block!s}",
                "try again later, or use another node",
                answer="block not found",
            )
        if isinstance(block, str):
            self.require_possible(header.number)
        return header

    def require_possible(self, newest: int) -> None:
        """Raises `NetworkError` (bad-answer) for a newest block that no chain can have by now: to read the logs of all
        before it would never end."""
        if newest > most_blocks(self.policy.time(), self._block_time):
            raise NetworkError(
                f"{self.name} says that its newest block is {newest}, which it can't have by now",
                "use another node",
                code="bad-answer",
            )

    def transactions_in(self, block: int) -> list[Any] | None:
        """The transactions of a block as the node tells of them, whole or by their hashes; None where it has no such
        block."""
        return self._block(block, True, lambda found: [*values.sequence(values.mapping(found).get("transactions"))])

    def _block(self, block: At, whole: bool, decode: Callable[[Any], T]) -> T | None:
        return self.ask(
            f"asking for block {block!s}",
            lambda found: None if found is None else decode(found),
            "eth_getBlockByNumber",
            block,
            whole,
        )

    def state(self, doing: str, block: At | None, ask: Callable[[At], T]) -> T:
        """What `ask` answers at the block: a number that nodes behind can't answer for, unless it is a test's chain."""
        at: At
        if block is None or block == "latest":
            at = "latest" if self.is_development else self.believed().number
        else:
            at = block

        def guarded() -> T:
            with self.guard(doing):
                return ask(at)

        return self.fresh.at(at, guarded) if isinstance(at, int) else guarded()

    def state_of(self, doing: str, decode: Callable[[Any], T], block: At | None, method: str, *params: Any) -> T:
        """`ask` about the state after a block, which is the last parameter."""
        return self.state(doing, block, lambda at: decode(self.transport.request(method, values.plain([*params, at]))))

    def get_logs(self, query: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """One `eth_getLogs`, its logs as the node tells of them."""
        return self.ask(
            "asking for logs",
            lambda found: [values.mapping(log) for log in values.sequence(found)],
            "eth_getLogs",
            query,
        )

    @contextmanager
    def guard(self, doing: str) -> Iterator[None]:
        """Translates what the transport raises in the block, and what decoding an answer finds wrong; all else is a
        fault of ours. `doing`, as in "asking for a balance"."""
        try:
            yield
        except FAULTS as error:
            # without the cause: it may name the node's whole address
            raise translated(error, self.name, doing, self._redacted) from None
