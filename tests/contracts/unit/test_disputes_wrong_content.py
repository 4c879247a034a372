"""Whoever holds the content key proves that a release is not what was committed to; the honest are not convicted."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.unit.words import moved, only, refused
from tests.support.evm.disputes import (
    CHUNK,
    Dispute,
    Key,
    Sealed,
    challengeable,
    content_key,
    seal,
    seal_one_of,
    spoiled,
)
from tests.support.evm.world import HOUR, World, manifest
from tests.support.vectors.reference import H, N

FILE = bytes(i % 251 for i in range(3 * CHUNK + 1000))  # the last chunk is a partial one
OTHER = b"\xee" * CHUNK


def released(world: World, content: Sealed, **terms: Any) -> Dispute:
    return challengeable(world, content=content, **terms)


class TestFault:
    def test_marks_the_round_at_this_moment_and_moves_no_money(self, world: World) -> None:
        dispute = released(world, seal(FILE, instead={2: OTHER}))
        assert world.market.faultyAt(dispute.listing, 0) == 0
        receipts = []
        assert moved(world, lambda: receipts.append(dispute.prove_content(2))) == {}
        now = world.chain.now
        assert only(receipts[0], "RoundFaulty") == {
            "listing": dispute.listing, "round": 0, "chunk": 2, "faultyAt": now,
        }  # fmt: skip
        assert world.market.faultyAt(dispute.listing, 0) == now
        assert not world.market.isMissed(dispute.listing, 0)

    @pytest.mark.parametrize("by", ["buyer", "seller", "operator", "stranger"])
    def test_anyone_may_prove_it(self, world: World, by: str) -> None:
        dispute = released(world, spoiled())
        arguments = (dispute.listing, 0, dispute.content.manifest, dispute.content.proof())
        world.market.proveWrongContent(*arguments, sender=world.accounts[by])
        assert world.market.faultyAt(dispute.listing, 0) == world.chain.now

    @pytest.mark.parametrize(
        ("content", "index"),
        [
            pytest.param(seal(FILE, instead={0: OTHER}), 0, id="first chunk"),
            pytest.param(seal(FILE, instead={3: OTHER[:1000]}), 3, id="last chunk, a partial one"),
            pytest.param(seal(FILE, instead={1: FILE[CHUNK : 2 * CHUNK - 1] + b"!"}), 1, id="last byte of a chunk"),
            pytest.param(seal(FILE, instead={1: FILE[:CHUNK]}), 1, id="another chunk of the same file"),
            pytest.param(seal(b"one", instead={0: b"two"}), 0, id="single chunk"),
            pytest.param(seal(FILE, instead={1: FILE[CHUNK : 2 * CHUNK - 1]}), 1, id="leaf too short"),
            pytest.param(seal(FILE, instead={1: FILE[CHUNK : 2 * CHUNK] + b"!"}), 1, id="leaf too long"),
            pytest.param(seal(FILE, instead={1: b""}), 1, id="empty leaf"),
            pytest.param(seal(FILE, instead={3: FILE[3 * CHUNK :] + b"!"}), 3, id="last leaf too long"),
            pytest.param(seal(FILE, instead={3: FILE[3 * CHUNK : -1]}), 3, id="last leaf too short"),
            pytest.param(seal(b"", instead={0: b"!"}), 0, id="empty file with a byte in it"),
            pytest.param(seal_one_of(2**20, 2**20 - 1, OTHER, instead=FILE[:CHUNK]), 2**20 - 1, id="last of 4 GiB"),
            pytest.param(seal_one_of(2**20, 777_777, OTHER, instead=FILE[:CHUNK]), 777_777, id="one of 4 GiB"),
        ],
    )
    def test_of_every_kind_is_found_and_nothing_else(self, world: World, content: Sealed, index: int) -> None:
        dispute = released(world, content)
        for other in set(content.chunks) - {index}:
            with refused("ContentIsRight", other):
                dispute.prove_content(other)
        dispute.prove_content(index)
        assert world.market.faultyAt(dispute.listing, 0) == world.chain.now

    def test_a_second_proof_does_not_move_the_mark(self, world: World) -> None:
        dispute = released(world, seal(FILE, instead={0: OTHER, 1: OTHER}))
        dispute.prove_content(0)
        marked = world.chain.now
        world.chain.advance(HOUR)
        for index in (0, 1):
            with refused("AlreadyFaulty", marked):
                dispute.prove_content(index)
        assert world.market.faultyAt(dispute.listing, 0) == marked

    def test_has_no_deadline(self, world: World) -> None:
        dispute = released(world, spoiled())
        world.chain.advance(10**8)
        dispute.prove_content()
        assert world.market.faultyAt(dispute.listing, 0) == world.chain.now


class TestTheHonestSeller:
    @pytest.mark.parametrize(
        "content",
        [seal(FILE), seal(FILE[: 2 * CHUNK]), seal(FILE[:CHUNK]), seal(FILE[: CHUNK + 1]), seal(b"x"), seal(b"")],
        ids=lambda content: f"{len(content.chunks)} chunks",
    )
    def test_is_not_convicted_of_any_chunk(self, world: World, content: Sealed) -> None:
        dispute = released(world, content)
        for index in content.chunks:
            with refused("ContentIsRight", index):
                dispute.prove_content(index)
        assert world.market.faultyAt(dispute.listing, 0) == 0

    @pytest.mark.parametrize(("count", "index"), [(2**20, 0), (2**20, 2**20 - 1), (2**25, 2**25 - 1), (2**25, 12345)])
    def test_is_not_convicted_of_a_chunk_of_a_large_artifact(self, world: World, count: int, index: int) -> None:
        dispute = released(world, seal_one_of(count, index, OTHER))
        with refused("ContentIsRight", index):
            dispute.prove_content(index)

    @pytest.mark.parametrize(
        "wrong",
        [lambda k: 0, lambda k: k + 1, lambda k: N - k, lambda k: N, lambda k: 2**256 - 1],
        ids=["zero", "k + 1", "a sign not normalised (k)", "the order of the group", "the largest number"],
    )
    def test_is_not_convicted_with_another_key(self, world: World, wrong: Callable[[int], int]) -> None:
        dispute = released(world, seal(FILE))
        with refused("NotTheContentKey", dispute.content.key.x):
            dispute.prove_content(key=wrong(dispute.content.key.secret))

    def test_is_not_convicted_with_k_plus_n(self, world: World) -> None:
        key = Key.of(1)
        honest = seal(b"x")
        text = honest.manifest[:32] + key.x.to_bytes(32, "big") + honest.manifest[64:]
        dispute = released(world, Sealed(key, text, honest.chunks))
        with refused("NotTheContentKey", key.x):
            dispute.prove_content(key=1 + N)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"ciphertext": OTHER}, id="another ciphertext"),
            pytest.param({"ciphertext": b""}, id="no ciphertext"),
            pytest.param({"commitment": bytes(32)}, id="another commitment"),
            pytest.param({"index": 0}, id="another index"),
            pytest.param({"index": 2}, id="the last index"),
            pytest.param({"path": (bytes(32), bytes(32))}, id="another path"),
        ],
    )
    def test_is_not_convicted_of_what_he_did_not_publish(self, world: World, change: dict[str, Any]) -> None:
        dispute = released(world, seal(FILE[: 2 * CHUNK + 9]))
        with refused("WrongPathLength" if change == {"index": 2} else "NotInTree"):  # the third rises without a sibling
            dispute.prove_content(1, **change)

    @pytest.mark.parametrize("index", [4, 5, 2**64, 2**255, 2**256 - 1])
    def test_is_not_convicted_of_a_chunk_that_is_not_there(self, world: World, index: int) -> None:
        dispute = released(world, seal(FILE))
        with refused("NoSuchLeaf", index, 4):
            dispute.prove_content(3, index=index)

    @pytest.mark.parametrize("length", [0, 1, 3, 21])
    def test_is_not_convicted_with_a_path_of_another_length(self, world: World, length: int) -> None:
        dispute = released(world, seal(FILE))
        path = (dispute.content.chunks[0].path * 11)[:length]
        with refused("WrongPathLength", length):
            dispute.prove_content(0, path=path)

    def test_is_not_convicted_of_a_node_passed_as_a_leaf(self, world: World) -> None:
        """Its children, 64 bytes, are as long as a commitment and a ciphertext of 32: the prefix tells them apart."""
        content = seal(FILE)
        leaves = [H(b"\0", chunk.commitment, chunk.ciphertext) for chunk in content.chunks.values()]
        dispute = released(world, content)
        with refused("WrongPathLength", 1):
            dispute.prove_content(0, commitment=leaves[0], ciphertext=leaves[1], path=content.chunks[0].path[1:])
        small = released(world, seal(FILE[: CHUNK + 1]))
        first, last = (H(b"\0", chunk.commitment, chunk.ciphertext) for chunk in small.content.chunks.values())
        with refused("WrongPathLength", 0):
            small.prove_content(0, commitment=first, ciphertext=last, path=())
        # The same as the only leaf of an artifact whose root is that node.
        text = seal(b"x" * 32).manifest
        single = Sealed(content_key(0), text[:96] + H(b"\1", first, last) + text[128:], small.content.chunks)
        dispute = released(world, single)
        with refused("NotInTree"):
            dispute.prove_content(0, commitment=first, ciphertext=last, path=())

    def test_is_not_convicted_by_another_manifest(self, world: World) -> None:
        dispute = released(world, seal(FILE))
        bad = spoiled(1)
        for text in (bad.manifest, dispute.content.manifest + b"\0", b""):
            with refused("WrongManifest", dispute.content.content_hash, Sealed(bad.key, text, {}).content_hash):
                world.market.proveWrongContent(dispute.listing, 0, text, bad.proof(), sender=world.stranger)


class TestWhere:
    def test_not_in_a_listing_that_is_not_adjudicated_or_not_there(self, world: World) -> None:
        dispute = released(world, spoiled(), disputeWindow=0, responseWindow=0)
        for listing in (dispute.listing, 0, 99):
            with refused("NotAdjudicated", listing):
                arguments = (listing, 0, dispute.content.manifest, dispute.content.proof())
                world.market.proveWrongContent(*arguments, sender=world.stranger)

    def test_not_in_a_listing_of_copies(self, world: World) -> None:
        dispute = released(world, spoiled(), copies=True)
        with refused("WrongManifest", bytes(32), dispute.content.content_hash):
            dispute.prove_content()

    def test_not_of_a_round_that_was_missed_or_is_to_come(self, world: World) -> None:
        bad = spoiled(0)
        listing = world.list()
        world.market.skip(listing, 0, sender=world.seller)
        for round_ in (0, 1):
            with refused("WrongManifest", bytes(32), bad.content_hash):
                world.market.proveWrongContent(listing, round_, bad.manifest, bad.proof(), sender=world.stranger)
        assert world.market.isMissed(listing, 0)
        assert world.market.faultyAt(listing, 0) == 0

    def test_not_of_another_round(self, world: World) -> None:
        dispute = released(world, spoiled(), rounds=2)
        world.release(dispute.listing)
        expected = Sealed(content_key(1), manifest(1), {}).content_hash
        with refused("WrongManifest", expected, dispute.content.content_hash):
            arguments = (dispute.listing, 1, dispute.content.manifest, dispute.content.proof())
            world.market.proveWrongContent(*arguments, sender=world.stranger)
