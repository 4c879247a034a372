"""`python -m tests.contracts.stateful --examples N [--steps N] [--seed N]`: a long campaign of the money test."""

import argparse
import secrets
import time

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contracts.stateful.campaign import EXAMPLES, STEPS
from tests.contracts.stateful.machine import OUTCOMES, REACHED
from tests.contracts.stateful.rules import Marketplace


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.contracts.stateful", description="fuzz the money of the marketplace"
    )
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="sequences of calls to try")
    parser.add_argument("--steps", type=int, default=STEPS, help="calls in each")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="run the same sequences again")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}: {chosen.examples} examples of {chosen.steps} steps", flush=True)
    started = time.monotonic()
    profile = settings(
        max_examples=chosen.examples, stateful_step_count=chosen.steps, deadline=None, database=None,
        print_blob=True, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(seed(chosen.seed)(Marketplace), settings=profile)
    for (function, error), count in sorted(OUTCOMES.items()):
        print(f"{count:>8,}  {function}{' refused: ' + error if error else ''}")
    seconds = time.monotonic() - started
    for state, count in sorted(REACHED.items()):
        print(f"{count:>8,}  steps with a {state}")
    print(f"{OUTCOMES.total():,} calls in {seconds:.0f} s, and never a wei missing, stuck or paid twice")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
