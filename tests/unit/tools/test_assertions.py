"""What tests may rest on: codes and values, never the words of a sentence; the same bytes in every run."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
DRAWN = {"choice", "choices", "getrandbits", "randbytes", "randint", "random", "randrange", "sample", "shuffle"}
NOTES = {"told", "text", "reason", "waiting_for"}
CAMPAIGNS = "__main__.py"
"""Draw a seed where none is given, and print it first."""


def calls(source: str) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def on_sentences(source: str) -> list[int]:
    """The lines that expect a pattern in an error's sentence."""
    return [
        call.lineno
        for call, name in calls(source)
        if name in ("pytest.raises", "raises") and any(keyword.arg == "match" for keyword in call.keywords)
    ]


def on_notes(source: str) -> list[int]:
    """The lines that look for words in a note, a finding or a reason, which have codes."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assert)
        and any(isinstance(one, ast.Attribute) and one.attr in NOTES for one in ast.walk(node))
        and any(
            isinstance(one, ast.Compare) and isinstance(one.left, ast.Constant) and " " in str(one.left.value)
            for one in ast.walk(node)
        )
    ]


def unseeded(source: str) -> list[int]:
    """The lines that draw what no run draws again."""
    imported = {
        alias.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for alias in node.names
    }
    return [
        call.lineno
        for call, name in calls(source)
        if name in ("os.urandom", "urandom", "random.SystemRandom", "SystemRandom")
        or name.startswith("secrets.")
        or (name in ("Random", "random.Random") and not call.args)
        or ("random" in imported and name.startswith("random.") and name.removeprefix("random.") in DRAWN)
    ]


def test_no_test_expects_a_sentence() -> None:
    found = {str(path.relative_to(ROOT)): on_sentences(path.read_text("utf-8")) for path in TESTS}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_no_test_looks_for_words_in_a_note() -> None:
    found = {str(path.relative_to(ROOT)): on_notes(path.read_text("utf-8")) for path in TESTS}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_no_test_draws_what_no_run_draws_again() -> None:
    files = [path for path in TESTS if path.name != CAMPAIGNS]
    found = {str(path.relative_to(ROOT)): unseeded(path.read_text("utf-8")) for path in files}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_what_is_forbidden_is_found() -> None:
    assert on_sentences("with pytest.raises(KeyError, match='x'):\n    pass") == [1]
    assert on_sentences("with pytest.raises(KeyError):\n    pass") == []
    assert on_notes("assert any('not kept' in note for note in place.told)") == [1]
    assert on_notes("assert 'not-kept' in place.noted") == []
    drawing = [
        "os.urandom(2)",
        "secrets.token_bytes(3)",
        "random.Random()",
        "Random()",
        "import random; random.randbytes(3)",
    ]
    assert [unseeded(one) for one in drawing] == [[1]] * len(drawing)
    assert unseeded("random.Random(7).randbytes(3)") == []
