"""Compile the contracts: the marketplace into the package, the mocks into `.cache/artifacts`.

`python -m tools.compile` writes what is out of date; `--tests` leaves the package alone, so that set-up can't paper
over a stale artifact.
"""

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import solcx

from tools.solidity import (
    CONTRACTS,
    ROOT,
    SOLC_VERSION,
    contract_files,
    source_closure,
    standard_input,
    use_project_compiler,
)

SHIPPED = ("Marketplace", "Disputes")
SHIPPED_FOLDER = ROOT / "numerbay_chain" / "chain" / "encoding" / "artifacts"
TEST_CONTRACTS = CONTRACTS / "mocks"
TEST_FOLDER = ROOT / ".cache" / "artifacts"
MAX_CODE_SIZE = 24_576  # EIP-170, bytes
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]

Artifact = dict[str, Any]


def source_hash(files: Iterable[Path]) -> str:
    """SHA-256 of the compiler's version and whole input: changes when a source, an import or a setting does."""
    text = SOLC_VERSION + json.dumps(standard_input(source_closure(files), OUTPUTS), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def compile_files(files: Iterable[Path]) -> dict[str, Artifact]:
    """Contract name → artifact, for the contracts in `files` that have bytecode.

    Raises:
        solcx.exceptions.SolcError: the sources do not compile.
        ValueError: two contracts of one name, or nothing to compile.
    """
    use_project_compiler()
    files = list(files)
    names = {file.relative_to(ROOT).as_posix() for file in files}
    digest = source_hash(files)
    output = solcx.compile_standard(standard_input(source_closure(files), OUTPUTS), solc_version=SOLC_VERSION)
    artifacts: dict[str, Artifact] = {}
    for unit, contracts in output["contracts"].items():
        for name, contract in contracts.items():
            if unit not in names or not contract["evm"]["bytecode"]["object"]:
                continue
            if name in artifacts:
                raise ValueError(f"two contracts are named {name}")
            artifacts[name] = {
                "abi": contract["abi"],
                "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
                "deployedBytecode": "0x" + contract["evm"]["deployedBytecode"]["object"],
                "immutableReferences": [
                    [place["start"], place["length"]]
                    for places in contract["evm"]["deployedBytecode"].get("immutableReferences", {}).values()
                    for place in places
                ],
                "compiler": SOLC_VERSION,
                "sourceHash": digest,
            }
    if not artifacts:
        raise ValueError("nothing was compiled: no contract with bytecode in the given files")
    return artifacts


def compile_shipped() -> dict[str, Artifact]:
    """The artifacts that belong into the package, compiled now."""
    artifacts = compile_files(CONTRACTS / f"{name}.sol" for name in SHIPPED)
    return {name: artifacts[name] for name in SHIPPED}


def encode(artifact: Mapping[str, Any]) -> str:
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def is_current(folder: Path, names: Iterable[str], digest: str) -> bool:
    files = [folder / f"{name}.json" for name in names]
    return all(file.exists() and json.loads(file.read_text())["sourceHash"] == digest for file in files)


def write(folder: Path, artifacts: Mapping[str, Artifact]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, artifact in artifacts.items():
        (folder / f"{name}.json").write_text(encode(artifact))


def report(artifacts: Mapping[str, Artifact], started: float) -> None:
    sizes = {name: len(artifact["deployedBytecode"]) // 2 - 1 for name, artifact in artifacts.items()}
    for name, size in sizes.items():
        print(f"   {name}: {size:,} bytes of code")
    print(f"   compiled in {time.monotonic() - started:.1f} s")
    if too_large := [name for name, size in sizes.items() if size > MAX_CODE_SIZE]:
        raise ValueError(f"over the {MAX_CODE_SIZE:,} bytes that a chain accepts: {', '.join(too_large)}")


def refresh_shipped() -> None:
    files = [CONTRACTS / f"{name}.sol" for name in SHIPPED]
    if is_current(SHIPPED_FOLDER, SHIPPED, source_hash(files)):
        return
    started = time.monotonic()
    artifacts = compile_shipped()
    report(artifacts, started)
    write(SHIPPED_FOLDER, artifacts)


def refresh_tests() -> None:
    files = contract_files(TEST_CONTRACTS)
    stamp = TEST_FOLDER / ".source-hash"
    if not files or (stamp.exists() and stamp.read_text() == source_hash(files)):
        return
    started = time.monotonic()
    artifacts = compile_files(files)
    for file in TEST_FOLDER.glob("*.json"):
        file.unlink()
    write(TEST_FOLDER, artifacts)
    report(artifacts, started)
    stamp.write_text(source_hash(files))


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--tests"]):
        print("usage: python -m tools.compile [--tests]", file=sys.stderr)
        return 2
    if not arguments:
        refresh_shipped()
    refresh_tests()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
