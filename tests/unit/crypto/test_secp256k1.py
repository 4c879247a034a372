import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.crypto import secp256k1
from tests.support.codes import fails_with
from tests.support.vectors import reference as ref

scalars = st.one_of(st.integers(1, secp256k1.N - 1), st.integers(1, 20), st.integers(1, 20).map(lambda n: ref.N - n))


@given(scalars)
def test_points_agree_with_plain_arithmetic(k: int) -> None:
    even, x = ref.normalise(k)
    assert secp256k1.point_x(k) == x
    assert secp256k1.even_scalar(k) == even


@given(scalars)
def test_a_scalar_and_its_negative_become_the_same_even_one(k: int) -> None:
    assert secp256k1.even_scalar(k) == secp256k1.even_scalar(secp256k1.N - k)
    assert secp256k1.even_scalar(secp256k1.even_scalar(k)) == secp256k1.even_scalar(k)


@given(scalars)
def test_the_x_of_every_point_is_valid(k: int) -> None:
    assert secp256k1.is_valid_x(secp256k1.point_x(k))


@pytest.mark.parametrize("x", [0, 5, secp256k1.P, secp256k1.P + 1, 2**256 - 1])
def test_an_x_off_the_curve_or_the_field_is_not_valid(x: int) -> None:
    assert not secp256k1.is_valid_x(x)


def test_a_point_whose_x_is_no_scalar_is_not_valid() -> None:
    on_curve = next(x for x in range(ref.N, ref.P) if pow(x**3 + 7, (ref.P - 1) // 2, ref.P) == 1)
    assert not secp256k1.is_valid_x(on_curve)


@pytest.mark.parametrize("k", [0, secp256k1.N, -1, 2**256])
def test_what_is_no_scalar_has_no_point(k: int) -> None:
    with fails_with(ValueError):
        secp256k1.point_x(k)
