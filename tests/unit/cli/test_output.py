"""Tables, amounts and words as people read them."""

import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

from numerbay_chain.cli import output
from numerbay_chain.cli.commands.tools.deploy import show_plan
from numerbay_chain.cli.output import Failure
from numerbay_chain.cli.render.steps import time_left
from tests.support.codes import fails_with

HASH = "0x" + 32 * "a1"


class Terminal(StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Eighty columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def test_columns_line_up_and_numbers_stand_to_the_right() -> None:
    assert output.table(["order", "gas"], [("1-0", 57_501), ("1-10", 900)]) == (
        "order    gas\n"
        "1-0    57501\n"
        "1-10     900"
    )  # fmt: skip


def test_other_peoples_words_can_not_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.write("a\x1b[2Jb\x9bc\rd")
    output.note("e\x07f")
    output.show(True, {"name": "g\x1b]0;h"}, "")
    said = capsys.readouterr()
    assert said.out == 'a[2Jbcd\n{"name": "g]0;h"}\n'
    assert said.err == "ef\n"


def test_json_holds_bytes_as_hex_and_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    output.show(True, {"content_hash": bytes(32), "sizes": (1, 2), "none": None}, "")
    assert json.loads(capsys.readouterr().out) == {"content_hash": "0x" + 64 * "0", "sizes": [1, 2], "none": None}


@pytest.mark.parametrize(
    ("bytes_", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 << 20, "5.0 MiB"), (3 << 40, "3.0 TiB")],
)
def test_sizes_are_said_in_binary_units(bytes_: int, words: str) -> None:
    assert output.size(bytes_) == words


@pytest.mark.parametrize(
    ("number", "noun", "words"), [(1, "copy", "1 copy"), (2, "copy", "2 copies"), (0, "key", "0 keys")]
)
def test_counts_have_the_right_ending(number: int, noun: str, words: str) -> None:
    assert output.count(number, noun) == words


def test_errors_begin_in_lower_case_but_names_keep_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    output.fail(Failure("Missing option '-o'.", "IPFS is not there"))
    assert capsys.readouterr().err == (
        "numerbay-chain: error: missing option '-o'\nnumerbay-chain: hint: IPFS is not there\n"
    )


def test_a_password_is_taken_from_the_environment_or_asked_for_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from numerbay_chain.core.errors import AccountError

    monkeypatch.delenv("NUMERBAY_CHAIN_PASSWORD", raising=False)
    monkeypatch.setattr("numerbay_chain.cli.output.can_ask", lambda: False)
    with fails_with(AccountError, "no-answer"):
        output.password()
    monkeypatch.setenv("NUMERBAY_CHAIN_PASSWORD", "correct horse")
    assert output.password() == "correct horse"


def test_further_lines_of_a_field_stand_below_its_first() -> None:
    assert output.fields([("a", "one\ntwo"), ("long", 3)]) == "a     one\n      two\nlong  3"


def test_bars_hold_still_while_a_password_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    monkeypatch.delenv("NUMERBAY_CHAIN_PASSWORD", raising=False)
    monkeypatch.setattr("numerbay_chain.cli.output.can_ask", lambda: True)
    monkeypatch.setattr("click.prompt", lambda *_, **__: happened.append("asked") or "secret")
    with output.moving(lambda: happened.append("stopped"), lambda: happened.append("started")):
        assert output.password() == "secret"
    assert happened == ["stopped", "asked", "started"]
    assert output.password() == "secret"
    assert happened[3:] == ["asked"], "what does not move any more is left alone"


SENTENCE = f"it is challenged already, nothing was sent: the seller has to answer until noon, or {HASH} is paid back"


def test_a_terminal_gets_lines_that_end_between_words(terminal: Terminal) -> None:
    with redirect_stdout(terminal):
        output.show(False, {}, SENTENCE)
    said = terminal.getvalue()
    assert " ".join(said.split()) == SENTENCE
    assert HASH in said, "what is copied is whole"
    assert len(said.splitlines()) > 1
    assert max(len(line) for line in said.splitlines()) <= 80


def test_json_is_never_broken(terminal: Terminal) -> None:
    with redirect_stdout(terminal):
        output.show(True, {"words": SENTENCE}, "")
    assert f'"words": "{SENTENCE}"' in terminal.getvalue()


def test_what_is_piped_is_never_broken(capsys: pytest.CaptureFixture[str]) -> None:
    output.show(False, {}, SENTENCE)
    assert capsys.readouterr().out == SENTENCE + "\n"
    assert len(output.table(["order", "next"], [("1-0", SENTENCE)]).splitlines()) == 2


def test_a_table_that_is_too_wide_goes_on_below_its_last_column(terminal: Terminal) -> None:
    with redirect_stdout(terminal):
        lines = output.table(["order", "next"], [("1-0", 20 * "word "), ("1-1", HASH)]).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert lines[1].startswith("1-0    word")
    assert lines[2].startswith("       word")
    assert lines[3] == f"1-1    {HASH}"


def test_a_field_that_is_too_long_goes_on_below_its_value(terminal: Terminal) -> None:
    with redirect_stdout(terminal):
        first, second, _ = output.fields([("checked", 20 * "word "), ("order", "1-0")]).splitlines()
    assert first.startswith("checked  word")
    assert second.startswith("         word")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (59, "59s"),
        (708, "11m48s"),
        (3_600, "1h"),
        (5_399, "1h29m"),
        (86_399, "23h59m"),
        (2 * 86_400 + 22 * 3_600 + 58 * 60 + 20, "2d22h"),
    ],
)
def test_tables_say_the_time_that_is_left_in_two_units_and_never_too_much(seconds: int, words: str) -> None:
    assert time_left(seconds) == words


def test_a_plan_shows_the_ends_of_what_nobody_reads(capsys: pytest.CaptureFixture[str]) -> None:
    manifest, digest = bytes.fromhex("01" * 8 + "00" * 272 + "02" * 8), bytes.fromhex(HASH[2:])
    show_plan(False, "release", {"round": 1, "manifest": manifest, "digest": digest}, 0, 21_000)
    said = capsys.readouterr().out
    assert f"0x{8 * '01'}…{8 * '02'} (288 bytes)" in said
    assert HASH in said
    assert max(len(line) for line in said.splitlines()) <= 80
    show_plan(True, "release", {"round": 1, "manifest": manifest}, 0, 21_000)
    assert json.loads(capsys.readouterr().out)["arguments"]["manifest"] == "0x" + manifest.hex()
