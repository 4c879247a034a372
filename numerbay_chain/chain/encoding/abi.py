"""The contract's ABI as it ships, and the encoding and decoding of calls, answers and errors by it.

Nothing is decoded loosely: bytes that are not exactly what the ABI says are a `NetworkError`. Source: Solidity's ABI
specification; the artifact is what contracts/ compiles to.
"""

import json
from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Any, cast

from numerbay_chain.chain.encoding import codec
from numerbay_chain.chain.encoding.calls import Call, Interface
from numerbay_chain.chain.encoding.codec import CodecError, Item
from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import NetworkError, UsageError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.protocol.types import Challenge, Ground, Offer, Permit, Settlement, Terms, Voucher, abi_tuple

_ENUMS: dict[str, type[IntEnum]] = {enum.__name__: enum for enum in (Settlement, Ground)}
_STRUCTS: dict[str, type[Any]] = {struct.__name__: struct for struct in (Terms, Offer, Voucher, Permit, Challenge)}


def _view(name: str, inputs: str, outputs: str) -> Item:
    return _item("function", name, inputs, stateMutability="view", outputs=_parameters(outputs))


def _item(kind: str, name: str, inputs: str, **more: Any) -> Item:
    return {"type": kind, "name": name, "inputs": _parameters(inputs), **more}


def _parameters(text: str) -> list[Item]:
    return [dict(zip(("type", "name"), part.split(), strict=False)) for part in text.split(", ") if part]


# ERC-20, ERC-2612, EIP-5267, and the errors of ERC-6093 that a sender can meet
ERC20_ABI: list[Item] = [
    _view("balanceOf", "address account", "uint256"),
    _view("allowance", "address owner, address spender", "uint256"),
    _view("nonces", "address owner", "uint256"),
    _view("DOMAIN_SEPARATOR", "", "bytes32"),
    _view("eip712Domain", "", "bytes1, string, string, uint256, address, bytes32, uint256[]"),
    _item("function", "approve", "address spender, uint256 amount", stateMutability="nonpayable", outputs=[]),
    _item("function", "transfer", "address to, uint256 amount", stateMutability="nonpayable", outputs=[]),
    _item(
        "function",
        "permit",
        "address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s",
        stateMutability="nonpayable",
        outputs=[],
    ),
    _item("error", "ERC20InsufficientBalance", "address sender, uint256 balance, uint256 needed"),
    _item("error", "ERC20InsufficientAllowance", "address spender, uint256 allowance, uint256 needed"),
    _item("error", "ERC20InvalidSender", "address sender"),
    _item("error", "ERC20InvalidReceiver", "address receiver"),
    _item("error", "ERC20InvalidApprover", "address approver"),
    _item("error", "ERC20InvalidSpender", "address spender"),
]
# Solidity's own
_BUILT_IN: list[Item] = [_item("error", "Error", "string reason"), _item("error", "Panic", "uint256 code")]


@cache
def artifact() -> Mapping[str, Any]:
    """The compiled marketplace: `abi`, `bytecode`, `deployedBytecode` (hex), `immutableReferences`."""
    return _shipped("Marketplace")


@cache
def disputes_artifact() -> Mapping[str, Any]:
    """The compiled contract that the marketplace's constructor makes, whose code its dispute calls run."""
    return _shipped("Disputes")


def _shipped(name: str) -> Mapping[str, Any]:
    file = resources.files("numerbay_chain.chain.encoding") / "artifacts" / f"{name}.json"
    return cast(Mapping[str, Any], json.loads(file.read_text()))


def _items(interface: Interface) -> list[Item]:
    return cast(list[Item], artifact()["abi"]) if interface == "marketplace" else ERC20_ABI


def types_of(parameters: Sequence[Item]) -> list[str]:
    """`["uint256", "(address,uint24)"]`."""
    return [codec.type_of(parameter) for parameter in parameters]


def selector(item: Item) -> bytes:
    """The first four bytes of calls of a function."""
    return _hash(item)[:4]


def _hash(item: Item) -> bytes:
    return keccak(f"{item['name']}({','.join(types_of(item['inputs']))})".encode())


@cache
def functions(interface: Interface = "marketplace") -> dict[str, Item]:
    """By name; the contract overloads none."""
    return {item["name"]: item for item in _items(interface) if item["type"] == "function"}


@cache
def events() -> dict[str, Item]:
    """The marketplace's events by name."""
    return {item["name"]: item for item in _items("marketplace") if item["type"] == "event"}


@cache
def event_topics() -> dict[bytes, Item]:
    """The marketplace's events by their first topic."""
    return {_hash(item): item for item in events().values()}


@cache
def errors() -> dict[bytes, Item]:
    """Every custom error that can come back, by its selector."""
    items = [*_items("marketplace"), *ERC20_ABI, *_BUILT_IN]
    return {_hash(item)[:4]: item for item in items if item["type"] == "error"}


def topic_of(name: str) -> bytes:
    """The first topic of an event. Raises `UsageError`."""
    if name not in events():
        raise UsageError(f"the marketplace has no event {name!r}")
    return _hash(events()[name])


def encode_call(call: Call) -> bytes:
    """Selector and arguments. Raises `UsageError` for an argument that its type can't hold, naming it."""
    item = functions(call.interface)[call.function]
    values = [_plain(call.arguments[parameter["name"]]) for parameter in item["inputs"]]
    if len(values) != len(call.arguments):
        raise TypeError(f"{call.function} takes {[parameter['name'] for parameter in item['inputs']]}")
    return _hash(item)[:4] + encode(item["inputs"], values)


def encode(parameters: Sequence[Item], values: Sequence[Any]) -> bytes:
    """Raises `UsageError`."""
    for parameter, value in zip(parameters, values, strict=False):
        _check_addresses(parameter, value)
    try:
        return codec.encode(parameters, values)
    except CodecError:
        raise _unfit(parameters, values) from None  # the cause repeats the value, whatever it is


def _check_addresses(parameter: Item, value: Any) -> None:
    """The last look at an address before money depends on it, whoever called."""
    if parameter["type"] == "address" and isinstance(value, str):
        checksummed(value)
    elif parameter["type"] == "address[]" and isinstance(value, Sequence):
        for entry in value:
            _check_addresses({"type": "address"}, entry)
    elif parameter["type"] == "tuple" and isinstance(value, tuple):
        for component, entry in zip(parameter["components"], value, strict=False):
            _check_addresses(component, entry)


def _unfit(parameters: Sequence[Item], values: Sequence[Any]) -> UsageError:
    for parameter, value in zip(parameters, values, strict=True):
        try:
            codec.encode([parameter], [value])
        except CodecError:
            if parameter["type"] == "tuple" and isinstance(value, tuple):
                return _unfit(parameter["components"], value)
            shown = f"{value} " if isinstance(value, int) else ""
            return UsageError(
                f"the value {shown}of {parameter['name']} does not fit into a {parameter['type']}", code="out-of-range"
            )
    return UsageError("the arguments do not fit the function")


def _plain(value: Any) -> Any:
    return abi_tuple(value) if isinstance(value, (Terms, Offer, Voucher, Permit, Challenge)) else value


def decode(parameters: Sequence[Item], data: bytes, what: str) -> list[Any]:
    """The values in exactly these bytes: addresses checksummed, structs as our types, else tuples.

    Raises `NetworkError`; `what` names the bytes in its message.
    """
    try:
        values = codec.decode(parameters, data)
    except ValueError as error:
        raise NetworkError(f"{what} is not what the contract's interface says", code="bad-answer") from error
    try:
        return [_typed(parameter, value) for parameter, value in zip(parameters, values, strict=True)]
    except ValueError as error:
        raise NetworkError(f"{what} has a value that the contract does not know: {error}", code="bad-answer") from error


def _typed(parameter: Item, value: Any) -> Any:
    kind = parameter["type"]
    if kind == "address":
        return checksummed(value)
    if kind == "address[]":
        return tuple(checksummed(entry) for entry in value)
    if kind == "tuple":
        fields = [_typed(component, entry) for component, entry in zip(parameter["components"], value, strict=True)]
        struct = _STRUCTS.get(parameter.get("internalType", "").rpartition(".")[2])
        return struct(*fields) if struct else tuple(fields)
    enum = _ENUMS.get(parameter.get("internalType", "").rpartition(".")[2])
    return enum(value) if enum else value
