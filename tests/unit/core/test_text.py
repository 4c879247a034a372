"""Other people's text can't steer a terminal, and names of this machine are known."""

import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core.network.hosts import is_loopback
from numerbay_chain.core.text import escaped, from_hex, one_line, printable, visible


@given(st.text(), st.integers(1, 50))
def test_a_line_for_a_message_is_short_and_visible(text: str, length: int) -> None:
    line = one_line(text, length)
    assert line.isprintable()
    assert len(line) <= length + 1
    assert line == " ".join(line.split())


def test_what_was_cut_is_marked() -> None:
    assert (one_line("a\tb\n\x1b[2Jc"), one_line(5 * "x", 3)) == ("a b [2Jc", "xxx…")


@given(st.text())
def test_lines_stay_but_nothing_that_steers(text: str) -> None:
    shown = printable(text)
    assert not any((ord(c) < 0x20 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert [c for c in text if c.isprintable() or c in "\t\n"] == [c for c in shown if c.isprintable() or c in "\t\n"]


def test_what_is_invisible_goes_and_lines_stay() -> None:
    assert visible("fine\x1b[31m\r\n\u202enext\tone\u200b two") == "fine[31m\nnextone two"


@given(st.text())
def test_nothing_visible_is_lost(text: str) -> None:
    assert list(visible(text)) == [c for c in text if c.isprintable() or c == "\n"]


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("x.ipfs.localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("127.9.9.9", True),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_this_machine_is_known_by_name_and_number(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_what_is_escaped_is_ascii_without_spaces_and_no_two_texts_read_the_same() -> None:
    texts = ["USD\u20ae0", "USD\\u20ae0", "USDT0", "a b", "a\tb", "\U0001f680", "\udcff", "\\", "\x1b[31m", ""]
    shown = [escaped(text) for text in texts]
    assert len(set(shown)) == len(texts)
    assert all(one.isascii() and one.isprintable() and " " not in one for one in shown)
    assert escaped("1INCH") == "1INCH"
    assert [escaped(text) for text in ("00", ".5")] == ["\\u0030\\u0030", "\\u002e\\u0035"]


@given(st.from_regex(r"0[xX]([0-9a-fA-F]{2}){0,4}", fullmatch=True) | st.text(" 0xXaF\uff11", max_size=9))
def test_hexadecimal_digits_are_bytes_and_nothing_else_is(text: str) -> None:
    expected = bytes.fromhex(text[2:]) if re.fullmatch(r"0[xX](?:[0-9a-fA-F]{2})*", text, re.ASCII) else None
    assert from_hex(text) == expected


def test_long_digits_take_little_more_memory_than_their_bytes() -> None:
    text = "0x" + "ab" * (1 << 20)
    tracemalloc.start()
    try:
        assert from_hex(text) == b"\xab" * (1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()
