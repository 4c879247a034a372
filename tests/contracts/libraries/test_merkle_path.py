"""MerklePath.root, against the package's and against RFC 6962's own recursive definition."""

import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerbay_chain.core.errors import ContentError
from numerbay_chain.crypto import merkle
from tests.contracts.unit.words import refused
from tests.support.evm import Contract, CustomError
from tests.support.vectors import reference as rfc

DEEP = 2**26


def leaves(count: int) -> list[bytes]:
    return [b"leaf %d" % i for i in range(count)]


def hashes(count: int) -> list[bytes]:
    return [merkle.leaf_hash(leaf) for leaf in leaves(count)]


def path_length(index: int, count: int) -> int:
    """RFC 6962 §2.1.1: how many halves are set aside on the way down to the leaf."""
    if count == 1:
        return 0
    half = 1 << (count - 1).bit_length() - 1
    return 1 + (path_length(index, half) if index < half else path_length(index - half, count - half))


def root_by_descent(leaf: bytes, index: int, count: int, path: list[bytes]) -> bytes:
    """RFC 6962 §2.1.1 read backwards: the last of the path is the half that the root's split set aside."""
    if count == 1:
        assert not path
        return leaf
    half = 1 << (count - 1).bit_length() - 1
    if index < half:
        return rfc_node(root_by_descent(leaf, index, half, path[:-1]), path[-1])
    return rfc_node(path[-1], root_by_descent(leaf, index - half, count - half, path[:-1]))


def rfc_node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("count", range(1, 71))
def test_every_leaf_of_every_small_tree_leads_to_the_root(judge: Contract, count: int) -> None:
    all_hashes, root = hashes(count), rfc.merkle_root(leaves(count))
    for index, leaf in enumerate(all_hashes):
        path = rfc.merkle_path(leaves(count), index)
        assert judge.root(leaf, index, count, path) == root == merkle.root_from_path(leaf, index, count, path)


@given(count=st.integers(1, DEEP) | st.sampled_from([DEEP, DEEP - 1, 2**25 + 1]), data=st.data())
@settings(max_examples=100)
def test_a_path_of_a_large_tree_is_folded_as_the_rfc_says(judge: Contract, count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1) | st.sampled_from([0, count - 1]))
    leaf, length = random.Random(count).randbytes(32), path_length(index, count)
    path = [sha256(b"%d" % i).digest() for i in range(length)]
    root = root_by_descent(leaf, index, count, path)
    assert judge.root(leaf, index, count, path) == root == merkle.root_from_path(leaf, index, count, path)
    for wrong in (path[:-1], [*path, leaf]):
        if len(wrong) != length:
            with pytest.raises(CustomError) as error:
                judge.root(leaf, index, count, wrong)
            assert error.value.name == "WrongPathLength"
            with pytest.raises(ContentError):
                merkle.root_from_path(leaf, index, count, wrong)


@given(count=st.integers(1, 70), data=st.data())
def test_a_path_leads_from_no_other_place_to_the_root(judge: Contract, count: int, data: st.DataObject) -> None:
    all_hashes, root = hashes(count), rfc.merkle_root(leaves(count))
    index = data.draw(st.integers(0, count - 1))
    path = rfc.merkle_path(leaves(count), index)
    for other in range(count):
        if other == index:
            continue
        assert judge.root(all_hashes[other], index, count, path) != root
        if path_length(other, count) == len(path):
            assert judge.root(all_hashes[index], other, count, path) != root
        else:
            with refused("WrongPathLength"):
                judge.root(all_hashes[index], other, count, path)


@pytest.mark.parametrize(("index", "count"), [(0, 0), (1, 1), (7, 7), (2**256 - 1, 7)])
def test_a_leaf_behind_the_last_one_is_refused(judge: Contract, index: int, count: int) -> None:
    with pytest.raises(CustomError) as error:
        judge.root(bytes(32), index, count, [bytes(32)] * 3)
    assert (error.value.name, error.value.arguments) == ("NoSuchLeaf", (index, count))


@given(commitment=st.binary(min_size=32, max_size=32), ciphertext=st.binary(max_size=200))
def test_a_leaf_is_commitment_and_ciphertext(judge: Contract, commitment: bytes, ciphertext: bytes) -> None:
    assert judge.leafHash(commitment, ciphertext) == merkle.leaf_hash(commitment + ciphertext)
