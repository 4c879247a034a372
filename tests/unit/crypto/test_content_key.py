import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core import errors
from numerbay_chain.core.errors import AccountError, DecryptionError, UsageError
from numerbay_chain.crypto.content_key import ContentKey, Context, derive_content_key
from tests.support.codes import fails_with
from tests.support.vectors import failures, load, why
from tests.support.vectors import reference as ref

VECTORS = load("content_key")


def context_of(vector: dict[str, Any]) -> Context:
    ids = (int(vector[name]) for name in ("listing", "round", "order"))
    return Context(int(vector["chain_id"]), bytes.fromhex(vector["marketplace"]), *ids)


@pytest.mark.parametrize("vector", VECTORS["valid"])
def test_derivation_matches_the_vectors(vector: dict[str, Any]) -> None:
    secret, salt = bytes.fromhex(vector["seller_secret"]), bytes.fromhex(vector["key_salt"])
    key = derive_content_key(secret, salt, context_of(vector))
    assert key.reveal().hex() == vector["key"]
    for name in ("commitment", "stream_key", "salt_key", "details_key"):
        assert getattr(key, name).hex() == vector[name]


@pytest.mark.parametrize("vector", VECTORS["scalars"])
def test_a_scalar_of_either_sign_is_the_committed_key(vector: dict[str, Any]) -> None:
    key = ContentKey.from_bytes(bytes.fromhex(vector["scalar"]), bytes.fromhex(vector["commitment"]))
    assert key.reveal().hex() == vector["key"]


@pytest.mark.parametrize("vector", failures("content_key"), ids=why)
def test_a_scalar_that_is_not_the_committed_one_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(getattr(errors, vector["error"])):
        ContentKey.from_bytes(bytes.fromhex(vector["scalar"]), bytes.fromhex(vector["commitment"]))


@given(st.integers(1, ref.N - 1))
def test_every_scalar_is_committed_to_by_its_even_point(k: int) -> None:
    even, x = ref.normalise(k)
    key = ContentKey.from_bytes(k.to_bytes(32, "big"))
    assert int.from_bytes(key.reveal(), "big") == even
    assert int.from_bytes(key.commitment, "big") == x


@pytest.mark.parametrize(
    "change",
    [{"chain_id": 2}, {"marketplace": bytes(20)}, {"listing": 4}, {"round": 3}, {"order": 1}],
    ids=lambda change: next(iter(change)),
)
def test_every_part_of_the_context_makes_another_key(context: Context, change: dict[str, Any]) -> None:
    here = derive_content_key(bytes(32), bytes(32), context)
    there = derive_content_key(bytes(32), bytes(32), dataclasses.replace(context, **change))
    assert here.commitment != there.commitment


def test_another_salt_makes_another_key(context: Context) -> None:
    keys = {derive_content_key(bytes(32), bytes([n]) * 32, context).commitment for n in range(10)}
    assert len(keys) == 10


def test_the_keys_derived_from_one_content_key_all_differ(key: ContentKey) -> None:
    assert len({key.reveal(), key.commitment, key.stream_key, key.salt_key, key.details_key}) == 5


def test_its_repr_and_errors_hide_the_key(key: ContentKey) -> None:
    secret = key.reveal().hex()
    assert secret not in repr(key)
    assert secret not in f"{key} {[key]} {key!s}"
    with pytest.raises(DecryptionError) as caught:
        ContentKey.from_bytes(key.reveal(), bytes(32))
    assert secret not in str(caught.value)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33)])
def test_a_damaged_seller_secret_is_refused(secret: bytes, context: Context) -> None:
    with fails_with(AccountError, "account", 32):
        derive_content_key(secret, bytes(32), context)


@pytest.mark.parametrize(
    "fields",
    [
        (1, bytes(19), 0, 0, 0),
        (-1, bytes(20), 0, 0, 0),
        (2**256, bytes(20), 0, 0, 0),
        (1, bytes(20), 2**32, 0, 0),
        (1, bytes(20), 0, 2**64, 0),
        (1, bytes(20), 0, 0, 2**64),
    ],
)
def test_a_context_out_of_range_is_refused(fields: tuple[int, bytes, int, int, int]) -> None:
    with pytest.raises(UsageError):
        Context(*fields)
