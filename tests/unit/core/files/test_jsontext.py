"""JSON of others: one rule, its vectors, and that nothing in it takes more than its length."""

import time
import tracemalloc
from typing import Any

import pytest

from numerbay_chain.core.errors import ContentError, RefusedError
from numerbay_chain.core.files import jsontext
from numerbay_chain.listings.description import Description
from numerbay_chain.listings.vouchers import SignedVoucher
from tests.support.vectors import failures, load, why

Vector = dict[str, Any]
LARGEST = 1 << 20


@pytest.mark.parametrize("vector", load("json_text")["valid"], ids=why)
def test_a_text_that_can_be_read_one_way_is_read(vector: Vector) -> None:
    value = jsontext.parse(bytes.fromhex(vector["text"]))
    assert value == vector["value"]
    assert type(value) is type(vector["value"])


@pytest.mark.parametrize("vector", failures("json_text"), ids=why)
def test_any_other_text_is_refused_with_its_code(vector: Vector) -> None:
    with pytest.raises(jsontext.JsonError) as caught:
        jsontext.parse(bytes.fromhex(vector["text"]))
    assert caught.value.code == vector["code"]


def test_more_than_the_limit_is_refused_unread() -> None:
    assert jsontext.parse(b" " * (LARGEST - 1) + b"1") == 1
    for text in (b" " * LARGEST + b"1", b'"' + b"\xff" * LARGEST):
        with pytest.raises(jsontext.JsonError) as caught:
            jsontext.parse(text)
        assert caught.value.code == "too-large"
    assert jsontext.parse(b" " * LARGEST + b"1", limit=None) == 1


@pytest.mark.parametrize(("piece", "parts"), [(b"{},", 3), (b"[],", 3), (b'{"a":[]},', 6), (b'"",', 2), (b"1,", 1)])
def test_more_parts_than_the_limit_are_refused_before_they_take_memory(piece: bytes, parts: int) -> None:
    limit = 60_000
    text = b"[" + piece * (limit // parts) + b"0]"
    tracemalloc.start()
    with pytest.raises(jsontext.JsonError) as caught:
        jsontext.parse(text, parts=limit)
    assert tracemalloc.get_traced_memory()[1] < 4 * len(text) + (1 << 18)
    tracemalloc.stop()
    assert caught.value.code == "too-many-parts"
    assert jsontext.parse(text) is not None


@pytest.mark.parametrize(
    "unit", [b'"\\', b'\\"', b'"', b"\\\\", b'["', b"[]", b"1,", b"{}", b'"a",', b"9", b"-", b'{"a":'], ids=repr
)
@pytest.mark.parametrize("begin", [b"", b'"', b"[", b'["'], ids=repr)
def test_a_text_of_the_largest_size_takes_a_moment(unit: bytes, begin: bytes) -> None:
    """Ten times the size takes about ten times as long: with a quadratic pattern it would be minutes."""
    text = (begin + unit * (LARGEST // len(unit)))[:LARGEST]
    start = time.process_time()
    with pytest.raises(jsontext.JsonError):
        jsontext.parse(text)
    assert time.process_time() - start < 5


def test_a_description_without_an_end_is_refused_at_once() -> None:
    start = time.process_time()
    with pytest.raises(ContentError):
        Description.decode(b'"' + b'\\"' * 32_000)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(("value", "number"), [(0, 0), (7, 7), ("7", 7), (2**256 - 1, 2**256 - 1), ("0", 0)])
def test_whole_numbers_are_digits_with_or_without_quotation_marks(value: object, number: int) -> None:
    assert jsontext.whole(value) == number


@pytest.mark.parametrize(
    "value", [True, None, 1.0, 9e3, -1, 2**256, "", "01", "+1", "1.0", " 1", "1_0", "٣", "-1", [], str(2**256)]
)
def test_nothing_else_passes_for_a_whole_number(value: object) -> None:
    with pytest.raises(jsontext.JsonError) as caught:
        jsontext.whole(value)
    assert caught.value.code == "not-whole"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"chain_id": 31337', '"chain_id": 3.1337e4'),
        ('"chain_id": 31337', '"chain_id": true'),
        ('"version": 1', '"version": 1.0'),
        ('"version": 1', '"version": true'),
        ('"uses": 1', '"uses": 1.9'),
        ('"price": "100"', '"price": "1_00"'),
        ('"price": "100"', '"price": "100", "price": "1"'),
        ('"signature": "0x', '"signature": "0x 00'),
    ],
)
def test_a_voucher_has_integers_for_integers(before: str, after: str) -> None:
    text = VOUCHER.to_json()
    assert SignedVoucher.from_json(text) == VOUCHER
    assert before in text
    with pytest.raises(RefusedError):
        SignedVoucher.from_json(text.replace(before, after))


def _voucher() -> SignedVoucher:
    from numerbay_chain.protocol.types import ZERO_ADDRESS, Voucher

    return SignedVoucher(31337, ZERO_ADDRESS, Voucher(1, ZERO_ADDRESS, 100, 1, 1, 0, 5), bytes(65))


VOUCHER = _voucher()
