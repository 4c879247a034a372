"""`python -m tests.contracts.libraries --cases N`: the contracts' verdicts against the reference's, on N cases
of each campaign."""

import argparse
import secrets
import time
from collections.abc import Callable
from functools import partial

from tests.contracts.libraries.soundness import Counts, harness, judge_content, judge_keys, judge_points
from tests.contracts.libraries.trials import trials


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.libraries", description="fuzz the judge")
    parser.add_argument("--cases", type=int, default=10_000, help="of each campaign")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="try the same cases again")
    chosen = parser.parse_args()
    judge = harness()
    campaigns: dict[str, Callable[[int, int], Counts]] = {
        "key judge": partial(judge_keys, judge),
        "points": partial(judge_points, judge),
        "content judge": partial(judge_content, judge),
        "marketplace": trials,
    }
    for name, campaign in campaigns.items():
        print(f"{name}: {chosen.cases:,} cases, seed {chosen.seed}", flush=True)
        started = time.monotonic()
        for kind, count in sorted(campaign(chosen.cases, chosen.seed).items()):
            print(f"{count:>8,}  {kind}")
        print(f"{name}: never a wrong verdict, {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
