"""ChaCha20.xor: RFC 8439's vectors, and `cryptography`'s cipher for everything else."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.contracts.libraries.rfc8439 import VECTORS, Vector
from tests.support.evm import Contract

LAST_BLOCK = 2**32 - 1


def by_cryptography(key: bytes, counter: int, nonce: bytes, data: bytes) -> bytes:
    return Cipher(algorithms.ChaCha20(key, counter.to_bytes(4, "little") + nonce), mode=None).encryptor().update(data)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.place)
def test_the_rfc_s_vectors_come_out(judge: Contract, vector: Vector) -> None:
    stream = (vector.key, vector.counter, vector.nonce)
    assert by_cryptography(*stream, vector.plaintext) == vector.ciphertext, "the vector was copied wrongly"
    assert judge.xor(*stream, vector.plaintext) == vector.ciphertext
    assert judge.xor(*stream, vector.ciphertext) == vector.plaintext


@pytest.mark.parametrize("length", [*range(70), 127, 128, 129, 4031, 4032, 4033, 4095, 4096])
def test_any_length_is_encrypted_to_its_last_byte(judge: Contract, length: int) -> None:
    key, nonce = bytes(range(100, 132)), bytes(range(12))
    data = bytes(i * 7 % 256 for i in range(length))
    assert judge.xor(key, 5, nonce, data) == by_cryptography(key, 5, nonce, data)


words = st.sampled_from([bytes(4), b"\xff" * 4]) | st.binary(min_size=4, max_size=4)
keys = st.binary(min_size=32, max_size=32) | st.lists(words, min_size=8, max_size=8).map(b"".join)
nonces = st.binary(min_size=12, max_size=12) | st.lists(words, min_size=3, max_size=3).map(b"".join)


@given(key=keys, nonce=nonces, counter=st.integers(0, LAST_BLOCK - 8), data=st.binary(max_size=300))
@example(key=b"\xff" * 32, nonce=b"\xff" * 12, counter=LAST_BLOCK - 8, data=b"\xff" * 512)
@example(key=bytes(32), nonce=bytes(12), counter=0, data=bytes(512))
@settings(max_examples=200)
def test_it_agrees_with_another_implementation(
    judge: Contract, key: bytes, nonce: bytes, counter: int, data: bytes
) -> None:
    assert judge.xor(key, counter, nonce, data) == by_cryptography(key, counter, nonce, data)


def test_the_block_counter_wraps_without_touching_the_nonce(judge: Contract) -> None:
    key, nonce, data = bytes(range(32)), b"\x01" * 12, bytes(128)
    last, first = (by_cryptography(key, counter, nonce, bytes(64)) for counter in (LAST_BLOCK, 0))
    assert judge.xor(key, LAST_BLOCK, nonce, data) == last + first
