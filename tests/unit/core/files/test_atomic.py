import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from numerbay_chain.core.errors import RefusedError, UsageError
from numerbay_chain.core.files import atomic
from numerbay_chain.core.files.atomic import expanded, open_complete, storage_error, write_all, write_atomic
from tests.support.codes import fails_with


def test_a_file_appears_complete_private_and_alone(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with open_complete(target) as file:
        file.write(b"half")
        assert not target.exists()
        file.write(b" and half")
    assert target.read_bytes() == b"half and half"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def fail_after(file: IO[bytes], data: bytes) -> None:
    write_all(file, data)
    raise KeyError("midway")


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with fails_with(KeyError), open_complete(target) as file:
        fail_after(file, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_process_killed_midway_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from numerbay_chain.core.files.atomic import open_complete
with open_complete(sys.argv[1]) as file:
    file.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "out")], check=False)
    assert done.returncode < 0
    assert not (tmp_path / "out").exists()


def test_an_existing_file_is_replaced_or_refused_as_asked(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write_atomic(target, "first")
    write_atomic(target, "second", 0o644)
    assert target.read_text() == "second"
    assert target.stat().st_mode & 0o777 == 0o644
    with fails_with(RefusedError, "file-exists"):
        write_atomic(target, "third", overwrite=False)
    assert target.read_text() == "second"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with fails_with(RefusedError, "file-exists"), open_complete(target, overwrite=False):
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link_to_the_new_content(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("name", [".", "missing/out", "out/below"])
def test_a_place_that_can_not_be_written_to_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(RefusedError) as caught:
        write_atomic(tmp_path / name, b"data")
    assert str(tmp_path) in str(caught.value)
    assert caught.value.hint


def test_a_disk_that_is_full_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    """The limit on a file's size stands for the disk: the system call fails in the same place."""
    target = tmp_path / "out"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with fails_with(RefusedError, "disk-full"):
            write_atomic(target, bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_full_is_a_clear_error() -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError) as caught:  # noqa: PTH123, PT011 — a real ENOSPC
        write_all(full, b"data")
    assert "no space left" in str(storage_error("/dev/full", caught.value))


def test_short_writes_are_continued(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as file, os.fdopen(reading, "rb") as other:
        write_all(file, b"x" * 60_000)
        assert len(other.read(60_000)) == 60_000


def a_socket(path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.close()


NO_FILES: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a socket": a_socket,
    "a circle": lambda path: path.symlink_to(path.name),
    "a link to a device": lambda path: path.symlink_to("/dev/null"),
    "a link to a folder": lambda path: path.symlink_to("."),
}


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("what", NO_FILES)
def test_only_regular_files_are_replaced(tmp_path: Path, what: str, overwrite: bool) -> None:
    target = tmp_path / "out"
    NO_FILES[what](target)
    before = target.lstat()
    with pytest.raises(RefusedError) as caught:
        write_atomic(target, b"data", overwrite=overwrite)
    assert caught.value.code == "not-a-file"
    assert (target.lstat().st_mode, target.lstat().st_ino) == (before.st_mode, before.st_ino)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("kind", ["device", "link"])
def test_a_device_takes_a_stream_and_stays(tmp_path: Path, kind: str, overwrite: bool) -> None:
    target = Path("/dev/null") if kind == "device" else tmp_path / "null"
    if kind == "link":
        target.symlink_to("/dev/null")
    write_atomic(target, b"data", overwrite=overwrite, stream=True)
    assert Path("/dev/null").is_char_device()
    assert list(tmp_path.iterdir()) == ([target] if kind == "link" else [])


def test_a_full_device_is_said_for_a_stream_too() -> None:
    with pytest.raises(OSError) as caught, open_complete("/dev/full", stream=True) as file:  # noqa: PT011 — a real ENOSPC
        write_all(file, b"data")
    assert storage_error("/dev/full", caught.value).code == "disk-full"


def test_a_pipe_takes_a_stream_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit((tmp_path / "pipe").read_bytes)
        write_atomic(tmp_path / "pipe", b"x" * 200_000, overwrite=False, stream=True)
        assert read.result() == b"x" * 200_000
    assert (tmp_path / "pipe").is_fifo()


def test_a_pipe_that_nobody_reads_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "_SECONDS_FOR_A_READER", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RefusedError) as caught:
        write_atomic(tmp_path / "pipe", b"data", stream=True)
    assert caught.value.code == "not-a-file"
    assert (tmp_path / "pipe").is_fifo()


def lose_reader(reading: int, file: IO[bytes]) -> None:
    os.close(reading)
    write_all(file, b"data")


def test_a_reader_that_leaves_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(RefusedError) as caught, open_complete(tmp_path / "pipe", stream=True) as file:
        lose_reader(reading, file)
    assert caught.value.code == "unwritable"


def test_a_link_to_nothing_is_followed_or_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(RefusedError) as caught:
        write_atomic(tmp_path / "link", b"data", overwrite=False)
    assert caught.value.code == "file-exists"
    write_atomic(tmp_path / "link", b"data")
    assert (tmp_path / "real").read_bytes() == b"data"


@pytest.mark.parametrize("path", ["~nosuchuser/x", "a\0b"])
def test_a_path_that_means_nothing_here_is_a_usage_error(path: str) -> None:
    with pytest.raises(UsageError) as caught:
        expanded(path)
    assert caught.value.code == "unusable-path"
