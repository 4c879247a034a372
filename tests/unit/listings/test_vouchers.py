"""A voucher travels as text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core.errors import RefusedError
from numerbay_chain.listings.vouchers import SignedVoucher
from numerbay_chain.protocol.types import ZERO_ADDRESS, Voucher
from tests.support.codes import fails_with

PLACE = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
VOUCHER = Voucher(1, ZERO_ADDRESS, 5, 2, 1, 2_000_000_000, 7)


def bits(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**count - 1)


@given(bits(32), bits(88), bits(16), bits(32), bits(40), bits(256), st.binary(max_size=100))
def test_the_text_says_all(
    listing: int, price: int, rounds: int, uses: int, deadline: int, nonce: int, signature: bytes
) -> None:
    voucher = Voucher(listing, PLACE, price, rounds, uses, deadline, nonce)
    signed = SignedVoucher(31337, PLACE, voucher, signature)
    assert SignedVoucher.from_json(signed.to_json()) == signed


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"signature": "0xzz"},
        {"marketplace": "0x12"},
        {"voucher": {}},
        {"voucher": {**json.loads(SignedVoucher(1, PLACE, VOUCHER, b"").to_json())["voucher"], "price": str(2**88)}},
        {"voucher": {**json.loads(SignedVoucher(1, PLACE, VOUCHER, b"").to_json())["voucher"], "extra": 1}},
    ],
)
def test_what_is_no_voucher_is_refused(change: dict[str, object]) -> None:
    document = json.loads(SignedVoucher(1, PLACE, VOUCHER, b"\x01").to_json())
    with fails_with(RefusedError, "not-a-voucher"):
        SignedVoucher.from_json(json.dumps({**document, **change}))


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", "[" * 100_000])
def test_neither_is_any_other_text(text: str) -> None:
    with fails_with(RefusedError, "not-a-voucher"):
        SignedVoucher.from_json(text)


def test_a_voucher_s_signature_stays_out_of_sight() -> None:
    assert "ab" * 65 not in repr(SignedVoucher(1, PLACE, VOUCHER, b"\xab" * 65))
    assert "\\xab" not in repr(SignedVoucher(1, PLACE, VOUCHER, b"\xab" * 65))
