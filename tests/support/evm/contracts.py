"""Contracts by their ABI: calls that read like Python, events and custom errors by name."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.decoding import ContextFramesBytesIO, TupleDecoder
from eth_abi.encoding import TupleEncoder
from eth_abi.registry import registry
from eth_utils import keccak

from tests.support.evm.chain import Chain, Log, Receipt, Reverted
from tools.compile import SHIPPED, SHIPPED_FOLDER, TEST_FOLDER


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    arguments: dict[str, Any]
    address: str

    def __getitem__(self, key: str) -> Any:
        return self.arguments[key]


def _type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if kind.startswith("tuple"):
        return "(" + ",".join(_type(part) for part in parameter["components"]) + ")" + kind.removeprefix("tuple")
    return kind


def _types(parameters: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(_type(parameter) for parameter in parameters)


def _signature(entry: dict[str, Any]) -> str:
    return entry["name"] + "(" + ",".join(_types(entry["inputs"])) + ")"


class _Codec:
    """eth_abi's encoder and decoder of one list of types, looked up once."""

    def __init__(self, types: Sequence[str]) -> None:
        self._encode = TupleEncoder(encoders=tuple(registry.get_encoder(kind) for kind in types))
        self._decode = TupleDecoder(decoders=tuple(registry.get_decoder(kind) for kind in types))

    def encode(self, values: Sequence[Any]) -> bytes:
        return self._encode(values)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        return self._decode(ContextFramesBytesIO(data))


class Artifact:
    """A compiled contract: `encode`, `decode` by function name; knows its events and errors."""

    def __init__(self, name: str, abi: list[dict[str, Any]], bytecode: bytes) -> None:
        self.name, self.abi, self.bytecode = name, abi, bytecode
        self.functions = {entry["name"]: Function(entry) for entry in abi if entry["type"] == "function"}
        constructor = [entry for entry in abi if entry["type"] == "constructor"]
        self.constructor = _Codec(_types(constructor[0]["inputs"]) if constructor else ())
        for entry in abi:
            if entry["type"] == "event":
                _EVENTS[keccak(text=_signature(entry))] = _EventDecoder(entry)
            elif entry["type"] == "error":
                _ERRORS[keccak(text=_signature(entry))[:4]] = (entry["name"], _Codec(_types(entry["inputs"])))

    def deploy(self, chain: Chain, sender: object, *arguments: Any) -> "Contract":
        address, gas = chain.deploy(self.bytecode + self.constructor.encode(_plain(arguments)), sender)
        return Contract(self, chain, address, gas)

    def error_names(self) -> set[str]:
        return {entry["name"] for entry in self.abi if entry["type"] == "error"}

    def event_names(self) -> set[str]:
        return {entry["name"] for entry in self.abi if entry["type"] == "event"}


class Function:
    def __init__(self, entry: dict[str, Any]) -> None:
        self.name: str = entry["name"]
        self.selector = keccak(text=_signature(entry))[:4]
        self.reads = entry["stateMutability"] in ("view", "pure")
        self._inputs = _Codec(_types(entry["inputs"]))
        self._outputs = _Codec(_types(entry["outputs"]))

    def encode(self, *arguments: Any) -> bytes:
        return self.selector + self._inputs.encode(_plain(arguments))

    def decode(self, data: bytes) -> Any:
        values = self._outputs.decode(data)
        return values[0] if len(values) == 1 else values


class _EventDecoder:
    def __init__(self, entry: dict[str, Any]) -> None:
        self.name: str = entry["name"]
        self._indexed = [(p["name"], _Codec([_type(p)])) for p in entry["inputs"] if p["indexed"]]
        plain = [p for p in entry["inputs"] if not p["indexed"]]
        self._names, self._data = [p["name"] for p in plain], _Codec(_types(plain))

    def decode(self, log: Log) -> Event:
        arguments = {
            name: codec.decode(topic)[0] for (name, codec), topic in zip(self._indexed, log.topics[1:], strict=True)
        }
        arguments |= zip(self._names, self._data.decode(log.data), strict=True)
        return Event(self.name, arguments, log.address)


_EVENTS: dict[bytes, _EventDecoder] = {}
_ERRORS: dict[bytes, tuple[str, _Codec]] = {
    bytes.fromhex("08c379a0"): ("Error", _Codec(["string"])),
    bytes.fromhex("4e487b71"): ("Panic", _Codec(["uint256"])),
}


def decode_error(data: bytes) -> tuple[str, tuple[Any, ...]]:
    """A custom error's name and values; ("", (data,)) where it is of no known contract."""
    known = _ERRORS.get(data[:4])
    return (known[0], known[1].decode(data[4:])) if known else ("", (data,))


def error_text(data: bytes) -> str:
    name, values = decode_error(data)
    return f"{name}({', '.join(map(str, values))})" if name else f"0x{data.hex()}"


def decode_events(logs: Iterable[Log]) -> list[Event]:
    """The events of known contracts, oldest first."""
    return [_EVENTS[log.topics[0]].decode(log) for log in logs if log.topics and log.topics[0] in _EVENTS]


class CustomError(Reverted):
    """A revert with its custom error decoded: `.name`, `.arguments`."""

    def __init__(self, data: bytes, halt: str | None) -> None:
        super().__init__(data, halt, None if halt else error_text(data))
        self.name, self.arguments = ("", (halt,)) if halt else decode_error(data)


class Contract:
    """A deployed contract. Functions that read return a value; others take `sender`, `value`, return a receipt."""

    def __init__(self, kind: Artifact, chain: Chain, address: str, deploy_gas: int = 0) -> None:
        self.kind, self.chain, self.address, self.deploy_gas = kind, chain, address, deploy_gas

    def __repr__(self) -> str:
        return self.kind.name

    def __str__(self) -> str:
        return self.address

    def on(self, chain: Chain) -> "Contract":
        """The same contract on another machine that holds its state."""
        return Contract(self.kind, chain, self.address, self.deploy_gas)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            function = self.kind.functions[name]
        except KeyError:
            raise AttributeError(f"{self.kind.name} has no function {name}") from None
        if function.reads:
            return lambda *arguments: self._read(function, arguments)
        return lambda *arguments, sender, value=0, **gas: self._write(function, arguments, sender, value, gas)

    def _read(self, function: Function, arguments: Sequence[Any]) -> Any:
        try:
            return function.decode(self.chain.call(self.address, function.encode(*arguments)))
        except Reverted as error:
            raise CustomError(error.data, error.halt) from None

    def _write(
        self, function: Function, arguments: Sequence[Any], sender: Any, value: int, gas: dict[str, int]
    ) -> Receipt:
        data, decode = function.encode(*arguments), function.decode
        if isinstance(sender, Contract):  # an actor of ours: let it make the call
            wrapped = sender.kind.functions["execute"]
            inner = function.decode
            data, to, sender = wrapped.encode(self.address, value, data), sender.address, _driver(sender)
            decode, value = lambda output: inner(wrapped.decode(output)), 0
        else:
            to = self.address
        try:
            receipt = self.chain.transact(sender, to, data, value, **gas)
        except Reverted as error:
            raise CustomError(error.data, error.halt) from None
        return Receipt(receipt.output, receipt.gas_used, receipt.logs, decode, decode_events)


def _driver(actor: Contract) -> str:
    """Whoever may drive an actor: anyone, they are test contracts; a fixed address keeps gas fixed."""
    return "0x" + "d1" * 20


def _plain(value: Any) -> Any:
    """Accounts and contracts as addresses, everything else as it is."""
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (int, str, bytes)) else str(value)


@cache
def artifact(name: str) -> Artifact:
    """A compiled contract of the project or of contracts/mocks, as `python -m tools.compile` left it."""
    file = (SHIPPED_FOLDER if name in SHIPPED else TEST_FOLDER) / f"{name}.json"
    content = json.loads(file.read_text())
    return Artifact(name, content["abi"], bytes.fromhex(content["bytecode"].removeprefix("0x")))
