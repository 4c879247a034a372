"""ContentJudge.isFaulty, against the container that the package writes."""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerbay_chain.crypto import merkle
from numerbay_chain.crypto.container import CHUNK_SIZE, Encryptor
from numerbay_chain.crypto.content_key import ContentKey
from tests.contracts.libraries.judging import of_content
from tests.support.evm import Account, Contract, CustomError, Reverted
from tests.support.vectors import reference as rfc

KEY = ContentKey(0x1234_5678_9ABC_DEF0_1234_5678_9ABC_DEF0)
LENGTHS = (0, 1, 63, 64, 65, 4095, 4096, 4097, 8192, 3 * 4096 + 100)


@dataclass(frozen=True)
class Published:
    """What a seller has published: leaves are `commitment ‖ ciphertext` of each chunk."""

    size: int
    leaves: tuple[bytes, ...]
    key: ContentKey = KEY

    @property
    def root(self) -> bytes:
        return merkle.MerkleTree(map(merkle.leaf_hash, self.leaves)).root

    def proof(self, index: int) -> dict[str, Any]:
        leaf = self.leaves[index]
        return {
            "contentKey": int.from_bytes(self.key.reveal(), "big"), "index": index, "size": self.size,
            "dataRoot": self.root, "ciphertextChunk": leaf[32:], "commitment": leaf[:32],
            "path": rfc.merkle_path(list(self.leaves), index),
        }  # fmt: skip

    def with_leaf(self, index: int, leaf: bytes) -> "Published":
        return replace(self, leaves=(*self.leaves[:index], leaf, *self.leaves[index + 1 :]))


def published(size: int, key: ContentKey = KEY) -> Published:
    plaintext = bytes(i * 31 % 251 for i in range(size))
    encryptor = Encryptor(key)
    first, rest = encryptor.update(plaintext), encryptor.finish()
    ciphertext, commitments = first.ciphertext + rest.ciphertext, first.commitments + rest.commitments
    leaves = tuple(
        commitments[32 * i : 32 * i + 32] + ciphertext[CHUNK_SIZE * i : CHUNK_SIZE * (i + 1)]
        for i in range(len(commitments) // 32)
    )
    made = Published(size, leaves, key)
    assert made.root == encryptor.data_root
    return made


def is_faulty(judge: Contract, proof: dict[str, Any], **changes: Any) -> bool:
    return bool(judge.isFaulty(*of_content(*(proof | changes).values())))


def refusal(judge: Contract, proof: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(CustomError) as error:
        is_faulty(judge, proof, **changes)
    return error.value.name


def flip(data: bytes, place: int = -1) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("size", LENGTHS)
def test_no_chunk_of_an_honest_file_is_faulty(judge: Contract, size: int) -> None:
    file = published(size)
    assert not any(is_faulty(judge, file.proof(index)) for index in range(len(file.leaves)))


@pytest.mark.parametrize("size", [size for size in LENGTHS if size])
@pytest.mark.parametrize("place", [32, -1])
def test_ciphertext_that_decrypts_to_something_else_is_faulty(judge: Contract, size: int, place: int) -> None:
    last = len(published(size).leaves) - 1
    file = published(size).with_leaf(last, flip(published(size).leaves[last], place))
    assert is_faulty(judge, file.proof(last))
    assert not any(is_faulty(judge, file.proof(index)) for index in range(last))


@pytest.mark.parametrize("size", LENGTHS)
def test_another_commitment_is_faulty(judge: Contract, size: int) -> None:
    file = published(size).with_leaf(0, flip(published(size).leaves[0], 0))
    assert is_faulty(judge, file.proof(0))


def test_chunks_in_another_order_are_faulty(judge: Contract) -> None:
    file = published(3 * CHUNK_SIZE)
    swapped = replace(file, leaves=(file.leaves[1], file.leaves[0], file.leaves[2]))
    assert [is_faulty(judge, swapped.proof(index)) for index in range(3)] == [True, True, False]


@pytest.mark.parametrize("size", LENGTHS)
@pytest.mark.parametrize("more", [-1, 1, 64])
def test_a_chunk_of_another_length_than_the_size_demands_is_faulty(judge: Contract, size: int, more: int) -> None:
    honest = published(size)
    last = len(honest.leaves) - 1
    leaf = honest.leaves[last][:more] if more < 0 else honest.leaves[last] + bytes(more)
    if len(leaf) < 32:
        return  # an empty chunk has no byte to leave out
    assert is_faulty(judge, honest.with_leaf(last, leaf).proof(last))


@pytest.mark.parametrize("size", [1, 4097])
def test_a_commitment_to_the_wrong_length_does_not_make_it_right(judge: Contract, size: int) -> None:
    """The longer file is sealed well, but its manifest promises less."""
    longer = published(size + 1)
    file, last = replace(longer, size=size), len(longer.leaves) - 1
    assert not is_faulty(judge, longer.proof(last))
    assert is_faulty(judge, file.proof(last))


def test_what_the_seller_did_not_publish_proves_nothing(judge: Contract) -> None:
    proof = published(3 * CHUNK_SIZE + 5).proof(1)
    assert refusal(judge, proof, ciphertextChunk=flip(proof["ciphertextChunk"])) == "NotInTree"
    assert refusal(judge, proof, ciphertextChunk=proof["ciphertextChunk"][:-1]) == "NotInTree"
    assert refusal(judge, proof, commitment=flip(proof["commitment"])) == "NotInTree"
    assert refusal(judge, proof, dataRoot=flip(proof["dataRoot"])) == "NotInTree"
    for place, step in enumerate(proof["path"]):
        path = [*proof["path"][:place], flip(step), *proof["path"][place + 1 :]]
        assert refusal(judge, proof, path=path) == "NotInTree"


def test_a_chunk_is_judged_under_its_own_index_only(judge: Contract) -> None:
    file = published(3 * CHUNK_SIZE + 5)
    for index in (0, 2, 3):
        assert refusal(judge, file.proof(1), index=index) == "NotInTree"
    for index in (4, 2**64, 2**256 - 1):
        assert refusal(judge, file.proof(1), index=index) == "NoSuchLeaf"


def test_a_path_of_the_wrong_length_is_refused(judge: Contract) -> None:
    proof = published(3 * CHUNK_SIZE + 5).proof(1)
    assert refusal(judge, proof, path=proof["path"][:-1]) == "WrongPathLength"
    assert refusal(judge, proof, path=[*proof["path"], bytes(32)]) == "WrongPathLength"
    alone = published(7).proof(0)
    assert refusal(judge, alone, path=[bytes(32)]) == "WrongPathLength"


def test_a_node_is_not_a_leaf(judge: Contract) -> None:
    """Two leaves' hashes, passed off as commitment and ciphertext of a tree that is one level lower."""
    file = published(4 * CHUNK_SIZE)
    hashes = [merkle.leaf_hash(leaf) for leaf in file.leaves]
    proof = file.proof(0)
    node = proof | {"commitment": hashes[0], "ciphertextChunk": hashes[1]}
    assert refusal(judge, node, path=proof["path"][1:]) == "WrongPathLength"
    assert refusal(judge, node, path=proof["path"][1:], size=2 * CHUNK_SIZE) == "NotInTree"


def test_a_root_over_another_number_of_chunks_is_refused(judge: Contract) -> None:
    """A manifest whose size does not fit its tree: nobody can prove a chunk, and everybody sees it before the key."""
    proof = published(4 * CHUNK_SIZE).proof(0)
    assert refusal(judge, proof, size=CHUNK_SIZE) == "WrongPathLength"
    assert refusal(judge, proof, size=0) == "WrongPathLength"


def test_the_last_chunk_of_the_largest_file_has_a_block_counter(judge: Contract) -> None:
    """2^38 - 64 bytes: the last chunk is one block short, and its last block is number 2^32 - 1."""
    size, index = 2**38 - 64, 2**26 - 1
    salt = sha256(KEY.salt_key + index.to_bytes(8, "big")).digest()
    counter = 1 + 64 * index
    plaintext = b"\x5a" * (CHUNK_SIZE - 64)
    ciphertext = judge.xor(KEY.stream_key, counter, bytes(12), plaintext)
    commitment = sha256(b"\x02" + salt + plaintext).digest()
    path = [sha256(b"%d" % i).digest() for i in range(26)]
    for chunk, faulty in ((ciphertext, False), (flip(ciphertext), True)):
        root = merkle.root_from_path(merkle.leaf_hash(commitment + chunk), index, 2**26, path)
        scalar = int.from_bytes(KEY.reveal(), "big")
        assert judge.isFaulty(*of_content(scalar, index, size, root, chunk, commitment, path)) is faulty


@given(size=st.integers(0, 3 * CHUNK_SIZE), secret=st.integers(1, 2**256 - 2**129), data=st.data())
@settings(max_examples=40)
def test_a_single_bit_decides(judge: Contract, size: int, secret: int, data: st.DataObject) -> None:
    honest = published(size, ContentKey(secret))
    index = data.draw(st.integers(0, len(honest.leaves) - 1))
    place = data.draw(st.integers(0, len(honest.leaves[index]) - 1))
    assert not is_faulty(judge, honest.proof(index))
    assert is_faulty(judge, honest.with_leaf(index, flip(honest.leaves[index], place)).proof(index))


@pytest.mark.parametrize("size", [0, 70])
def test_an_honest_chunk_is_never_faulty_for_lack_of_gas(judge: Contract, size: int) -> None:
    sender = Account.named("stranger")
    judge.chain.fund(sender)
    data = judge.kind.functions["isFaulty"].encode(*of_content(*published(size).proof(0).values()))
    enough = judge.chain.transact(sender, judge.address, data).gas_used + 200
    answers, failures = set(), 0
    for gas in range(21_000, enough):
        try:
            answers.add(judge.chain.transact(sender, judge.address, data, gas=gas).output)
        except (Reverted, RuntimeError):
            failures += 1
    assert failures > 1000
    assert answers == {bytes(32)}
