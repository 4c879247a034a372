"""What the package defines, read from its sources: documents name it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "numerbay_chain"


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    """Each module's path and what it says."""
    return [(path, ast.parse(path.read_text("utf-8"))) for path in sorted(PACKAGE.rglob("*.py"))]


@cache
def python() -> dict[str, set[str]]:
    """Names that each module and each class of the package defines, by the module's or the class's own name."""
    found: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    for path, tree in trees():
        found.setdefault(path.stem, set()).update(_names(tree.body))
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, set()).update(_names(node.body), _attributes(node))
                bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
    for _ in range(4):  # of a base's base, too
        for name, above in bases.items():
            found[name].update(*(found.get(base, set()) for base in above))
    return found


@cache
def functions() -> set[str]:
    """The names of all functions, methods and classes."""
    nodes = [node for _, tree in trees() for node in ast.walk(tree)]
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
            yield inner.attr
