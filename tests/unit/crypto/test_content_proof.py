"""A proof of wrong content: made from what is published, judged here as the contract judges it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerbay_chain.core.errors import ContentError, DecryptionError
from numerbay_chain.crypto import container, merkle
from numerbay_chain.crypto.container import CHUNK_SIZE, Encryptor, chunk_count, leaf_hashes
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.crypto.content_proof import ContentProof, PathBuilder, ProofReader, convicts
from tests.support.codes import fails_with
from tests.support.noise import noise
from tests.support.vectors import reference as ref

KEY = ContentKey(123456789)
COMMITMENT = int.from_bytes(KEY.commitment, "big")


def sealed(plaintext: bytes) -> tuple[bytes, bytes]:
    encryptor = Encryptor(KEY)
    first, last = encryptor.update(plaintext), encryptor.finish()
    return first.ciphertext + last.ciphertext, first.commitments + last.commitments


def root_of(ciphertext: bytes, commitments: bytes) -> bytes:
    verifier = container.PublicVerifier(len(ciphertext))
    verifier.update(ciphertext, commitments)
    verifier.finish()
    return verifier.data_root


def proof_of(ciphertext: bytes, commitments: bytes, index: int, step: int = 5000) -> ContentProof:
    reader = ProofReader(len(ciphertext), index)
    for start in range(0, len(ciphertext), step):
        reader.update(ciphertext[start : start + step], commitments if start == 0 else b"")
    if not ciphertext:
        reader.update(b"", commitments)
    reader.finish()
    assert reader.data_root == root_of(ciphertext, commitments)
    return reader.proof(KEY)


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 12_288, 5 * 4096 + 17])
def test_an_honest_artifact_is_never_convicted(size: int) -> None:
    ciphertext, commitments = sealed(noise(size))
    root = root_of(ciphertext, commitments)
    for index in range(chunk_count(size)):
        assert not convicts(proof_of(ciphertext, commitments, index), size, root, COMMITMENT)


@pytest.mark.parametrize("size", [0, 1, 4097, 5 * 4096 + 17])
def test_a_chunk_that_is_not_what_was_committed_to_is_convicted_and_no_other(size: int) -> None:
    ciphertext, commitments = sealed(noise(size))
    bad = chunk_count(size) - 1
    altered = bytearray(commitments)
    altered[32 * bad] ^= 1
    root = root_of(ciphertext, bytes(altered))
    for index in range(chunk_count(size)):
        proof = proof_of(ciphertext, bytes(altered), index)
        assert convicts(proof, size, root, COMMITMENT) == (index == bad)


def test_a_leaf_of_another_length_than_the_size_demands_is_a_fault() -> None:
    ciphertext, commitments = sealed(noise(2 * CHUNK_SIZE))
    short = ciphertext[: CHUNK_SIZE - 1]
    leaves = [merkle.leaf_hash(commitments[:32] + short), merkle.leaf_hash(commitments[32:] + ciphertext[CHUNK_SIZE:])]
    proof = ContentProof(int.from_bytes(KEY.reveal(), "big"), 0, commitments[:32], short, (leaves[1],))

    assert convicts(proof, 2 * CHUNK_SIZE, merkle.MerkleTree(leaves).root, COMMITMENT)


def test_what_the_contract_refuses_is_refused_here() -> None:
    ciphertext, commitments = sealed(noise(3 * CHUNK_SIZE))
    root, proof = root_of(ciphertext, commitments), proof_of(ciphertext, commitments, 1)
    size = len(ciphertext)

    with pytest.raises(DecryptionError):
        convicts(replace(proof, content_key=proof.content_key + 1), size, root, COMMITMENT)
    for wrong in (
        replace(proof, index=0),
        replace(proof, index=3),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=(*proof.path, bytes(32))),
        replace(proof, commitment=bytes(32)),
        replace(proof, ciphertext=proof.ciphertext[:-1]),
    ):
        with pytest.raises(ContentError):
            convicts(wrong, size, root, COMMITMENT)


@settings(max_examples=60)
@given(st.integers(1, 200), st.data())
def test_a_path_that_was_built_in_pieces_is_the_whole_trees(count: int, data: st.DataObject) -> None:
    leaves = [b"leaf %d" % i for i in range(count)]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    index = data.draw(st.integers(0, count - 1))
    builder = PathBuilder(index, count)
    at = 0
    while at < count:
        step = data.draw(st.integers(1, 40))
        builder.add(hashes[at : at + step])
        at += step

    assert list(builder.path) == ref.merkle_path(leaves, index)


def test_a_path_needs_all_chunks() -> None:
    builder = PathBuilder(0, 3)
    builder.add([bytes(32)])
    with fails_with(ContentError, "bad-content", 1, 3):
        _ = builder.path
    with fails_with(ContentError, "bad-content", 3):
        PathBuilder(3, 3)


def test_a_proof_does_not_show_its_key() -> None:
    ciphertext, commitments = sealed(b"abc")
    proof = proof_of(ciphertext, commitments, 0)
    assert str(proof.content_key) not in f"{proof!r} {proof}"
    assert leaf_hashes([commitments], memoryview(ciphertext)) == [root_of(ciphertext, commitments)]
