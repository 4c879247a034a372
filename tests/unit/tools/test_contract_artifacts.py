"""What is in the package is what the sources compile to."""

import json

import pytest

from tests.support.plugins.toolchain import require, solc_binary
from tools import compile as compiler
from tools.solidity import CONTRACTS, contract_files, source_closure


@pytest.mark.slow
def test_the_package_ships_what_the_sources_compile_to() -> None:
    require("solc", solc_binary())

    compiled = compiler.compile_shipped()

    shipped = {file.stem: file.read_text() for file in compiler.SHIPPED_FOLDER.glob("*.json")}
    assert set(compiled) == set(shipped) == {"Marketplace", "Disputes"}
    for name, artifact in compiled.items():
        assert shipped[name] == compiler.encode(artifact), f"{name} is out of date: run `make compile`"


def test_every_deployed_contract_is_smaller_than_a_chain_accepts() -> None:
    for file in compiler.SHIPPED_FOLDER.glob("*.json"):
        code = bytes.fromhex(json.loads(file.read_text())["deployedBytecode"].removeprefix("0x"))
        assert 0 < len(code) <= 24_576


def test_the_source_hash_changes_with_an_import_of_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [CONTRACTS / "Marketplace.sol"]
    before = compiler.source_hash(files)
    sources = source_closure(files)
    deepest = next(name for name in sources if name.startswith("node_modules/"))
    sources[deepest] += "// one more line\n"
    monkeypatch.setattr(compiler, "source_closure", lambda _: sources)

    assert compiler.source_hash(files) != before


def test_every_source_file_is_found() -> None:
    names = {file.name for file in contract_files()}

    assert {"Marketplace.sol", "KeyRegistry.sol", "IMarketplace.sol"} <= names
    assert not any(".cache" in file.parts for file in contract_files())
