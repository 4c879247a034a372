"""How a node is asked, whatever the question: at which block, again where it is behind, and with errors of ours."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, TypeVar, cast

from eth_typing import BlockNumber
from web3 import Web3
from web3.types import BlockIdentifier, FilterParams

from numerbay_chain.chain.node.blocks import is_development_chain
from numerbay_chain.chain.node.errors import NodeRefusedError, NodeTimeoutError, hides_address, number, translated
from numerbay_chain.chain.node.freshness import Freshness
from numerbay_chain.chain.node.newest import Header, NewestLogs
from numerbay_chain.chain.node.pages import PageSizes
from numerbay_chain.chain.node.rpc import NodeProvider
from numerbay_chain.core.errors import UsageError

_NO_PENDING: Final = re.compile(r"pending|tag|param|argument|block|support|invalid", re.IGNORECASE)

T = TypeVar("T")


class Node:
    """`w3` is web3's own object, whose errors are not translated; `name` is for messages; `is_development`: a
    development chain's id, on this machine; `fresh`: what the node has shown of the chain; `lacks`: what it can't do;
    `pages`: how many blocks it answers for at a time."""

    def __init__(
        self, w3: Web3, name: str, local: bool, expected_chain_id: int | None, redacted: Callable[[str], str]
    ) -> None:
        self.w3 = w3
        self.name = name
        self._redacted = redacted
        self.lacks: set[str] = set()
        self.fresh = Freshness(name)
        self.pages = PageSizes()
        self.newest_logs = NewestLogs(self.fresh, self.header_of, self.get_logs)
        with self.guard("asking for its chain id"):
            self.chain_id = number(w3.eth.chain_id, 63)
        self.require_chain(expected_chain_id)
        self.is_development = is_development_chain(self.chain_id, local=local)

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
    def tip(self) -> BlockIdentifier:
        return "pending" if self.is_development and "pending" not in self.lacks else "latest"

    def without_pending(self, error: NodeRefusedError) -> None:
        """Remembers that the node knows no pending block. Raises what it said where that was about something else."""
        if isinstance(error, NodeTimeoutError) or not _NO_PENDING.search(error.answer):
            raise error
        self.lacks.add("pending")

    def newest_number(self) -> int:
        """The number of the newest block. Raises `NetworkError`, as all below."""

        def ask() -> int:
            with self.guard("asking for the latest block"):
                return number(self.w3.eth.block_number, 63)

        return ask() if self.is_development else self.fresh.head(ask, lambda height: height)

    def latest(self) -> Header:
        """The newest block's header."""

        def ask() -> Header:
            return self.header_of("latest")

        return ask() if self.is_development else self.fresh.head(ask, lambda header: header.number)

    def header_of(self, block: BlockIdentifier) -> Header:
        """A block's header. Raises `UnknownBlockError` where the node does not have it."""
        with self.guard(f"asking for block {block!s}"):
            found = self.w3.eth.get_block(block)
            height = 0 if block == "pending" else number(found["number"], 63)  # some have no number yet
            # the contract's times end at 2^40: a node that counts milliseconds is beyond
            time, hash = number(found["timestamp"], 40), bytes(found.get("hash") or b"")
            return Header(height, hash, time, bytes(found.get("logsBloom") or b""))

    def state(self, doing: str, block: BlockIdentifier | None, ask: Callable[[BlockIdentifier], T]) -> T:
        """What `ask` answers at the block: a number that nodes behind can't answer for, unless it is a test's chain."""
        at: BlockIdentifier
        if block is None or block == "latest":
            at = "latest" if self.is_development else BlockNumber(self.newest_number())
        else:
            at = cast(BlockIdentifier, block)

        def guarded() -> T:
            with self.guard(doing):
                return ask(at)

        return self.fresh.at(at, guarded) if isinstance(at, int) else guarded()

    def get_logs(self, query: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """One `eth_getLogs`."""
        with self.guard("asking for logs"):
            return [cast(Mapping[str, Any], log) for log in self.w3.eth.get_logs(cast(FilterParams, query)) or []]

    def patience(self, seconds: float) -> AbstractContextManager[None]:
        """A block in which one answer may take so many seconds; Ape's and other providers keep their own bounds."""
        provider = self.w3.provider
        return provider.within(seconds) if isinstance(provider, NodeProvider) else nullcontext()

    @contextmanager
    def guard(self, doing: str) -> Iterator[None]:
        """Translates what web3 and its providers raise in the block. `doing`, as in "asking for a balance"."""
        try:
            yield
        except Exception as error:
            ours = translated(error, self.name, doing, self._redacted)
            if ours is error:
                raise
            raise ours from (None if hides_address(error) else error)
