"""A proof sent at every gas limit from too little to enough: it says what it says with all gas, or nothing at all.

Precompiles that run dry answer nothing, and "nothing" convicts where a point is infinity: it must never come of that.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.unit.words import refused
from tests.support.evm import Account, Reverted
from tests.support.evm.contracts import decode_error
from tests.support.evm.disputes import CHUNK, Dispute, Sealed, challengeable, seal, seal_one_of
from tests.support.evm.world import World

TOO_LITTLE = {"out of gas", "FailedCall"}
STEP = 61  # between two limits: a precompile's price is many times that
CLOSE = 200  # every limit is tried so far below and above the one from which on it is enough


def outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except Reverted as error:
        return decode_error(error.data)[0] if error.data else "out of gas"
    return "done"


class Sweep:
    """One call, rehearsed at any gas limit."""

    def __init__(self, dispute: Dispute, function: str, *arguments: Any, by: Account | None = None) -> None:
        self._chain, self._market = dispute.world.chain, dispute.market
        self._sender = by or dispute.world.stranger
        self._data = self._market.kind.functions[function].encode(*arguments)
        zeros = self._data.count(0)
        self.least = 21_000 + 4 * zeros + 16 * (len(self._data) - zeros)  # with less it is no transaction

    def answer(self, gas: int) -> str:
        return outcome(lambda: self._chain.rehearse(self._sender, self._market.address, self._data, gas))

    def enough(self, most: int) -> int:
        """The least gas from which on the answer is that of `most` gas, by bisection."""
        least, full = self.least, self.answer(most)
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (least, middle) if self.answer(middle) == full else (middle, most)
        return most

    def answers(self, most: int, step: int) -> Counter[str]:
        """Of all limits: each `step`-th up to `most`, and every one close to where it becomes enough."""
        enough = self.enough(most)
        limits = {*range(self.least, most, step), *range(enough - CLOSE, enough + CLOSE), most}
        answers = {gas: self.answer(gas) for gas in sorted(limits)}
        early = {answer for gas, answer in answers.items() if gas < enough}
        late = {answer for gas, answer in answers.items() if gas >= enough}
        assert early <= TOO_LITTLE, f"with too little gas: {early}"
        assert len(late) == 1, f"with enough gas: {late}"
        return Counter(answers.values())


def of_key(dispute: Dispute) -> Sweep:
    return Sweep(dispute, "proveWrongKey", dispute.order, 0, dispute.state, dispute.key.secret)


def of_content(world: World, content: Sealed) -> Sweep:
    dispute = challengeable(world, content=content)
    (index,) = content.chunks
    return Sweep(dispute, "proveWrongContent", dispute.listing, 0, content.manifest, content.proof(index))


@pytest.fixture
def challenged(world: World) -> Dispute:
    dispute = challengeable(world)
    dispute.challenge()
    return dispute


def test_a_right_key_convicts_at_no_gas_limit(challenged: Dispute) -> None:
    challenged.respond()
    answers = of_key(challenged).answers(most=150_000, step=STEP)
    assert set(answers) == {*TOO_LITTLE, "KeyIsRight"}
    assert min(answers.values()) > 50


@pytest.mark.parametrize("wrong", ["another key", "k + 1"])
def test_a_wrong_key_convicts_or_nothing_happens(challenged: Dispute, wrong: str) -> None:
    key = challenged.content.key.secret + 1 if wrong == "k + 1" else 12345
    challenged.respond(challenged.sealed(key))
    answers = of_key(challenged).answers(most=150_000, step=STEP)
    assert set(answers) == {*TOO_LITTLE, "done"}
    assert min(answers.values()) > 50


def test_a_private_key_of_another_proves_nothing_at_any_gas_limit(challenged: Dispute) -> None:
    challenged.respond_wrongly()
    sweep = Sweep(challenged, "proveWrongKey", challenged.order, 0, challenged.state, 7)
    assert set(sweep.answers(most=150_000, step=STEP)) - TOO_LITTLE == {"NotTheDisputeKey"}


@pytest.mark.parametrize("published", [None, b"not what was promised"], ids=["right", "wrong"])
def test_content_is_judged_at_every_gas_limit_as_with_all_gas(world: World, published: bytes | None) -> None:
    content = seal(b"what was promised", instead=published and {0: published})
    answers = of_content(world, content).answers(most=200_000, step=STEP)
    assert set(answers) == {*TOO_LITTLE, "done" if published else "ContentIsRight"}


@pytest.mark.parametrize("published", [None, b"\1" * CHUNK], ids=["right", "wrong"])
def test_so_is_a_whole_chunk_of_a_large_artifact(world: World, published: bytes | None) -> None:
    content = seal_one_of(2**20, 54321, b"\2" * CHUNK, instead=published)
    answers = of_content(world, content).answers(most=1_000_000, step=1009)
    assert set(answers) == {*TOO_LITTLE, "done" if published else "ContentIsRight"}


@pytest.mark.parametrize("x", [1, 5])
def test_a_point_is_one_or_none_at_every_gas_limit(world: World, x: int) -> None:
    """1 is a point's x, 5 is none's: with too little gas a challenge is not refused as one with a bad point."""
    dispute = challengeable(world)
    sweep = Sweep(dispute, "challenge", dispute.order, 0, dispute.bucket, x, by=world.buyer)
    expected = "InvalidPoint" if x == 5 else "done"
    assert set(sweep.answers(most=150_000, step=STEP)) - TOO_LITTLE == {expected}


@pytest.mark.parametrize("gas", range(30_000, 200_000, 10_000))
def test_a_transaction_says_what_its_rehearsal_said(challenged: Dispute, gas: int) -> None:
    """Nothing happened, or all of it: a real transaction with that limit, on storage that it meets cold."""
    challenged.respond_wrongly()
    world = challenged.world.settled()
    arguments = (challenged.order, 0, challenged.state, challenged.key.secret)
    before = world.held()
    found = outcome(lambda: world.market.proveWrongKey(*arguments, sender=world.stranger, gas=gas))
    assert found in ({"done"} if gas >= 80_000 else {*TOO_LITTLE, "done"})
    assert before - world.held() == (challenged.state.price if found == "done" else 0)


def test_the_marketplaces_own_word_for_it_is_a_failed_call(challenged: Dispute) -> None:
    challenged.respond_wrongly()
    sweep = of_key(challenged)
    gas = next(gas for gas in range(sweep.least, 150_000, 10) if sweep.answer(gas) == "FailedCall")
    arguments = (challenged.order, 0, challenged.state, challenged.key.secret)
    with refused("FailedCall"):
        challenged.market.proveWrongKey(*arguments, sender=challenged.world.stranger, gas=gas)
