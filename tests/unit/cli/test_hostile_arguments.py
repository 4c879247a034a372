"""No argument, however odd, ends a command in anything but a sentence, a code and a right exit code."""

import json
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import click
import pytest

from numerbay_chain.cli.lazy import commands
from numerbay_chain.cli.main import cli, main
from numerbay_chain.cli.output import PROGRAM
from numerbay_chain.core.errors import ExitCode

RUNS_ON = {"demo", "devnet"}  # they start a chain and stay
ALLOWED = set(map(int, ExitCode))
ODD = [
    "", " ", "-", "--", "---", "0", "-1", "1", "00", "1e9", "1.5", "0x", "0x1", "NaN", "inf", "9" * 30, "9" * 5_000,
    "\u0661\u0662", "\u00b2", "\uff11", "1-0", "0-0", "1-1-1", "4294967296-0", "-1-0", "\ud800", "\udcff", "a\0b",
    "\n", "\r\n", "\x1b[2J", "\u202e", "\ufeff", "x" * 5_000, "../..", "/", "/dev/null", "/dev/zero", "/dev/full",
    "1-4294967296", ".", "~", "~nosuchuser", "~nosuchuser/x", "nowhere/x", "file", "folder", "loop", "loop/x",
    "file/x", "pipe", "none", "{}", "[1]", "null", "%s", "{0}", "$HOME", "*", "0x" + "1" * 40, "0x" + "g" * 40,
    "0x" + "1" * 64, "1 ether", "-1 ether", "1e400 ether", "9999999999999999999999 ether", "\u0661 ether", "1 \u039e",
    "10m", "-10m", "9" * 20 + "d", "embedded:", "embedded:\0", "embedded:~nosuchuser/x", "kubo:", "kubo:http://",
    "kubo:http://[::1", "gateway:", "gateway:http://[", "gateway:https://\u0661", "keystore:",
    "keystore:~nosuchuser/x", "keystore:file", "env:", "env:=", "env:NUMERBAY_TEST_UNSET", "dev:", "dev:\u0661",
    "dev:99999999999", "http://", "http://[", "http://[::1", "http://\u0661:x", "http://127.0.0.1:99999999",
    "http://127.0.0.1:1", "https://user:pass@", "file:///etc/passwd", "ws://x", ".ipc", "nowhere.ipc",
    "2027-01-31T18:00Z", "9999-12-31", "0000-00-00", "test", "en", "text/plain",
]  # fmt: skip
LINES = 600


def _all() -> list[tuple[tuple[str, ...], tuple[str, ...], int]]:
    """Every command that ends by itself: its name, the options it takes, how many arguments."""
    context = click.Context(cli, info_name=PROGRAM, **cli.context_settings)
    found = []
    for path, command in commands(cli, context):
        if isinstance(command, click.Group) or path[0] in RUNS_ON:
            continue
        options = tuple(
            option.opts[0] for option in command.params if isinstance(option, click.Option) and not option.is_flag
        )
        count = sum(isinstance(parameter, click.Argument) for parameter in command.params)
        found.append((tuple(path), options, count))
    return found


def odd(random: Random) -> str:
    """A value that nobody would type, or a text of any characters."""
    if random.random() < 0.8:
        return random.choice(ODD)
    ranges = [(1, 0x80), (0x80, 0xD7FF), (0xDC80, 0xDCFF), (0xE000, 0x2FFFF)]
    return "".join(chr(random.randrange(*random.choice(ranges))) for _ in range(random.randrange(12)))


def lines(random: Random) -> Iterator[list[str]]:
    """Commands with odd values in place of what they take."""
    known = _all()
    while True:
        path, options, count = random.choice(known)
        line = [*path]
        for option in random.sample(options, min(len(options), random.randrange(5))):
            line += [option, odd(random)]
        line += [odd(random) for _ in range(max(count + random.choice([-1, 0, 0, 0, 0, 1]), 0))]
        yield line + random.choice([[], [], ["--json"], ["--yes"], ["--dry-run"], ["--help"], [odd(random)]])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    (folder / "file").write_text("x")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_every_way_to_end_is_a_sentence_with_a_code(
    place: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.chdir(place)
    for name in list(os.environ):
        if name.startswith("NUMERBAY_CHAIN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NUMERBAY_CHAIN_HOME", str(place / "home"))
    monkeypatch.setenv("NUMERBAY_CHAIN_PASSWORD", "x")
    monkeypatch.setattr("numerbay_chain.core.files.atomic._SECONDS_FOR_A_READER", 0.01)
    monkeypatch.setattr("numerbay_chain.core.files.textfile._SECONDS_FOR_A_WRITER", 0.01)
    codes: set[int] = set()
    for line in islice(lines(Random(seed)), LINES):
        capfd.readouterr()
        code = main([*line])
        said = capfd.readouterr()
        codes.add(code)
        assert code in ALLOWED, (line, code)
        assert "Traceback" not in said.err
        assert "this is a bug" not in said.err, (line, said.err)
        assert code == 0 or said.err
        if code and "--json" in line and "--" not in line:
            error = json.loads(said.out)["error"]
            assert error["exit_code"] == code
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", error["code"])
    assert codes >= {0, 1, 2, 4}, "the lines reach all kinds of ends"
