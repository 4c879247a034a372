import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core import errors
from numerbay_chain.core.errors import ContentError
from numerbay_chain.crypto.merkle import MerkleTree, leaf_hash, node_hash, root_from_path
from tests.support.vectors import failures, load, why
from tests.support.vectors import reference as ref

leaf_lists = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


@pytest.mark.parametrize("vector", load("merkle")["valid"])
def test_roots_and_paths_match_the_vectors(vector: dict[str, Any]) -> None:
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in vector["leaves"]]
    root = bytes.fromhex(vector["root"])
    assert MerkleTree(hashes).root == root
    for index, path in enumerate(vector["paths"]):
        steps = [bytes.fromhex(step) for step in path]
        assert root_from_path(hashes[index], index, len(hashes), steps) == root


@pytest.mark.parametrize("vector", failures("merkle"), ids=why)
def test_a_path_that_fits_no_such_tree_is_refused(vector: dict[str, Any]) -> None:
    path = [bytes.fromhex(step) for step in vector["path"]]
    with pytest.raises(getattr(errors, vector["error"])):
        root_from_path(leaf_hash(bytes.fromhex(vector["leaf"])), vector["index"], vector["count"], path)


@given(leaf_lists, st.lists(st.integers(0, 9), max_size=20))
def test_the_root_does_not_depend_on_how_leaves_come(leaves: list[bytes], cuts: list[int]) -> None:
    tree, start = MerkleTree(), 0
    for cut in cuts:
        tree.extend(map(leaf_hash, leaves[start : start + cut]))
        start += cut
    tree.extend(map(leaf_hash, leaves[start:]))
    assert tree.count == len(leaves)
    assert tree.root == ref.merkle_root(leaves)


@given(leaf_lists, st.data())
def test_every_path_leads_to_the_root_and_no_other_place(leaves: list[bytes], data: st.DataObject) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = ref.merkle_path(leaves, index)
    root = MerkleTree(hashes).root
    assert root_from_path(hashes[index], index, len(leaves), path) == root
    for number, other in enumerate(hashes):
        if other != hashes[index]:
            assert root_from_path(other, index, len(leaves), path) != root
            assert _leads_nowhere_or_elsewhere(hashes[index], number, len(leaves), path, root)


def _leads_nowhere_or_elsewhere(leaf: bytes, index: int, count: int, path: list[bytes], root: bytes) -> bool:
    try:
        return root_from_path(leaf, index, count, path) != root
    except ContentError:
        return True  # that leaf lies at another depth


def test_no_leaves_have_the_hash_of_nothing() -> None:
    assert MerkleTree().root == hashlib.sha256(b"").digest()


def test_a_node_can_not_pass_for_a_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)
