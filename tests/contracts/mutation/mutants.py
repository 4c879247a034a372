"""Which mutants a source has: small changes, found in the compiler's syntax tree, always in the same order."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Node = dict[str, Any]

RELATIONS = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
OPERATORS = RELATIONS | {
    "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("*",), "<<": (">>",), ">>": ("<<",),
    "&": ("|",), "|": ("&",), "^": ("&",), "&&": ("||",), "||": ("&&",),
}  # fmt: skip
ASSIGNMENTS = {"+=": "-=", "-=": "+=", ">>=": "<<=", "<<=": ">>=", "|=": "&=", "&=": "|="}


@dataclass(frozen=True, slots=True)
class Mutant:
    """`start` and `end` (bytes) hold what is replaced; `kind` says where: an expression, a statement or a modifier."""

    file: str
    function: str
    line: int
    operator: str
    before: str
    after: str
    occurrence: int  # of the same change in the same function
    start: int
    end: int
    kind: str
    type: str  # what an expression is converted to, "" where the compiler finds it

    @property
    def key(self) -> str:
        """The same as long as its function reads the same there."""
        where = f"{self.file.removeprefix('contracts/')}:{self.function}"
        return f"{where}: {self.operator}: {_short(self.before)} → {_short(self.after)} #{self.occurrence}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 100 else f"{text[:60]} … {text[-30:]}"


def find(file: str, source: bytes, tree: Node, constants: frozenset[int]) -> list[Mutant]:
    """The mutants of one source; `constants` are the ids of all that is declared as one."""
    return _Finder(file, source, constants).run(tree)


def declared_constants(trees: Iterable[Node]) -> frozenset[int]:
    """Ids in the trees of one run of the compiler."""
    return frozenset(
        node["id"]
        for tree in trees
        for unit in tree["nodes"]
        for node in [unit, *unit.get("nodes", [])]
        if node["nodeType"] == "VariableDeclaration" and node["constant"]
    )


class _Finder:
    def __init__(self, file: str, source: bytes, constants: frozenset[int]) -> None:
        self.file, self.source, self.constants = file, source, constants
        self.function: Node = {}
        self.found: list[Mutant] = []
        self.seen: Counter[tuple[str, ...]] = Counter()

    def run(self, tree: Node) -> list[Mutant]:
        for function in _functions(tree):
            if function.get("body"):
                self.function = function
                for modifier in function["modifiers"]:
                    if modifier["modifierName"]["name"] == "nonReentrant":
                        self._add(modifier, "remove modifier", "", "modifier")
                self._walk(function["body"], [function])
        return self.found

    def _walk(self, node: Node, above: list[Node]) -> None:
        if node["nodeType"] == "InlineAssembly":
            return
        method = getattr(self, f"_{node['nodeType']}", None)
        if method:
            method(node, above)
        for child in children(node):
            self._walk(child, [*above, node])

    # ----------------------------------------------------------------------------------------------------- statements

    def _ExpressionStatement(self, node: Node, above: list[Node]) -> None:
        expression = node["expression"]
        if above[-1]["nodeType"] == "ForStatement":
            return
        # A pointer into storage has to be assigned: the compiler insists.
        if expression["nodeType"] != "Assignment" or "storage pointer" not in _type(expression["leftHandSide"]):
            self._delete(node, above)
        if expression["nodeType"] == "Assignment" and expression["operator"] in ASSIGNMENTS:
            new = ASSIGNMENTS[expression["operator"]]
            text = self._with_operator(node, expression["leftHandSide"], expression["rightHandSide"], new)
            self._add(node, f"{expression['operator']} to {new}", text, "statement")

    def _delete(self, node: Node, above: list[Node]) -> None:
        """Unless it is all that an `if` without `else` does: without that `if`, it says the same."""
        parents = list(reversed(above))
        if parents[0]["nodeType"] == "Block" and len(parents[0]["statements"]) == 1:
            parents = parents[1:]
        if parents[0]["nodeType"] != "IfStatement" or parents[0].get("falseBody"):
            self._add(node, "delete statement", "", "statement")

    _EmitStatement = _RevertStatement = _Continue = _Break = _delete

    def _Return(self, node: Node, above: list[Node]) -> None:
        if node.get("expression") is None:
            self._delete(node, above)

    def _IfStatement(self, node: Node, above: list[Node]) -> None:
        if node.get("falseBody") is None:
            self._delete(node, above)
        self._negate(node["condition"])

    def _Conditional(self, node: Node, above: list[Node]) -> None:
        self._negate(node["condition"])

    def _negate(self, condition: Node) -> None:
        # The change of a relation into its opposite says the same.
        if condition.get("operator") not in RELATIONS:
            self._add(condition, "negate condition", f"!({self._text(condition)})", "expression")

    # ---------------------------------------------------------------------------------------------------- expressions

    def _BinaryOperation(self, node: Node, above: list[Node]) -> None:
        for new in OPERATORS.get(node["operator"], ()):
            text = self._with_operator(node, node["leftExpression"], node["rightExpression"], new)
            self._expression(node, above, f"{node['operator']} to {new}", text)

    def _UnaryOperation(self, node: Node, above: list[Node]) -> None:
        inner = self._text(node["subExpression"])
        if node["operator"] == "!":
            self._expression(node, above, "drop !", inner)
        elif node["operator"] == "++" and above[-1]["nodeType"] != "ExpressionStatement":
            self._expression(node, above, "++ to --", self._text(node).replace("++", "--"))

    def _Literal(self, node: Node, above: list[Node]) -> None:
        text = self._text(node)
        if node["kind"] == "bool":
            self._add(node, "swap true and false", "false" if text == "true" else "true", "expression")
        elif node["kind"] == "number":
            self._off_by_one(node, above, text, zero=not node["value"].strip("0x"))
        elif node["kind"] == "string" and text != '""':
            self._add(node, "empty string", '""', "expression")

    def _Identifier(self, node: Node, above: list[Node]) -> None:
        self._constant(node, above)

    def _MemberAccess(self, node: Node, above: list[Node]) -> None:
        kind = _type(node)
        if kind.startswith("enum ") and node["expression"]["nodeType"] == "Identifier" and node.get("isPure"):
            name = node["expression"]["name"]
            after = f"{name}((uint8({self._text(node)}) + 1) % (uint8(type({name}).max) + 1))"
            self._add(node, "another value", after, "expression")
        self._constant(node, above)

    def _constant(self, node: Node, above: list[Node]) -> None:
        """A use of a named constant, or of a type's largest value."""
        kind = _type(node)
        known = node.get("referencedDeclaration") in self.constants or node.get("memberName") in ("max", "min")
        if not known or kind.startswith(("int_const", "type(", "function", "enum")):
            return
        if kind.startswith("uint"):
            self._off_by_one(node, above, self._text(node), zero=False)
        elif kind == "bytes32":
            self._add(node, "another constant", f"bytes32(uint256({self._text(node)}) ^ 1)", "expression")
        elif kind == "address":
            self._add(node, "another constant", f"address(uint160({self._text(node)}) ^ 1)", "expression")

    def _off_by_one(self, node: Node, above: list[Node], text: str, *, zero: bool) -> None:
        self._expression(node, above, "one more", f"({text} + 1)")
        if not zero:
            self._expression(node, above, "one less", f"({text} - 1)")

    def _expression(self, node: Node, above: list[Node], operator: str, text: str) -> None:
        """Where only literals are involved, what is replaced is all of the constant expression: it gets its type from
        what stands around it, and a part of it would get another."""
        outer, depth = node, len(above)
        while depth and _type(outer).startswith("int_const") and _type(above[depth - 1]).startswith("int_const"):
            depth -= 1
            outer = above[depth]
        if not _type(outer).startswith("int_const"):
            self._add(node, operator, text, "expression")
            return
        start, end = span(node)
        outer_start, outer_end = span(outer)
        whole = self._slice(outer_start, start) + text + self._slice(end, outer_end)
        self._add(outer, operator, whole, "expression", self._wanted(outer, above[:depth]))

    def _wanted(self, node: Node, above: list[Node]) -> str:
        """The type that a constant has where it stands."""
        parent = next((p for p in reversed(above) if p["nodeType"] != "TupleExpression"), {})
        kind = parent.get("nodeType")
        if kind == "BinaryOperation":
            return str(parent["commonType"]["typeString"])
        if kind == "Assignment":
            return _type(parent["leftHandSide"])
        if kind == "FunctionCall":
            return self._parameter(parent, node)
        return "uint256"

    def _parameter(self, call: Node, argument: Node) -> str:
        name = _type(call["expression"])
        if call["kind"] == "typeConversion":
            target = name.removeprefix("type(").removesuffix(")")
            if target.startswith("bytes"):
                return f"uint{8 * int(target.removeprefix('bytes'))}"
            return "uint160" if target == "address" else target
        types = re.match(r"function \(([^)]*)\)", name)
        if call["kind"] == "structConstructorCall":
            return ""  # the smallest type that holds both fits every field
        spans = [span(one) for one in call["arguments"]]
        if types and span(argument) in spans:
            found = types[1].split(",")[spans.index(span(argument))]
            return found if re.fullmatch(r"(uint|bytes)\d+", found) else "uint256"
        return "uint256"

    # --------------------------------------------------------------------------------------------------------- pieces

    def _add(self, node: Node, operator: str, after: str, kind: str, type_: str = "") -> None:
        start, end = span(node)
        if kind == "statement" and self.source[end : end + 1] == b";":
            end += 1
        before = self._slice(start, end)
        name = self.function.get("name") or self.function["kind"]
        change = (name, operator, before, after)
        self.seen[change] += 1
        line = self.source.count(b"\n", 0, start) + 1
        self.found.append(
            Mutant(self.file, name, line, operator, before, after, self.seen[change], start, end, kind, type_)
        )

    def _with_operator(self, node: Node, left: Node, right: Node, new: str) -> str:
        start, end = span(node)
        gap_start, gap_end = span(left)[1], span(right)[0]
        old = node["expression"]["operator"] if "expression" in node else node["operator"]
        gap = self._slice(gap_start, gap_end).replace(old, new, 1)
        text = self._slice(start, gap_start) + gap + self._slice(gap_end, end)
        return text + ";" if node["nodeType"] == "ExpressionStatement" else text

    def _text(self, node: Node) -> str:
        return self._slice(*span(node))

    def _slice(self, start: int, end: int) -> str:
        return self.source[start:end].decode()


def _type(node: Node) -> str:
    return str(node.get("typeDescriptions", {}).get("typeString") or "")


def span(node: Node) -> tuple[int, int]:
    start, length, _ = map(int, node["src"].split(":"))
    return start, start + length


def children(node: Node) -> Iterator[Node]:
    """Direct children, as they stand in the source."""
    found = []
    for name, value in node.items():
        if name in ("commonType", "typeDescriptions", "documentation", "overrides"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and "nodeType" in item and "src" in item:
                found.append(item)
    return iter(sorted(found, key=span))


def _functions(tree: Node) -> Iterator[Node]:
    for unit in tree["nodes"]:
        yield from (node for node in unit.get("nodes", []) if node["nodeType"] == "FunctionDefinition")


def calls(trees: Iterable[Node]) -> dict[str, set[str]]:
    """Function → what it may run, itself included, by name: which tests can come across a mutant follows from it."""
    direct: dict[str, set[str]] = {}
    for tree in trees:
        for function in _functions(tree):
            names = direct.setdefault(function.get("name") or function["kind"], set())
            names |= set(_named(function))
    reached = {name: {name} for name in direct}
    changed = True
    while changed:
        changed = False
        for known in reached.values():
            more = set().union(*(direct[name] & direct.keys() for name in known)) - known
            known |= more
            changed |= bool(more)
    return reached


def _named(node: Node) -> Iterator[str]:
    if node["nodeType"] in ("Identifier", "MemberAccess"):
        yield node.get("name") or node["memberName"]
    for child in children(node):
        yield from _named(child)
