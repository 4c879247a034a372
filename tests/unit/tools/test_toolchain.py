"""The real programs start, answer and end; a missing one is said aloud."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.codes import fails_with
from tests.support.plugins import toolchain
from tools.solidity import ROOT


@pytest.mark.anvil
def test_anvil_answers_with_the_chain_that_was_asked_for_and_ends_with_its_block() -> None:
    with toolchain.anvil("--chain-id", "1337") as anvil:
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        answer = requests.post(anvil.url, json=question, timeout=10).json()

    assert int(answer["result"], 16) == 1337
    assert anvil.process.poll() is not None


@pytest.mark.kubo
def test_a_fresh_kubo_daemon_serves_what_was_added_and_ends_with_its_block() -> None:
    with toolchain.kubo() as kubo:
        cid = kubo.run("add", "--quieter", "--cid-version=1", given=b"hello").decode().strip()
        served = requests.get(f"{kubo.gateway_url}/ipfs/{cid}", timeout=10).content

    assert served == b"hello"
    assert kubo.process.poll() is not None
    assert not kubo.repository.exists()


@pytest.mark.anvil
def test_a_program_that_ends_at_once_is_reported_with_its_words() -> None:
    with (
        fails_with(RuntimeError),
        toolchain.anvil("--no-such-option"),
    ):
        pass


def test_the_summary_has_one_line_for_each_missing_component(tmp_path: Path) -> None:
    (tmp_path / "test_missing.py").write_text(
        "from tests.support.plugins.toolchain import require\n"
        "def test_one() -> None: require('kubo', None)\n"
        "def test_two() -> None: require('kubo', None)\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.support.plugins.toolchain",
        "-p",
        "no:ape_test",
        "-p",
        "no:cacheprovider",
    ]

    done = subprocess.run(
        [*command, "-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "kubo: not found, 2 tests of it did not run: install Go" in done.stdout
    assert "2 skipped" in done.stdout
