"""Every mutant against the tests that come across it, until one of them fails. A pytest plugin: it collects once, then
forks for each mutant, so that a mutant costs no more than its tests."""

import hashlib
import json
import os
import random
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.mutation.build import CACHE, Build
from tests.contracts.mutation.mutants import Mutant
from tests.contracts.mutation.world import Switch
from tools.solidity import ROOT

SECONDS = 120  # of one core's time, for one mutant's tests: a loop without end is killed


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome`: killed, survived, or unreached where no test calls it; `by`: the test that failed, or "time"."""

    outcome: str
    by: str
    tests: int
    seconds: float


class Campaign:
    """`told` gets each mutant's verdict at once. Raises RuntimeError where the tests fail by themselves."""

    def __init__(
        self,
        switch: Switch,
        reached: dict[str, set[str]],
        chosen: dict[int, Mutant],
        told: Callable[[Mutant, Verdict], None],
        seen: Path,
    ) -> None:
        self.switch, self.reached, self.chosen, self.told, self.seen = switch, reached, chosen, told, seen
        self.failed = False
        self.broken: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed |= report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise RuntimeError("the tests can't be collected")
        lasted, called = self._look(session.items)
        killers: dict[tuple[str, str], pytest.Item] = {}
        for number, mutant in self.chosen.items():
            roots = {name for name, runs in self.reached.items() if mutant.function in runs}
            tests = [item for item in session.items if roots & called[item]]
            last = killers.get((mutant.file, mutant.function))
            tests.sort(key=lambda item: (item is not last, lasted[item] * len(called[item])))
            verdict, killer = self._judge(number, tests)
            if killer:
                killers[mutant.file, mutant.function] = killer
            self.told(mutant, verdict)
        return True

    def _look(self, items: list[pytest.Item]) -> tuple[dict[pytest.Item, float], dict[pytest.Item, set[str]]]:
        """How long each test lasts, and which functions it calls; looked at once for this build and these tests."""
        kept: dict[str, Any] = json.loads(self.seen.read_text()) if self.seen.exists() else {}
        for item in items:
            if item.nodeid in kept:
                continue
            started = time.monotonic()
            if not self._passes(item):
                self.broken.append(item.nodeid)
            kept[item.nodeid] = [round(time.monotonic() - started, 3), sorted(self.switch.called())]
        if self.broken:
            raise RuntimeError("these fail without any mutant: " + ", ".join(self.broken))
        self.seen.write_text(json.dumps(kept))
        looked = {item: kept[item.nodeid] for item in items}
        return {item: look[0] for item, look in looked.items()}, {item: set(look[1]) for item, look in looked.items()}

    def _passes(self, item: pytest.Item) -> bool:
        self.failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return not self.failed

    def _judge(self, number: int, tests: list[pytest.Item]) -> tuple[Verdict, pytest.Item | None]:
        started = time.monotonic()
        if not tests:
            return Verdict("unreached", "", 0, 0.0), None
        with _forked(lambda: self._first_failure(number, tests)) as read:
            answer = read()
        seconds = round(time.monotonic() - started, 2)
        if answer is None:
            return Verdict("killed", "time", len(tests), seconds), None
        if answer == len(tests):
            return Verdict("survived", "", len(tests), seconds), None
        return Verdict("killed", tests[answer].nodeid, answer + 1, seconds), tests[answer]

    def _first_failure(self, number: int, tests: list[pytest.Item]) -> int:
        self.switch.choose(number)
        return next((index for index, item in enumerate(tests) if not self._passes(item)), len(tests))


@contextmanager
def _forked(work: Callable[[], int]) -> Iterator[Callable[[], int | None]]:
    """Run `work` in a child; reading its answer gives None when it takes too long, or dies."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (_spent() + SECONDS, _spent() + SECONDS))
            silence = os.open(os.devnull, os.O_RDWR)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            os.write(writing, str(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        try:
            yield lambda: int(answer) if (answer := pipe.read()) else None
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _spent() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int(usage.ru_utime + usage.ru_stime)


def _seen(name: str, tests: list[str]) -> Path:
    """Where it is written down what these tests come across; another place as soon as one of them changes."""
    files = [
        file for folder in ("contract", "judge", "evm", "model") for file in (ROOT / "tests" / folder).rglob("*.py")
    ]
    texts = [name, *tests, *(file.read_text() for file in sorted(files))]
    return CACHE / f"seen-{hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]}.json"


def choose(mutants: dict[int, Mutant], sample: int, seed: int) -> dict[int, Mutant]:
    """All of them, or `sample` drawn with `seed`, in their order."""
    if not sample or sample >= len(mutants):
        return mutants
    drawn = random.Random(seed).sample(sorted(mutants), sample)
    return {number: mutants[number] for number in sorted(drawn)}


def run(
    build: Build,
    chosen: dict[int, Mutant],
    tests: list[str],
    told: Callable[[Mutant, Verdict], None],
) -> None:
    """Judge `chosen` by the tests at these paths (and pytest's arguments): `told` gets each verdict at once.

    Raises:
        RuntimeError: the tests fail without any mutant, or there is none.
    """
    switch = Switch(build)
    campaign = Campaign(switch, build.reached, chosen, told, _seen(build.name, tests))
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:ape_test", "-s"]
    quiet += ["-o", "timeout=0", "-o", "addopts=--import-mode=importlib"]
    status = pytest.main([*quiet, *tests], plugins=[campaign])
    if status != pytest.ExitCode.OK and status != pytest.ExitCode.TESTS_FAILED:
        raise RuntimeError("; ".join(campaign.broken) or f"pytest ended with {status!r}")
