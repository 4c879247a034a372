"""Keys of a dispute: derived again after a crash, sealed to one side, opened by the other."""

import pytest
from coincurve import PublicKey
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core.errors import AccountError, UsageError
from numerbay_chain.crypto import secp256k1
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.crypto.dispute_keys import (
    DisputeContext,
    DisputeKey,
    Response,
    derive_dispute_key,
    is_committed_key,
    open_response,
    seal_response,
)
from tests.support.codes import fails_with

PLACE = DisputeContext(31337, b"\x22" * 20, 1 << 32, 3)
SCALARS = st.one_of(
    st.integers(1, secp256k1.N - 1), st.sampled_from([1, 2, secp256k1.N // 2, secp256k1.N - 2, secp256k1.N - 1])
)


@given(SCALARS, SCALARS)
def test_what_the_seller_seals_is_what_the_buyer_opens(k: int, p: int) -> None:
    key, mine = ContentKey(k), DisputeKey(p)

    response = seal_response(key, mine.x, PLACE)

    opened = open_response(response, mine, PLACE)
    assert opened == int.from_bytes(key.reveal(), "big")
    assert is_committed_key(opened, int.from_bytes(key.commitment, "big"))


def test_an_answer_opens_for_its_own_dispute_only() -> None:
    key, mine = ContentKey(5), DisputeKey(7)
    response = seal_response(key, mine.x, PLACE)

    for other in (
        DisputeContext(1, PLACE.marketplace, PLACE.order, PLACE.round),
        DisputeContext(PLACE.chain_id, b"\x23" * 20, PLACE.order, PLACE.round),
        DisputeContext(PLACE.chain_id, PLACE.marketplace, PLACE.order + 1, PLACE.round),
        DisputeContext(PLACE.chain_id, PLACE.marketplace, PLACE.order, PLACE.round + 1),
    ):
        assert open_response(response, mine, other) != int.from_bytes(key.reveal(), "big")
    assert open_response(response, DisputeKey(8), PLACE) != int.from_bytes(key.reveal(), "big")


def test_the_key_of_a_dispute_is_the_same_after_a_crash_and_another_one_elsewhere() -> None:
    private = b"\x11" * 32

    keys = {
        derive_dispute_key(private, place).x
        for place in (
            PLACE,
            DisputeContext(1, PLACE.marketplace, PLACE.order, PLACE.round),
            DisputeContext(PLACE.chain_id, b"\x23" * 20, PLACE.order, PLACE.round),
            DisputeContext(PLACE.chain_id, PLACE.marketplace, PLACE.order + 1, PLACE.round),
            DisputeContext(PLACE.chain_id, PLACE.marketplace, PLACE.order, PLACE.round + 1),
        )
    }

    assert len(keys) == 5
    assert derive_dispute_key(private, PLACE).x in keys
    assert derive_dispute_key(b"\x12" * 32, PLACE).x not in keys


def test_a_key_has_even_y_and_is_not_shown() -> None:
    for scalar in (1, 2, 3, 5, secp256k1.N - 1):
        key = DisputeKey(scalar)
        assert PublicKey.from_secret(key.reveal().to_bytes(32, "big")).format()[0] == 2
    secret = DisputeKey(2**200 + 7)
    assert str(secret.reveal()) not in repr(secret)
    assert f"{secret.reveal():x}" not in repr(secret)
    assert "sealed" not in repr(seal_response(ContentKey(9), DisputeKey(3).x, PLACE))


@given(SCALARS)
def test_the_committed_key_is_one_number_of_all(k: int) -> None:
    key = ContentKey(k)
    scalar, commitment = int.from_bytes(key.reveal(), "big"), int.from_bytes(key.commitment, "big")

    assert is_committed_key(scalar, commitment)
    for wrong in (scalar + 1, scalar - 1, secp256k1.N - scalar, scalar + secp256k1.N, 0, secp256k1.N, 2**256 - 1):
        assert not is_committed_key(wrong, commitment)


def test_points_that_are_none_are_refused() -> None:
    not_on_curve = next(x for x in range(1, 100) if not secp256k1.is_valid_x(x))
    for x in (0, not_on_curve, secp256k1.N, secp256k1.P):
        with fails_with(UsageError, "usage"):
            seal_response(ContentKey(5), x, PLACE)
        with fails_with(UsageError, "usage"):
            open_response(Response(x, bytes(32)), DisputeKey(7), PLACE)
    with pytest.raises(AccountError):
        derive_dispute_key(b"short", PLACE)
    with pytest.raises(UsageError):
        DisputeContext(1, b"short", 0, 0)


def test_the_mask_is_the_one_that_solidity_computes() -> None:
    key, mine = ContentKey(5), DisputeKey(7)
    response = seal_response(key, mine.x, PLACE)

    shared = PublicKey(b"\x02" + response.response_key.to_bytes(32, "big")).multiply(mine.reveal().to_bytes(32, "big"))
    words = [
        keccak(text="numerbay-chain/v1/dispute"),
        PLACE.chain_id.to_bytes(32, "big"),
        PLACE.marketplace.rjust(32, b"\0"),
        PLACE.order.to_bytes(32, "big"),
        PLACE.round.to_bytes(32, "big"),
        mine.x.to_bytes(32, "big"),
        response.response_key.to_bytes(32, "big"),
        keccak(shared.format(compressed=False)[1:])[12:].rjust(32, b"\0"),
    ]
    mask = int.from_bytes(keccak(b"".join(words)), "big")
    assert mask ^ int.from_bytes(response.sealed_key, "big") == int.from_bytes(key.reveal(), "big")
