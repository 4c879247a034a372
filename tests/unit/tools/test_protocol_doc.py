"""docs/protocol.md names what enforces each rule and who tries each cheat: all of it exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.defined import python

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "protocol.md").read_text()
THREATS = TEXT.split("## 4. Who can cheat whom")[1].split("## 5.")[0]
TOKENS = sorted(set(re.findall(r"`([^`\n]+)`", TEXT.replace("```", ""))))

NOTATION = {"SealedBox", "H", "addr", "bucket", "combine", "max", "min", "sha256", "u64be", "word"}  # of the document


@cache
def solidity() -> dict[str, set[str]]:
    """Functions of each contract, by the file's name; "" has all functions, errors, events, structs and contracts."""
    found: dict[str, set[str]] = {"": {"SafeCast"}}
    for path in (ROOT / "contracts").rglob("*.sol"):
        if path.parent.name == "mocks":
            continue
        source = path.read_text()
        functions = set(re.findall(r"\bfunction (\w+)", source)) | set(re.findall(r"public (\w+);", source))
        found[path.stem] = functions
        named = re.findall(r"\b(?:contract|library|interface|struct|enum|event|error) (\w+)", source)
        found[""] |= functions | set(named)
    return found


@cache
def tried() -> dict[str, set[str]]:
    """Tests of each file, in classes or not, by the file's name."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        names = {node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
        found.setdefault(path.name, set()).update(names)
    return found


def rows() -> list[tuple[str, str]]:
    """How somebody cheats, and the tests that try it."""
    lines = [line.split(" | ") for line in THREATS.splitlines() if line.startswith("| ")]
    return [(cells[1], cells[3]) for cells in lines[1:]]


def test_there_are_threats() -> None:
    assert len(rows()) == 25


@pytest.mark.parametrize(("how", "tried_by"), rows(), ids=[how for how, _ in rows()])
def test_every_threat_is_tried(how: str, tried_by: str) -> None:
    named = re.findall(r"`([\w.]+\.py)::(test_\w+)`", tried_by)
    assert named, f"nobody tries it: {how}"
    assert [test for file, test in named if test not in tried().get(file, set())] == []


@pytest.mark.parametrize("token", [one for one in TOKENS if re.fullmatch(r"\w+\.\w+(\(.*\))?", one)])
def test_every_function_and_file_that_is_named_exists(token: str) -> None:
    owner, name = token.partition("(")[0].split(".")
    if name in {"py", "sol"}:
        assert [
            *(ROOT / "contracts").rglob(token),
            *(ROOT / "numerbay_chain").rglob(token),
            *(ROOT / "tests").rglob(token),
        ]
    else:
        assert name in solidity().get(owner, set()) | python().get(owner, set())


@pytest.mark.parametrize("token", [one for one in TOKENS if re.fullmatch(r"[a-zA-Z]+\([^)]*\)", one)])
def test_every_call_that_is_named_exists(token: str) -> None:
    name = token.partition("(")[0]
    assert name in solidity()[""] | NOTATION


@pytest.mark.parametrize("token", [one for one in TOKENS if re.fullmatch(r"[A-Z][A-Za-z]+", one)])
def test_every_contract_error_and_event_that_is_named_exists(token: str) -> None:
    assert token in solidity()[""] | NOTATION | set(python())


@pytest.mark.parametrize("token", [one for one in TOKENS if "/" in one and re.fullmatch(r"[\w./*]+", one)])
def test_every_path_that_is_named_exists(token: str) -> None:
    places = [ROOT, ROOT / "numerbay_chain", ROOT / "contracts"]
    assert any(list(place.glob(token)) for place in places)
