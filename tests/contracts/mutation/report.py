"""docs/mutation.md: the score of each source, and why each survivor is none of the tests' business."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.contracts.mutation.build import Build
from tests.contracts.mutation.mutants import Mutant
from tests.contracts.mutation.results import Results
from tools.solidity import ROOT

REPORT = ROOT / "docs" / "mutation.md"
REASONS = Path(__file__).parent / "survivors.toml"
BAR = 90  # percent killed

_HEAD = """# Mutation testing of the contracts

`make mutation` changes the contracts in one small way at a time and sees whether a test fails. What is changed:
relations, arithmetic, logic, shifts, assignments, constants (one more, one less, another value of an enumeration,
another hash, no text), conditions (negated), `true` and `false`; what is taken away: statements (events, writes,
checks, calls) and `nonReentrant`. What is not: interfaces, OpenZeppelin's code, assembly, and the values that constants
are declared with (each use of one is changed). The tests: those of `tests/contracts/unit` and
`tests/contracts/libraries` that call what can come across the mutant, without those that measure gas. The random tests
of `tests/contracts/stateful` are left out: what they find, a sentence of the specification has to say as well. A mutant
whose tests never end counts as killed.

How it works is told in `tests/contracts/mutation/__init__.py`. This file is written by the command; the reasons lie in
`tests/contracts/mutation/survivors.toml`.

## Score

"""


def reasons() -> dict[str, str]:
    """Why a mutant that survives is no gap, by its key."""
    texts = tomllib.loads(REASONS.read_text())
    return {key: group["reason"] for group in texts["survivors"] for key in group["mutants"]}


def survivors(mutants: Mapping[int, Mutant], results: Results) -> list[Mutant]:
    found = ((mutant, results.of(mutant)) for mutant in mutants.values())
    return [mutant for mutant, verdict in found if verdict and verdict.outcome != "killed"]


def summary(mutants: Mapping[int, Mutant], results: Results) -> str:
    """A line for each source, and one for all."""
    outcomes: dict[str, Counter[str]] = {}
    for mutant in mutants.values():
        verdict = results.of(mutant)
        outcomes.setdefault(mutant.file, Counter())[verdict.outcome if verdict else "untried"] += 1
    outcomes["all"] = sum(outcomes.values(), Counter())
    rows = ["| source | mutants | killed | survived | score |", "|---|---|---|---|---|"]
    for file, counts in outcomes.items():
        tried = counts.total() - counts["untried"]
        lived = counts["survived"] + counts["unreached"]
        untried = f" ({counts['untried']} not tried)" if counts["untried"] else ""
        score = f"{100 * counts['killed'] / tried:.1f} %" if tried else "–"
        rows.append(f"| {file} | {counts.total()}{untried} | {counts['killed']} | {lived} | {score} |")
    return "\n".join(rows)


def write(build: Build, results: Results) -> int:
    """Write the report; 1 where the score is below the bar or a survivor has no reason."""
    known, lived = reasons(), survivors(build.mutants, results)
    groups: dict[str, list[Mutant]] = {}
    for mutant in lived:
        groups.setdefault(known.get(mutant.key, "**Not explained.**"), []).append(mutant)
    lines = [
        summary(build.mutants, results),
        "",
        f"{len(build.rejected)} more that the compiler refuses are not counted.",
    ]
    lines += ["", "## Survivors", ""]
    for reason, members in groups.items():
        lines += [reason, "", *(f"- `{mutant.key}`" for mutant in members), ""]
    REPORT.write_text(_HEAD + "\n".join(lines).rstrip() + "\n")
    silent = [mutant.key for mutant in lived if mutant.key not in known]
    for key in silent:
        print(f"survives without a reason in {REASONS.name}: {key}")
    score = 100 - 100 * len(lived) / len(build.mutants)
    print(f"mutation: {score:.1f} % of {len(build.mutants)} killed; {REPORT.relative_to(ROOT)} is written")
    return 1 if silent or score < BAR else 0
