"""Our ABI encoding against eth-abi's, which takes more than it."""

import tracemalloc
from typing import Any

import pytest
from eth_abi.abi import encode as reference
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.chain.encoding.codec import CodecError, decode, encode, type_of

Parameter = dict[str, Any]
FLAT = [*(f"uint{bits}" for bits in (8, 24, 88, 256)), "bool", "address", "bytes1", "bytes32", "bytes", "string"]


def parameters(depth: int = 2) -> st.SearchStrategy[Parameter]:
    flat = st.sampled_from(FLAT).map(lambda kind: {"type": kind})
    if depth == 0:
        return flat
    inner = parameters(depth - 1)
    structs = st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"type": "tuple", "components": parts})
    return st.one_of(flat, structs, inner.map(lambda part: {**part, "type": f"{part['type']}[]"}))


def values_of(parameter: Parameter) -> st.SearchStrategy[Any]:
    kind = parameter["type"]
    if kind.endswith("[]"):
        return st.lists(values_of({**parameter, "type": kind[:-2]}), max_size=3).map(tuple)
    if kind == "tuple":
        return st.tuples(*map(values_of, parameter["components"]))
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    return {
        "bool": st.booleans(),
        "address": st.binary(min_size=20, max_size=20).map(lambda one: "0x" + one.hex()),
        "string": st.text(max_size=40),
        "bytes": st.binary(max_size=70),
        "bytes1": st.binary(min_size=1, max_size=1),
        "bytes32": st.binary(min_size=32, max_size=32),
    }[kind]


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[Parameter], list[Any]]:
    types = draw(st.lists(parameters(), max_size=4))
    return types, [draw(values_of(parameter)) for parameter in types]


@given(calls())
def test_it_encodes_as_solidity_does_and_decodes_what_it_encoded(call: tuple[list[Parameter], list[Any]]) -> None:
    types, values = call
    encoded = encode(types, values)
    assert encoded == reference([type_of(parameter) for parameter in types], values)
    assert decode(types, encoded) == values


@given(calls(), st.data())
def test_no_other_bytes_decode_to_the_same(call: tuple[list[Parameter], list[Any]], data: st.DataObject) -> None:
    types, values = call
    encoded = bytearray(encode(types, values))
    if encoded:
        encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
        try:
            found = decode(types, bytes(encoded))
        except ValueError:
            return
        assert encode(types, found) == encoded


@given(st.lists(parameters(), min_size=1, max_size=3), st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(types: list[Parameter], data: bytes) -> None:
    try:
        found = decode(types, data)
    except ValueError:
        return
    assert encode(types, found) == data


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256), ("uint8", -1), ("uint8", True), ("uint8", "1"), ("bool", 1), ("address", b"\1" * 20),
        ("address", "0x12"), ("bytes32", b"\1" * 31), ("bytes1", b""), ("bytes", "0x"), ("string", 1), ("int8", 1),
        ("uint8[]", 1), ("function", b""),
    ],
)  # fmt: skip
def test_a_value_that_its_type_can_t_hold_is_refused(kind: str, value: object) -> None:
    with pytest.raises(CodecError):
        encode([{"type": kind}], [value])


def test_a_long_array_that_is_not_there_takes_no_memory() -> None:
    with pytest.raises(CodecError):
        decode([{"type": "bytes32[]"}], (32).to_bytes(32) + (2**255).to_bytes(32))
    nested = {"type": "uint256[][]"}
    with pytest.raises(CodecError):
        decode([nested], (32).to_bytes(32) + (50).to_bytes(32) + (0).to_bytes(32) * 50)


def test_an_array_is_not_longer_than_its_bytes() -> None:
    size = 1 << 20
    data = (32).to_bytes(32) + size.to_bytes(32) + bytes(size)
    tracemalloc.start()
    try:
        with pytest.raises(CodecError):
            decode([{"type": "uint8[]"}], data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 16
    finally:
        tracemalloc.stop()
