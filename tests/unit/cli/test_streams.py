"""Standard streams that are closed, full, without a reader, or without most letters: what was done is said, and no file
is harmed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from numerbay_chain.cli import output, streams
from numerbay_chain.cli.main import main
from numerbay_chain.core.errors import ExitCode

COMMAND = f"{sys.executable} -m numerbay_chain.cli.main"
CID = "bafkreidtzm4frjuhvbeuzizsgbjqcyuc6pnnhhkcz5rmuttz3wrkvr6zvq"


@pytest.fixture
def here(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").write_text("x\n")
    return tmp_path


def in_shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell; `nbc` in it is the program."""
    return subprocess.run(
        ["bash", "-c", line.replace("nbc", COMMAND)],
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8").replace("ascii", "utf-8"),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **environment},
        timeout=120,
    )


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("line", "code", "stdout", "stderr"),
    [
        ("nbc cid f >&-", 0, "", CID),
        ("nbc cid f 2>&-", 0, CID, ""),
        ("nbc cid f >&- 2>&-", 0, "", ""),
        ("nbc cid f <&-", 0, CID, ""),
        ("nbc cid f <&- >&- 2>&-", 0, "", ""),
        ("nbc cid f >/dev/full", 1, "", "no space left"),
        ("nbc cid f 2>/dev/full", 0, CID, ""),
        ("nbc cid missing 2>&-", 1, "can't read missing", ""),
        ("nbc cid missing 2>/dev/full", 1, "can't read missing", ""),
        ("nbc cid missing >&- 2>&-", 1, "", ""),
        ("nbc cid - <&-", 2, "", "standard input is closed"),
        ("nbc keys new -o key >&-", 0, "", "the key pair is in key"),
        ("nbc keys new -o key >/dev/full", 0, "", "no space left"),
        ("nbc --help >/dev/full", 1, "", "no space left"),
        ("nbc --help >&-", 0, "", ""),
        ("nbc seller-secret export -o - >&-", 2, "", "standard output is closed"),
    ],
)
def test_what_was_done_is_said_on_the_stream_that_works(line: str, code: int, stdout: str, stderr: str) -> None:
    ended = in_shell(line)
    assert ended.returncode == code, ended
    assert "bug" not in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr + ended.stdout
    assert "Exception" not in ended.stderr
    for said, expected in ((ended.stdout, stdout), (ended.stderr, stderr)):
        assert expected in said
        assert said == "" or expected, ended


def test_no_file_takes_the_number_of_a_closed_stream(here: Path) -> None:
    """Else a child process, or a library that prints, would write into it."""
    assert in_shell("nbc keys new -o key >&- 2>&-").returncode == 0
    assert set(json.loads((here / "key").read_text())) == {"public_key", "private_key"}
    program = (
        "import os; from numerbay_chain.cli import streams; streams.prepare(); "
        "print(os.readlink('/proc/self/fd/1'), os.readlink('/proc/self/fd/0'), file=open('said', 'w'))"
    )
    subprocess.run(["bash", "-c", f'{sys.executable} -c "{program}" >&- <&-'], check=True)
    assert (here / "said").read_text() == "/dev/null /dev/null\n"


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
    ids=lambda environment: " ".join(f"{name}={value}" for name, value in environment.items()),
)
def test_letters_that_a_stream_lacks_are_written_as_numbers(here: Path, environment: dict[str, str]) -> None:
    assert main(["keys", "new", "-o", "key"]) == 0
    assert main(["seal", "f", "--to", "key", "--note", "größe ✓ …", "-o", "sealed"]) == 0
    shown = in_shell("nbc open sealed --key key -o out --overwrite", **environment)
    assert shown.returncode == 0, shown
    assert "note" in shown.stdout
    told = in_shell("nbc open sealed --key key -o out --overwrite --json", **environment)
    assert json.loads(told.stdout)["details"]["note"] == "größe ✓ …"
    missing = in_shell("nbc cid größe --json", **environment)
    assert missing.returncode == ExitCode.REFUSED
    assert json.loads(missing.stdout)["error"]["code"] == "no-such-file"


def test_a_name_that_is_not_utf_8_is_read_written_and_said(here: Path) -> None:
    ended = in_shell("cp f $'\\xff'; nbc cid $'\\xff' && nbc keys new -o $'\\xfe' && nbc keys show $'\\xfe' --json")
    assert ended.returncode == 0, ended
    assert (here / os.fsdecode(b"\xfe")).exists()
    assert main(["keys", "new", "-o", "key"]) == 0
    ended = in_shell("nbc seal $'\\xff' --to key -o $'\\xfd' --json && nbc open $'\\xfd' --key key -o $'\\xfc' --json")
    assert ended.returncode == 0, ended
    assert (here / os.fsdecode(b"\xfc")).read_text() == "x\n"


def test_the_result_and_an_error_are_never_two_objects(capsys: pytest.CaptureFixture[str]) -> None:
    from numerbay_chain.cli.output import Failure

    streams.prepare()
    output.show(True, {"a": 1}, "")
    output.fail(Failure("it ended by itself"), as_json=True)
    said = capsys.readouterr()
    assert json.loads(said.out) == {"a": 1}
    assert "it ended by itself" in said.err
