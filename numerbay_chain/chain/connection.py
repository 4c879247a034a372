"""A node, behind a few typed questions: no sound answer is a `NetworkError`, a revert is a `RevertedError`.

A node's address may hold an access key, so messages name its host alone.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

import requests
from eth_typing import BlockNumber, ChecksumAddress, HexStr
from web3 import HTTPProvider, IPCProvider, Web3
from web3.exceptions import (
    BlockNotFound,
    ContractLogicError,
    OffchainLookup,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.middleware import ExtraDataToPOAMiddleware
from web3.providers.base import BaseProvider
from web3.types import BlockIdentifier, FilterParams, TxParams

from numerbay_chain import addresses
from numerbay_chain.chain.blocks import CONFIRMATIONS, Block, is_development_chain
from numerbay_chain.chain.networks import network
from numerbay_chain.chain.reading import of_one_block
from numerbay_chain.chain.reverts import reverted
from numerbay_chain.errors import NetworkError, NumerbayChainError, RefusedError, UsageError
from numerbay_chain.hosts import is_loopback
from numerbay_chain.network.failures import TransportError
from numerbay_chain.network.session import Session, pause_words
from numerbay_chain.text import one_line

MAX_TIP = 500
"""Gwei that a unit of gas may cost on top of the base fee, unless said otherwise."""
SECONDS_PER_REQUEST = 30.0
"""For a question and its answer in all, also where it is asked several times."""
TRIES = 4
ANSWER_LIMIT = 32 << 20
"""Bytes of the longest answer: 10,000 logs of 3 KiB."""

if TYPE_CHECKING:
    from numerbay_chain.chain.second import Decision, SecondNode


class NodeRefusedError(NetworkError):
    """The node was reached and answered with an error of its own, `answer`."""

    def __init__(self, message: str, hint: str | None = None, *, answer: str = "") -> None:
        super().__init__(message, hint)
        self.answer = answer


class NodeTimeoutError(NodeRefusedError):
    """The node took the request and gave no answer in time."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What a unit of gas is offered, in wei; `priority` is None on a chain without EIP-1559."""

    most: int
    priority: int | None

    def fields(self) -> dict[str, int]:
        """The transaction's fields."""
        if self.priority is None:
            return {"gasPrice": self.most}
        return {"maxFeePerGas": self.most, "maxPriorityFeePerGas": self.priority}


def checksummed(address: str, what: str = "address") -> ChecksumAddress:
    """Return the address as EIP-55 writes it. Raises as `addresses.checksummed`."""
    return cast(ChecksumAddress, addresses.checksummed(address, what))


def connect(rpc: str, expected_chain_id: int | None = None, max_tip: int | None = None) -> "Connection":
    """A connection to the node at `rpc`: `http://…`, `https://…` or the path of an IPC socket. `max_tip`: in gwei.

    Raises `UsageError` for an address that can't be used and for another chain than expected, `NetworkError` for a node
    that can't be reached.
    """
    provider: BaseProvider
    parts = urlsplit(rpc)
    if parts.scheme in {"http", "https"} and parts.hostname:
        provider = _QuietProvider(
            rpc,
            request_kwargs={"timeout": SECONDS_PER_REQUEST},
            session=_session(rpc),
            exception_retry_configuration=None,
        )
        port = f":{parts.port}" if parts.port else ""
        name, local = f"{parts.scheme}://{parts.hostname}{port}", is_loopback(parts.hostname)
    elif not parts.scheme and rpc.endswith(".ipc"):
        provider, name, local = IPCProvider(rpc, timeout=int(SECONDS_PER_REQUEST)), rpc, True
    else:
        raise UsageError(
            f"{name_of(rpc)!r} is not the address of a node",
            "give one with http:// or https://, or a .ipc file",
        )
    w3 = Web3(provider)
    w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    connection = Connection(w3, name=name, local=local, expected_chain_id=expected_chain_id)
    connection.max_tip = MAX_TIP if max_tip is None else max_tip
    return connection


class _QuietProvider(HTTPProvider):
    logger = logging.getLogger("numerbay_chain.chain.provider")


_QuietProvider.logger.addFilter(lambda record: False)  # web3's debug lines hold the node's whole address


def _session(rpc: str) -> Session:
    # all requests can be sent twice: a signed transaction is known by its hash
    return Session(
        rpc, limit=ANSWER_LIMIT, seconds=SECONDS_PER_REQUEST, tries=TRIES, busy=frozenset({429, 502, 503, 504})
    )


def name_of(rpc: str) -> str:
    """The node's address without what may be secret in it: user, path and query."""
    parts = urlsplit(rpc)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else one_line(rpc, 60)


class Connection:
    """A chain that answers. `w3` is web3's own object, whose errors are not translated; `name` is for messages;
    `is_development`: a development chain's id, on this machine; `max_tip`: what a node may ask for a unit of gas on top
    of the base fee, or in all on a chain without one, in gwei."""

    def __init__(self, w3: Web3, *, name: str, local: bool, expected_chain_id: int | None = None) -> None:
        """Over a `Web3` that exists already, such as Ape's; `local`: it is this machine's. Raises as `connect`."""
        self.w3 = w3
        self.name = name
        with self.guard("asking for its chain id"):
            self.chain_id = int(w3.eth.chain_id)
        self.require_chain(expected_chain_id)
        self.is_development = is_development_chain(self.chain_id, local=local)
        self.max_tip = MAX_TIP
        self.second: SecondNode | None = None
        self.decision: Decision | None = None

    def require_chain(self, expected: int | None) -> None:
        """Raises `UsageError` for another chain than expected, if one is."""
        if expected is not None and self.chain_id != expected:
            raise UsageError(
                f"{self.name} is on chain {self.chain_id}, but chain {expected} was asked for",
                "give the address of a node of that chain, or change chain_id",
            )

    def __repr__(self) -> str:
        return f"Connection({self.name}, chain {self.chain_id})"

    @property
    def confirmations(self) -> int:
        """How many blocks on top make a block final where the node does not say what is final (see `Finality`)."""
        if self.is_development:
            return 0
        known = network(self.chain_id)
        return known.confirmations if known else CONFIRMATIONS

    # What a call or estimate is made on: a development chain makes no blocks while nothing happens, so that its latest
    # one may be hours old, and the windows that ended since would still look open.
    @property
    def tip(self) -> BlockIdentifier:
        return "pending" if self.is_development else "latest"

    def now(self) -> int:
        """The chain's time in Unix seconds: a transaction that is sent now meets this time, or a little later one.
        Within a decision, that of its block."""
        if self.decision is not None and self.tip == "latest":
            return self.decision.block.timestamp
        with self.guard("asking for the time"):
            return int(self.w3.eth.get_block(self.tip)["timestamp"])

    def block_number(self) -> int:
        """The number of the latest block; within a decision, of its block."""
        if self.decision is not None:
            return self.decision.block.number
        with self.guard("asking for the latest block"):
            return int(self.w3.eth.block_number)

    def block(self, identifier: int | Literal["latest", "safe", "finalized"]) -> Block | None:
        """A block by its number or its tag; None where the node has none."""
        with self.guard(f"asking for block {identifier}"):
            try:
                found = self.w3.eth.get_block(cast(BlockIdentifier, identifier))
            except BlockNotFound:
                return None
            return Block(int(found["number"]), bytes(found["hash"]), int(found["timestamp"]))

    @of_one_block
    def timestamp(self, block: int) -> int:
        """Of a block, in Unix seconds."""
        with self.guard(f"asking for block {block}"):
            return int(self.w3.eth.get_block(block)["timestamp"])

    @of_one_block
    def balance(self, address: str, block: int | None = None) -> int:
        """In wei."""
        with self.guard("asking for a balance"):
            return int(self.w3.eth.get_balance(checksummed(address), _at(block)))

    @of_one_block
    def code(self, address: str, block: int | None = None) -> bytes:
        """The code at the address after `block` (None: the latest one), empty where there is no contract."""
        with self.guard("asking for a contract's code"):
            return bytes(self.w3.eth.get_code(checksummed(address), _at(block)))

    @of_one_block
    def storage(self, address: str, slot: int, block: int | None = None) -> bytes:
        """32 bytes."""
        with self.guard("asking for a contract's storage"):
            return bytes(self.w3.eth.get_storage_at(checksummed(address), slot, _at(block))).rjust(32, b"\0")

    @of_one_block
    def call(self, transaction: Mapping[str, Any], block: BlockIdentifier | None = None) -> bytes:
        """What the transaction would return, on the latest block if none is named. Raises `RevertedError`."""
        with self.guard("making a call"):
            # a contract must not be able to make us fetch addresses of its choice (EIP-3668)
            return bytes(
                self.w3.eth.call(
                    cast(TxParams, dict(transaction)), "latest" if block is None else block, ccip_read_enabled=False
                )
            )

    def estimate_gas(self, transaction: Mapping[str, Any]) -> int:
        """Raises `RevertedError`."""
        try:
            return self._estimate_gas(transaction, self.tip)
        except NodeRefusedError:
            if self.tip == "latest":
                raise
            return self._estimate_gas(transaction, "latest")  # eth-tester as it comes estimates on no pending block

    def _estimate_gas(self, transaction: Mapping[str, Any], block: BlockIdentifier) -> int:
        with self.guard("estimating gas"):
            return int(self.w3.eth.estimate_gas(cast(TxParams, dict(transaction)), block))

    def gas_limit(self) -> int:
        """Of the latest block."""
        with self.guard("asking for the latest block"):
            return int(self.w3.eth.get_block("latest")["gasLimit"])

    def fees(self) -> Fees:
        """Twice the base fee and the node's tip (EIP-1559); its gas price where the chain has no base fee.

        Raises `RefusedError` where the node asks for more than `max_tip`: a tip is paid whatever it is.
        """
        with self.guard("asking for the gas price"):
            base = self.w3.eth.get_block("latest").get("baseFeePerGas")
            tip = int(self.w3.eth.gas_price) if base is None else int(self.w3.eth.max_priority_fee)
        if tip > self.max_tip * 10**9:
            raise RefusedError(
                f"{self.name} asks for a tip of {tip // 10**9} gwei for each unit of gas, more than the {self.max_tip} "
                "that are allowed",
                "use another node, or allow more with --max-tip",
            )
        return Fees(tip, None) if base is None else Fees(2 * int(base) + tip, tip)

    def transaction_count(self, address: str, *, pending: bool = False, block: int | None = None) -> int:
        """The nonces that the account has used, up to `block` or the latest one, or with those of pending
        transactions."""
        with self.guard("asking for a nonce"):
            at: BlockIdentifier = "pending" if pending else _at(block)
            return int(self.w3.eth.get_transaction_count(checksummed(address), at))

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
        """web3's receipt, None while there is none."""
        with self.guard("asking for a receipt"):
            try:
                return cast(Mapping[str, Any], self.w3.eth.get_transaction_receipt(HexStr(transaction)))
            except TransactionNotFound:
                return None

    def logs(self, address: str, first: int, last: int, topics: Sequence[Any] = ()) -> list[Mapping[str, Any]]:
        """One `eth_getLogs`. Raises `NodeRefusedError` where the node does not want it, for instance for its length."""
        query = {"address": checksummed(address), "fromBlock": hex(first), "toBlock": hex(last), "topics": list(topics)}
        with self.guard("asking for logs"):
            return [cast(Mapping[str, Any], log) for log in self.w3.eth.get_logs(cast(FilterParams, query))]

    @contextmanager
    def guard(self, doing: str) -> Iterator[None]:
        """Translates what web3 and its providers raise in the block. `doing`, as in "asking for a balance"."""
        try:
            yield
        except NumerbayChainError:
            raise
        except (ContractLogicError, OffchainLookup) as error:
            raise reverted(error) from error
        except Web3RPCError as error:
            if found := reverted(error, certain=False):
                raise found from error
            answer = one_line(_answer(error))
            raise NodeRefusedError(f"{self.name} refused {doing}: {answer}", answer=answer) from error
        except requests.Timeout:
            raise NodeTimeoutError(
                f"{self.name} gave no answer within {SECONDS_PER_REQUEST:.0f} s when {doing}", "try again later"
            ) from None
        except requests.HTTPError as error:
            answer = _http_answer(error)
            raise NodeRefusedError(f"{self.name} refused {doing}: {answer}", answer=answer) from None
        except TransportError as error:
            raise NetworkError(
                error.sentence(self.name, f"when {doing}"),
                error.hint or "check that the node runs, and its address",
                code=error.code,
            ) from None
        except (requests.RequestException, OSError, TimeoutError):
            # the cause names the whole address
            raise NetworkError(
                f"{self.name} can't be reached when {doing}", "check that the node runs, and its address"
            ) from None
        except (
            Web3Exception,
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
        ) as error:
            raise NetworkError(
                f"{self.name} answered nonsense when {doing}", "use another node if this goes on"
            ) from error
        except Exception as error:
            # the in-process chain raises its own errors, by classes that only exist where it is installed
            if found := reverted(error, certain=False):
                raise found from error
            if type(error).__module__.partition(".")[0] not in {"eth_tester", "eth", "eth_utils"}:
                raise
            answer = one_line(str(error))
            raise NodeRefusedError(f"{self.name} refused {doing}: {answer}", answer=answer) from error


def _at(block: int | None) -> BlockIdentifier:
    # a decision's second node is asked by a mapping with the block's hash (EIP-1898)
    return "latest" if block is None else BlockNumber(block)


def _answer(error: Web3RPCError) -> str:
    response = error.rpc_response
    if response is not None and isinstance(response.get("error"), dict):
        return str(cast(dict[str, Any], response["error"]).get("message", ""))
    return str(error)


def _http_answer(error: requests.HTTPError) -> str:
    response = error.response
    if response is None:
        return "HTTP error"
    status = f"HTTP status {response.status_code}{pause_words(response)}"
    if response.status_code == 400 and b"HTTPS server" in response.content[:500]:
        return f"{status}: it speaks TLS on this port, give its address with https://"
    try:
        message = response.json()["error"]["message"]
    except (ValueError, LookupError, TypeError):
        return status
    return f"{status}, {one_line(str(message))}"
