"""Tables, amounts and words as people read them."""

import json

import pytest

from numerbay_chain.cli import output


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
    output.fail("Missing option '-o'.", "IPFS is not there")
    assert capsys.readouterr().err == (
        "numerbay-chain: error: missing option '-o'\nnumerbay-chain: hint: IPFS is not there\n"
    )


def test_a_password_is_taken_from_the_environment_or_asked_for_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from numerbay_chain.errors import AccountError

    monkeypatch.delenv("NUMERBAY_CHAIN_PASSWORD", raising=False)
    monkeypatch.setattr("numerbay_chain.cli.output.can_ask", lambda: False)
    with pytest.raises(AccountError, match="nobody can be asked"):
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
