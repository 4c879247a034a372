import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numerbay_chain.core import errors
from numerbay_chain.core.errors import ContentError, DecryptionError, RefusedError, WrongContentError
from numerbay_chain.crypto import container
from numerbay_chain.crypto.container import (
    MAX_SIZE,
    Decryptor,
    Encryptor,
    PublicVerifier,
    chunk_count,
    commitments_size,
)
from numerbay_chain.crypto.content_key import ContentKey
from tests.support.codes import fails_with
from tests.support.vectors import failures, load, why
from tests.support.vectors import reference as ref

KEY = ContentKey.from_bytes(hashlib.sha256(b"a content key for tests").digest())
plaintexts = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda size, seed: seed * size, st.integers(0, 13_000), st.binary(min_size=1, max_size=1)),
    st.sampled_from([4095, 4096, 4097, 8191, 8192, 8193]).map(ref.pattern),
)
cuttings = st.lists(st.integers(0, 5_000), max_size=8)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


def sealed(key: ContentKey, pieces: list[bytes]) -> tuple[bytes, bytes, bytes]:
    encryptor = Encryptor(key)
    parts = [*(encryptor.update(piece) for piece in pieces), encryptor.finish()]
    assert encryptor.size == sum(map(len, pieces))
    ciphertext, commitments = (
        b"".join(part) for part in zip(*((p.ciphertext, p.commitments) for p in parts), strict=True)
    )
    return ciphertext, commitments, encryptor.data_root


def opened(key: ContentKey, size: int, ciphertext: bytes, commitments: bytes) -> tuple[bytes, bytes]:
    decryptor = Decryptor(key, size)
    plaintext = decryptor.update(ciphertext, commitments)
    decryptor.finish()
    return plaintext, decryptor.data_root


@pytest.mark.parametrize("vector", load("container")["valid"], ids=lambda vector: str(vector["size"]))
def test_sealing_and_opening_match_the_vectors(vector: dict[str, Any]) -> None:
    key, plaintext = ContentKey.from_bytes(bytes.fromhex(vector["key"])), ref.pattern(vector["size"])
    ciphertext, commitments, root = sealed(key, [plaintext])
    assert [ciphertext.hex(), commitments.hex(), root.hex()] == [
        vector[name] for name in ("ciphertext", "commitments", "data_root")
    ]
    assert opened(key, vector["size"], ciphertext, commitments) == (plaintext, root)
    verifier = PublicVerifier(vector["size"])
    verifier.update(ciphertext, commitments)
    verifier.finish()
    assert verifier.data_root == root


@pytest.mark.parametrize("vector", failures("container"), ids=why)
def test_one_altered_thing_is_found_and_named(vector: dict[str, Any]) -> None:
    key = ContentKey.from_bytes(bytes.fromhex(vector["key"]))
    with pytest.raises((ContentError, DecryptionError)) as caught:
        opened(key, vector["size"], bytes.fromhex(vector["ciphertext"]), bytes.fromhex(vector["commitments"]))
    assert type(caught.value) is getattr(errors, vector["error"])
    if isinstance(caught.value, WrongContentError):
        assert caught.value.index == vector["index"]


@pytest.mark.parametrize("vector", failures("container"), ids=why)
def test_without_the_key_what_was_altered_shows_in_length_or_root(vector: dict[str, Any]) -> None:
    if vector["why"] == "another key":
        return  # nothing was altered
    good = load("container")["base"]
    verifiers = [PublicVerifier(8_200), PublicVerifier(8_200)]
    verifiers[0].update(bytes.fromhex(good["ciphertext"]), bytes.fromhex(good["commitments"]))
    try:
        verifiers[1].update(bytes.fromhex(vector["ciphertext"]), bytes.fromhex(vector["commitments"]))
        verifiers[1].finish()
    except ContentError:
        assert vector["error"] == "ContentError"
    else:
        assert verifiers[0].data_root != verifiers[1].data_root


@given(plaintexts, cuttings, cuttings, cuttings)
def test_any_bytes_come_back_however_they_are_cut(
    plaintext: bytes, in_cuts: list[int], text_cuts: list[int], promise_cuts: list[int]
) -> None:
    ciphertext, commitments, root = sealed(KEY, cut(plaintext, in_cuts))
    assert len(ciphertext) == len(plaintext)
    assert len(commitments) == commitments_size(len(plaintext))
    texts, promises = cut(ciphertext, text_cuts), cut(commitments, promise_cuts)
    decryptor, out = Decryptor(KEY, len(plaintext)), b""
    for number in range(max(len(texts), len(promises))):
        text = texts[number] if number < len(texts) else b""
        out += decryptor.update(text, promises[number] if number < len(promises) else b"")
    decryptor.finish()
    assert out == plaintext
    assert decryptor.data_root == root


def test_buffers_can_be_reused_at_once(key: ContentKey) -> None:
    plaintext = ref.pattern(3 << 20)
    ciphertext, commitments, root = sealed(key, [plaintext])
    verifier, encryptor, buffer = PublicVerifier(len(plaintext)), Encryptor(key), bytearray(1 << 20)
    for start in range(0, len(plaintext), 1 << 20):
        buffer[:] = plaintext[start : start + (1 << 20)]
        encryptor.update(buffer)
        buffer[:] = ciphertext[start : start + (1 << 20)]
        verifier.update(buffer, commitments[start // 128 : start // 128 + 8192])
        buffer[:] = bytes(1 << 20)
    encryptor.finish()
    verifier.finish()
    assert verifier.data_root == encryptor.data_root == root


@given(st.integers(0, 9_000), st.data())
@settings(max_examples=60)
def test_no_flipped_bit_survives(size: int, data: st.DataObject) -> None:
    ciphertext, commitments, root = sealed(KEY, [ref.pattern(size)])
    both = bytearray(ciphertext + commitments)
    place = data.draw(st.integers(0, len(both) - 1))
    both[place] ^= data.draw(st.sampled_from([1, 2, 16, 128]))
    altered = bytes(both[:size]), bytes(both[size:])
    chunk = place // 4096 if place < size else (place - size) // 32
    with pytest.raises(WrongContentError) as caught:
        opened(KEY, size, *altered)
    assert caught.value.index == chunk
    verifier = PublicVerifier(size)
    verifier.update(*altered)
    verifier.finish()
    assert verifier.data_root != root


def test_the_keystream_is_rfc_8439s_from_block_one(key: ContentKey) -> None:
    ciphertext, _, _ = sealed(key, [bytes(130)])
    blocks = b"".join(ref.chacha20_block(key.stream_key, counter) for counter in (1, 2, 3))
    assert ciphertext == blocks[:130]


def test_rfc_8439s_own_vector_holds_for_the_library_and_the_reference() -> None:
    key, nonce = bytes(range(32)), bytes.fromhex("000000000000004a00000000")  # RFC 8439 §2.4.2
    text = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        b"sunscreen would be it."
    )
    expected = "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b357"
    library = Cipher(algorithms.ChaCha20(key, (1).to_bytes(4, "little") + nonce), None).encryptor().update(text)
    stream = ref.chacha20_block(key, 1, nonce) + ref.chacha20_block(key, 2, nonce)
    assert library.hex().startswith(expected)
    assert library == bytes(a ^ b for a, b in zip(text, stream, strict=False))


def test_equal_chunks_have_commitments_that_tell_nothing(key: ContentKey) -> None:
    _, commitments, _ = sealed(key, [bytes(4096 * 4)])
    assert len({commitments[i : i + 32] for i in range(0, 128, 32)}) == 4


def test_the_same_file_under_another_key_is_another_artifact(new_key: Callable[[int], ContentKey]) -> None:
    (text, promises, root), (other_text, other_promises, other_root) = (
        sealed(new_key(number), [ref.pattern(5000)]) for number in (1, 2)
    )
    assert text != other_text
    assert promises != other_promises
    assert root != other_root


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 1), (4096, 1), (4097, 2), (MAX_SIZE, 2**26)])
def test_a_size_has_one_number_of_chunks(size: int, count: int) -> None:
    assert chunk_count(size) == count
    assert commitments_size(size) == 32 * count


def test_the_largest_artifact_is_as_large_as_the_block_counter_allows() -> None:
    blocks = -(-MAX_SIZE // 64)
    assert 1 + blocks == 2**32  # counters 1 to 2^32 - 1


def test_more_than_the_block_counter_allows_is_refused(monkeypatch: pytest.MonkeyPatch, key: ContentKey) -> None:
    monkeypatch.setattr(container, "MAX_SIZE", 10_000)  # the real one would take 256 GiB
    encryptor = Encryptor(key)
    encryptor.update(bytes(10_000))
    with fails_with(RefusedError, "too-large"):
        encryptor.update(b"x")


@pytest.mark.parametrize("size", [-1, MAX_SIZE + 1])
def test_no_artifact_of_an_impossible_size_is_opened(size: int, key: ContentKey) -> None:
    with pytest.raises(ContentError):
        Decryptor(key, size)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(missing=st.integers(1, 9_000))
def test_plaintext_of_a_cut_ciphertext_never_counts_as_complete(missing: int, key: ContentKey) -> None:
    ciphertext, commitments, _ = sealed(key, [ref.pattern(9_000)])
    decryptor = Decryptor(key, 9_000)
    plaintext = decryptor.update(ciphertext[: 9_000 - missing], commitments)
    assert plaintext == ref.pattern(9_000)[: len(plaintext)]
    with fails_with(ContentError, "bad-content"):
        decryptor.finish()


def test_a_finished_container_takes_nothing_more(key: ContentKey) -> None:
    encryptor = Encryptor(key)
    with fails_with(ValueError):
        _ = encryptor.data_root
    encryptor.finish()
    for call in (encryptor.finish, lambda: encryptor.update(b"")):
        with fails_with(ValueError):
            call()
