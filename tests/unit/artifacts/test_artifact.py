"""Sealing a file, and what a buyer checks of it without the key."""

import dataclasses
import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.seal import SealedArtifact, seal
from numerbay_chain.artifacts.unseal import unseal
from numerbay_chain.artifacts.verify import check
from numerbay_chain.core.errors import (
    AccountError,
    ContentError,
    NetworkError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from numerbay_chain.crypto.content_key import derive_content_key
from numerbay_chain.crypto.details import Details
from numerbay_chain.ipfs import Cid, EmbeddedStore, GatewayStore
from tests.support.codes import fails_with
from tests.support.sealing import CONTEXT, SECRET, alter, codes, full_disk
from tests.support.vectors import reference as ref


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_000])
def test_a_file_walks_in_and_out_again(size: int, store: EmbeddedStore, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(ref.pattern(size))
    sealed = seal(source, store, SECRET, CONTEXT)
    assert codes(sealed.manifest, store) == []
    opened = unseal(sealed.manifest, sealed.key, store, target)
    assert target.read_bytes() == source.read_bytes()
    assert opened.sha256 == hashlib.sha256(source.read_bytes()).digest()
    assert opened.size == sealed.size == size
    assert opened.problems == ()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=20_000))
def test_any_bytes_walk_through(data: bytes, store: EmbeddedStore, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(data)
    sealed = seal(tmp_path / "in", store, SECRET, CONTEXT)
    out = io.BytesIO()
    unseal(sealed.manifest, sealed.key, store, out)
    assert out.getvalue() == data


def test_what_is_pinned_is_what_the_document_says(store: EmbeddedStore, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(ref.pattern(9_000))
    sealed = seal(tmp_path / "in", store, SECRET, CONTEXT, note="hello")
    manifest = sealed.manifest
    k = ref.derive(SECRET, manifest.key_salt, ref.key_info(1, bytes(range(20)), 3, 2, 0)).to_bytes(32, "big")
    ciphertext, commitments, root = ref.container(k, ref.pattern(9_000))
    fields = {"name": "in", "media_type": "application/octet-stream", "size": 9_000, "note": "hello"}
    assert sealed.key.reveal() == k
    assert manifest.data_root == root
    assert store.read_block(manifest.ciphertext_cid) == ciphertext
    assert store.read_block(manifest.commitments_cid) == commitments
    assert store.read_block(manifest.details_cid) == ref.details(k, fields)
    assert store.read_block(Cid.raw(sealed.content_hash)) == manifest.encode()
    assert {root.cid for root in store.pins()} == {
        manifest.cid,
        manifest.ciphertext_cid,
        manifest.commitments_cid,
        manifest.details_cid,
    }


def test_the_sellers_details_come_along(sealed: SealedArtifact, store: EmbeddedStore, tmp_path: Path) -> None:
    opened = unseal(sealed.manifest, sealed.key, store, tmp_path / "out")
    assert opened.details == Details("predictions.csv", "text/csv", 3_000_000, "week 1")


def test_a_folder_walks_in_and_comes_out_as_a_tar(store: EmbeddedStore, tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "inner" / "file").write_bytes(b"x" * 2_000_000)
    sealed = seal(tmp_path / "folder", store, SECRET, CONTEXT)
    again = seal(tmp_path / "folder", store, SECRET, CONTEXT)
    opened = unseal(sealed.manifest, sealed.key, store, tmp_path / "out.tar")
    assert (opened.details.name, opened.details.media_type) == ("folder.tar", "application/x-tar")
    assert unseal(again.manifest, again.key, store, tmp_path / "again.tar").sha256 == opened.sha256


def test_sealing_twice_never_meets_the_same_key(predictions: Path, store: EmbeddedStore) -> None:
    first, second = (seal(predictions, store, SECRET, CONTEXT) for _ in range(2))
    assert first.key.commitment != second.key.commitment
    assert first.manifest.ciphertext_digest != second.manifest.ciphertext_digest


def test_the_key_comes_back_from_the_secret_and_the_manifest_alone(sealed: SealedArtifact) -> None:
    manifest = Manifest.decode(sealed.manifest.encode())
    assert derive_content_key(SECRET, manifest.key_salt, CONTEXT).commitment == manifest.key_commitment


def test_progress_counts_up_to_the_size(predictions: Path, store: EmbeddedStore, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))

    sealed = seal(predictions, store, SECRET, CONTEXT, progress=progress)
    check(sealed.manifest.encode(), sealed.content_hash, store, progress)
    unseal(sealed.manifest, sealed.key, store, tmp_path / "out", progress)
    assert [done for done, _ in seen].count(3_000_000) == 3
    assert {total for _, total in seen} == {3_000_000}


# ---- a seller's mistakes


def test_a_file_that_changes_while_it_is_sealed_is_refused_and_nothing_is_pinned(
    predictions: Path, store: EmbeddedStore
) -> None:
    def touch(done: int, total: int) -> None:
        with predictions.open("r+b") as file:
            file.write(b"changed")

    with fails_with(RefusedError, "file-changed"):
        seal(predictions, store, SECRET, CONTEXT, progress=touch)
    assert list(store.pins()) == []


@pytest.mark.parametrize(
    ("secret", "note", "error"), [(bytes(31), "", AccountError), (SECRET, "x" * 70_000, UsageError)]
)
def test_what_can_not_be_sealed_is_refused_before_anything_is_pinned(
    predictions: Path, store: EmbeddedStore, secret: bytes, note: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        seal(predictions, store, secret, CONTEXT, note=note)
    assert list(store.pins()) == []


def test_a_sparse_file_above_the_limit_is_refused_at_once(store: EmbeddedStore, tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate((1 << 38) + 1)
    with fails_with(RefusedError, "too-large", 256):
        seal(path, store, SECRET, CONTEXT)


def test_a_disk_that_fills_up_while_sealing_is_a_clear_error(predictions: Path, store: EmbeddedStore) -> None:
    with full_disk(500_000), fails_with(RefusedError, "disk-full"):
        seal(predictions, store, SECRET, CONTEXT)
    assert list(store.pins()) == []


# ---- what a buyer checks without the key


def test_another_manifest_than_the_hash_says_is_found(sealed: SealedArtifact, store: EmbeddedStore) -> None:
    manifest = bytearray(sealed.manifest.encode())
    manifest[-1] ^= 1
    assert [problem.code for problem in check(bytes(manifest), sealed.content_hash, store)] == ["manifest"]


def test_a_hash_of_something_that_is_no_manifest_is_found(store: EmbeddedStore) -> None:
    junk = bytes(288)
    problems = check(junk, hashlib.sha256(junk).digest(), store)
    assert [problem.code for problem in problems] == ["manifest"]
    assert "version 0" in problems[0].message


@pytest.mark.parametrize("part", ["ciphertext", "commitments", "details"])
def test_what_is_missing_or_altered_is_named(part: str, sealed: SealedArtifact, store: EmbeddedStore) -> None:
    cid: Cid = getattr(sealed.manifest, f"{part}_cid")
    alter(store, cid)
    assert codes(sealed.manifest, store) == [f"{part}-altered"]
    store.block_path(cid).unlink()
    assert codes(sealed.manifest, store) == [f"{part}-missing"]


def test_a_promise_of_another_size_is_found(sealed: SealedArtifact, store: EmbeddedStore) -> None:
    assert codes(dataclasses.replace(sealed.manifest, size=2_999_999), store) == ["ciphertext-altered"]


def test_a_root_that_the_parts_do_not_lead_to_is_found(
    sealed: SealedArtifact, store: EmbeddedStore, tmp_path: Path
) -> None:
    lying = dataclasses.replace(sealed.manifest, data_root=bytes(32))
    assert codes(lying, store) == ["data-root"]
    with fails_with(ContentError, "bad-content"):
        unseal(lying, sealed.key, store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_details_beyond_all_bounds_are_found(sealed: SealedArtifact, store: EmbeddedStore) -> None:
    digest = store.add(bytes(70_000)).cid.digest
    assert codes(dataclasses.replace(sealed.manifest, details_digest=digest), store) == ["details-altered"]


def test_a_place_that_can_not_be_asked_is_no_fault_of_the_artifact(sealed: SealedArtifact) -> None:
    nobody = GatewayStore("http://127.0.0.1:9")
    with pytest.raises(NetworkError) as caught:
        check(sealed.manifest.encode(), sealed.content_hash, nobody)
    assert not isinstance(caught.value, NotFoundError)


def test_results_hide_the_key(sealed: SealedArtifact) -> None:
    assert sealed.key.reveal().hex() not in repr(sealed)
    assert repr(sealed.key.reveal()) not in repr(sealed)
