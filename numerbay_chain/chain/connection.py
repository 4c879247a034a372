"""A node, behind a few typed questions: no sound answer is a `NetworkError`, a revert is a `RevertedError`.

A node's address may hold an access key, so messages name its host alone. Nodes differ in what they can do: what one
refuses (a second argument of an estimate, the `pending` block, a method) is done another way, and remembered.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, Protocol, TypeVar, cast

from eth_typing import ChecksumAddress, HexStr
from web3 import Web3
from web3.exceptions import TransactionNotFound
from web3.middleware import ExtraDataToPOAMiddleware
from web3.providers.base import BaseProvider
from web3.types import BlockIdentifier, TxParams

from numerbay_chain.chain.networks import network
from numerbay_chain.chain.node import pricing
from numerbay_chain.chain.node.blocks import CONFIRMATIONS, Block
from numerbay_chain.chain.node.endpoint import parse_endpoint
from numerbay_chain.chain.node.errors import (
    SECONDS_PER_REQUEST,
    NodeRefusedError,
    NodeTimeoutError,
    UnknownBlockError,
    number,
)
from numerbay_chain.chain.node.fees import FeeLimits, Fees
from numerbay_chain.chain.node.node import Node
from numerbay_chain.chain.node.rpc import NodeProvider, SocketProvider
from numerbay_chain.chain.reading import OneBlock, of_one_block
from numerbay_chain.core import addresses

__all__ = ["Connection", "Fees", "NodeRefusedError", "NodeTimeoutError", "checksummed", "connect"]

SECONDS_PER_LOGS: Final = 10.0
"""For logs of many blocks: where they take longer, fewer blocks are asked for."""

T = TypeVar("T")

logging.getLogger("web3").setLevel(logging.WARNING)  # its debug lines hold the node's whole address


def checksummed(address: str, what: str = "address") -> ChecksumAddress:
    """Return the address as EIP-55 writes it. Raises as `addresses.checksummed`."""
    return cast(ChecksumAddress, addresses.checksummed(address, what))


def connect(
    rpc: str, expected_chain_id: int | None = None, max_tip: int | None = None, max_fee: int | None = None
) -> "Connection":
    """A connection to the node at `rpc`: `http://…`, `https://…` or the path of an IPC socket. `max_tip`: in gwei;
    `max_fee`: in wei (None: the chain's usual limits).

    Raises `UsageError` for an address that can't be used and for another chain than expected, `NetworkError` for a node
    that can't be reached.
    """
    endpoint = parse_endpoint(rpc)
    provider: BaseProvider = SocketProvider(endpoint) if endpoint.is_socket else NodeProvider(endpoint)
    w3 = Web3(provider)
    w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    w3.middleware_onion.remove("validation")  # it asks for the chain's id before each call
    connection = Connection(
        w3, name=endpoint.name, local=endpoint.local, expected_chain_id=expected_chain_id, redacted=endpoint.redacted
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
        w3: Web3,
        *,
        name: str,
        local: bool,
        expected_chain_id: int | None = None,
        redacted: Callable[[str], str] = str,
    ) -> None:
        """Over a `Web3` that exists already, such as Ape's; `local`: it is this machine's. `redacted` takes the node's
        secrets out of its words. Raises as `connect`."""
        super().__init__(w3, name, local, expected_chain_id, redacted)
        self.second: OtherNode | None = None
        self.decision: Deciding | None = None
        self.limits = FeeLimits.of(self.chain_id)

    def limit_fees(self, max_tip: int | None = None, max_fee: int | None = None) -> None:
        """Set what gas may cost, where it is not None: `max_tip` in gwei, `max_fee` in wei."""
        if max_tip is not None:
            self.limits = replace(self.limits, max_tip=max_tip)
        if max_fee is not None:
            self.limits = replace(self.limits, max_fee=max_fee)

    def __repr__(self) -> str:
        return f"Connection({self.name}, chain {self.chain_id})"

    @property
    def confirmations(self) -> int:
        """How many blocks on top make a block final where the node does not say what is final (see `Finality`)."""
        if self.is_development:
            return 0
        known = network(self.chain_id)
        return known.confirmations if known else CONFIRMATIONS

    # ---------------------------------------------------------------------------------------------------------- blocks

    def now(self) -> int:
        """The chain's time in Unix seconds: a transaction that is sent now meets this time, or a little later one.
        Within a decision, that of its block."""
        if self.decision is not None and self.tip == "latest":
            return self.decision.block.timestamp
        if self.tip == "pending":
            try:
                return self.header_of("pending").timestamp
            except NodeRefusedError as error:
                self.without_pending(error)
        return self.latest().timestamp

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
    def balance(self, address: str, block: int | None = None) -> int:
        """In wei."""
        account = checksummed(address)
        return self.state("asking for a balance", block, lambda at: number(self.w3.eth.get_balance(account, at), 256))

    @of_one_block
    def code(self, address: str, block: int | None = None) -> bytes:
        """The code at the address after `block` (None: the latest one), empty where there is no contract."""
        account = checksummed(address)
        return self.state("asking for a contract's code", block, lambda at: bytes(self.w3.eth.get_code(account, at)))

    @of_one_block
    def storage(self, address: str, slot: int, block: int | None = None) -> bytes:
        """32 bytes."""
        account = checksummed(address)

        def ask(at: BlockIdentifier) -> bytes:
            return _word(bytes(self.w3.eth.get_storage_at(account, slot, at)))

        return self.state("asking for a contract's storage", block, ask)

    @of_one_block
    def call(
        self, transaction: Mapping[str, Any], block: BlockIdentifier | None = None, answered: bool = False
    ) -> bytes:
        """What the transaction would return, on the latest block if none is named. `answered`: something must come
        back, so nothing is asked for again: some nodes give none while they can't look. Raises `RevertedError`."""

        def ask(at: BlockIdentifier) -> bytes:
            # a contract must not be able to make us fetch addresses of its choice (EIP-3668)
            return bytes(self.w3.eth.call(cast(TxParams, dict(transaction)), at, ccip_read_enabled=False))

        if block == "pending" and "pending" in self.lacks:
            block = None
        try:
            looks = self.fresh.looked if answered else _once
            return looks(lambda: self.state("making a call", block, ask), lambda answer: not answer)
        except NodeRefusedError as error:
            if block != "pending":
                raise
            self.without_pending(error)
            return self.state("making a call", None, ask)

    def read(self, address: str, data: bytes, block: BlockIdentifier | None = None) -> bytes:
        """What a contract answers to a question. Raises `RevertedError`."""
        return self.call({"to": checksummed(address), "data": "0x" + data.hex()}, block, True)

    # ------------------------------------------------------------------------------------------------------------- gas

    def estimate_gas(self, transaction: Mapping[str, Any]) -> int:
        """Raises `RevertedError`."""
        return pricing.estimate(self, cast(TxParams, dict(transaction)))

    def gas_limit(self) -> int:
        """Of the latest block."""
        with self.guard("asking for the latest block"):
            return number(self.w3.eth.get_block("latest")["gasLimit"], 64)

    def fees(self, *, staked: bool = False) -> Fees:
        """What a unit of gas is offered (`FeeLimits.offered`). Raises `RefusedError` where the node asks for more than
        `limits` allow."""
        base, asked = pricing.asked(self)
        return self.limits.offered(base, asked, self.name, staked=staked)

    # ---------------------------------------------------------------------------------------------------- transactions

    def transaction_count(self, address: str, *, pending: bool = False, block: int | None = None) -> int:
        """The nonces that the account has used, up to `block` or the latest one, or with those of pending
        transactions."""
        account = checksummed(address)

        def ask(at: BlockIdentifier) -> int:
            return number(self.w3.eth.get_transaction_count(account, at), 64)

        if not pending or "pending" in self.lacks:
            return self.state("asking for a nonce", block, ask)
        try:
            found = self.state("asking for a nonce", "pending", ask)
        except NodeRefusedError as error:
            self.without_pending(error)
            found = 0
        # a node that is behind does not know what was used meanwhile
        return found if found and self.is_development else max(found, self.state("asking for a nonce", None, ask))

    def send_raw(self, raw: bytes) -> str:
        """Hands a signed transaction over; its hash. Raises `NodeRefusedError` where the node does not want it."""
        with self.guard("sending a transaction"):
            return "0x" + bytes(self.w3.eth.send_raw_transaction(raw)).hex()

    def transaction(self, transaction: str) -> Mapping[str, Any] | None:
        """A transaction that the node knows, mined (`blockNumber` is set) or not; None where it does not."""
        with self.guard("asking for a transaction"):
            try:
                return cast(Mapping[str, Any], self.w3.eth.get_transaction(HexStr(transaction)))
            except TransactionNotFound:
                return None

    def receipt(self, transaction: str) -> Mapping[str, Any] | None:
        """web3's receipt, None while there is none. What is read afterwards is not older than its block."""
        with self.guard("asking for a receipt"):
            try:
                found = cast(Mapping[str, Any], self.w3.eth.get_transaction_receipt(HexStr(transaction)))
            except TransactionNotFound:
                return None
            if found.get("blockNumber") is not None:
                self.fresh.note(number(found["blockNumber"], 63))
            return found

    # ------------------------------------------------------------------------------------------------------------ logs

    def logs(self, address: str, first: int, last: int, topics: Sequence[Any] = ()) -> list[Mapping[str, Any]]:
        """Logs of the blocks from `first` to `last`, by `eth_getLogs`.

        Raises `NodeRefusedError` where the node does not want to, for instance for the number of blocks, and
        `NetworkError` (`node-behind`) where it goes on leaving out logs of the newest blocks.
        """
        query = {"address": checksummed(address), "topics": list(topics)}
        wide = {**query, "fromBlock": hex(first), "toBlock": hex(last)}

        def ask() -> list[Mapping[str, Any]]:
            with self.patience(SECONDS_PER_LOGS if last > first else SECONDS_PER_REQUEST):
                return self.fresh.at(last, lambda: self.get_logs(wide))

        if self.is_development:
            return ask()
        return self.newest_logs.complete(query, first, last, ask)


def _once(ask: Callable[[], T], _: Callable[[T], bool]) -> T:
    return ask()


def _word(value: bytes) -> bytes:
    if len(value) > 32:
        raise ValueError("longer than a word")
    return value.rjust(32, b"\0")
