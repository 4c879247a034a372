"""`python -m tests.contracts.mutation`: change the contracts in every small way, one at a time, and see
whether a test fails."""

import argparse
import secrets
import sys
import time
from pathlib import Path

from tests.contracts.mutation.build import CACHE, Build, build
from tests.contracts.mutation.campaign import Verdict, choose, run
from tests.contracts.mutation.mutants import Mutant
from tests.contracts.mutation.report import REPORT, summary, write
from tests.contracts.mutation.results import Results

#: Tests that say how much gas a call needs: it is another in this build. What needs no bytecode fails by no mutant.
NOT_RUN = (
    "tests/contracts/unit/test_coverage.py",
    "tests/contracts/unit/test_disputes_gas_limits.py",
    "tests/contracts/libraries/test_content.py::test_an_honest_chunk_is_never_faulty_for_lack_of_gas",
    "tests/contracts/libraries/test_points.py::test_too_little_gas_is_never_taken_for_an_answer",
)
TESTS = ["tests/contracts/unit", "tests/contracts/libraries", *(f"--deselect={test}" for test in NOT_RUN)]
#: The judge's libraries alone: their build takes seconds.
JUDGE_ROOTS = ("mocks/JudgeHarness.sol",)
JUDGE_TESTS = [f"tests/contracts/libraries/test_{name}.py" for name in ("merkle_path", "points", "key_judge")]
JUDGE_FILES = [f"contracts/libraries/{name}.sol" for name in ("KeyJudge", "MerklePath", "Secp256k1")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.mutation", description=__doc__)
    parser.add_argument(
        "--files", nargs="+", help="mutate these only, in a smaller build: contracts/modules/Orders.sol …"
    )
    parser.add_argument("--match", nargs="+", help="only mutants whose names begin so, as they are printed")
    parser.add_argument("--judge", action="store_true", help="the judge's path and points alone, in a build of seconds")
    parser.add_argument("--results", type=Path, default=CACHE / "results.jsonl", help="where verdicts are kept")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only N mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="draw the same sample again")
    parser.add_argument("--again", action="store_true", help="try those once more that have outlived the tests")
    parser.add_argument("--fresh", action="store_true", help="forget what is known")
    parser.add_argument("--report", action="store_true", help=f"try none, write {REPORT.name} from what is known")
    chosen = parser.parse_args()
    results = Results(chosen.results)
    if chosen.fresh:
        results.file.unlink(missing_ok=True)
        results = Results(results.file)

    print("mutation: the build with all mutants; a new one takes minutes", flush=True)
    built = build(JUDGE_ROOTS, JUDGE_FILES) if chosen.judge else build(files=None if chosen.report else chosen.files)
    mutants = built.mutants
    if chosen.match:
        mutants = {n: mutant for n, mutant in mutants.items() if mutant.key.startswith(tuple(chosen.match))}
    mutants = choose(mutants, chosen.sample, chosen.seed)
    if not mutants:
        parser.error("there are no such mutants")
    if chosen.report:
        return write(built, results)
    again = ("survived", "unreached") if chosen.again else ()
    waiting = results.unknown(mutants, again)
    sample = f", seed {chosen.seed}" if chosen.sample else ""
    print(f"mutation: {len(mutants)} mutants{sample}, {len(waiting)} to try", flush=True)
    if waiting:
        _try(built, waiting, results, JUDGE_TESTS if chosen.judge else TESTS)
    print(summary(mutants, results))
    if not (chosen.judge or chosen.files) and len(mutants) == len(built.mutants):
        return write(built, results)
    return 0


def _try(built: Build, waiting: dict[int, Mutant], results: Results, tests: list[str]) -> None:
    started, done = time.monotonic(), 0

    def told(mutant: Mutant, verdict: Verdict) -> None:
        nonlocal done
        done += 1
        results.add(mutant, verdict)
        left = (time.monotonic() - started) / done * (len(waiting) - done)
        how = f"{verdict.outcome:9} {verdict.seconds:6.1f} s, {left / 60:.0f} min left"
        print(f"{done:5} {how}  {mutant.key}", flush=True)

    run(built, waiting, tests, told)


if __name__ == "__main__":
    sys.exit(main())
