"""What the documents name exists: each file, and in docs/architecture.md each module, class, function and attribute."""

import re
from pathlib import Path

import pytest

from tests.support.defined import functions, python

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FOLDERS = ("numerbay_chain", "contracts", "scripts", "tests", "tools", "bench")
FILES = {file.relative_to(ROOT).as_posix() for folder in FOLDERS for file in (ROOT / folder).rglob("*.*")}
NO_CLASSES = {"MiB", "NumerBay"}
TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL)
CODE = [line for kind, block in BLOCKS if kind == "python" for line in block.splitlines()]
CODE += re.findall(r"`([^`\n]+)`", PROSE)


def files_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w./-])(?:[\w-]+/)*[\w-]+\.(?:py|sol)\b", text))


def missing(named: set[str]) -> list[str]:
    return sorted(one for one in named if not any(f"/{file}".endswith(f"/{one}") for file in FILES))


def qualified() -> set[tuple[str, str]]:
    """Each `owner.name` whose owner is a module or a class of the package; `session` may be one, too."""
    pairs = [pair for code in CODE for pair in re.findall(r"(?<![\w./-])(\w+)\.([a-zA-Z]\w*)", code)]
    return {(owner, name) for owner, name in pairs if owner in python() and name not in ("py", "sol", "toml")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_is_named_exists(document: Path) -> None:
    assert missing(files_in(document.read_text("utf-8"))) == []


def test_what_modules_and_classes_are_said_to_have_they_have() -> None:
    found = qualified()
    assert len(found) > 60
    known = python()
    assert {
        (owner, name) for owner, name in found if name not in known[owner] | known.get(owner.title(), set())
    } == set()


def test_every_function_that_is_called_exists() -> None:
    called = {name for code in CODE for name in re.findall(r"(?<![\w.])([a-z]\w+)\(", code)}
    assert len(called) > 30
    assert called - functions() == set()


def test_every_class_that_is_named_exists() -> None:
    named = {name for code in CODE for name in re.findall(r"(?<![\w./-])[A-Z][a-z]+(?:[A-Z]\w*)\b", code)}
    assert len(named) > 25
    assert named - functions() - set(python()) - NO_CLASSES == set()


def test_what_does_not_exist_is_found() -> None:
    assert missing(files_in("see `core/units.py`, ledger.py and contracts/modules/Orders.sol")) == []
    assert missing(files_in("see `market.py` and core/ledger.py")) == ["core/ledger.py", "market.py"]
