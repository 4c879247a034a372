"""A sample of the campaign, and the faults that it must find."""

import json
import subprocess
import sys

import pytest

from tests.hostile.scenario import play

SEED = 20_261_127
FOUND_BY = {
    "stale-clock-in-prove": 52,
    "stale-clock-in-respond": 66,
    "strangers-challenges": 25,
    "one-poisoned-object": 0,
    "checked-bytes-not-kept": 17,
    "keys-with-a-late-release": 18,
}
"""The first run of the seed that finds each."""


@pytest.mark.parametrize("fault", sorted(FOUND_BY))
def test_nobody_honest_loses_anything_until_a_fault_is_put_back(fault: str) -> None:
    index = FOUND_BY[fault]
    assert index < 200
    assert play(SEED, index).losses == []
    assert play(SEED, index, fault).losses


def test_the_campaign_says_its_seed_and_what_it_found() -> None:
    command = [sys.executable, "-m", "tests.hostile", "--runs", "1", "--seed", str(SEED), "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    first, *_, last = done.stdout.splitlines()
    assert first == f"hostile: seed {SEED}, runs 0 to 0"
    summary = json.loads(last)
    assert (summary["seed"], summary["runs"], summary["losses"]) == (SEED, 1, [])
