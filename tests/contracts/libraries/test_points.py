"""Secp256k1 by ecrecover, against libsecp256k1."""

from collections.abc import Callable

import pytest
from coincurve import PrivateKey, PublicKey
from eth_utils import keccak
from hypothesis import example, given, settings
from hypothesis import strategies as st

from numerbay_chain.crypto.secp256k1 import N, P, even_scalar, is_valid_x, point_x
from tests.support.evm import Account, Contract, Reverted

NOBODY = "0x" + "00" * 20
EDGES = (1, 2, 3, N // 2, N // 2 + 1, N - 2, N - 1)
OFF_THE_CURVE = next(x for x in range(1, 100) if not is_valid_x(x))
BEYOND = next(x for x in range(N, N + 100) if pow(x**3 + 7, (P - 1) // 2, P) == 1)
"""The x of a point, but no smaller than n: no x that ecrecover takes."""

scalars = st.sampled_from(EDGES) | st.integers(1, N - 1)
words = st.sampled_from([0, *EDGES, N, N + 1, P - 1, P, P + 1, 2**256 - 1]) | st.integers(0, 2**256 - 1)


def even_point(x: int) -> PublicKey:
    return PublicKey(b"\x02" + x.to_bytes(32, "big"))


def address(point: PublicKey | None) -> str:
    return "0x" + keccak(point.format(compressed=False)[1:])[12:].hex() if point else NOBODY


def times(point: PublicKey, k: int) -> PublicKey | None:
    return point.multiply((k % N).to_bytes(32, "big")) if k % N else None


def combined(x: int, a: int, b: int) -> PublicKey | None:
    """a * B + b * G; nothing for the point at infinity."""
    generator = PrivateKey((1).to_bytes(32, "big")).public_key
    parts = [part for part in (times(even_point(x), a), times(generator, b)) if part]
    try:
        return PublicKey.combine_keys(parts) if parts else None
    except ValueError:  # the parts cancel out
        return None


@given(k=scalars, a=scalars, b=words)
@example(k=1, a=1, b=0)
@example(k=2, a=N - 1, b=N)
@settings(max_examples=150)
def test_combine_is_a_times_the_point_and_b_times_the_generator(judge: Contract, k: int, a: int, b: int) -> None:
    x = point_x(k)
    assert judge.combine(x, a, b) == address(combined(x, a, b))


@given(k=scalars, a=scalars)
def test_the_point_at_infinity_has_no_address(judge: Contract, k: int, a: int) -> None:
    even = even_scalar(k)
    assert judge.combine(point_x(k), a, -a * even % N) == NOBODY
    assert judge.combine(point_x(k), a, (1 - a * even) % N) == address(PrivateKey(b"\0" * 31 + b"\1").public_key)


@pytest.mark.parametrize("x", [0, OFF_THE_CURVE, N, BEYOND, P - 1, P, 2**256 - 1])
def test_what_is_no_usable_x_has_no_multiples_and_no_key(judge: Contract, x: int) -> None:
    assert not judge.isX(x)
    assert judge.combine(x, 1, 0) == judge.combine(x, 1, 1) == judge.combine(x, 2, N - 1) == NOBODY
    assert not any(judge.isKeyOf(x, k) for k in EDGES)


@pytest.mark.parametrize("a", [0, N])
def test_a_multiple_of_the_order_gives_nothing(judge: Contract, a: int) -> None:
    assert judge.combine(point_x(5), a, 7) == NOBODY


@given(x=words)
def test_an_x_is_one_of_a_point_below_the_order(judge: Contract, x: int) -> None:
    assert judge.isX(x) == is_valid_x(x)


@given(k=words)
def test_a_scalar_lies_between_zero_and_the_order(judge: Contract, k: int) -> None:
    assert judge.isScalar(k) == (0 < k < N)


@given(k=scalars)
@example(k=1)
@example(k=N - 1)
def test_the_key_of_a_point_is_the_scalar_of_even_y(judge: Contract, k: int) -> None:
    x, even = point_x(k), even_scalar(k)
    assert judge.isKeyOf(x, even)
    assert not judge.isKeyOf(x, N - even)


@given(k=scalars, other=words)
def test_no_other_number_is_the_key(judge: Contract, k: int, other: int) -> None:
    x, even = point_x(k), even_scalar(k)
    for wrong in (even + 1, even - 1, even + N, 0, N, other):
        if wrong != even and wrong < 2**256:
            assert not judge.isKeyOf(x, wrong), wrong


def _at_every_gas_limit(judge: Contract, function: str, *arguments: int) -> set[bytes]:
    """The answers at every gas limit from the bare transaction's up to one that is enough for a while."""
    sender = Account.named("stranger")
    judge.chain.fund(sender)
    data = judge.kind.functions[function].encode(*arguments)
    enough = judge.chain.transact(sender, judge.address, data).gas_used + 3500
    answers, failures = set(), 0
    for gas in range(21_000, enough):
        try:
            answers.add(judge.chain.transact(sender, judge.address, data, gas=gas).output)
        except (Reverted, RuntimeError):
            failures += 1
    assert failures > 3000, "the precompile was never short of gas"
    return answers


@pytest.mark.parametrize(
    ("function", "arguments", "answer"),
    [
        ("isKeyOf", lambda: (point_x(5), even_scalar(5)), (1).to_bytes(32, "big")),
        ("isX", lambda: (point_x(5),), (1).to_bytes(32, "big")),
        ("combine", lambda: (point_x(5), 3, 4), None),
    ],
)
def test_too_little_gas_is_never_taken_for_an_answer(
    judge: Contract, function: str, arguments: Callable[[], tuple[int, ...]], answer: bytes | None
) -> None:
    values = arguments()
    if answer is None:
        answer = bytes(12) + bytes.fromhex(address(combined(*values))[2:])
    assert _at_every_gas_limit(judge, function, *values) == {answer}
