"""Values of a node's answers: as the execution API writes them, or `bad-answer`."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.node import values
from numerbay_chain.chain.node.values import NoAnswer
from numerbay_chain.core.errors import NetworkError
from tests.support.evm.node import Node, NodeTransport

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)
DECODERS = [
    values.quantity, values.data, values.digest, values.word, values.address, values.header, values.log,
    values.transaction, values.receipt,
]  # fmt: skip


@given(st.integers(0, 2**256 - 1))
def test_a_quantity_is_read_with_or_without_zeros_in_front(number: int) -> None:
    assert values.quantity(hex(number)) == values.quantity(f"0x{number:064x}") == values.quantity(number) == number


@pytest.mark.parametrize(
    "value", ["", "0x", "1", "-0x1", "0x-1", "0x" + 65 * "f", True, 1.0, None, [], "0x1_0", "0x\uff11"]
)
def test_what_is_no_quantity_is_none(value: object) -> None:
    with pytest.raises(NoAnswer):
        values.quantity(value)


@pytest.mark.parametrize("value", ["", "0x1", "00", "0xgg", None, 1, "0x00 ", b"\0"])
def test_what_is_no_data_is_none(value: object) -> None:
    with pytest.raises(NoAnswer):
        values.data(value)


@given(st.sampled_from(DECODERS), JSON)
def test_whatever_json_comes_it_is_a_value_or_no_answer(decode: Any, found: Any) -> None:
    with contextlib.suppress(NoAnswer):
        decode(found)


@given(st.sampled_from(["number", "hash", "timestamp", "baseFeePerGas", "gasLimit", "logsBloom"]), JSON)
def test_a_header_with_any_one_field_is_a_header_or_no_answer(name: str, value: Any) -> None:
    node = Node()
    try:
        found = values.header({**node.request("eth_getBlockByNumber", ["latest"]), name: value})
    except NoAnswer:
        return
    assert len(found.hash) == 32
    assert found.timestamp < 2**40


class OursError(Exception):
    """A mistake of this package's."""


@pytest.mark.parametrize("ours", [ValueError, TypeError, KeyError, AttributeError, OursError])
def test_a_mistake_of_ours_is_not_blamed_on_the_node(ours: type[Exception]) -> None:
    connection = Connection(NodeTransport(Node().request), name="a node", local=False)

    def mistaken(_: Any) -> int:
        raise ours("a mistake")

    with pytest.raises(ours):
        connection.ask("asking", mistaken, "eth_chainId")
    with pytest.raises(NetworkError) as refused:
        connection.ask("asking", values.digest, "eth_chainId")
    assert refused.value.code == "bad-answer"
