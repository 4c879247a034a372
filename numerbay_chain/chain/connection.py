"""A node, behind a few typed questions: no sound answer is a `NetworkError`, a revert is a `RevertedError`.

A node's address may hold an access key, so messages name its host alone. Nodes differ in what they can do: what one
refuses (a second argument of an estimate, the `pending` block, a method) is done another way, and remembered.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol, TypeVar

from numerbay_chain.chain.batches import Batches, Read
from numerbay_chain.chain.encoding.reverts import endless
from numerbay_chain.chain.networks import network
from numerbay_chain.chain.node import pricing, transport, values
from numerbay_chain.chain.node.blocks import CONFIRMATIONS, Block
from numerbay_chain.chain.node.endpoint import parse_endpoint
from numerbay_chain.chain.node.errors import NodeRefusedError, NodeTimeoutError, UnknownBlockError
from numerbay_chain.chain.node.fees import FeeLimits, Fees
from numerbay_chain.chain.node.node import Node
from numerbay_chain.chain.node.transport import Transport
from numerbay_chain.chain.node.values import At, Header, NodeReceipt, NodeTransaction, Pending
from numerbay_chain.chain.reading import OneBlock, of_one_block
from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import NetworkError, RefusedError, RevertedError
from numerbay_chain.core.network.failures import OversizedError
from numerbay_chain.core.policy import Policy

__all__ = ["Connection", "Fees", "NodeRefusedError", "NodeTimeoutError", "checksummed", "connect"]

T = TypeVar("T")


def connect(
    rpc: str,
    expected_chain_id: int | None = None,
    max_tip: int | None = None,
    max_fee: int | None = None,
    policy: Policy | None = None,
) -> "Connection":
    """A connection to the node at `rpc`: `http://…`, `https://…` or the path of an IPC socket. `max_tip`: in gwei;
    `max_fee`: in wei (None: the chain's usual limits).

    Raises `UsageError` for an address that can't be used and for another chain than expected, `NetworkError` for a node
    that can't be reached.
    """
    endpoint, policy = parse_endpoint(rpc), policy or Policy()
    connection = Connection(
        transport.opened(endpoint, policy),
        name=endpoint.name,
        local=endpoint.local,
        expected_chain_id=expected_chain_id,
        redacted=endpoint.redacted,
        policy=policy,
    )
    connection.limit_fees(max_tip, max_fee)
    return connection


class Deciding(OneBlock, Protocol):
    """A decision over two nodes, as `second` makes it."""

    @property
    def second(self) -> "Connection": ...

    def confirm(self) -> None:
        """Ask the second node the same, and end the decision."""


class OtherNode(Protocol):
    """A node to compare with, as `second` has it: connected to when it is first needed."""

    def connection(self, first: "Connection") -> "Connection": ...


class Connection(Node):
    """A chain that answers (`Node` says how it is asked). `limits`: what gas may cost."""

    def __init__(
        self,
        transport: Transport,
        *,
        name: str,
        local: bool,
        expected_chain_id: int | None = None,
        redacted: Callable[[str], str] = str,
        policy: Policy | None = None,
    ) -> None:
        """Over a transport that exists already; `local`: the node is this machine's. `redacted` takes the node's
        secrets out of its words. Raises as `connect`."""
        super().__init__(transport, name, local, expected_chain_id, redacted, policy or Policy())
        self.second: OtherNode | None = None
        self.decision: Deciding | None = None
        self.limits = FeeLimits.of(self.chain_id)
        self._prices: tuple[float, tuple[Header, int]] | None = None
        self._batches = Batches(self, lambda read, at: self.call(_question(read.address, read.data), at, True))

    def limit_fees(self, max_tip: int | None = None, max_fee: int | None = None) -> None:
        """Set what gas may cost, where it is not None: `max_tip` in gwei, `max_fee` in wei."""
        if max_tip is not None:
            self.limits = replace(self.limits, max_tip=max_tip)
        if max_fee is not None:
            self.limits = replace(self.limits, max_fee=max_fee)

    def __repr__(self) -> str:
        return f"Connection({self.name}, chain {self.chain_id})"

    @property
    def is_trial(self) -> bool:
        """Whether nothing can be lost on the chain, and its blocks wait for nothing (`Policy.trial`)."""
        return self.is_development if self.policy.trial is None else self.policy.trial

    @property
    def coin(self) -> str:
        """The symbol of the coin that gas is paid in."""
        return self.limits.symbol

    @property
    def confirmations(self) -> int:
        """How many blocks on top make a block final where the node does not say what is final (see `Finality`)."""
        if self.policy.confirmations is not None:
            return self.policy.confirmations
        if self.is_development:
            return 0
        known = network(self.chain_id)
        return known.confirmations if known else CONFIRMATIONS

    # ---------------------------------------------------------------------------------------------------------- blocks

    def now(self) -> int:
        """The chain's time in Unix seconds: a transaction that is sent now meets this time, or a little later one."""
        if self.decision is None and self.tip == "latest":
            return self.believed().timestamp
        return self.present().timestamp

    def present(self, earlier: Header | None = None) -> Block:
        """The newest block, within a decision its block; its time is what `now` tells, which is the pending block's on
        a development chain. `earlier`: or that one, while it is `known`."""
        pending = self._pending()
        if self.decision is not None:
            newest = self.decision.block
        elif pending is not None and self._is_next(pending):
            return pending.before  # by one request
        else:
            header = earlier if earlier is not None and earlier is self.known() else self.latest()
            newest = Block(header.number, header.hash, header.timestamp)
            if pending is not None and pending.before.number == newest.number:
                self.has.add("pending")
        return newest if pending is None else replace(newest, timestamp=pending.before.timestamp)

    def _pending(self) -> Pending | None:
        """None off a development chain, and where the node knows no pending block."""
        if self.tip != "pending":
            return None
        try:
            found = self.ask("asking for block pending", values.pending, "eth_getBlockByNumber", "pending", False)
        except NodeRefusedError as error:
            self.without_pending(error)
            return None
        if found is not None:
            self.require_possible(found.before.number)
        return found

    def _is_next(self, pending: Pending) -> bool:
        """Whether it comes after the latest block, as far as that is known without asking."""
        return (pending.unmined or "pending" in self.has) and pending.before.number >= self.fresh.newest

    def block_number(self) -> int:
        """The number of the latest block; within a decision, of its block."""
        return self.newest_number() if self.decision is None else self.decision.block.number

    def block(self, identifier: int | Literal["latest", "safe", "finalized"]) -> Block | None:
        """A block by its number or its tag; None where the node has none."""
        try:
            found = self.latest() if identifier == "latest" else self.header_of(identifier)
        except UnknownBlockError:
            return None
        return Block(found.number, found.hash, found.timestamp)

    @of_one_block
    def timestamp(self, block: int) -> int:
        """Of a block, in Unix seconds."""
        return self.fresh.at(block, lambda: self.header_of(block)).timestamp

    # ----------------------------------------------------------------------------------------------------------- state

    @of_one_block
    def balance(self, address: str, block: At | None = None) -> int:
        """In wei."""
        return self.state_of("asking for a balance", values.quantity, block, "eth_getBalance", checksummed(address))

    @of_one_block
    def code(self, address: str, block: At | None = None) -> bytes:
        """The code at the address after `block` (None: the latest one), empty where there is no contract."""
        return self.state_of("asking for a contract's code", values.data, block, "eth_getCode", checksummed(address))

    @of_one_block
    def storage(self, address: str, slot: int, block: At | None = None) -> bytes:
        """32 bytes."""
        return self.state_of(
            "asking for a contract's storage", values.word, block, "eth_getStorageAt", checksummed(address), slot
        )

    @of_one_block
    def call(self, transaction: Mapping[str, Any], block: At | None = None, answered: bool = False) -> bytes:
        """What the transaction would return, on the latest block if none is named. `answered`: something must come
        back, so nothing is asked for again: some nodes give none while they can't look. Raises `RevertedError`."""

        def ask(at: At | None) -> bytes:
            try:
                return self.state_of("making a call", values.data, at, "eth_call", transaction)
            except NetworkError as error:
                if error.code == OversizedError.code:
                    raise endless() from None
                raise

        if block == "pending" and "pending" in self.lacks:
            block = None
        try:
            looks = self.fresh.looked if answered else _once
            return looks(lambda: ask(block), lambda answer: not answer)
        except NodeRefusedError as error:
            if block != "pending":
                raise
            self.without_pending(error)
            return ask(None)

    def read(self, address: str, data: bytes, block: At | None = None) -> bytes:
        """What a contract answers to a question. Raises `RevertedError`."""
        return self.call(_question(address, data), block, True)

    @of_one_block
    def read_many(self, reads: Sequence[Read], block: At | None = None) -> list[bytes | RevertedError]:
        """What contracts answer to questions, all at one block, in few requests (`batches`): of each the answer, or how
        it was refused. Where the answer is empty, the question was asked alone."""
        if not reads:
            return []
        at: At = block if block is not None else "latest" if self.is_development else self.believed().number
        return self._batches.ask(reads, at)

    # ------------------------------------------------------------------------------------------------------------- gas

    def estimate_gas(self, transaction: Mapping[str, Any]) -> int:
        """Raises `RevertedError`."""
        return pricing.estimate(self, transaction)

    def gas_limit(self) -> int | None:
        """Of the newest block, as it was when gas was priced; None where the node does not say."""
        return self._priced()[0].gas_limit

    def fees(self, *, staked: bool = False) -> Fees:
        """What a unit of gas is offered (`FeeLimits.offered`), by what the node asked for some seconds ago at most.
        Raises `RefusedError` where that is more than `limits` allow."""
        header, asked = self._priced()
        return self.limits.offered(header.base_fee, asked, self.name, staked=staked)

    def gas_price(self) -> int:
        """The most that a unit of gas costs now, in wei; 0 where the node does not say."""
        try:
            return self.fees().most
        except (NetworkError, RefusedError):
            return 0

    def _priced(self) -> tuple[Header, int]:
        """The newest block's header, and the tip or price that the node asks for."""
        now = time.monotonic()
        if self._prices is None or now - self._prices[0] >= self.policy.prices:
            header = self.believed()
            self._prices = (now, (header, pricing.asked(self, header.base_fee)))
        return self._prices[1]

    # ---------------------------------------------------------------------------------------------------- transactions

    def transaction_count(self, address: str, *, pending: bool = False, block: int | None = None) -> int:
        """The nonces that the account has used, up to `block` or the latest one, or with those of pending
        transactions."""
        account = checksummed(address)

        def ask(at: At | None) -> int:
            return self.state_of("asking for a nonce", values.nonce, at, "eth_getTransactionCount", account)

        if not pending or "pending" in self.lacks:
            return ask(block)
        try:
            found = ask("pending")
        except NodeRefusedError as error:
            self.without_pending(error)
            found = 0
        # a node that is behind does not know what was used meanwhile
        return found if found and self.is_development else max(found, ask(None))

    def send_raw(self, raw: bytes) -> str:
        """Hands a signed transaction over; its hash. Raises `NodeRefusedError` where the node does not want it."""
        return "0x" + self.ask("sending a transaction", values.digest, "eth_sendRawTransaction", raw).hex()

    def transaction(self, transaction: str) -> NodeTransaction | None:
        """A transaction that the node knows, mined (`block` is set) or not; None where it does not."""
        return self.ask(
            "asking for a transaction", _optional(values.transaction), "eth_getTransactionByHash", transaction
        )

    def receipt(self, transaction: str) -> NodeReceipt | None:
        """The receipt of a mined transaction, None while there is none. What is read afterwards is not older than its
        block."""
        found = self.ask("asking for a receipt", _optional(values.receipt), "eth_getTransactionReceipt", transaction)
        if found is not None:
            self.fresh.note(found.block)
        return found

    def receipts_in(self, block: int) -> list[NodeReceipt]:
        """The receipts of a block's transactions. Raises `NodeRefusedError` where the node knows no such question."""

        def decode(found: Any) -> list[NodeReceipt]:
            return [one for one in map(values.receipt, values.sequence(found or ())) if one is not None]

        return self.ask("asking for a block's receipts", decode, "eth_getBlockReceipts", block)

    # ------------------------------------------------------------------------------------------------------------ logs

    def logs(self, address: str, first: int, last: int, topics: Sequence[Any] = ()) -> list[Mapping[str, Any]]:
        """Logs of the blocks from `first` to `last`, by `eth_getLogs`.

        Raises `NodeRefusedError` where the node does not want to, for instance for the number of blocks, and
        `NetworkError` (`node-behind`) where it goes on leaving out logs of the newest blocks.
        """
        query = {"address": checksummed(address), "topics": list(topics)}
        wide = {**query, "fromBlock": hex(first), "toBlock": hex(last)}

        def ask() -> list[Mapping[str, Any]]:
            with self.transport.within(self.policy.logs if last > first else self.policy.request):
                return self.fresh.at(last, lambda: self.get_logs(wide))

        if self.is_development:
            return ask()
        return self.newest_logs.complete(query, first, last, ask)


def _question(address: str, data: bytes) -> dict[str, str]:
    return {"to": checksummed(address), "data": "0x" + data.hex()}


def _once(ask: Callable[[], T], _: Callable[[T], bool]) -> T:
    return ask()


def _optional(decode: Callable[[Any], T | None]) -> Callable[[Any], T | None]:
    return lambda found: None if found is None else decode(found)
