"""Nodes behind one address of which some are behind: what was seen must not look undone."""

import pytest

from numerbay_chain.chain.node.errors import NodeRefusedError, UnknownBlockError
from numerbay_chain.chain.node.freshness import Freshness
from numerbay_chain.core.errors import NetworkError
from tests.support.codes import fails_with

PATIENCE = 15.0


class Time:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def fresh(time: Time) -> Freshness:
    return Freshness("the node", PATIENCE, sleep=time.sleep, clock=lambda: time.now)


def head(fresh: Freshness, *answers: int) -> int:
    left = iter(answers)
    return fresh.head(lambda: next(left), lambda number: number)


def test_the_first_look_takes_the_newest_of_a_few_answers(fresh: Freshness) -> None:
    assert head(fresh, 7, 10, 8) == 10
    assert fresh.newest == 10


def test_an_older_answer_is_asked_for_again(fresh: Freshness, time: Time) -> None:
    head(fresh, 10, 10, 10)
    assert head(fresh, 7, 8, 12) == 12
    assert 0 < time.now < 1


def test_a_block_that_was_written_to_is_waited_for(fresh: Freshness) -> None:
    head(fresh, 10, 10, 10)
    fresh.note(15)
    assert head(fresh, 10, 15) == 15


def test_a_node_that_stays_behind_is_reported_within_a_bound_and_believed_from_then_on(
    fresh: Freshness, time: Time
) -> None:
    fresh.note(10)
    with fails_with(NetworkError, "stale-node", 7, 10) as caught:
        fresh.head(lambda: 7, lambda number: number)
    assert caught.value.code == "stale-node"
    assert PATIENCE <= time.now < PATIENCE + 2
    assert head(fresh, 7) == 7


def unknown() -> int:
    raise UnknownBlockError("header not found")


def test_a_block_that_a_node_lacks_is_asked_for_again(fresh: Freshness, time: Time) -> None:
    fresh.note(10)
    tries = iter([unknown, unknown, lambda: 5])
    assert fresh.at(10, lambda: next(tries)()) == 5
    assert 0 < time.now < 1


def test_one_that_stays_unknown_is_reported_within_a_bound(fresh: Freshness, time: Time) -> None:
    fresh.note(10)
    with fails_with(NetworkError, "node-behind", 9, 10) as caught:
        fresh.at(9, unknown)
    assert caught.value.code == "node-behind"
    assert PATIENCE <= time.now < PATIENCE + 2


def test_a_block_that_nothing_has_shown_is_not_waited_for(fresh: Freshness, time: Time) -> None:
    fresh.note(10)
    with pytest.raises(UnknownBlockError):
        fresh.at(11, unknown)
    assert time.now == 0


def test_other_refusals_are_not_waited_for(fresh: Freshness, time: Time) -> None:
    def refused() -> int:
        raise NodeRefusedError("no")

    fresh.note(10)
    with pytest.raises(NodeRefusedError):
        fresh.at(10, refused)
    assert time.now == 0


def test_an_unfit_answer_is_looked_at_a_few_times_and_then_taken(fresh: Freshness, time: Time) -> None:
    looks = iter([b"", b"", b"yes"])
    assert fresh.looked(lambda: next(looks), lambda answer: not answer) == b"yes"
    assert fresh.looked(lambda: b"", lambda answer: not answer) == b""
    assert time.now < 2
