"""`python -m tests.contracts.symbolic`: prove each check_… of the contracts in this folder, or show for what
it fails."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tools.check import FORGE
from tools.solidity import REMAPPINGS, ROOT, SOLC, SOLC_VERSION, ape_settings

FOLDER = Path(__file__).parent
CACHE = ROOT / ".cache" / "symbolic"
PYTHON = CACHE / "venv" / "bin" / "python"
#: Contract → how often a loop may run. A proof holds within its bounds: halmos says so where a loop went on.
CONTRACTS = {
    "PathSymbolic": 8,
    "TimesSymbolic": 16,
    "CreditsSymbolic": 8,
    "DisputesSymbolic": 16,
    "MaturitySymbolic": 16,
    "SolvencySymbolic": 16,
    "SequencesSymbolic": 16,
}
#: What takes minutes to prove: `make symbolic` does, the suite does not.
LONG = ("MaturitySymbolic", "SequencesSymbolic")
#: What is claimed for the sake of being refuted: a proof of it would be a proof of nothing.
FALSE = "check_false_"
REFUTED = 1


def environment() -> dict[str, str]:
    """forge compiles as the project does, into .cache/symbolic: the same compiler, the same settings."""
    settings = ape_settings()
    return os.environ | {
        "PATH": os.pathsep.join([str(PYTHON.parent), str(FORGE.parent), os.environ["PATH"]]),
        "VIRTUAL_ENV": str(CACHE / "venv"),
        "FOUNDRY_SRC": "tests/contracts/symbolic",
        "FOUNDRY_TEST": "tests/contracts/symbolic",
        "FOUNDRY_OUT": str(CACHE / "out"),
        "FOUNDRY_CACHE_PATH": str(CACHE / "forge"),
        "FOUNDRY_SOLC": str(SOLC),
        "FOUNDRY_OFFLINE": "true",
        "FOUNDRY_LINT_LINT_ON_BUILD": "false",
        "FOUNDRY_IGNORED_ERROR_CODES": "[5667]",
        "FOUNDRY_VIA_IR": str(settings["via_ir"]).lower(),
        "FOUNDRY_OPTIMIZER": str(settings["optimize"]).lower(),
        "FOUNDRY_OPTIMIZER_RUNS": str(settings["optimization_runs"]),
        "FOUNDRY_EVM_VERSION": settings["evm_version"],
        "FOUNDRY_REMAPPINGS": "\n".join(f"{prefix}={place}" for prefix, place in REMAPPINGS.items()),
    }


def prove(contract: str, seconds: int = 120) -> dict[str, bool]:
    """Check → whether halmos says what it should, of one contract; its words go to stdout.

    Raises:
        RuntimeError: halmos did not come to an end.
    """
    results = CACHE / f"{contract}.json"
    results.unlink(missing_ok=True)
    command = [
        PYTHON, FOLDER / "prover.py", "--root", ROOT, "--forge-build-out", CACHE / "out", "--contract", contract,
        "--loop", str(CONTRACTS[contract]), "--solver-timeout-assertion", f"{seconds}s", "--solver-threads", "1",
        "--no-status", "--json-output", results,
    ]  # fmt: skip
    subprocess.run([str(part) for part in command], cwd=ROOT, env=environment(), check=False)
    if not results.exists():
        raise RuntimeError(
            f"halmos came to no end with {contract}; solc {SOLC_VERSION} and forge are needed: run `make setup`"
        )
    found = json.loads(results.read_text())["test_results"]
    return {
        check["name"]: check["exitcode"] == (REFUTED if check["name"].startswith(FALSE) else 0)
        for checks in found.values()
        for check in checks
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.symbolic", description=__doc__)
    parser.add_argument(
        "contracts", nargs="*", default=list(CONTRACTS), help=f"of {', '.join(CONTRACTS)}; default: all"
    )
    parser.add_argument("--seconds", type=int, default=120, help="how long the solver may think about one assertion")
    chosen = parser.parse_args()
    if unknown := set(chosen.contracts) - set(CONTRACTS):
        parser.error(f"no such contract: {', '.join(sorted(unknown))}")
    proven, open_ = 0, []
    for contract in chosen.contracts:
        for check, right in prove(contract, chosen.seconds).items():
            proven += right
            open_ += [] if right else [f"{contract}.{check}"]
    print(f"symbolic: {proven} as claimed" + (f", not so: {', '.join(open_)}" if open_ else ""))
    return 1 if open_ or not proven else 0


if __name__ == "__main__":
    sys.exit(main())
