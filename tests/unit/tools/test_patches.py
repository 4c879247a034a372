"""Tests change no module and no class of the package: what varies is given to a session, a connection or a store, or is
altered in one object that the test made."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

TESTS = Path(__file__).resolve().parents[2]
PACKAGE = "numerbay_chain"

BOUND = "how much is taken of what strangers can make, or how large something may be: lowered, so that little is enough"
HERE = "this machine's pipes, terminal and signals, before there is a session"
FAULT = "a fault of this machine that a test can't bring about"
BETWEEN = "what happens between two looks of one step, where nothing is asked that could be answered late"
COUNTED = "counted where it is made, and not altered"
LEFT = {
    "numerbay_chain.artifacts.unseal.write_all": FAULT,
    "numerbay_chain.audit.contents._WAITS": BOUND,
    "numerbay_chain.audit.contents._WAITS_A_LISTING": BOUND,
    "numerbay_chain.buyer.Buyer.resume_purchase": BETWEEN,
    "numerbay_chain.chain.local.devnet.Devnet": HERE,
    "numerbay_chain.chain.logs.MOST_LOGS": BOUND,
    "numerbay_chain.chain.snapshot.Reads._answers": COUNTED,
    "numerbay_chain.chain.snapshot.Snapshot.load": COUNTED,
    "numerbay_chain.cli.output.can_ask": HERE,
    "numerbay_chain.core.files.atomic._SECONDS_FOR_A_READER": HERE,
    "numerbay_chain.core.files.textfile._SECONDS_FOR_A_WRITER": HERE,
    "numerbay_chain.core.network.bounds.BoundedSocket.connect": FAULT,
    "numerbay_chain.core.network.bounds.PIECE_SECONDS": BOUND,
    "numerbay_chain.core.network.retry.LONGEST_PAUSE": BOUND,
    "numerbay_chain.crypto.container.MAX_SIZE": BOUND,
    "numerbay_chain.delivery.posting.posted_orders": BETWEEN,
    "numerbay_chain.disputes.docket.MOST": BOUND,
    "numerbay_chain.disputes.respond.open_challenges": BETWEEN,
    "numerbay_chain.ipfs.stores.embedded._EmbeddedWriter._write_block": FAULT,
    "numerbay_chain.ipfs.stores.keeping._LOOK_AGAIN": BOUND,
    "numerbay_chain.ipfs.stores.whole_file._LOOK_AGAIN": BOUND,
    "numerbay_chain.orders.missed.MOST_TRANSACTIONS": BOUND,
    "numerbay_chain.orders.missed.missed_of_listing": BETWEEN,
    "numerbay_chain.orders.views.MOST": BOUND,
}
"""What is left, each with its reason. The two instruments that change what they are given are not found here:
tests/support/dying.py ends a run at any write, tests/hostile/faults.py puts faults into the package."""


def patches() -> Iterator[tuple[str, str]]:
    """Each module or class of the package that a test changes, with the name that is changed, and where."""
    for path in sorted(TESTS.rglob("*.py")):
        tree, known = ast.parse(path.read_text()), dict[str, str]()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE:
                known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node.func) in ("setattr", "altered", "meanwhile"):
                yield from ((found, str(path.relative_to(TESTS))) for found in _changed(node, known))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _changed(call: ast.Call, known: dict[str, str]) -> Iterator[str]:
    taken = call.args[1:] if _name(call.func) == "altered" else call.args
    if not taken:
        return
    target, name = taken[0], taken[1] if len(taken) > 1 else None
    if isinstance(target, ast.Constant) and str(target.value).startswith(f"{PACKAGE}."):
        yield str(target.value)
    elif isinstance(target, ast.Name) and target.id in known and _is_shared(known[target.id]):
        yield f"{known[target.id]}.{name.value if isinstance(name, ast.Constant) else '…'}"
    elif isinstance(target, ast.Call) and _name(target.func) == "type":
        yield f"{ast.unparse(target)}.…"


def _is_shared(name: str) -> bool:
    """Whether that is a module or a class."""
    module, _, last = name.rpartition(".")
    found = getattr(import_module(module), last, None)
    return isinstance(import_module(name) if found is None else found, ModuleType | type)


def test_no_module_and_no_class_of_the_package_is_changed_but_for_a_reason() -> None:
    found: dict[str, set[str]] = {}
    for what, where in patches():
        found.setdefault(what, set()).add(where)
    assert {what: found[what] for what in found if what not in LEFT} == {}
    assert set(LEFT) - set(found) == set(), "named, and not changed any more"
