"""One policy says how often a host is asked, and how long it is waited in between."""

import time

import pytest

from numerbay_chain.core.network.retry import LONGEST_PAUSE, Retry, doubling


def waits(retry: Retry, slept: list[float], *asked: float | None) -> list[float]:
    for wanted in asked:
        if not retry.again(wanted):
            break
    return slept


@pytest.mark.parametrize(
    ("pauses", "asked", "expected"),
    [
        ((), [None], []),
        ((1, 2), [None] * 5, [1, 2]),
        ((1, 2), [1.5, None, None], [1.5, 2]),
        ((1, 2), [0.5, 1e9, None], [1, LONGEST_PAUSE]),
        ((9,), [2], [9]),
    ],
)
def test_the_pauses_are_those_that_were_given_or_what_the_host_asks_for(
    pauses: tuple[float, ...], asked: list[float | None], expected: list[float]
) -> None:
    slept: list[float] = []
    assert waits(Retry(pauses, sleep=slept.append), slept, *asked) == expected


def test_no_try_begins_after_the_time_for_all_of_them() -> None:
    slept: list[float] = []
    ends = time.monotonic() + 3
    assert waits(Retry((1, 2, 4, 1), ends, slept.append), slept, *[None] * 5) == [1, 2]
    assert not Retry((1,), ends, slept.append).again(4)
    assert slept == [1, 2]


def test_a_failure_that_is_worth_fewer_tries_gets_no_more() -> None:
    slept: list[float] = []
    retry = Retry(doubling(0.2, 5), sleep=slept.append)
    assert [retry.again(most=3), retry.again(most=3), retry.again(most=3)] == [True, True, False]
    assert slept == [0.2, 0.4]


def test_doubling() -> None:
    assert doubling(0.2, 1) == ()
    assert doubling(0.5, 4) == (0.5, 1, 2)
