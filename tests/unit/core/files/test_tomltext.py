"""What a program changes in a file that people write leaves the rest of it as they wrote it."""

import re
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerbay_chain.core.files.tomltext import updated

OWN = """\
# my nodes

[seller]  # main
rpc = "https://node.example/KEY" # the paid one
chain_id = 1

# for tests
[buyer]
rpc = 'http://127.0.0.1:8545'
# the end
"""


def test_what_changes_is_changed_and_the_rest_stays() -> None:
    tables = tomllib.loads(OWN)
    tables["seller"] |= {"rpc": "https://other.example", "store": "embedded:/s"}
    tables["third"] = {"chain_id": 7}
    assert (
        updated(OWN, tables)
        == OWN.replace("https://node.example/KEY", "https://other.example").replace(
            "chain_id = 1\n", 'chain_id = 1\nstore = "embedded:/s"\n'
        )
        + "\n[third]\nchain_id = 7\n"
    )


def test_a_comment_stays_where_its_neighbor_goes() -> None:
    assert updated(OWN, {"buyer": tomllib.loads(OWN)["buyer"]}) == "# my nodes\n\n" + OWN[OWN.index("\n# for tests") :]


def test_tables_that_come_and_go_leave_no_trace() -> None:
    mine = tomllib.loads(OWN)
    once = updated(OWN, {**mine, "one": {"a": 1}, "two": {"b": 2}})
    assert once is not None
    gone = updated(once, mine)
    assert gone is not None
    assert gone.rstrip() == OWN.rstrip()
    assert updated(gone, {**mine, "one": {"a": 1}, "two": {"b": 2}}) == once
    assert updated(once, {**mine, "one": {"a": 1}, "two": {"b": 2}}) == once


def test_true_is_not_1() -> None:
    assert updated("[a]\nx = 1\n", {"a": {"x": True}}) == "[a]\nx = true\n"


@pytest.mark.parametrize("text", ["[a", "a = 1\na = 2\n", "[a]\n[a]\n"])
def test_a_text_that_is_not_toml_is_left_alone(text: str) -> None:
    assert updated(text, {"a": {"x": 2}}) is None


NAMES = st.sampled_from(["seller", "buyer", "a.b", "two words", "ü"])
VALUES = st.one_of(
    st.integers(0, 1 << 62), st.booleans(), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
TABLES = st.dictionaries(NAMES, st.dictionaries(st.sampled_from(["rpc", "store", "chain_id"]), VALUES), max_size=4)


def written(tables: dict[str, dict[str, Any]], draw: Any) -> str:
    """The tables as people may write them: with comments, each of its own, blank lines, inline or dotted."""
    lines, number = [], iter(range(1000))

    def quoted(value: Any) -> str:
        if isinstance(value, str):
            return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 1 << 16 else f"\\U{ord(c):08x}" for c in value) + '"'
        return str(value).lower()

    def more(where: str) -> list[str]:
        return [f"# {where} {next(number)};"] if draw(st.booleans()) else [""] if draw(st.booleans()) else []

    for name, values in tables.items():
        lines += [*more("before"), f'["{name}"]{draw(st.sampled_from(["", "  # head;"]))}', *more("first")]
        for key, value in values.items():
            lines += [f"{key}={quoted(value)}" + draw(st.sampled_from(["", "  # value;"])), *more("after")]
    return draw(st.sampled_from(["\n", "\r\n"])).join([*lines, ""])


@given(TABLES, TABLES, st.data())
@settings(max_examples=150, deadline=None)
def test_any_text_becomes_any_tables_and_no_comment_of_its_own_line_is_lost(before: Any, after: Any, data: Any) -> None:
    text = written(before, data.draw)
    changed = updated(text, after)
    assert changed is not None
    assert tomllib.loads(changed) == after
    kept = set(re.findall(r"# before \d+;", changed))
    assert kept == set(re.findall(r"# before \d+;", text))
