from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.units import (
    format_amount,
    format_duration,
    format_order_id,
    order_id,
    parse_amount,
    parse_duration,
    parse_order_id,
)
from tests.support.codes import fails_with


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0.05 ether", 50_000_000_000_000_000),
        ("1 ETH", 10**18),
        ("1eth", 10**18),
        ("5 gwei", 5 * 10**9),
        ("7 wei", 7),
        ("0", 0),
        ("0.000000000000000001 ether", 1),
        ("1.50 gwei", 1_500_000_000),
        ("1.0 wei", 1),
    ],
)
def test_amounts_in_ether_are_read_exactly(text: str, wei: int) -> None:
    assert parse_amount(text) == wei


def test_amounts_of_a_token_are_read_with_its_decimals() -> None:
    assert parse_amount("12 NMR", symbol="NMR") == 12 * 10**18
    assert parse_amount("1.5 usdc", decimals=6, symbol="USDC") == 1_500_000
    assert parse_amount("3 units", decimals=6, symbol="USDC") == 3


@pytest.mark.parametrize(
    "symbol", ["1INCH", "42", "USD\\u20ae0", ".X", "$A", "a-b", "0x1", "token-0x12345678", 40 * "\\u20ae"]
)
def test_an_amount_of_a_token_with_any_symbol_reads_back(symbol: str) -> None:
    for amount in (0, 1, 15, 10**18, 123 * 10**16):
        assert parse_amount(format_amount(amount, symbol), symbol=symbol) == amount


def test_letters_that_are_escaped_may_be_typed_as_they_are() -> None:
    assert parse_amount("5 USD\u20ae0", 6, "USD\\u20ae0") == 5_000_000
    with pytest.raises(UsageError):
        parse_amount("5 USD0", 6, "USD\\u20ae0")


def test_a_unit_that_begins_with_a_digit_stands_after_a_space() -> None:
    assert parse_amount("5 1INCH", symbol="1INCH") == 5 * 10**18
    for text in ("51INCH", "5.1INCH", "5 1 INCH"):
        with pytest.raises(UsageError):
            parse_amount(text, symbol="1INCH")


@pytest.mark.parametrize(
    "text",
    ["", "ether", "1", "0.05", "-1 ether", "1,5 ether", "1e3 wei", "1 NMR", "0.5 wei", ".5 ether", "1 ether ether"],
)
def test_an_amount_that_could_be_meant_otherwise_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_amount(text)
    assert caught.value.hint


def test_a_token_is_not_paid_in_ether() -> None:
    with fails_with(UsageError, "bad-amount", "NMR"):
        parse_amount("1 ether", symbol="NMR")


def test_an_amount_that_no_word_holds_is_refused() -> None:
    with fails_with(UsageError, "bad-amount"):
        parse_amount(f"{2**256} wei")


@given(st.integers(0, 2**128), st.integers(0, 24))
def test_a_written_amount_reads_back(amount: int, decimals: int) -> None:
    assert parse_amount(format_amount(amount, "TKN", decimals), decimals, "TKN") == amount


@given(st.integers(0, 2**200))
def test_written_ether_reads_back(wei: int) -> None:
    assert parse_amount(format_amount(wei)) == wei


def test_amounts_are_written_without_noise() -> None:
    assert format_amount(5 * 10**16) == "0.05 ETH"
    assert format_amount(-(10**18)) == "-1 ETH"
    assert format_amount(3, "USDC", 0) == "3 USDC"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("7d", 604_800), ("2w", 1_209_600), ("0", 0), ("1 d 2 h", 93_600)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10 minutes", "-5m", "1.5h", "5m1h", "99999999999w"])
def test_a_duration_that_could_be_meant_otherwise_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)


@given(st.integers(0, 2**40 - 1))
def test_a_written_duration_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


def test_an_order_is_written_for_people_and_read_either_way() -> None:
    assert format_order_id(4_294_967_296) == "1-0"
    assert parse_order_id("1-0") == parse_order_id("4294967296") == order_id(1, 0) == 1 << 32


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_written_order_reads_back(listing: int, index: int) -> None:
    order = order_id(listing, index)
    assert parse_order_id(format_order_id(order)) == parse_order_id(str(order)) == order


@pytest.mark.parametrize(
    "text", ["", "1-", "-1", "1-4294967296", "4294967296-0", "18446744073709551616", "a-b", "1-0-0"]
)
def test_what_is_no_order_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_order_id(text)


@pytest.mark.parametrize("read", [parse_amount, parse_duration, parse_order_id])
@pytest.mark.parametrize(
    "text", ["9" * 5_000, "9" * 5_000 + " ether", "9" * 5_000 + "d", "1-" + "9" * 5_000, "x" * 10**6]
)
def test_thousands_of_digits_are_refused_in_words(read: Callable[[str], int], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert caught.value.code in {"bad-amount", "bad-duration", "not-an-order"}
    assert len(str(caught.value)) < 200
