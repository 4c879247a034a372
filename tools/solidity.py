"""The contracts as solc sees them: sources with all they import, and Ape's settings, in one standard JSON input."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
SOLC_FOLDER = ROOT / ".cache" / "solcx"
# Ape finds the same package through its own `dependencies`: it compiles in a temporary folder without node_modules.
REMAPPINGS = {"@openzeppelin/contracts/": "node_modules/@openzeppelin/contracts/"}
# Comments hold example imports here and there, so an import counts at the start of a line only.
IMPORT = re.compile(r"""^\s*import\s+(?:[^"';]*?\s+from\s+)?["']([^"']+)["']""", re.MULTILINE)


def ape_settings() -> dict[str, Any]:
    """The section `solidity` of ape-config.yaml: the one place where compiler settings are written down."""
    settings: dict[str, Any] = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    return settings


SOLC_VERSION: str = ape_settings()["version"]
SOLC = SOLC_FOLDER / f"solc-v{SOLC_VERSION}"


def contract_files(folder: Path = CONTRACTS) -> list[Path]:
    """All Solidity files under `folder`, without what Ape unpacks into hidden folders."""
    return sorted(
        p for p in folder.rglob("*.sol") if not any(part.startswith(".") for part in p.relative_to(ROOT).parts)
    )


def source_closure(files: Iterable[Path]) -> dict[str, str]:
    """Source unit name → text of `files` and of all they import, resolved as solc does it."""
    sources: dict[str, str] = {}
    waiting = [file.resolve().relative_to(ROOT).as_posix() for file in files]
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        sources[name] = (ROOT / name).read_text()
        for imported in IMPORT.findall(sources[name]):
            target = normpath(join(dirname(name), imported)) if imported.startswith(".") else imported
            for prefix, replacement in REMAPPINGS.items():
                if target.startswith(prefix):
                    target = replacement + target.removeprefix(prefix)
            waiting.append(target)
    return dict(sorted(sources.items()))


def standard_input(sources: Mapping[str, str], outputs: list[str], *, ast: bool = False) -> dict[str, Any]:
    """Standard JSON input. No metadata goes into the bytecode, so that equal sources give equal bytes."""
    settings = ape_settings()
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {
            "optimizer": {"enabled": settings["optimize"], "runs": settings["optimization_runs"]},
            "viaIR": settings["via_ir"],
            "evmVersion": settings["evm_version"],
            "remappings": [f"{prefix}={replacement}" for prefix, replacement in REMAPPINGS.items()],
            "metadata": {"bytecodeHash": "none", "appendCBOR": False},
            "outputSelection": {"*": {"*": outputs, "": ["ast"] if ast else []}},
        },
    }


def use_project_compiler() -> None:
    """Make py-solc-x look into the project's folder, unless the caller named another one."""
    os.environ.setdefault("SOLCX_BINARY_PATH", str(SOLC_FOLDER))
