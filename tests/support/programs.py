"""The installed programs as their users run them: real processes with a home folder of their own."""

import contextlib
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerbay_chain.session import Session

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).with_name("numerbay-chain")
STEP_SECONDS = 120


def flat(text: str) -> str:
    """Words without the places where lines were broken."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def object(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        return json.loads(self.stdout)

    @property
    def error(self) -> str:
        """The code of the error that a command with `--json` ended with."""
        return str(self.object["error"]["code"])


@dataclass(frozen=True, slots=True)
class Shell:
    """Somebody's shell: a working folder and an environment. No terminal."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: object, code: int = 0) -> Ended:
        """Runs a program to its end, which must have this exit code."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=STEP_SECONDS,
        )
        ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert ended.code == code, f"{command}: {ended}"
        return ended

    def nbc(self, *arguments: object, code: int = 0) -> Ended:
        """`numerbay-chain ARGUMENTS`."""
        return self.run(PROGRAM, *arguments, code=code)

    def on_a_terminal(self, *arguments: object, typed: str) -> tuple[int, str]:
        """`numerbay-chain ARGUMENTS` in a terminal where this is typed: exit code, and what stands on the screen."""
        ours, theirs = pty.openpty()
        command = [str(part) for part in (PROGRAM, *arguments)]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environment, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as running:
            os.close(theirs)
            os.write(ours, typed.encode())  # waits in the terminal until it is asked for
            said = b""
            with contextlib.suppress(OSError):  # Linux answers so once the other side is closed
                while piece := os.read(ours, 65_536):
                    said += piece
        os.close(ours)
        return running.returncode, said.decode()

    def json(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        """The object that `numerbay-chain ARGUMENTS --json` prints."""
        return self.nbc(*arguments, "--json", code=code).object


@dataclass(frozen=True, slots=True)
class InsideShell(Shell):
    """The same commands without a process each, which would spend most of its time importing. `opens`: sessions, in
    place of `open_session`."""

    opens: Callable[..., Session] | None = None

    def nbc(self, *arguments: object, code: int | None = 0) -> Ended:
        """`numerbay-chain ARGUMENTS`, which must end with this exit code; None: with any."""
        from numerbay_chain.cli.main import main

        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.environment)
        try:
            with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
                answered = main([str(argument) for argument in arguments], self.opens)
        finally:
            os.environ.clear()
            os.environ.update(before)
        stdout, stderr = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]  # BytesIO
        ended = Ended(answered, stdout, stderr)
        assert code is None or ended.code == code, f"{arguments}: {ended}"
        return ended


def shell(folder: Path, **more: str) -> Shell:
    """A shell whose home folder for this program is new."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMERBAY_CHAIN_")}
    return Shell(folder, {**kept, "NUMERBAY_CHAIN_HOME": str(folder / "home"), **more})


class RunningDevnet:
    """`numerbay-chain devnet`, until `stop`."""

    def __init__(self, seller: Shell) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "devnet", "--port", "0", "--json"],
            cwd=seller.folder,
            env=seller.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        self.said: dict[str, Any] = json.loads(line)
        self.rpc: str = self.said["rpc"]
        self.contract: str = self.said["contract"]
        self.pid: int = self.said["pid"]

    def stop(self, number: signal.Signals = signal.SIGINT) -> Ended:
        """Ctrl-C."""
        self._process.send_signal(number)
        stdout, stderr = self._process.communicate(timeout=STEP_SECONDS)
        return Ended(self._process.returncode, stdout, stderr)
