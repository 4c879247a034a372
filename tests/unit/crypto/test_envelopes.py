import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerbay_chain.core import errors
from numerbay_chain.core.errors import AccountError, ContentError, DecryptionError, UsageError
from numerbay_chain.core.home.keyfile import KeyPair
from numerbay_chain.crypto.content_key import ContentKey, Context, derive_content_key
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE, find_envelope, open_envelope, seal_envelopes
from tests.support.codes import fails_with
from tests.support.vectors import failures, load, why


def context_of(vector: dict[str, Any]) -> Context:
    return Context(int(vector["chain_id"]), bytes.fromhex(vector["marketplace"]), 3, vector["round"])


def open_vector(vector: dict[str, Any]) -> ContentKey:
    record, private, commitment = (bytes.fromhex(vector[name]) for name in ("record", "private_key", "commitment"))
    return open_envelope(record, private, context_of(vector), int(vector["order"]), commitment)


@pytest.mark.parametrize("vector", load("envelopes")["valid"])
def test_the_vectors_open(vector: dict[str, Any]) -> None:
    assert open_vector(vector).reveal().hex() == vector["key"]


@pytest.mark.parametrize("vector", failures("envelopes"), ids=why)
def test_one_wrong_thing_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises((ContentError, DecryptionError)) as caught:
        open_vector(vector)
    assert type(caught.value) is getattr(errors, vector["error"])


@pytest.fixture
def buyers() -> dict[int, KeyPair]:
    """Order ids out of order, two of them with one key."""
    pairs = [KeyPair.generate() for _ in range(4)]
    return {3 << 32 | 7: pairs[0], 3 << 32: pairs[1], 3 << 32 | 2**31: pairs[2], 2**64 - 1: pairs[3], 5: pairs[3]}


def test_each_buyer_opens_the_own_envelope_and_no_other(
    key: ContentKey, context: Context, buyers: dict[int, KeyPair]
) -> None:
    sealed = seal_envelopes(key, context, ((order, pair.public_key) for order, pair in buyers.items()))
    records = [sealed[i : i + ENVELOPE_SIZE] for i in range(0, len(sealed), ENVELOPE_SIZE)]
    assert [int.from_bytes(record[:8], "big") for record in records] == sorted(buyers)
    for record, order in zip(records, sorted(buyers), strict=True):
        for pair in buyers.values():
            secret = pair.reveal_private_key()
            if pair.public_key == buyers[order].public_key:
                assert open_envelope(record, secret, context, order, key.commitment).reveal() == key.reveal()
            else:
                with fails_with(DecryptionError, "decryption"):
                    open_envelope(record, secret, context, order, key.commitment)


def test_a_stolen_envelope_gives_its_honest_buyer_no_key_of_the_victims(
    key: ContentKey, context: Context, new_key: Callable[[int], ContentKey]
) -> None:
    """The thief buys from the victim, and copies the box into the thief's own delivery to another buyer."""
    thief, honest = KeyPair.generate(), KeyPair.generate()
    victims_record = seal_envelopes(key, context, [(7, honest.public_key)])
    thiefs_context = dataclasses.replace(context, listing=99, round=0)
    for order in (7, 99 << 32):
        copied = order.to_bytes(8, "big") + victims_record[8:]
        with fails_with(DecryptionError, "decryption"):
            open_envelope(copied, honest.reveal_private_key(), thiefs_context, order, key.commitment)
    assert thief.public_key not in victims_record


def test_the_same_key_sealed_twice_looks_different(key: ContentKey, context: Context) -> None:
    pair = KeyPair.generate()
    assert seal_envelopes(key, context, [(1, pair.public_key)]) != seal_envelopes(key, context, [(1, pair.public_key)])


@pytest.mark.parametrize("public_key", [bytes(32), b"\x01" + bytes(31), bytes(31), b""])
def test_a_public_key_that_nothing_can_be_sealed_to_is_named(
    key: ContentKey, context: Context, public_key: bytes
) -> None:
    with fails_with(AccountError, "account", "1-5"):
        seal_envelopes(key, context, [(1 << 32 | 5, public_key)])


@pytest.mark.parametrize("orders", [[1, 1], [-1], [2**64]])
def test_an_order_that_comes_twice_or_is_none_is_refused(orders: list[int], key: ContentKey, context: Context) -> None:
    public_key = KeyPair.generate().public_key
    with pytest.raises(UsageError):
        seal_envelopes(key, context, [(order, public_key) for order in orders])


@given(st.sets(st.integers(0, 2**64 - 1), max_size=60), st.integers(0, 2**64 - 1), st.integers(0, 5000))
@settings(max_examples=60)
def test_a_record_is_found_by_small_ranges_alone(known: set[int], wanted: int, filler: int) -> None:
    orders = sorted({*known, *range(1_000_000, 1_000_000 + filler)})
    stored = b"".join(order.to_bytes(8, "big") + bytes(ENVELOPE_SIZE - 8) for order in orders)
    sizes: list[int] = []

    def read(offset: int, length: int) -> bytes:
        sizes.append(length)
        assert offset + length <= len(stored)
        return stored[offset : offset + length]

    for order in (wanted, *orders[:3], *orders[-3:], *orders[1022:1027]):
        record = find_envelope(read, len(orders), order)
        assert (record is not None) == (order in orders)
        assert record is None or record[:8] == order.to_bytes(8, "big")
    assert max(sizes, default=0) <= 1024 * ENVELOPE_SIZE


def test_envelopes_that_end_early_are_noticed(key: ContentKey) -> None:
    derived = derive_content_key(bytes(32), bytes(32), Context.offline())
    stored = seal_envelopes(derived, Context.offline(), [(n, KeyPair.generate().public_key) for n in range(3)])
    with fails_with(ContentError, "bad-content"):
        find_envelope(lambda offset, length: stored[offset : offset + length - 1], 3, 2)
