"""`python -m tests.system.interruptions [CASE …]`: every delivery is interrupted at every one of its steps, and run
again.

Each must end as the undisturbed one does: one release, one payment, one key for each buyer, nothing lost. The suite
runs a sample of it (`test_interruptions.py`).
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from numerbay_chain.chain.local.devnet import Devnet
from numerbay_chain.core.progress import silent
from numerbay_chain.delivery import deliver
from numerbay_chain.delivery.options import Choices, DeliveryRequest, ServeRequest
from numerbay_chain.ipfs import Cid, GatewayStore
from numerbay_chain.protocol.types import Order
from tests.support.gateways import Request, serving
from tests.support.places import PRICE, Place
from tests.support.plugins.toolchain import anvil_binary
from tests.support.rehearsals import Run, Stage
from tests.support.steps import WAYS, Interruption
from tests.support.told import Told

CONTENT = b"id,prediction\n" + b"n0001,0.5\n" * 900
DEEP = 70  # blocks: more than what makes a block final: anvil calls the one final that is 64 blocks deep
_DONE_BEFORE = ("was delivered as round", "were delivered as round", "holds order")
"""What was done to the end before it was interrupted says so instead of being done again."""


@dataclass(frozen=True, slots=True)
class Case:
    """`prepare` brings the marketplace to where `command` is run. `gateway`: the URL of the second way to the store."""

    name: str
    prepare: Callable[["Case", Stage], None]
    command: Callable[["Case", Place], object]
    public: bool = False
    gateway: str = ""

    def choices(self, place: Place) -> Choices:
        """On a public chain: those that `Seller.deliver` makes, but that the gateway may be on this machine."""
        return Choices(place.seller.session.finality(), GatewayStore(self.gateway), False, silent)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many steps of each kind were interrupted, how often in all (`tries`), and what differed then."""

    steps: dict[str, int]
    tries: int
    differences: list[str]


def _file(place: Place, name: str = "predictions.csv", content: bytes = CONTENT) -> Path:
    path = place.folder / name
    if not path.exists():  # a file that is written anew would be another one
        path.write_bytes(content)
    return path


def _deliver(case: Case, place: Place) -> object:
    if case.public:
        return deliver.deliver(place.seller.session, DeliveryRequest(_file(place), 1), case.choices(place))
    return place.seller.deliver(_file(place), 1)


def _serve(case: Case, place: Place) -> object:
    if case.public:
        return deliver.serve(place.seller.session, ServeRequest(1), case.choices(place))
    return place.seller.serve(1)


def _copies(case: Case, place: Place) -> object:
    return _post(place, list(Told(place.contract).orders_of(1)))


def _last_copy(case: Case, place: Place) -> object:
    return _post(place, list(Told(place.contract).orders_of(1))[-1:])


def _post(place: Place, orders: list[Order]) -> object:
    copies = {order.id: _file(place, f"{order.id}.csv", b"copy %d" % order.id) for order in orders}
    return place.seller.deliver_copies(1, copies)


def _sold(stage: Stage, **terms: object) -> None:
    """Two buyers paid for the next round of a new listing."""
    stage.place.seller.create_listing(PRICE, **terms)  # type: ignore[arg-type]  # terms, as a case names them
    for number in (1, 2):
        stage.place.buyer(number).buy(1)
    _file(stage.place)


def _plain(case: Case, stage: Stage) -> None:
    _sold(stage)


def _with_window(case: Case, stage: Stage) -> None:
    _sold(stage, decline_window=600)


def _window_over(case: Case, stage: Stage) -> None:
    _with_window(case, stage)
    _deliver(case, stage.place)
    stage.place.chain.advance(601)


def _late_buyer(case: Case, stage: Stage) -> None:
    place = stage.place
    place.seller.create_listing(PRICE, instant=True)
    place.buyer(1).buy(1)
    _deliver(case, place)
    place.buyer(2).buy(1)


def _half_done(case: Case, stage: Stage) -> None:
    """Killed when the release was on its way: sealed, pinned, signed, but never sent."""
    _sold(stage)
    killed = stage.run(lambda place: _deliver(case, place), Interruption("transaction", 1, "killed before"))
    assert killed.killed


def _untold(case: Case, stage: Stage) -> None:
    """Killed when the release was sent, before anything came back."""
    _with_window(case, stage)
    killed = stage.run(lambda place: _deliver(case, place), Interruption("transaction", 1, "killed after"))
    assert killed.killed
    stage.place.chain.advance(601)


def _bought_copies(case: Case, stage: Stage) -> None:
    _sold(stage, copies=True, dispute_window=0)


def _late_copy(case: Case, stage: Stage) -> None:
    place = stage.place
    place.seller.create_listing(PRICE, copies=True, instant=True, dispute_window=0)
    place.buyer(1).buy(1)
    _copies(case, place)
    place.buyer(2).buy(1, check=False)


def _old_sales(case: Case, stage: Stage) -> None:
    _sold(stage)
    stage.mine(DEEP)


def _public_window_over(case: Case, stage: Stage) -> None:
    _with_window(case, stage)
    stage.mine(DEEP)
    released = stage.run(lambda place: _deliver(case, place))
    assert not released.trouble
    stage.place.chain.advance(601)
    stage.mine(DEEP)


def _purchase(case: Case, place: Place) -> object:
    return place.buyer(1).buy(1, rounds=2)


def _for_sale(case: Case, stage: Stage) -> None:
    stage.place.seller.create_listing(PRICE)
    stage.place.buyer(1)


CASES = (
    Case("keys in the release", _plain, _deliver),
    Case("a decline window", _with_window, _deliver),
    Case("keys after the window, with the file", _window_over, _deliver),
    Case("keys after the window, without a file", _window_over, _serve),
    Case("keys for a late buyer", _late_buyer, _serve),
    Case("a delivery that was killed before", _half_done, _deliver),
    Case("a release that nobody was told of, without a file", _untold, _serve),
    Case("copies", _bought_copies, _copies),
    Case("a late copy", _late_copy, _last_copy),
    Case("a public chain, keys in the release", _old_sales, _deliver, public=True),
    Case("a public chain, keys after the window", _public_window_over, _serve, public=True),
    Case("a purchase", _for_sale, _purchase),
)


@contextmanager
def prepared(case: Case, devnet: Devnet, folder: Path) -> Iterator[tuple[Case, Stage]]:
    """The stage at the point where the case's command is run."""
    stage = Stage(devnet, folder, public=case.public)

    def answer(asked: Request) -> None:
        """A real gateway over the store's blocks."""
        cid = Cid.parse(asked.cid)
        blocks = stage.place.store.block_path(cid)  # type: ignore[attr-defined]  # it is the embedded one
        content = blocks.read_bytes() if blocks.exists() else None
        if content is None or sha256(content).digest() != cid.digest:
            asked.answer(status=404)
        else:
            asked.answer(content, Content_Type="application/vnd.ipld.raw")

    with serving(answer) as server:
        ready = Case(case.name, case.prepare, case.command, case.public, server.url)
        ready.prepare(ready, stage)
        yield ready, stage


def interrupt(case: Case, stage: Stage, sample: float | None = None, said: Callable[[str], None] = str) -> Outcome:
    """Interrupts the case's command in every way at every step, runs it again, and compares. `sample`: at every
    transaction, and of the other kinds of steps at one only, the one that far into the run (0 to 1)."""

    def run(one: Interruption | None = None) -> Run:
        return stage.run(lambda place: case.command(case, place), one)

    def later() -> list[Run]:
        """On a public chain: when all is final, and what had to wait for that can be done."""
        if not case.public:
            return []
        stage.mine(DEEP)
        return [run()]

    with stage.rehearsal():
        undisturbed = run()
        assert not undisturbed.trouble
        later()
        expected = stage.facts()
    with stage.rehearsal():  # killed when all was done, before it could say so
        differences = _differences([run(), run(), *later()], [expected], stage)
    steps: Counter[str] = Counter()
    tries = 1
    ended_there = None
    for one in _interruptions(undisturbed.passed, sample):
        if one.way == "gone" and ended_there == (one.kind, one.number):
            continue  # it asked nothing any more: the very same run
        with stage.rehearsal():
            first = run(one)
            if not first.struck:
                # in how many folders a file's blocks lie is chance: the last writes may be missing
                assert one.kind == "store write", f"{case.name}: {one} was never reached"
                continue
            allowed = [expected]
            if case.public and one.kind == "store read":
                allowed.append(_with_keys_that_follow(expected))
            unanswered = one.way == "no answer" and one.kind != "transaction"  # one that got no answer has arrived
            if unanswered and first.trouble and first.passed[one.kind] == one.number:
                ended_there = (one.kind, one.number)
            wrong = _differences([first, run(), *later()], allowed, stage)
        tries += 1
        steps[one.kind] += one.way == WAYS[one.kind][0]
        differences += [f"{one} ({first.struck}): {what}" for what in wrong]
        said(f"{one}: {first.struck}")
    return Outcome(dict(steps), tries, differences)


def _interruptions(passed: dict[str, int], sample: float | None) -> Iterator[Interruption]:
    for kind, ways in WAYS.items():
        last = passed.get(kind, 0)
        numbers = set(range(1, last + 1))
        if sample is None and kind == "store write":
            numbers |= {last + 1, last + 2}  # a run may have some more of them
        elif sample is not None and kind != "transaction" and last:
            numbers = {1 + round(sample * (last - 1))}
        yield from (Interruption(kind, number, way) for number in sorted(numbers) for way in ways)


def _with_keys_that_follow(expected: dict[str, Any]) -> dict[str, Any]:
    """The same, but that the release went ahead of its envelopes, because they did not come back from the gateway: the
    seller sent one transaction more."""
    sent = expected["sent"]
    return {**expected, "sent": {**sent, 0: sent[0] + 1}, "outbox": {"deliver-1-0.json": [True]}}


def _differences(runs: list[Run], allowed: list[dict[str, Any]], stage: Stage) -> list[str]:
    wrong = [f"ended by a bug:\n{run.traceback}" for run in runs if run.traceback]
    if runs[-1].said and not any(sentence in runs[-1].said for sentence in _DONE_BEFORE):
        wrong.append(f"run again it said: {runs[-1].said}")
    facts = stage.facts()
    if facts not in allowed:
        expected = allowed[0]
        wrong += [f"{name}: {facts[name]}, not {value}" for name, value in expected.items() if facts[name] != value]
    return wrong


def _of(number: int, verbose: bool) -> Outcome:
    anvil = anvil_binary()
    if anvil is None:
        sys.exit("error: anvil was not found; run `make setup`")
    case = CASES[number]
    with (
        Devnet(binary=str(anvil)) as devnet,
        tempfile.TemporaryDirectory() as folder,
        prepared(case, devnet, Path(folder) / "place") as (ready, stage),
    ):
        return interrupt(ready, stage, said=print if verbose else str)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.interruptions", description="interrupt every delivery at every step"
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="those whose name holds this; all unless said")
    parser.add_argument("--jobs", type=int, default=2, help="cases at the same time")
    parser.add_argument("--verbose", action="store_true", help="name each step")
    chosen = parser.parse_args()
    numbers = [
        number
        for number, case in enumerate(CASES)
        if not chosen.cases or any(part in case.name for part in chosen.cases)
    ]
    steps, tries, differing, started = 0, 0, 0, time.monotonic()
    with ProcessPoolExecutor(chosen.jobs) as pool:
        for number, outcome in zip(numbers, pool.map(_of, numbers, [chosen.verbose] * len(numbers)), strict=True):
            steps, tries = steps + sum(outcome.steps.values()), tries + outcome.tries
            differing += len(outcome.differences)
            kinds = ", ".join(f"{count} {kind}s" for kind, count in outcome.steps.items())
            print(f"{CASES[number].name}: {kinds}; {outcome.tries} interruptions", flush=True)
            for difference in outcome.differences:
                print(f"    DIFFERS: {difference}", flush=True)
    ended = f"{differing} differences" if differing else "each ended as the undisturbed run does"
    print(f"{steps} steps, {tries} interruptions in {(time.monotonic() - started) / 60:.0f} minutes: {ended}")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
