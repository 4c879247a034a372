"""Kept artifacts on disk: the limit, what goes first, and that no half of one ever counts."""

import shutil
import time
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from numerbay_chain.artifacts import verify
from numerbay_chain.artifacts.kept import Keep, Kept
from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.seal import seal
from numerbay_chain.core.errors import NotFoundError
from numerbay_chain.core.files.locks import locked
from numerbay_chain.crypto.content_key import Context
from numerbay_chain.ipfs import Cid, EmbeddedStore
from numerbay_chain.ipfs.stores.base import BlockStore
from numerbay_chain.ipfs.stores.keeping import KeepingStore
from tests.support.noise import noise

SIZE = 1_200_000
ABOUT = Kept("", 1, "0x" + 40 * "0", 1, 0, None, 0, int(time.time()) + 86_400, 0)


class Elsewhere(BlockStore):
    """Another machine's store."""

    def __init__(self, behind: EmbeddedStore) -> None:
        super().__init__()
        self.name, self.behind = "elsewhere", behind

    def _fetch(self, cid: Cid) -> bytes:
        return self.behind._fetch(cid)


@pytest.fixture
def source(tmp_path: Path) -> Elsewhere:
    return Elsewhere(EmbeddedStore(tmp_path / "there"))


def sealed(tmp_path: Path, source: Elsewhere) -> Manifest:
    path = tmp_path / "file"
    path.write_bytes(noise(SIZE))
    return seal(path, source.behind, bytes(32), Context.offline()).manifest


def keep_at(tmp_path: Path, limit: int = 100 * SIZE, told: list[str] | None = None) -> Keep:
    return Keep(tmp_path / "kept", limit, (told if told is not None else []).append)


def check(keep: Keep, manifest: Manifest, source: Elsewhere, about: Kept = ABOUT, beside: int = 0) -> None:
    with keep.recording(manifest, about, source, beside):
        store = keep.reader(manifest.content_hash, source)
        assert verify.check(manifest.encode(), manifest.content_hash, store) == []


def names(keep: Keep) -> list[str]:
    return [entry.content_hash for entry in keep.entries()]


def test_all_parts_are_kept_and_read_from_here(tmp_path: Path, source: Elsewhere) -> None:
    keep, manifest = keep_at(tmp_path), sealed(tmp_path, source)
    check(keep, manifest, source)
    nowhere = Elsewhere(EmbeddedStore(tmp_path / "empty"))
    store = keep_at(tmp_path).reader(manifest.content_hash, nowhere)
    assert verify.check(manifest.encode(), manifest.content_hash, store) == []
    assert store.read_block(manifest.cid) == manifest.encode()
    (entry,) = keep.entries()
    assert SIZE < entry.size < 1.02 * SIZE


def test_what_is_settled_goes_first_then_what_was_used_least(tmp_path: Path, source: Elsewhere) -> None:
    told: list[str] = []
    now = [1_800_000_000]
    keep = Keep(tmp_path / "kept", 3 * SIZE + SIZE // 10, told.append, lambda: now[0])
    for number in range(5):
        until = 1_800_000_000 + (3 if number == 2 else 1_000)
        if number == 4:
            told.clear()
        check(keep, sealed(tmp_path, source), source, replace(ABOUT, round=number, needed_until=until))
        if number == 3:
            assert [entry.round for entry in keep.entries()] == [1, 2, 3]
            assert len(told) == 1, "round 0 could still be disputed"
        now[0] += 1
    assert [entry.round for entry in keep.entries()] == [1, 3, 4]
    assert told == [], "round 2 was settled"


def test_a_claim_that_nobody_serves_takes_nobody_s_place(tmp_path: Path, source: Elsewhere) -> None:
    told: list[str] = []
    keep = keep_at(tmp_path, 2 * SIZE, told)
    disputable, claimed = sealed(tmp_path, source), sealed(tmp_path, source)
    check(keep, disputable, source)
    nowhere = Elsewhere(EmbeddedStore(tmp_path / "empty"))
    with keep.recording(claimed, ABOUT, nowhere), pytest.raises(NotFoundError):
        keep.reader(claimed.content_hash, nowhere).read_bytes(claimed.ciphertext_cid, claimed.size)
    assert (names(keep), told) == ([disputable.content_hash.hex()], [])
    check(keep, claimed, source)
    assert (names(keep), len(told)) == ([claimed.content_hash.hex()], 1)
    check(keep_at(tmp_path, 0, told), claimed, source)
    assert (names(keep), len(told)) == ([claimed.content_hash.hex()], 1), "none is added, and none goes"


def test_what_is_larger_than_the_limit_is_not_kept_and_said(tmp_path: Path, source: Elsewhere) -> None:
    told: list[str] = []
    keep = keep_at(tmp_path, SIZE // 2, told)
    check(keep, sealed(tmp_path, source), source)
    assert (names(keep), len(told)) == ([], 1)


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("free", "beside", "kept"),
    [(2.1 * SIZE, 0, True), (1.9 * SIZE, 0, False), (3.1 * SIZE, SIZE, True), (2.9 * SIZE, SIZE, False)],
)
def test_what_the_disk_has_no_room_for_beside_what_is_written_is_not_kept_and_said(
    tmp_path: Path, source: Elsewhere, monkeypatch: pytest.MonkeyPatch, free: float, beside: int, kept: bool
) -> None:
    told: list[str] = []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, int(free)))
    keep = keep_at(tmp_path, told=told)
    check(keep, sealed(tmp_path, source), source, beside=beside)
    assert (len(names(keep)), len(told)) == (int(kept), int(not kept))


def test_a_disk_that_others_fill_meanwhile_ends_the_keeping_and_not_the_reading(
    tmp_path: Path, source: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    looks = iter([1 << 40])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, next(looks, 0)))
    monkeypatch.setattr("numerbay_chain.ipfs.stores.keeping._LOOK_AGAIN", 1 << 19)
    keep = keep_at(tmp_path, told=told)
    check(keep, sealed(tmp_path, source), source)
    assert (names(keep), len(told)) == ([], 1)
    assert [path for path in keep.folder.rglob("*") if path.is_file()] == []


def test_a_damaged_pin_ends_no_check(tmp_path: Path, source: Elsewhere) -> None:
    keep, manifest = keep_at(tmp_path), sealed(tmp_path, source)
    check(keep, manifest, source)
    for path in (keep.folder / manifest.content_hash.hex() / "pins").iterdir():
        path.write_text("{")
    check(keep, manifest, source)
    assert len(names(keep)) == 1


def test_nothing_is_added_that_is_settled_already(tmp_path: Path, source: Elsewhere) -> None:
    keep = keep_at(tmp_path)
    check(keep, sealed(tmp_path, source), source, replace(ABOUT, needed_until=int(time.time()) - 1))
    assert names(keep) == []


def test_a_read_that_ends_early_leaves_nothing(tmp_path: Path, source: Elsewhere) -> None:
    keep, manifest = keep_at(tmp_path), sealed(tmp_path, source)

    def read_a_piece() -> None:
        with keep.recording(manifest, ABOUT, source):
            next(keep.reader(manifest.content_hash, source).read(manifest.ciphertext_cid, manifest.size))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_a_piece()
    assert [path for path in keep.folder.rglob("*") if path.is_file()] == []


def test_killed_before_the_entry_is_written_it_counts_as_not_there(tmp_path: Path, source: Elsewhere) -> None:
    keep, manifest = keep_at(tmp_path), sealed(tmp_path, source)
    check(keep, manifest, source)
    (keep.folder / manifest.content_hash.hex() / "entry").unlink()
    assert names(keep) == []
    assert [one.reason for one in keep.collect(dry_run=True)] == ["incomplete"]
    check(keep, manifest, source)
    assert names(keep) == [manifest.content_hash.hex()]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 1}', '{"version": 1, "content_hash": "no"}'])
def test_an_entry_that_can_not_be_read_counts_as_not_there(text: str, tmp_path: Path, source: Elsewhere) -> None:
    keep, manifest = keep_at(tmp_path), sealed(tmp_path, source)
    check(keep, manifest, source)
    (keep.folder / manifest.content_hash.hex() / "entry").write_text(text)
    assert names(keep) == []
    check(keep, manifest, source)
    assert names(keep) == [manifest.content_hash.hex()]


def test_a_block_that_was_altered_here_comes_from_the_store(tmp_path: Path, source: Elsewhere) -> None:
    keep, manifest = keep_at(tmp_path), sealed(tmp_path, source)
    check(keep, manifest, source)
    for path in (keep.folder / manifest.content_hash.hex() / "blocks").glob("?/*"):
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
    check(keep, manifest, source)


def test_of_two_processes_one_adds_and_both_read(tmp_path: Path, source: Elsewhere) -> None:
    told: list[str] = []
    keep, manifest = keep_at(tmp_path), sealed(tmp_path, source)
    keep.folder.mkdir()
    with locked(keep.folder / f"{manifest.content_hash.hex()}.lock", "keeping it"):
        check(keep_at(tmp_path, told=told), manifest, source)
        assert (names(keep), len(told)) == ([], 1)
        assert keep.collect() == []
    check(keep, manifest, source)
    assert len(names(keep)) == 1
    with locked(keep.folder / f"{manifest.content_hash.hex()}.lock", "reading it"):
        check(keep_at(tmp_path, told=told), manifest, source)
    assert len(told) == 1, "it is kept"


def test_what_another_process_removes_while_it_is_read_comes_from_the_store(tmp_path: Path, source: Elsewhere) -> None:
    keep, manifest = keep_at(tmp_path), sealed(tmp_path, source)
    check(keep, manifest, source)
    pieces = keep.reader(manifest.content_hash, source).read(manifest.ciphertext_cid, manifest.size)
    first = next(pieces)
    for path in (keep.folder / manifest.content_hash.hex() / "blocks").glob("?/*"):
        path.unlink()
    assert sum(map(len, pieces)) == manifest.size - len(first)


def test_memory_and_passes_stay_as_they_were(
    tmp_path: Path, source: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Cid] = []
    real = Elsewhere._fetch

    def counted(self: Elsewhere, cid: Cid) -> bytes:
        asked.append(cid)
        return real(self, cid)

    monkeypatch.setattr(Elsewhere, "_fetch", counted)
    check(keep_at(tmp_path), sealed(tmp_path, source), source)
    assert len(asked) == len(set(asked)), "no block is asked for twice"


def test_a_part_of_a_small_file_is_read_as_the_whole_of_it(tmp_path: Path, source: Elsewhere) -> None:
    root = source.behind.add(b"0123456789")
    kept = EmbeddedStore(tmp_path / "kept")

    def failed(error: Exception) -> None:
        raise AssertionError(error)

    store = KeepingStore(kept, source, failed)
    assert store.read_bytes(root.cid, root.size, 2, 3) == b"234"
    assert kept.read_bytes(root.cid, root.size) == b"0123456789"


def test_time_for_reading_is_the_stores(tmp_path: Path) -> None:
    class Slow(BlockStore):
        name = "slow"

        def _fetch(self, cid: Cid) -> bytes:
            raise AssertionError("asked although the time was over")

        def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
            self._require_time()
            yield b""

    from numerbay_chain.core.errors import SlowSourceError

    store = KeepingStore(EmbeddedStore(tmp_path / "kept"), Slow(), lambda _: None)
    with store.within(0), pytest.raises(SlowSourceError):
        store.read_bytes(Cid.of(bytes(32), 5_000_000), 5_000_000)


def test_details_that_are_missing_are_no_reason_not_to_keep_the_rest(tmp_path: Path, source: Elsewhere) -> None:
    keep, manifest = keep_at(tmp_path), sealed(tmp_path, source)
    source.behind.block_path(manifest.details_cid).unlink()
    with keep.recording(manifest, ABOUT, source):
        store = keep.reader(manifest.content_hash, source)
        found = verify.check(manifest.encode(), manifest.content_hash, store)
    assert [problem.code for problem in found] == ["details-missing"]
    assert names(keep) == [manifest.content_hash.hex()]
