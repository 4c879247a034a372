"""Solidity's ABI encoding, in the one form in which the contract writes it.

Only what the interfaces here have: unsigned integers, `bool`, `address`, bytes of a fixed or of any length, `string`,
structs and arrays of any length. Parameters are items of a JSON ABI. Source: Solidity's ABI specification.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

Item = dict[str, Any]
_WORD: Final = 32
_USUAL_TAIL: Final = 2 * _WORD  # of a short text, or of an array of one
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


class CodecError(ValueError):
    """A value that its type can't hold, or bytes that are no encoding."""


def type_of(parameter: Mapping[str, Any]) -> str:
    """Return the type as signatures have it: `uint256`, `(address,uint24)`."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(type_of(part) for part in parameter['components'])}){kind.removeprefix('tuple')}"


def usual_size(parameters: Sequence[Mapping[str, Any]]) -> int:
    """Return how many bytes values of these types usually have: exactly, where none is of any length."""
    return sum(_head_size(one) + (_USUAL_TAIL if _is_dynamic(one) else 0) for one in parameters)


# -------------------------------------------------------------------------------------------------------- encoding


def encode(parameters: Sequence[Mapping[str, Any]], values: Sequence[Any]) -> bytes:
    """Return the values as arguments of a call. Raises `CodecError`."""
    if len(parameters) != len(values):
        raise CodecError
    head, tail = bytearray(), bytearray()
    size = sum(_head_size(parameter) for parameter in parameters)
    for parameter, value in zip(parameters, values, strict=True):
        encoded = _encoded(parameter, value)
        if _is_dynamic(parameter):
            head += (size + len(tail)).to_bytes(_WORD)
            tail += encoded
        else:
            head += encoded
    return bytes(head + tail)


def _encoded(parameter: Mapping[str, Any], value: Any) -> bytes:
    kind = str(parameter["type"])
    if kind.endswith("[]"):
        if not isinstance(value, list | tuple):
            raise CodecError
        return len(value).to_bytes(_WORD) + encode([_element(parameter)] * len(value), value)
    match kind:
        case "tuple":
            if not isinstance(value, list | tuple):
                raise CodecError
            return encode(parameter["components"], value)
        case "bool":
            if not isinstance(value, bool):
                raise CodecError
            return value.to_bytes(_WORD)
        case "address":
            if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
                raise CodecError
            return bytes.fromhex(value[2:]).rjust(_WORD, b"\0")
        case "bytes" | "string":
            text = value.encode() if kind == "string" and isinstance(value, str) else value
            if not isinstance(text, bytes | bytearray):
                raise CodecError
            return len(text).to_bytes(_WORD) + text + bytes(-len(text) % _WORD)
    if kind.startswith("uint"):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << int(kind[4:]):
            raise CodecError
        return int(value).to_bytes(_WORD)
    if kind.startswith("bytes"):
        if not isinstance(value, bytes | bytearray) or len(value) != int(kind[5:]):
            raise CodecError
        return bytes(value).ljust(_WORD, b"\0")
    raise CodecError(f"no type {kind} is known")


# -------------------------------------------------------------------------------------------------------- decoding


def decode(parameters: Sequence[Mapping[str, Any]], data: bytes) -> list[Any]:
    """Return the values that `encode` makes exactly these bytes of: addresses in lower case, structs and arrays as
    tuples. Raises `CodecError`."""
    values, end = _decoded(parameters, data, 0)
    if end != len(data):
        raise CodecError
    return values


def _decoded(parameters: Sequence[Mapping[str, Any]], data: bytes, start: int) -> tuple[list[Any], int]:
    """The values whose heads begin at `start`, and where their tails end."""
    place, tail = start, start + sum(_head_size(parameter) for parameter in parameters)
    values: list[Any] = []
    for parameter in parameters:
        if _is_dynamic(parameter):
            if start + _integer(data, place) != tail:
                raise CodecError
            value, tail = _dynamic(parameter, data, tail)
            place += _WORD
        elif parameter["type"] == "tuple":
            found, place = _decoded(parameter["components"], data, place)
            value = tuple(found)
        else:
            value = _static(str(parameter["type"]), _word(data, place))
            place += _WORD
        values.append(value)
    return values, tail


def _dynamic(parameter: Mapping[str, Any], data: bytes, place: int) -> tuple[Any, int]:
    kind = str(parameter["type"])
    if kind == "tuple":
        found, end = _decoded(parameter["components"], data, place)
        return tuple(found), end
    size = _integer(data, place)
    place += _WORD
    if size * (_WORD if kind.endswith("[]") else 1) > len(data) - place:
        raise CodecError
    if kind.endswith("[]"):
        found, end = _decoded([_element(parameter)] * size, data, place)
        return tuple(found), end
    value, end = data[place : place + size], place + size + -size % _WORD
    if end > len(data) or any(data[place + size : end]):
        raise CodecError
    return (value.decode() if kind == "string" else value), end


def _static(kind: str, word: bytes) -> Any:
    number = int.from_bytes(word)
    if kind == "bool" and number < 2:
        return bool(number)
    if kind == "address" and number < 1 << 160:
        return "0x" + word[12:].hex()
    if kind.startswith("uint") and number < 1 << int(kind[4:]):
        return number
    if kind.startswith("bytes") and not any(word[int(kind[5:]) :]):
        return word[: int(kind[5:])]
    raise CodecError


def _word(data: bytes, place: int) -> bytes:
    word = data[place : place + _WORD]
    if len(word) != _WORD:
        raise CodecError
    return word


def _integer(data: bytes, place: int) -> int:
    return int.from_bytes(_word(data, place))


# ------------------------------------------------------------------------------------------------------------ types


def _element(parameter: Mapping[str, Any]) -> Item:
    return {**parameter, "type": str(parameter["type"]).removesuffix("[]")}


def _is_dynamic(parameter: Mapping[str, Any]) -> bool:
    kind = str(parameter["type"])
    if kind == "tuple":
        return any(_is_dynamic(part) for part in parameter["components"])
    return kind in ("bytes", "string") or kind.endswith("[]")


def _head_size(parameter: Mapping[str, Any]) -> int:
    if parameter["type"] == "tuple" and not _is_dynamic(parameter):
        return sum(_head_size(part) for part in parameter["components"])
    return _WORD
