"""The runner of the mutation tests: what it changes, that a change is felt, that the report is about today's contracts.
`make mutation` is the campaign."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.mutation.build import ROOTS, mutants_of, mutated_files, syntax_trees
from tests.contracts.mutation.campaign import Verdict, choose
from tests.contracts.mutation.mutants import Mutant, calls
from tests.contracts.mutation.report import REPORT, reasons, summary
from tests.contracts.mutation.results import Results
from tests.contracts.mutation.schema import alone, render
from tests.support.plugins.toolchain import require, solc_binary
from tools.solidity import CONTRACTS, ROOT, source_closure

FILE = "contracts/Till.sol"
SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

contract Till {
    uint256 private constant FEE = 3;
    uint256 public held;

    event Paid(uint256 amount);

    error Empty();

    function pay(uint256 amount, bool all) external returns (uint256 left) {
        if (held == 0) revert Empty();
        left = held - amount;
        if (all && amount < held) {
            held -= amount;
        } else {
            held = FEE << 2;
        }
        emit Paid(amount);
    }

    function twice(uint256 amount) external pure returns (uint256) {
        return _double(amount) + 2;
    }

    function _double(uint256 amount) private pure returns (uint256) {
        return amount * 2;
    }
}
"""
EXPECTED = [
    "pay: delete statement: if (held == 0) revert Empty(); → ",
    "pay: == to !=: held == 0 → held != 0",
    "pay: one more: 0 → (0 + 1)",
    "pay: delete statement: left = held - amount; → ",
    "pay: - to +: held - amount → held + amount",
    "pay: negate condition: all && amount < held → !(all && amount < held)",
    "pay: && to ||: all && amount < held → all || amount < held",
    "pay: < to <=: amount < held → amount <= held",
    "pay: < to >=: amount < held → amount >= held",
    "pay: delete statement: held -= amount; → ",
    "pay: -= to +=: held -= amount; → held += amount;",
    "pay: delete statement: held = FEE << 2; → ",
    "pay: << to >>: FEE << 2 → FEE >> 2",
    "pay: one more: FEE → (FEE + 1)",
    "pay: one less: FEE → (FEE - 1)",
    "pay: one more: 2 → (2 + 1)",
    "pay: one less: 2 → (2 - 1)",
    "pay: delete statement: emit Paid(amount); → ",
    "twice: + to -: _double(amount) + 2 → _double(amount) - 2",
    "twice: one more: 2 → (2 + 1)",
    "twice: one less: 2 → (2 - 1)",
    "_double: * to /: amount * 2 → amount / 2",
    "_double: one more: 2 → (2 + 1)",
    "_double: one less: 2 → (2 - 1)",
]
#: Mutants that tests/contracts/libraries is known to notice, by how their names begin.
KILLED = [
    "libraries/MerklePath.sol:root: delete statement: if (last == 0) revert",
    "libraries/MerklePath.sol:root: == to !=: index == last",
    "libraries/MerklePath.sol:_nodeHash: one more: 0x01",
    "libraries/Secp256k1.sol:isScalar: < to <=: k < N",
    "libraries/Secp256k1.sol:isKeyOf: + to -: N - k + 1",
    "libraries/Secp256k1.sol:combine: one more: 27",
]


@pytest.fixture(scope="module", autouse=True)
def compiler() -> Path:
    return require("solc", solc_binary())


@pytest.fixture(scope="module")
def found() -> list[Mutant]:
    return mutants_of({FILE: SOURCE}, [FILE])


def test_every_small_change_is_found_in_the_order_of_the_source(found: list[Mutant]) -> None:
    assert [mutant.key.removeprefix("Till.sol:").rpartition(" #")[0] for mutant in found] == EXPECTED


def test_each_change_has_a_name_of_its_own(found: list[Mutant]) -> None:
    assert len({mutant.key for mutant in found}) == len(found)


def test_a_source_with_all_its_mutants_asks_for_each_once(found: list[Mutant]) -> None:
    text = render(FILE, SOURCE.encode(), dict(enumerate(found, start=1)))
    asked = [int(number) for number in re.findall(r"Mutant\.on\((\d+)\)", text)]
    assert sorted(asked) == list(range(1, len(found) + 1))
    assert text.count("{") == text.count("}")


def test_a_mutant_alone_differs_from_the_source_in_its_place_only(found: list[Mutant]) -> None:
    mutant = next(mutant for mutant in found if mutant.operator == "< to <=")
    assert alone(SOURCE.encode(), mutant) == SOURCE.replace("amount < held", "(amount <= held)")


def test_what_a_function_may_run_is_found_through_the_functions_that_it_calls() -> None:
    reached = calls(syntax_trees({FILE: SOURCE}).values())
    assert reached["twice"] == {"twice", "_double"}
    assert reached["_double"] == {"_double"}
    assert reached["pay"] == {"pay"}


def test_a_sample_is_the_same_for_the_same_seed(found: list[Mutant]) -> None:
    mutants = dict(enumerate(found, start=1))
    assert choose(mutants, 5, seed=1) == choose(mutants, 5, seed=1)
    assert len(choose(mutants, 5, seed=1)) == 5
    assert choose(mutants, 0, seed=1) == mutants


def test_a_campaign_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    mutants = mutants_of(
        source_closure([CONTRACTS / "libraries/MerklePath.sol"]), ["contracts/libraries/MerklePath.sol"]
    )
    numbered = dict(enumerate(mutants, start=1))
    results = Results(tmp_path / "results.jsonl")
    results.add(mutants[0], Verdict("killed", "a test", 3, 0.5))
    results.add(mutants[1], Verdict("survived", "", 9, 0.5))

    again = Results(tmp_path / "results.jsonl")

    assert set(numbered) - set(again.unknown(numbered)) == {1, 2}
    assert set(numbered) - set(again.unknown(numbered, ["survived"])) == {1}
    assert f"| {len(mutants)} ({len(mutants) - 2} not tried) | 1 | 1 | 50.0 % |" in summary(numbered, again)


@pytest.mark.slow
def test_mutants_that_the_tests_notice_are_killed(tmp_path: Path) -> None:
    """The whole way: build, fork, verdict. What passes without a mutant and fails with it has noticed it."""
    command = [
        sys.executable,
        "-m",
        "tests.contracts.mutation",
        "--judge",
        "--results",
        tmp_path / "results.jsonl",
        "--match",
    ]
    done = subprocess.run([*map(str, command), *KILLED], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert len(verdicts) >= len(KILLED)
    assert {verdict["verdict"]["outcome"] for verdict in verdicts} == {"killed"}, done.stdout


def test_every_survivor_of_the_report_is_a_mutant_of_today_with_a_reason() -> None:
    sources = source_closure(CONTRACTS / root for root in ROOTS)
    today = {mutant.key for mutant in mutants_of(sources, mutated_files(sources))}
    reported = set(re.findall(r"^- `(.+)`$", REPORT.read_text(), re.MULTILINE))

    assert reported
    assert reported == set(reasons())
    assert reported <= today, "the contracts have changed: run `make mutation`"
