"""Set-up installs exactly what was locked, from whichever registry the machine knows."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tools.solidity import ROOT, SOLC_VERSION, ape_settings

PYTHON_LOCKS = (
    "requirements/dev.lock",
    "requirements/demo.lock",
    "requirements/bootstrap.txt",
    "requirements/symbolic.txt",
)


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_locked_python_package_has_its_hashes_and_no_address(lock: str) -> None:
    text = re.sub(r"\\\n", " ", (ROOT / lock).read_text())
    entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]

    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,-]+\])?==\S+ ", entry), entry
        assert "--hash=sha256:" in entry, entry
        assert "://" not in entry, entry


def test_every_locked_npm_package_has_its_hash_and_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    installed = {name: entry for name, entry in packages.items() if name}

    assert installed
    for name, entry in installed.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name


def locked_versions(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_the_demonstration_has_the_versions_that_were_tested() -> None:
    everything, demo = (locked_versions(lock) for lock in PYTHON_LOCKS[:2])

    assert {"eth-tester", "flit-core"} <= set(demo)
    assert demo.items() <= everything.items()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    locked = locked_versions(PYTHON_LOCKS[0])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + [entry for extra in project["optional-dependencies"].values() for entry in extra]
    names = {re.split(r"[\[<>=~!;]", entry)[0].strip().lower().replace("_", "-") for entry in asked} - {
        "numerbay-chain"
    }

    assert names <= set(locked)


def test_one_version_of_the_compiler_is_named_everywhere() -> None:
    npm = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    forge = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    lint = json.loads((ROOT / ".solhint.json").read_text())["rules"]["compiler-version"][1]
    pragmas = {
        match
        for file in Path(ROOT / "contracts").rglob("*.sol")
        for match in re.findall(r"pragma solidity (.*);", file.read_text())
    }

    assert npm["solc"] == forge["solc"] == lint == ape_settings()["version"] == SOLC_VERSION
    assert pragmas == {SOLC_VERSION}
