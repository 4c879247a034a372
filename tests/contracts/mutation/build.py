"""Sources with their mutants, compiled once and kept in .cache: what does not compile is found out and left out."""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contracts.mutation.mutants import Mutant, Node, calls, declared_constants, find
from tests.contracts.mutation.schema import GUARD, LIBRARY, LIBRARY_SOURCE, alone, guarded, render
from tools.solidity import CONTRACTS, ROOT, SOLC, SOLC_VERSION, source_closure, standard_input

CACHE = ROOT / ".cache" / "mutation"
ROOTS = ("Marketplace.sol", "Disputes.sol", "mocks/JudgeHarness.sol")
STEPS = "u:"
BYTECODE = ["abi", "evm.bytecode.object"]
_QUESTION = re.compile(r"Mutant\.on\((\d+)\)|nonReentrantUnless\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Build:
    """`mutants` by number (from 1; 0 is none of them) as their sources have them; `artifacts` have abi and bytecode."""

    name: str  # of its sources and this runner
    mutants: dict[int, Mutant]
    rejected: tuple[Mutant, ...]  # no compiler takes them
    reached: dict[str, set[str]]  # function → what it may run
    artifacts: dict[str, dict[str, Any]]


def mutated_files(sources: Iterable[str]) -> list[str]:
    """What is deployed, without interfaces (no code), test contracts and other people's libraries."""
    return [name for name in sources if re.fullmatch(r"contracts/((libraries|modules)/)?\w+\.sol", name)]


def build(roots: Iterable[str] = ROOTS, files: Iterable[str] | None = None) -> Build:
    """The mutants of `files` (contracts/….sol; default: all that is deployed) in the contracts of `roots`."""
    sources = source_closure(CONTRACTS / root for root in roots)
    chosen = sorted(files) if files is not None else mutated_files(sources)
    if missing := [file for file in chosen if file not in sources]:
        raise ValueError(f"not among the sources of {', '.join(roots)}: {', '.join(missing)}")
    code = "".join((Path(__file__).parent / name).read_text() for name in ("mutants.py", "schema.py"))
    digest = hashlib.sha256(json.dumps([SOLC_VERSION, code, sources, chosen], sort_keys=True).encode()).hexdigest()
    file = CACHE / f"build-{digest[:16]}.json"
    if not file.exists():
        made = _build(sources, chosen)
        CACHE.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(made))
    kept = json.loads(file.read_text())
    return Build(
        digest[:16],
        {int(number): Mutant(**fields) for number, fields in kept["mutants"].items()},
        tuple(Mutant(**fields) for fields in kept["rejected"]),
        {name: set(names) for name, names in kept["reached"].items()},
        kept["artifacts"],
    )


def mutants_of(sources: dict[str, str], files: Iterable[str]) -> list[Mutant]:
    """Those of `files`, whether they compile or not."""
    return _find(sources, files, syntax_trees(sources))


def syntax_trees(sources: dict[str, str]) -> dict[str, Node]:
    """Source → its tree."""
    return {name: unit["ast"] for name, unit in _compile(sources, [], ast=True)["sources"].items()}


def _find(sources: dict[str, str], files: Iterable[str], trees: dict[str, Node]) -> list[Mutant]:
    constants = declared_constants(trees.values())
    return [mutant for file in files for mutant in find(file, sources[file].encode(), trees[file], constants)]


def _build(sources: dict[str, str], files: list[str]) -> dict[str, Any]:
    trees = syntax_trees(sources)
    found = _find(sources, files, trees)
    good = dict(enumerate(found, start=1))
    dropped: dict[int, Mutant] = {}
    while wrong := _wrong(sources, good):
        for number in wrong:
            dropped[number] = good.pop(number)
    if both := [mutant.key for mutant in dropped.values() if not _wrong_alone(sources, mutant)]:
        raise ValueError("compiles alone but not beside the others, a fault of this runner: " + "; ".join(both))
    output = _compile(_rendered(sources, good), BYTECODE)
    return {
        "mutants": {number: _fields(mutant) for number, mutant in good.items()},
        "rejected": [_fields(mutant) for _, mutant in sorted(dropped.items())],
        "reached": {
            name: sorted(names)
            for name, names in calls(trees[file] for file in sources if file.startswith("contracts/")).items()
        },
        "artifacts": {
            name: {"abi": contract["abi"], "bytecode": contract["evm"]["bytecode"]["object"]}
            for unit, contracts in output["contracts"].items()
            if unit.startswith("contracts/")
            for name, contract in contracts.items()
            if contract["evm"]["bytecode"]["object"]
        },
    }


def _fields(mutant: Mutant) -> dict[str, Any]:
    return {name: getattr(mutant, name) for name in Mutant.__slots__}


def _rendered(sources: Mapping[str, str], mutants: Mapping[int, Mutant]) -> dict[str, str]:
    changed = dict(sources) | {LIBRARY: LIBRARY_SOURCE}
    if GUARD in changed:
        changed[GUARD] = guarded(changed[GUARD])
    for file in {mutant.file for mutant in mutants.values()}:
        mine = {number: mutant for number, mutant in mutants.items() if mutant.file == file}
        changed[file] = render(file, sources[file].encode(), mine)
    return changed


def _wrong(sources: dict[str, str], mutants: Mapping[int, Mutant]) -> set[int]:
    """The mutants that the compiler complains of; raises where it complains of something else."""
    wrong = set()
    rendered = _rendered(sources, mutants)
    for error in _errors(rendered):
        place = error["sourceLocation"]
        text = rendered[place["file"]].encode()
        inside = _questions(text[place["start"] : place["end"]])
        found = inside[:1] or _questions(text[: place["start"]])[-1:]
        if not found:
            raise ValueError(f"the sources do not compile: {error['formattedMessage']}")
        wrong |= set(found)
    return wrong


def _questions(text: bytes) -> list[int]:
    return [int(one or other) for one, other in _QUESTION.findall(text.decode())]


def _wrong_alone(sources: Mapping[str, str], mutant: Mutant) -> bool:
    return bool(_errors(dict(sources) | {mutant.file: alone(sources[mutant.file].encode(), mutant)}))


def _errors(sources: dict[str, str]) -> list[dict[str, Any]]:
    output = _output(sources, ["abi"])
    return [error for error in output.get("errors", []) if error["severity"] == "error"]


def _compile(sources: dict[str, str], outputs: list[str], *, ast: bool = False) -> dict[str, Any]:
    output = _output(sources, outputs, ast=ast)
    if errors := [error for error in output.get("errors", []) if error["severity"] == "error"]:
        raise ValueError(errors[0]["formattedMessage"])
    return output


def _output(sources: dict[str, str], outputs: list[str], *, ast: bool = False) -> dict[str, Any]:
    given = standard_input(sources, outputs, ast=ast)
    # Hardly optimised: inlining would leave functions with so many questions more than a stack holds.
    given["settings"]["optimizer"] = {
        "enabled": True,
        "details": {"yul": True, "yulDetails": {"optimizerSteps": STEPS}},
    }
    done = subprocess.run(
        [SOLC, "--standard-json"], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result
