"""docs/architecture.md names every module there is, and draws the layers that import-linter keeps. No folder, module or
function is too large."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "numerbay_chain"
TEXT = (ROOT / "docs" / "architecture.md").read_text()
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = [file.relative_to(PACKAGE) for file in FILES if not file.name.startswith("_")]
FOLDERS = sorted({module.parent for module in MODULES})
MOST_MODULES, MOST_LINES, MOST_LINES_OF_A_FUNCTION = 12, 350, 60


def rooms() -> dict[str, str]:
    """The table's rows, by the folder (or module) that each is about."""
    rows = TEXT.split("## The tree")[1].split("Imports point one way")[0].splitlines()
    cells = [row.split(" | ") for row in rows if row.startswith("| `")]
    return {name: row[1] for row in cells for name in re.findall(r"`([a-z_/]+)`", row[0])}


def layers() -> list[dict[str, list[str]]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [one for one in contracts if one["type"] == "layers"]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_its_room(module: Path) -> None:
    folder, known = module.parent.as_posix(), rooms()
    if folder == ".":
        assert module.stem in known
    elif folder.startswith("cli/commands/"):
        (inside,) = re.findall(rf"`{module.parent.name}/` \(([^)]*)\)", known["cli/commands/"])
        assert f"`{module.stem}`" in inside
    else:
        assert f"`{module.stem}`" in known[f"{folder}/"]


def test_the_layers_are_those_that_the_linter_keeps() -> None:
    drawn = TEXT.split("Imports point one way")[1].split("```")[1].strip().splitlines()
    assert drawn == layers()[0]["layers"]


def test_every_folder_has_an_order() -> None:
    ordered = {container for one in layers() for container in one["containers"]}
    several = {folder for folder in FOLDERS if len([*(PACKAGE / folder).glob("[a-z]*")]) > 1}
    assert {".".join(["numerbay_chain", *folder.parts]) for folder in several} - ordered == set()
    assert all(one["exhaustive"] for one in layers())


def test_no_layer_is_a_group_whose_members_may_import_each_other() -> None:
    assert [layer for one in layers() for layer in one["layers"] if ":" in layer] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_folder_can_be_looked_over(folder: Path) -> None:
    assert sum(module.parent == folder for module in MODULES) <= MOST_MODULES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_a_module_and_its_functions_can_be_read_at_a_sitting(file: Path) -> None:
    source = file.read_text()
    assert len(source.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = ast.get_docstring(node, clean=False)
            first = node.body[0]
            lines = (node.end_lineno or 0) - node.lineno + 1
            if said is not None:
                lines -= (first.end_lineno or 0) - first.lineno + 1
            assert lines <= MOST_LINES_OF_A_FUNCTION, node.name
