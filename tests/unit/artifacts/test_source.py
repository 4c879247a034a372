import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from numerbay_chain.artifacts.source import Measured, open_source
from numerbay_chain.core.errors import RefusedError
from tests.support.codes import fails_with
from tests.support.noise import noise


def read(path: Path) -> bytes:
    return b"".join(open_source(path).blocks())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "predictions"
    (root / "weekly" / "empty").mkdir(parents=True)
    (root / "weekly" / "week 1.csv").write_bytes(b"id,prediction\n" * 100)
    (root / "a.txt").write_bytes(b"")
    (root / ("long name " * 20)).write_bytes(bytes(513))
    (root / "run.sh").write_bytes(b"#!/bin/sh\n")
    (root / "run.sh").chmod(0o700)
    (root / "latest").symlink_to("weekly/week 1.csv")
    return root


def test_a_file_is_given_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    path.write_bytes(noise(2_500_000))
    source = open_source(path)
    assert (source.name, source.media_type, source.size) == ("predictions.csv", "text/csv", 2_500_000)
    blocks = list(source.blocks())
    assert b"".join(blocks) == path.read_bytes()
    assert max(map(len, blocks)) <= 1 << 20


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.parquet.gz", "application/gzip"), ("a", "application/octet-stream"), ("a.json", "application/json")],
)
def test_the_media_type_is_guessed_from_the_name(tmp_path: Path, name: str, media_type: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert open_source(tmp_path / name).media_type == media_type


def test_a_folder_is_a_tar_that_others_can_read(folder: Path, tmp_path: Path) -> None:
    source = open_source(folder)
    data = b"".join(source.blocks())
    assert (source.name, source.media_type, source.size) == ("predictions.tar", "application/x-tar", len(data))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(tmp_path / "out", filter="data")
        members = archive.getmembers()
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert {(member.uid, member.gid, member.uname, member.gname, member.mtime) for member in members} == {
        (0, 0, "", "", 0)
    }
    for path in folder.rglob("*"):
        copy = tmp_path / "out" / path.relative_to(folder)
        assert copy.is_dir() if path.is_dir() else copy.read_bytes() == path.read_bytes()
    assert (tmp_path / "out" / "latest").readlink() == Path("weekly/week 1.csv")
    assert (tmp_path / "out" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out" / "a.txt").stat().st_mode & 0o777 == 0o644


def test_the_same_content_has_the_same_bytes_wherever_it_lies(folder: Path, tmp_path: Path) -> None:
    first = read(folder)
    shutil.copytree(folder, tmp_path / "elsewhere" / "copy", symlinks=True)
    for path in (tmp_path / "elsewhere").rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    (tmp_path / "elsewhere" / "copy" / "a.txt").chmod(0o600)
    assert read(tmp_path / "elsewhere" / "copy") == first


def test_an_empty_folder_is_an_empty_tar(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with tarfile.open(fileobj=io.BytesIO(read(tmp_path / "empty"))) as archive:
        assert archive.getmembers() == []


def test_names_that_are_not_unicode_come_through(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9"))).write_bytes(b"x")
    with tarfile.open(fileobj=io.BytesIO(read(folder))) as archive:
        assert [os.fsencode(name) for name in archive.getnames()] == [b"caf\xe9"]


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside", "weekly/../../outside", "out/outside"])
def test_a_link_that_leads_out_is_refused(folder: Path, target: str) -> None:
    (folder.parent / "outside").write_bytes(b"secret")
    if target.startswith("out/"):
        (folder / "out").symlink_to("..")
    (folder / "link").symlink_to(target)
    with fails_with(RefusedError, "link-out"):
        open_source(folder)


def test_what_is_neither_file_nor_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with fails_with(RefusedError, "not-a-file"):
        open_source(tmp_path / "pipe")
    os.mkfifo(folder / "pipe")
    with fails_with(RefusedError, "not-a-file"):
        open_source(folder)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with fails_with(RefusedError, "no-such-file"):
        open_source(tmp_path / "nothing")


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"other")


def truncate(path: Path) -> None:
    os.truncate(path, 100)


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def rewrite_unseen(path: Path) -> None:
    """Whoever owns a file can put its time of change back."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-5, os.SEEK_END)
        file.write(b"other")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = [rewrite_unseen, grow, rewrite, truncate, replace, Path.unlink]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("after", [0, 1, 3], ids=["before", "meanwhile", "at-the-end"])
def test_a_file_that_changes_is_refused(tmp_path: Path, change: object, after: int) -> None:
    assert callable(change)
    path = tmp_path / "file"
    path.write_bytes(bytes(3 << 20))
    blocks = open_source(path).blocks()
    for _ in range(after):
        next(blocks)
    change(path)
    with pytest.raises(RefusedError) as raised:
        list(blocks)
    assert raised.value.code in ("file-changed", "no-such-file")


@pytest.mark.parametrize("touched", [0, -1], ids=["before-the-first-pass", "between-two-passes"])
def test_a_change_whose_time_was_put_back_is_refused(tmp_path: Path, touched: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(3 << 20))
    source = open_source(path)
    measured = Measured(source)
    if touched == 0:
        rewrite_unseen(path)
        with pytest.raises(RefusedError) as caught:
            list(measured.blocks())
    else:
        list(measured.blocks())
        rewrite_unseen(path)
        with pytest.raises(RefusedError) as caught:
            list(measured.again().blocks())
    assert caught.value.code == "file-changed"


class TwoFaces:
    """A source that gives other bytes the second time, and does not notice: as a file system without times."""

    name, media_type, size = "file", "text/csv", 5

    def __init__(self) -> None:
        self._next = [b"first", b"other"]

    def blocks(self) -> Iterator[bytes]:
        yield self._next.pop(0)


def test_a_second_pass_gives_the_bytes_of_the_first(tmp_path: Path) -> None:
    first = Measured(TwoFaces())
    assert list(first.blocks()) == [b"first"]
    assert first.sha256 == sha256(b"first").digest()
    with pytest.raises(RefusedError) as caught:
        list(first.again().blocks())
    assert caught.value.code == "file-changed"
    path = tmp_path / "file"
    path.write_bytes(noise(2_500_000))
    measured = Measured(open_source(path))
    list(measured.blocks())
    again = measured.again()
    assert b"".join(again.blocks()) == path.read_bytes()
    assert again.sha256 == measured.sha256 == sha256(path.read_bytes()).digest()


def add(folder: Path) -> None:
    (folder / "weekly" / "new").write_bytes(b"")


def remove(folder: Path) -> None:
    (folder / "weekly" / "empty").rmdir()


def edit(folder: Path) -> None:
    rewrite(folder / "weekly" / "week 1.csv")


def edit_unseen(folder: Path) -> None:
    rewrite_unseen(folder / "weekly" / "week 1.csv")


def edit_what_was_read(folder: Path) -> None:
    rewrite_unseen(folder / "0 large")


def relink(folder: Path) -> None:
    (folder / "latest").unlink()
    (folder / "latest").symlink_to("a.txt")


def rename(folder: Path) -> None:
    (folder / "a.txt").rename(folder / "b.txt")


@pytest.mark.parametrize(
    "change", [add, remove, edit, edit_unseen, edit_what_was_read, relink, rename], ids=lambda change: change.__name__
)
def test_a_folder_that_changes_is_refused(folder: Path, change: object) -> None:
    assert callable(change)
    (folder / "0 large").write_bytes(bytes(2 << 20))
    blocks = open_source(folder).blocks()
    next(blocks)
    change(folder)
    with fails_with(RefusedError, "file-changed"):
        list(blocks)
