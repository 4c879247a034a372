"""The README's walk-through and its Python example, line by line as they stand there."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from numerbay_chain.protocol.gas import BUYER_GAS, DISPUTE_GAS
from tests.support.plugins.toolchain import anvil_binary, require
from tests.support.programs import ROOT, RunningDevnet, Shell, shell

pytestmark = [pytest.mark.anvil, pytest.mark.slow]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def here(text: str) -> str:
    """Without the lines that install the programs into the checkout and find them there: the test's shell has them on
    PATH."""
    ready = ("make setup\n", "source ", "export PATH=")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(ready))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Somebody who follows the README, with the first terminal's devnet running."""
    first, *_ = blocks("sh")
    assert here(first).strip() == "nbc devnet"
    folder = tmp_path_factory.mktemp("reader")
    someone = shell(folder, NUMERBAY_CHAIN_ANVIL=str(require("anvil", anvil_binary())))
    path = f"{Path(sys.executable).parent}:{someone.environment['PATH']}"
    someone = Shell(folder, {**someone.environment, "PATH": path})
    devnet = RunningDevnet(someone)
    try:
        yield someone
    finally:
        devnet.stop(signal.SIGINT)


def test_the_walk_through_begins_with_what_it_needs() -> None:
    assert blocks("sh")[0].startswith("make setup\n")


def test_the_gas_of_a_dispute_is_the_one_that_the_program_says() -> None:
    limits = README.split("## Known limits")[1]
    said = [DISPUTE_GAS[call] for call in ("proveWrongContent", "settleChallenge", "refundFaulty")]
    for gas in (BUYER_GAS, *said):
        assert f"{gas:,}" in limits


def test_the_walk_through_can_be_pasted(reader: Shell) -> None:
    _, *rest = blocks("sh")
    script = "set -ex\n" + "".join(here(block) for block in rest)
    done = subprocess.run(
        ["bash"], input=script, text=True, cwd=reader.folder, env=reader.environment, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.rstrip().endswith("everything adds up")
    assert (reader.folder / "received.csv").read_bytes() == (reader.folder / "predictions.csv").read_bytes()


def test_the_python_example_runs(reader: Shell) -> None:
    (example,) = blocks("python")
    (reader.folder / "predictions.csv").write_text("id,prediction\nn0001,0.5\n")
    done = subprocess.run(
        [sys.executable, "-c", example],
        text=True,
        cwd=reader.folder,
        env=reader.environment,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"[0-9a-f]{64}\n", done.stdout)
