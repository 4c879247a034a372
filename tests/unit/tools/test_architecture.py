"""docs/architecture.md names every module there is, and draws the layers that import-linter keeps."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
MODULES = {path.stem for path in (ROOT / "numerbay_chain").iterdir() if path.suffix == ".py" or path.is_dir()}


def names(line: str) -> set[str]:
    return set(re.findall(r"[a-z_]+", line))


def test_every_module_has_its_room() -> None:
    rooms = "".join(line for line in TEXT.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`(?:numerbay_chain/)?([a-z_]+)/?`", rooms))
    assert {module for module in MODULES if not module.startswith("_")} - named == set()


def test_the_layers_are_those_that_the_linter_keeps() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    kept = next(one["layers"] for one in contracts if one["type"] == "layers")
    drawn = TEXT.split("Imports point one way")[1].split("```")[1].strip().splitlines()
    assert [names(line) for line in drawn] == [names(layer) for layer in kept]
