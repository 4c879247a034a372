"""`python -m tests.hostile`: honest clients among hostile ones, as often as one likes. Prints its seed first and a JSON
summary last; a loss is printed with the run that shows it again."""

import argparse
import json
import secrets
import sys
import time
from collections import Counter
from functools import partial
from multiprocessing import get_context

from tests.hostile.faults import FAULTS
from tests.hostile.scenario import Outcome, play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None, help="draw the same runs again")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="begin with run N")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--put-back", choices=sorted(FAULTS), help="a fault that was mended, to see that it is found")
    parser.add_argument("--until-found", action="store_true", help="stop at the first loss")
    parser.add_argument("--verbose", action="store_true", help="what the clients said in runs with a loss")
    chosen = parser.parse_args()
    seed = secrets.randbits(32) if chosen.seed is None else chosen.seed
    print(f"hostile: seed {seed}, runs {chosen.first} to {chosen.first + chosen.runs - 1}", flush=True)
    began, kinds, lost = time.monotonic(), Counter[str](), list[Outcome]()
    done = 0
    with get_context("spawn").Pool(chosen.jobs, maxtasksperchild=50) as pool:  # memory of what was played goes
        numbers = range(chosen.first, chosen.first + chosen.runs)
        for outcome in pool.imap(partial(play, seed, fault=chosen.put_back), numbers):
            done += 1
            kinds[outcome.kind] += 1
            if done % 100 == 0:
                print(f"{done} runs, {round(time.monotonic() - began)} s", file=sys.stderr, flush=True)
            if outcome.losses:
                lost.append(outcome)
                print(f"run {outcome.index} ({outcome.kind}): {'; '.join(outcome.losses)}", flush=True)
                if chosen.verbose:
                    print("\n".join(f"    {line}" for line in (*outcome.drawn, *outcome.said)), flush=True)
                if chosen.until_found:
                    break
    summary = {
        "seed": seed,
        "runs": done,
        "kinds": dict(kinds),
        "losses": [{"run": one.index, "kind": one.kind, "losses": one.losses} for one in lost],
        "put_back": chosen.put_back,
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(summary))
    return bool(lost) != bool(chosen.put_back)


if __name__ == "__main__":
    sys.exit(main())
