"""The wheel in an environment that has nothing else: what it brings, and what it says where an extra is missing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import ROOT, Shell, shell

pytestmark = pytest.mark.slow
UV = ROOT / ".cache" / "uv" / "bin" / "uv"
MOST_PACKAGES = 60
"""With the package itself, without any extra."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "flit_core.wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def installed(folder: Path, requirement: str) -> Shell:
    """An environment with this requirement alone, in the versions of the lock; its programs come first on PATH."""
    python = folder / "environment" / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, python.parents[1]], check=True)
    lock = ROOT / "requirements" / "dev.lock"
    install = [UV, "pip", "install", "--quiet", "--python", python, "--constraints", lock, requirement]
    if subprocess.run([*install, "--offline"], capture_output=True).returncode:  # not all of it is in uv's cache
        subprocess.run(install, check=True)
    someone = shell(folder)
    path = f"{python.parent}:{os.environ['PATH']}"
    return Shell(folder, {**someone.environment, "PATH": path, "PYTHONPATH": ""})


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return installed(tmp_path_factory.mktemp("plain"), str(wheel))


def packages(someone: Shell) -> set[str]:
    python = someone.folder / "environment" / "bin" / "python"
    listed = someone.run(UV, "pip", "list", "--quiet", "--format", "freeze", "--python", python)
    return set(re.findall(r"^([A-Za-z0-9._-]+)(?:==| @ )", listed.stdout, re.MULTILINE))


def test_without_extras_it_brings_few_packages(plain: Shell) -> None:
    found = packages(plain)
    assert {"numerbay-chain", "web3", "eth-account"} <= {name.replace("_", "-") for name in found}
    assert len(found) <= MOST_PACKAGES, sorted(found)
    assert not {"eth-tester", "py-evm", "ipfshttpclient", "eth-ape"} & found


def test_every_module_but_the_demonstration_s_can_be_imported_without_extras(plain: Shell) -> None:
    code = """
        import importlib, pkgutil, numerbay_chain
        from numerbay_chain import UsageError
        for module in pkgutil.walk_packages(numerbay_chain.__path__, "numerbay_chain."):
            try:
                importlib.import_module(module.name)
            except UsageError as error:
                print(module.name, error.code)
    """
    lines = plain.run("python", "-c", "\n".join(line[8:] for line in code.splitlines())).stdout.split("\n")
    assert [line for line in lines if line] == [
        "numerbay_chain.chain.local.embedded missing-extra",
        "numerbay_chain.demo missing-extra",
    ]


def test_the_demonstration_says_which_extra_it_needs(plain: Shell) -> None:
    refused = plain.run("nbc", "demo", "--json", code=2).object["error"]
    assert refused["code"] == "missing-extra"
    assert "numerbay_chain[demo]" in refused["hint"]


def test_pinning_to_a_daemon_says_which_extra_it_needs(plain: Shell) -> None:
    code = """
from numerbay_chain import UsageError, open_store
try:
    open_store("kubo:http://127.0.0.1:9").writer("never")
except UsageError as error:
    print(error.code, error.hint)
"""
    said = plain.run("python", "-c", code).stdout
    assert said.startswith("missing-extra ")
    assert "numerbay_chain[kubo]" in said


def test_the_demonstration_runs_with_its_extra(wheel: Path, tmp_path: Path) -> None:
    someone = installed(tmp_path, f"{wheel}[demo]")
    done = someone.run("nbc", "demo", "--buyers", "1", "--json").object
    assert done["accounted"]
    assert [buyer["sha256"] for buyer in done["buyers"]] == [done["original_sha256"]]
