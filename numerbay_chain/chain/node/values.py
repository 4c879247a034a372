"""Values in a node's answers, checked: quantities, bytes, hashes, addresses, logs, transactions, receipts.

Source: the execution API's JSON schemas. What is written in another way than they say is `NoAnswer`, but for what
nodes are known to do: numbers as JSON has them, addresses in any case.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from numerbay_chain.chain.node.blocks import Block
from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.text import from_hex

_QUANTITY: Final = re.compile(r"0[xX][0-9a-fA-F]{1,64}", re.ASCII)
_ADDRESS: Final = re.compile(r"0[xX][0-9a-fA-F]{40}", re.ASCII)
_BLOOM_SIZE: Final = 256
HASH_SIZE: Final = 32
_NO_ROOT: Final = "0x" + 64 * "0"

At = int | str | Mapping[str, Any]
"""A block: its number, its tag, or what names it by its hash (EIP-1898)."""


class NoAnswer(Exception):
    """Bytes that are no answer of a node, or a value that can't be one."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is needed of a block's header. `hash` is empty for the pending block, `bloom` where the chain has none.
    `base_fee` is in wei for a unit of gas, None where there is none; `gas_limit` None where the node does not say."""

    number: int
    hash: bytes
    timestamp: int
    bloom: bytes = b""
    base_fee: int | None = None
    gas_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """`before`: the block before the pending one, with the pending one's time; its number is -1 where the node does not
    say which it is. `unmined`: it lacks what a mined block has. Some nodes call their latest block pending."""

    before: Block
    unmined: bool


@dataclass(frozen=True, slots=True)
class Log:
    """A log as a node tells of it; `block` and `index` are None where it is in no block."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block: int | None
    index: int | None
    transaction: bytes
    removed: bool


@dataclass(frozen=True, slots=True)
class NodeTransaction:
    """A transaction as a node tells of it: `block` and its hash are None while it is not mined, `to` is None for one
    that creates a contract. Fields that the node leaves out are None."""

    hash: bytes
    to: str | None
    data: bytes | None
    value: int | None
    gas: int | None
    block: int | None
    block_hash: bytes | None


@dataclass(frozen=True, slots=True)
class NodeReceipt:
    """A receipt of a mined transaction as a node tells of it; `gas_price` in wei, 0 where the node does not say. `logs`
    are not decoded yet."""

    hash: bytes
    block: int
    block_hash: bytes | None
    status: int
    gas_used: int
    gas_price: int
    sender: str | None
    to: str | None
    created: str | None
    logs: tuple[Mapping[str, Any], ...]


# ------------------------------------------------------------------------------------------------- what comes back


def quantity(value: Any, bits: int = 256) -> int:
    """Return a number below 2^`bits`. Raises `NoAnswer`, as all here."""
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        value = int(value, 16)
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise NoAnswer
    return value


def nonce(value: Any) -> int:
    """Return how many transactions an account has sent."""
    return quantity(value, 64)


def data(value: Any) -> bytes:
    """Return bytes of any length."""
    found = from_hex(value) if isinstance(value, str) else None
    if found is None:
        raise NoAnswer
    return found


def digest(value: Any) -> bytes:
    """Return a hash, 32 bytes."""
    found = data(value)
    if len(found) != HASH_SIZE:
        raise NoAnswer
    return found


def word(value: Any) -> bytes:
    """Return 32 bytes of a contract's storage: some nodes leave zeros at the start out."""
    return quantity(value).to_bytes(32) if value != "0x" else bytes(32)


def address(value: Any) -> str:
    """Return a checksummed address."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise NoAnswer
    return checksummed(value.lower())


def header(found: Any, number: int | None = None) -> Header:
    """Return a block's header. `number`: the block's, where it has none of its own, as a pending one."""
    fields = mapping(found)
    bloom, hash, base = fields.get("logsBloom"), fields.get("hash"), fields.get("baseFeePerGas")
    return Header(
        quantity(fields.get("number"), 63) if number is None else number,
        b"" if hash is None and number is not None else digest(hash),
        quantity(fields.get("timestamp"), 40),  # the contract's times end there: milliseconds are beyond
        data(bloom) if isinstance(bloom, str) and len(bloom) == 2 * _BLOOM_SIZE + 2 else b"",
        None if base is None else quantity(base, 128),
        None if (limit := fields.get("gasLimit")) is None else quantity(limit, 64),
    )


def pending(found: Any) -> Pending | None:
    """Return what is needed of a pending block; None where there is none."""
    if found is None:
        return None
    fields = mapping(found)
    number, parent, time = fields.get("number"), fields.get("parentHash"), quantity(fields.get("timestamp"), 40)
    if number is None or parent is None:
        return Pending(Block(-1, b"", time), False)
    unmined = fields.get("hash") is None or fields.get("stateRoot") == _NO_ROOT
    return Pending(Block(quantity(number, 63) - 1, digest(parent), time), unmined)


def log(found: Any) -> Log:
    """Return a log."""
    fields = mapping(found)
    if not {"blockNumber", "logIndex"} <= fields.keys():
        raise NoAnswer
    return Log(
        address(fields.get("address")),
        tuple(digest(topic) for topic in sequence(fields.get("topics"))),
        data(fields.get("data")),
        _optional(fields.get("blockNumber"), 63),
        _optional(fields.get("logIndex"), 63),
        digest(fields.get("transactionHash")),
        bool(fields.get("removed")),
    )


def transaction(found: Any) -> NodeTransaction:
    """Return a transaction."""
    fields = mapping(found)
    given, block_hash, to = fields.get("input", fields.get("data")), fields.get("blockHash"), fields.get("to")
    return NodeTransaction(
        digest(fields.get("hash")),
        address(to) if to else None,
        None if given is None else data(given),
        _optional(fields.get("value"), 256),
        _optional(fields.get("gas"), 64),
        _optional(fields.get("blockNumber"), 63),
        None if block_hash is None else digest(block_hash),
    )


def receipt(found: Any) -> NodeReceipt | None:
    """Return a receipt, None for one of a pending transaction, which some nodes have."""
    fields = mapping(found)
    if fields.get("blockNumber", 0) is None:
        return None
    block_hash = fields.get("blockHash")
    sender, to, created = (
        address(one) if (one := fields.get(name)) else None for name in ("from", "to", "contractAddress")
    )
    return NodeReceipt(
        digest(fields.get("transactionHash")),
        quantity(fields.get("blockNumber"), 63),
        None if block_hash is None else digest(block_hash),
        quantity(fields.get("status"), 63),
        quantity(fields.get("gasUsed"), 64),
        quantity(fields.get("effectiveGasPrice") or 0, 128),
        sender,
        to,
        created,
        tuple(mapping(one) for one in sequence(fields.get("logs"))),
    )


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object."""
    if not isinstance(value, Mapping):
        raise NoAnswer
    return value


def sequence(value: Any) -> Sequence[Any]:
    """Return a list."""
    if not isinstance(value, list | tuple):
        raise NoAnswer
    return value


def _optional(value: Any, bits: int) -> int | None:
    return None if value is None else quantity(value, bits)


# ---------------------------------------------------------------------------------------------------- what is sent


def plain(value: Any) -> Any:
    """Return parameters as JSON-RPC has them: numbers and bytes in hexadecimal digits."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value
