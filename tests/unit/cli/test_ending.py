"""How commands end: exit codes, one sentence and a hint, nothing on stdout, no secrets, no tracebacks."""

import io
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import click
import pytest

from numerbay_chain.cli import main as program
from numerbay_chain.cli import output
from numerbay_chain.cli.lazy import Entry
from numerbay_chain.cli.options import json_option
from numerbay_chain.core.errors import ExitCode
from tests.unit.cli.conftest import Run

SHAPE = re.compile(r"numerbay-chain: error: [^\n]+[^.\n]\n(numerbay-chain: hint: [^\n]+[^.\n]\n)?", re.ASCII)
COMMAND = [sys.executable, "-m", "numerbay_chain.cli.main"]
SECRET = "5ec3e7" * 10


@click.command()
def broken() -> None:
    """Fail in a way that nobody foresaw."""
    raise KeyError(SECRET)


def stop() -> NoReturn:
    raise KeyboardInterrupt


@click.command()
def stopped() -> None:
    """Stop as by Ctrl-C."""
    stop()


@pytest.fixture
def a_command_with_a_bug(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(program.ENTRIES, "broken", Entry("To try it", f"{__name__}:broken", "Fail."))
    return "broken"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], ExitCode.USAGE),
        (["keys", "nonsense"], ExitCode.USAGE),
        (["keys", "new"], ExitCode.USAGE),
        (["--nonsense"], ExitCode.USAGE),
        (["fetch", "not-an-order", "-o", "x"], ExitCode.USAGE),
        (["-p", "nobody", "orders"], ExitCode.USAGE),
        (["orders", "--rpc", "http://127.0.0.1:1", "--chain-id", "x"], ExitCode.USAGE),
        (["orders"], ExitCode.USAGE),
        (["open", "nowhere", "-o", "x"], ExitCode.USAGE),
        (["cid", "no-such-file"], ExitCode.REFUSED),
        (["voucher", "show", "no-such-file", "--rpc", "http://127.0.0.1:1"], ExitCode.REFUSED),
        (["voucher", "show", "a-letter", "--rpc", "http://127.0.0.1:1"], ExitCode.REFUSED),
        (["buy", "1", "--voucher", "a-letter", "--rpc", "http://127.0.0.1:1"], ExitCode.REFUSED),
        (["seller-secret", "import", "a-letter"], ExitCode.REFUSED),
        (["seller-secret", "import", "no-such-file"], ExitCode.REFUSED),
        (["keys", "show", "a-letter"], ExitCode.ACCOUNT),
        (["keys", "show", "no-such-file"], ExitCode.ACCOUNT),
        (["open", "nowhere", "--key", "no-such-file", "-o", "x"], ExitCode.ACCOUNT),
        (["seal", "no-such-file", "--to", "AAAA", "-o", "x"], ExitCode.USAGE),
        (["deploy", "--rpc", "http://127.0.0.1:1", "--account", "dev:0", "--yes"], ExitCode.NETWORK),
        (["audit", "--rpc", "http://127.0.0.1:1", "--contract", "0x" + 40 * "1"], ExitCode.NETWORK),
        (["devnet", "advance", "soon"], ExitCode.USAGE),
        (["voucher", "sign", "1"], ExitCode.USAGE),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_gets_one_sentence_and_its_exit_code(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: ExitCode
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-letter").write_text("dear friend,\n")
    ended = run(*arguments)
    assert ended.code == code, ended.stderr
    assert ended.stdout == ""
    assert SHAPE.fullmatch(ended.stderr), ended.stderr
    told = run("--json", *arguments)
    assert told.code == code
    error = told.object["error"]
    assert set(error) == {"code", "message", "hint", "exit_code"}
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", error["code"], re.ASCII)
    assert error["exit_code"] == code
    assert error["message"] in told.stderr
    assert told.stderr == ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["nonsense", "--json"], "usage", ExitCode.USAGE),
        (["cid", "--json"], "usage", ExitCode.USAGE),
        (["cid", "--nonsense", "x", "--json"], "usage", ExitCode.USAGE),
        (["cid", "no-such-file", "--json"], "no-such-file", ExitCode.REFUSED),
        (["cid", "a\0b", "--json"], "usage", ExitCode.USAGE),
        (["-p", "a\ud800", "orders", "--json"], "usage", ExitCode.USAGE),
        (
            ["audit", "--rpc", "http://127.0.0.1:1", "--contract", "0x" + 40 * "1", "--json"],
            "network",
            ExitCode.NETWORK,
        ),
    ],
)
def test_a_program_is_told_a_code(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: str, exit_code: ExitCode
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run(*arguments)
    assert (ended.code, ended.object["error"]["code"], ended.object["error"]["exit_code"]) == (
        exit_code,
        code,
        exit_code,
    )


MISTYPED = "0x70997970C51812dc3A010C7d01b50e0d17dc79C9"


@pytest.mark.parametrize(
    "arguments",
    [
        ["listing", "edit", "1", "--payout", MISTYPED],
        ["listing", "edit", "1", "--operator", MISTYPED],
        ["listing", "create", "--price", "1 ether", "--payout", MISTYPED],
        ["listing", "create", "--price", "1 ether", "--operator", MISTYPED],
        ["listing", "create", "--price", "1 ether", "--token", MISTYPED],
        ["orders", "--contract", MISTYPED],
        ["buy", "1", "--recipient", MISTYPED],
        ["collect", "--token", MISTYPED],
        ["collect", "--to", MISTYPED],
        ["voucher", "sign", "1", "--price", "1", "--buyer", MISTYPED],
        ["profile", "set", "x", "--contract", MISTYPED],
    ],
    ids=lambda value: " ".join(value[:2]) + " " + value[-2],
)
def test_an_address_with_a_wrong_checksum_is_refused_before_anything_is_asked(run: Run, arguments: list[str]) -> None:
    ended = run(*arguments, "--rpc", "http://127.0.0.1:1", "--json")
    assert ended.code == ExitCode.USAGE
    assert ended.object["error"]["code"] == "bad-checksum"


def test_an_address_with_a_wrong_checksum_in_the_environment_or_a_profile(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "profiles.toml").write_text(f'[x]\nrpc = "http://127.0.0.1:1"\ncontract = "{MISTYPED}"\n')
    assert run("-p", "x", "orders", "--json").object["error"]["code"] == "bad-checksum"
    monkeypatch.setenv("NUMERBAY_CHAIN_CONTRACT", MISTYPED)
    assert run("orders", "--rpc", "http://127.0.0.1:1", "--json").object["error"]["code"] == "bad-checksum"


def test_without_json_nothing_of_an_error_is_on_stdout(run: Run) -> None:
    assert run("cid", "no-such-file").stdout == ""


def test_a_bug_has_a_code_too(run: Run, a_command_with_a_bug: str) -> None:
    assert run("--json", a_command_with_a_bug).object["error"]["code"] == "bug"


def test_a_typing_error_is_answered_with_the_nearest_name(run: Run) -> None:
    assert "did you mean 'withdraw'?" in run("withdrow", "1").stderr


def test_what_was_not_foreseen_is_called_a_bug_and_shows_nothing_of_itself(
    run: Run, a_command_with_a_bug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = run(a_command_with_a_bug)
    assert ended.code == ExitCode.REFUSED
    assert "KeyError was not expected, this is a bug" in ended.stderr
    assert "NUMERBAY_CHAIN_DEBUG=1" in ended.stderr
    assert SECRET not in ended.stderr
    monkeypatch.setenv("NUMERBAY_CHAIN_DEBUG", "1")
    traced = run(a_command_with_a_bug)
    assert "Traceback" in traced.stderr
    assert "raise KeyError" in traced.stderr


def test_an_account_that_looks_like_a_private_key_is_not_repeated(run: Run) -> None:
    key = "0x" + SECRET + "0000"
    ended = run("deploy", "--rpc", "http://127.0.0.1:1", "--account", key, "--yes")
    assert ended.code in (ExitCode.USAGE, ExitCode.NETWORK)
    assert key not in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_so_and_answers_130(home: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "cid", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdin is not None
        running.stdin.write(bytes(3 << 20))  # more than a pipe holds: once it is gone, the command reads
        running.stdin.flush()
        running.send_signal(number)
        stdout, stderr = running.communicate()
    assert running.returncode == ExitCode.INTERRUPTED
    assert stdout == b""
    assert b"interrupted" in stderr
    assert b"Traceback" not in stderr


def test_an_interrupted_command_has_a_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(program.ENTRIES, "stopped", Entry("To try it", f"{__name__}:stopped", "Stop."))
    ended = run("--json", "stopped")
    assert ended.code == ExitCode.INTERRUPTED
    assert ended.object["error"]["code"] == "interrupted"
    assert ended.object["error"]["exit_code"] == ExitCode.INTERRUPTED


@click.command()
@click.argument("word", callback=lambda *_: stop())
@json_option
def slow_to_read(word: str) -> None:
    """Stop while the arguments are read."""


def test_a_command_that_is_interrupted_before_it_begins_has_a_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(program.ENTRIES, "slow", Entry("To try it", f"{__name__}:slow_to_read", "Stop."))
    assert run("slow", "x", "--json").object["error"]["code"] == "interrupted"
    assert run("slow", "x", "--", "--json").stdout == ""


def test_a_devnet_that_is_interrupted_while_it_starts_has_a_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numerbay_chain.chain.local.devnet.Devnet", lambda **_: stop())
    ended = run("devnet", "--json")
    assert ended.code == ExitCode.INTERRUPTED
    assert ended.object["error"]["code"] == "interrupted"


def test_a_reader_that_leaves_early_is_no_error_to_talk_about(
    run: Run, artifact: Path, alice: Path, tmp_path: Path
) -> None:
    artifact.write_bytes(artifact.read_bytes() * 100)
    assert run("seal", artifact, "--to", alice, "-o", tmp_path / "sealed").code == 0
    with subprocess.Popen(
        [*COMMAND, "open", str(tmp_path / "sealed"), "--key", str(alice), "-o", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        said = running.stderr.read()
    assert b"rror" not in said
    assert running.returncode == ExitCode.REFUSED


def on_a_terminal(arguments: list[str], **environment: str) -> str:
    """What a command writes to stderr where that is a terminal."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", **environment},
    ) as running:
        os.close(theirs)
        said = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # Linux answers so once the other side is closed
                break
            if not piece:
                break
            said += piece
    os.close(ours)
    assert running.returncode == 0, said
    return said.decode(errors="replace")


def test_progress_is_for_terminals_alone_and_off_with_no_color(run: Run, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(60 << 20))
    assert "hashing" in on_a_terminal(["cid", str(big)])
    assert on_a_terminal(["cid", str(big)], NO_COLOR="1") == ""
    assert run("cid", big).stderr == ""


def test_a_broken_node_address_never_shows_its_access_key(run: Run) -> None:
    ended = run("audit", "--rpc", f"http://user:{SECRET}@127.0.0.1:1/{SECRET}", "--contract", "0x" + 40 * "1")
    assert ended.code == ExitCode.NETWORK
    assert SECRET not in ended.stderr


def test_a_full_disk_behind_stdout_is_said_in_a_sentence(home: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([*COMMAND, "profile", "show"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == ExitCode.REFUSED
    assert SHAPE.fullmatch(ended.stderr), ended.stderr
    assert "no space left on device" in ended.stderr


@click.command()
def asking() -> None:
    """Ask, as before anything is sent."""
    output.confirm("go ahead?")


@pytest.mark.parametrize(("terminal", "code"), [(True, ExitCode.INTERRUPTED), (False, ExitCode.USAGE)])
def test_a_question_that_nobody_answers(
    run: Run, monkeypatch: pytest.MonkeyPatch, terminal: bool, code: ExitCode
) -> None:
    """Standard input ends: on a terminal somebody pressed Ctrl-D, elsewhere nobody can be asked."""
    monkeypatch.setitem(program.ENTRIES, "asking", Entry("To try it", f"{__name__}:asking", "Ask."))
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    monkeypatch.setattr("numerbay_chain.cli.output.can_ask", lambda: terminal)
    ended = run("--json", "asking")
    assert (ended.code, ended.object["error"]["exit_code"]) == (code, code)
    assert ended.object["error"]["code"] == ("interrupted" if terminal else "no-answer")
    assert ended.stdout.startswith("{"), "nothing of the question is on stdout"


@pytest.mark.parametrize(("typed", "code"), [("perhaps\nY\n", ExitCode.DONE), ("n\n", ExitCode.DONE)])
def test_a_question_is_asked_in_our_own_words(
    run: Run, monkeypatch: pytest.MonkeyPatch, typed: str, code: ExitCode
) -> None:
    monkeypatch.setitem(program.ENTRIES, "asking", Entry("To try it", f"{__name__}:asking", "Ask."))
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    monkeypatch.setattr("numerbay_chain.cli.output.can_ask", lambda: True)
    ended = run("asking")
    assert (ended.code, ended.stdout) == (code, "")
    assert ended.stderr.count("[y/N]") == typed.count("\n")
    assert "rror" not in ended.stderr


@pytest.mark.parametrize("text", ["abc", "0", "-1", "1.5", "4294967296", "9" * 30])
def test_what_is_no_listing_has_a_code(run: Run, text: str) -> None:
    ended = run("--json", "listing", "show", "--", text)
    assert (ended.code, ended.object["error"]["code"]) == (ExitCode.USAGE, "not-a-listing")
