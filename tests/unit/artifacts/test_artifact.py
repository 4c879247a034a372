import dataclasses
import hashlib
import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.seal import SealedArtifact, seal
from numerbay_chain.artifacts.unseal import unseal, wrong_chunk
from numerbay_chain.artifacts.verify import check, examine
from numerbay_chain.core.errors import (
    AccountError,
    ContentError,
    DecryptionError,
    NetworkError,
    NotFoundError,
    RefusedError,
    SlowSourceError,
    UsageError,
    WrongContentError,
)
from numerbay_chain.crypto.container import Encryptor
from numerbay_chain.crypto.content_key import ContentKey, Context, derive_content_key
from numerbay_chain.crypto.details import Details, seal_details
from numerbay_chain.ipfs import Cid, EmbeddedStore, GatewayStore
from tests.support.codes import fails_with
from tests.support.noise import noise
from tests.support.vectors import reference as ref
from tests.support.wrapped import altered, meanwhile

SECRET = bytes(range(32))
CONTEXT = Context(chain_id=1, marketplace=bytes(range(20)), listing=3, round=2)


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "store")


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_bytes(noise(3_000_000))
    return path


@pytest.fixture
def sealed(predictions: Path, store: EmbeddedStore) -> SealedArtifact:
    return seal(predictions, store, SECRET, CONTEXT, note="week 1")


@pytest.fixture
def small(store: EmbeddedStore, tmp_path: Path) -> SealedArtifact:
    (tmp_path / "small").write_bytes(ref.pattern(9_000))
    return seal(tmp_path / "small", store, SECRET, CONTEXT)


def codes(manifest: Manifest, store: EmbeddedStore) -> list[str]:
    return [problem.code for problem in check(manifest.encode(), manifest.content_hash, store)]


def alter(store: EmbeddedStore, cid: Cid, place: int = 0, bit: int = 1) -> None:
    path = store.block_path(cid)
    data = bytearray(path.read_bytes())
    data[place] ^= bit
    path.write_bytes(data)


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file can grow beyond `room`: the system call fails as it does on a full disk, in the same place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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


# ---- opening


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


def test_results_hide_the_key(sealed: SealedArtifact) -> None:
    assert sealed.key.reveal().hex() not in repr(sealed)
    assert repr(sealed.key.reveal()) not in repr(sealed)
