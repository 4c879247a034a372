"""A command line with a home folder of its own, run inside this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from numerbay_chain.cli.main import main


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it said where."""

    code: int
    stdout: str
    stderr: str

    @property
    def object(self) -> dict[str, Any]:
        return json.loads(self.stdout)


Run = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("NUMERBAY_CHAIN_HOME", str(folder))
    for name in ("PROFILE", "RPC", "CONTRACT", "ACCOUNT", "STORE", "KEY", "YES", "DEBUG", "PASSWORD"):
        monkeypatch.delenv(f"NUMERBAY_CHAIN_{name}", raising=False)
    return folder


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> Ran:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def alice(run: Run, tmp_path: Path) -> Path:
    """A recipient's key file."""
    path = tmp_path / "alice.json"
    assert run("keys", "new", "-o", path).code == 0
    return path


@pytest.fixture
def mallory(run: Run, tmp_path: Path) -> Path:
    """The key file of somebody nothing was sealed to."""
    path = tmp_path / "mallory.json"
    assert run("keys", "new", "-o", path).code == 0
    return path


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_bytes(b"id,prediction\n" + b"".join(b"n%04d,0.%04d\n" % (i, i) for i in range(1_000)))
    return path
