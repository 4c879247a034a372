"""Opening an artifact: the right key gives the file whole and checked, anything else gives none."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.seal import SealedArtifact
from numerbay_chain.artifacts.unseal import unseal, wrong_chunk
from numerbay_chain.artifacts.verify import examine
from numerbay_chain.core.errors import (
    ContentError,
    DecryptionError,
    NetworkError,
    NotFoundError,
    RefusedError,
    SlowSourceError,
    WrongContentError,
)
from numerbay_chain.crypto.container import Encryptor
from numerbay_chain.crypto.content_key import ContentKey, derive_content_key
from numerbay_chain.crypto.details import Details, seal_details
from numerbay_chain.ipfs import Cid, EmbeddedStore
from tests.support.codes import fails_with
from tests.support.sealing import CONTEXT, SECRET, alter, codes, full_disk
from tests.support.vectors import reference as ref
from tests.support.wrapped import altered, meanwhile


def test_the_wrong_key_opens_nothing(sealed: SealedArtifact, store: EmbeddedStore, tmp_path: Path) -> None:
    other = derive_content_key(SECRET, bytes(32), CONTEXT)
    with fails_with(DecryptionError, "decryption"):
        unseal(sealed.manifest, other, store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def leaf_cids(store: EmbeddedStore, sealed: SealedArtifact) -> list[Cid]:
    known = {sealed.manifest.cid, *(root.cid for root in store.pins())}
    blocks = (Cid.parse(path.name) for path in (store.folder / "blocks").rglob("b*") if path.is_file())
    return sorted((cid for cid in blocks if cid not in known), key=str)


@pytest.mark.parametrize("damage", ["altered", "missing", "cut"])
def test_damage_anywhere_leaves_no_plausible_file(
    damage: str, sealed: SealedArtifact, store: EmbeddedStore, tmp_path: Path
) -> None:
    leaves = leaf_cids(store, sealed)
    assert len(leaves) == 3  # the ciphertext's: 3 MB
    for leaf in leaves:
        path = store.block_path(leaf)
        good = path.read_bytes()
        if damage == "altered":
            alter(store, leaf, place=len(good) - 1)
        elif damage == "cut":
            path.write_bytes(good[:-1])
        else:
            path.unlink()
        with pytest.raises(NotFoundError if damage == "missing" else ContentError):
            unseal(sealed.manifest, sealed.key, store, tmp_path / "out")
        path.write_bytes(good)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["predictions.csv", "store"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_of_any_block_gets_through(
    data: st.DataObject, small: SealedArtifact, store: EmbeddedStore, tmp_path: Path
) -> None:
    part = data.draw(st.sampled_from(["ciphertext", "commitments", "details"]))
    cid: Cid = getattr(small.manifest, f"{part}_cid")
    place = data.draw(st.integers(0, store.block_path(cid).stat().st_size - 1))
    bit = data.draw(st.sampled_from([1, 4, 128]))
    alter(store, cid, place, bit)
    if part == "details":  # they are not shown, and the file is what was committed to without them
        opened = unseal(small.manifest, small.key, store, tmp_path / "out")
        assert ([one.code for one in opened.problems], opened.details.name) == (["details-altered"], "")
        (tmp_path / "out").unlink()
    else:
        with pytest.raises(ContentError):
            unseal(small.manifest, small.key, store, tmp_path / "out")
    alter(store, cid, place, bit)
    assert not (tmp_path / "out").exists()


def dishonest(store: EmbeddedStore, lie_at: int) -> tuple[Manifest, ContentKey]:
    """What a modified client can post: all is there and consistent, but chunk `lie_at` is not what it commits to."""
    key, plaintext = derive_content_key(SECRET, bytes(32), CONTEXT), ref.pattern(3 << 20)
    encryptor = Encryptor(key)
    commitments = bytearray(encryptor.update(plaintext).commitments + encryptor.finish().commitments)
    ciphertext = ref_ciphertext(key, plaintext)
    commitments[32 * lie_at] ^= 1
    leaves = [bytes(commitments[32 * i : 32 * i + 32]) + ciphertext[4096 * i : 4096 * i + 4096] for i in range(768)]
    return Manifest(
        key_commitment=key.commitment,
        key_salt=bytes(32),
        data_root=ref.merkle_root(leaves),
        size=len(plaintext),
        ciphertext_digest=store.add(ciphertext).cid.digest,
        commitments_digest=store.add(bytes(commitments)).cid.digest,
        details_digest=store.add(seal_details(key, Details("x", "", len(plaintext)))).cid.digest,
    ), key


def ref_ciphertext(key: ContentKey, plaintext: bytes) -> bytes:
    encryptor = Encryptor(key)
    return encryptor.update(plaintext).ciphertext + encryptor.finish().ciphertext


@pytest.mark.parametrize("chunk", [0, 255, 256, 767])
def test_content_that_was_not_committed_to_is_named_by_its_chunk(
    chunk: int, store: EmbeddedStore, tmp_path: Path
) -> None:
    manifest, key = dishonest(store, chunk)
    assert codes(manifest, store) == []  # nobody can see it without the key
    with pytest.raises(WrongContentError) as caught:
        unseal(manifest, key, store, tmp_path / "out")
    assert caught.value.index == chunk
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("blob", ["junk", "size"])
def test_unusable_details_are_reported_but_keep_no_file_back(
    blob: str, sealed: SealedArtifact, store: EmbeddedStore, predictions: Path, tmp_path: Path
) -> None:
    junk = bytes(100) if blob == "junk" else seal_details(sealed.key, Details("x", "", 1))
    manifest = dataclasses.replace(sealed.manifest, details_digest=store.add(junk).cid.digest)
    opened = unseal(manifest, sealed.key, store, tmp_path / "out")
    assert [problem.code for problem in opened.problems] == ["details-unreadable"]
    assert opened.details.safe_name == "artifact"
    assert (tmp_path / "out").read_bytes() == predictions.read_bytes()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NetworkError("HTTP status 451"), "details-unreachable"),
        (SlowSourceError("it dripped"), "details-unreachable"),
        (RefusedError("no room for it"), "details-unreachable"),
        (NotFoundError("HTTP status 404"), "details-missing"),
        (ContentError("longer than a block"), "details-altered"),
    ],
)
def test_details_that_can_t_be_read_in_whatever_way_keep_no_file_back(
    sealed: SealedArtifact,
    store: EmbeddedStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: str,
) -> None:
    def refuse(self: EmbeddedStore, cid: Cid) -> bytes:
        raise error

    with monkeypatch.context() as refusing:
        altered(refusing, store, "read_block", refuse)
        opened = unseal(sealed.manifest, sealed.key, store, tmp_path / "out")
        assert [problem.code for problem in opened.problems] == [code]
        found, wrong = examine(sealed.manifest, sealed.key, store)
        assert ([problem.code for problem in found], wrong) == ([code], None)
        assert codes(sealed.manifest, store) == [code]
    assert (tmp_path / "out").stat().st_size == 3_000_000


def test_one_reading_says_what_is_wrong_with_and_without_the_key(store: EmbeddedStore) -> None:
    manifest, key = dishonest(store, lie_at=300)
    reads: list[Cid] = []
    counted = EmbeddedStore(store.folder)
    meanwhile(counted, "read", lambda cid, *_: reads.append(cid))
    found, wrong = examine(manifest, key, counted)
    assert (found, wrong and wrong.index) == ([], 300)
    assert sorted(map(str, reads)) == sorted(map(str, [manifest.ciphertext_cid, manifest.commitments_cid]))
    assert wrong_chunk(manifest, key, store) == 300
    assert codes(manifest, store) == []


def test_details_that_a_host_left_out_keep_no_file_back(
    sealed: SealedArtifact, store: EmbeddedStore, predictions: Path, tmp_path: Path
) -> None:
    store.block_path(sealed.manifest.details_cid).unlink()
    opened = unseal(sealed.manifest, sealed.key, store, tmp_path / "out")
    assert [problem.code for problem in opened.problems] == ["details-missing"]
    assert (opened.details.safe_name, opened.details.size) == ("artifact", 3_000_000)
    assert (tmp_path / "out").read_bytes() == predictions.read_bytes()


def test_a_disk_that_fills_up_while_fetching_leaves_no_partial_file(
    sealed: SealedArtifact, store: EmbeddedStore, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    with full_disk(2_000_000), fails_with(RefusedError, "disk-full") as caught:
        unseal(sealed.manifest, sealed.key, store, tmp_path / "out")
    assert "out" in str(caught.value)
    assert caught.value.hint
    assert sorted(tmp_path.iterdir()) == before


def test_a_stream_that_is_full_is_a_clear_error(sealed: SealedArtifact, store: EmbeddedStore) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, fails_with(RefusedError, "disk-full"):
        unseal(sealed.manifest, sealed.key, store, full)


def test_an_existing_file_stays_where_it_is_not_to_be_replaced(
    sealed: SealedArtifact, store: EmbeddedStore, tmp_path: Path
) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    with fails_with(RefusedError, "file-exists"):
        unseal(sealed.manifest, sealed.key, store, tmp_path / "out", overwrite=False)
    assert (tmp_path / "out").read_bytes() == b"mine"
