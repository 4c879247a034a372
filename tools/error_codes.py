"""The list of error codes, read from the code: `python -m tools.error_codes > docs/errors.md`; `make check` compares.

What each code means to a program, and what to do, stands here; where it is raised, and with which exit code, is found
in the package.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from numerbay_chain.chain.encoding.sentences import SENTENCES
from numerbay_chain.core.errors import kebab
from tools.meanings import MEANINGS

PACKAGE = Path(__file__).resolve().parents[1] / "numerbay_chain"
DOCUMENT = PACKAGE.parent / "docs" / "errors.md"
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_EXIT_CODES = {"REFUSED": 1, "USAGE": 2, "NETWORK": 3, "ACCOUNT": 4, "DECRYPTION": 5, "INTERRUPTED": 130}
_ANY = frozenset({1, 2, 4})  # a reader of files raises what its caller asks for
_OF_A_TRANSPORT = frozenset({3})
_NOT_TOLD = {"JsonError"}  # caught by whoever reads JSON: its codes are not the program's

_INTRODUCTION = """\
# Error codes

Generated from the code: `python -m tools.error_codes > docs/errors.md`. `make check` compares them.

With `--json` a command that fails prints `{"error": {"code", "message", "hint", "exit_code"}}` on stdout. In Python
every error has `.code`, `.hint` and `.exit_code`. Codes are stable; messages and hints are for people and may change.

| code | exit code | meaning | what to do |
|---|---|---|---|
"""
_OF_THE_CONTRACT = """
## The contract's own errors

A call that the contract refuses has the contract error's name as its code, and exit code 1. In Python the
`RevertedError` has `.name` and `.arguments` too. What this program finds before it sends anything has the same code.

| code | contract error | meaning | what to do |
|---|---|---|---|
"""


@cache
def found() -> dict[str, set[int]]:
    """Return the exit codes under which each code is raised."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    classes = {node.name: node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    codes: dict[str, set[int]] = {}
    for name, node in classes.items():
        if name not in _NOT_TOLD and (own := _attribute(node, "code")) and own not in _EXIT_CODES:
            # what transports raise among themselves has no exit code: a `NetworkError` with its code is made of it
            own_exit_codes = _exit_codes(name, classes)
            codes.setdefault(own, set()).update(_OF_A_TRANSPORT if own_exit_codes == _ANY else own_exit_codes)
    for tree in trees.values():
        for call, code in _calls(tree):
            callee = call.func.id if isinstance(call.func, ast.Name) else ""
            if callee not in _NOT_TOLD:
                codes.setdefault(code, set()).update(_of_call(call) or _exit_codes(callee, classes))
    return codes


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Each call with `code=`, and the texts that it can be."""
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.FunctionDef):
            continue
        named = {
            target.id: node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(scope):
            if isinstance(node, ast.Call):
                for keyword in node.keywords:
                    if keyword.arg == "code":
                        value = keyword.value
                        value = named.get(value.id, value) if isinstance(value, ast.Name) else value
                        yield from ((node, text) for text in _texts(value))
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef) and scope.name == "_code_of":  # of the system's errors
            for node in ast.walk(scope):
                if isinstance(node, ast.Return) and node.value is not None:
                    call = ast.Call(ast.Name("Failure"), [], [])
                    yield from ((call, text) for text in _texts(node.value))


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)


def _of_call(call: ast.Call) -> set[int]:
    for keyword in call.keywords:
        if keyword.arg == "exit_code" and isinstance(keyword.value, ast.Attribute):
            return {_EXIT_CODES[keyword.value.attr]}
    return set()


def _attribute(node: ast.ClassDef, name: str) -> str | None:
    """Return what a class says of itself, behind its bases or in its body."""
    values = [keyword.value for keyword in node.keywords if keyword.arg == name]
    for line in node.body:
        target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
        if isinstance(target, ast.Name) and target.id == name:
            values.append(getattr(line, "value", ast.Constant(None)))
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
        if isinstance(value, ast.Attribute):
            return value.attr
    return None


def _exit_codes(name: str, classes: dict[str, ast.ClassDef]) -> frozenset[int]:
    """By the class or the nearest base that says one."""
    if name == "Failure":
        return frozenset({1})
    pending = [name]
    while pending:
        node = classes.get(pending.pop(0))
        if node is None:
            continue
        if own := _attribute(node, "exit_code"):
            return frozenset({_EXIT_CODES[own]})
        pending += [base.id for base in node.bases if isinstance(base, ast.Name)]
    return _ANY


def problems() -> list[str]:
    """Return what is wrong with the codes in the package and with their meanings."""
    codes = found()
    return [
        *(f"{code!r} is not in kebab case" for code in codes if not CODE.fullmatch(code)),
        *(f"{code!r} has no meaning in tools/meanings.py" for code in sorted(codes.keys() - MEANINGS.keys())),
        *(f"{code!r} has a meaning, but is raised nowhere" for code in sorted(MEANINGS.keys() - codes.keys())),
    ]


def document() -> str:
    """Return the whole text of docs/errors.md."""
    codes = found()
    rows = [
        f"| `{code}` | {', '.join(map(str, sorted(codes[code])))} | {meaning} | {advice} |"
        for code, (meaning, advice) in sorted(MEANINGS.items())
        if code in codes
    ]
    own = [
        f"| `{kebab(name)}` | `{name}` | {_plain(meaning)} | {_plain(advice)} |"
        for name, (meaning, advice) in sorted(SENTENCES.items(), key=lambda item: kebab(item[0]))
    ]
    own += ["| `out-of-gas` | | the transaction used all the gas it was given | run it again, with less in it |"]
    own += ["| `panic` | `Panic` | the contract's arithmetic or an assertion failed | check the numbers |"]
    return _INTRODUCTION + "\n".join(rows) + "\n" + _OF_THE_CONTRACT + "\n".join(own) + "\n"


def _plain(sentence: str) -> str:
    return re.sub(r"\{(\w+)\}", r"*\1*", sentence)


if __name__ == "__main__":
    if wrong := problems():
        sys.exit("\n".join(wrong))
    print(document(), end="")
