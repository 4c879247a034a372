"""Whoever reads, changes and writes back is alone meanwhile, on file systems with locks and without."""

import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files import atomic
from numerbay_chain.core.files.atomic import write_atomic
from numerbay_chain.core.files.locks import locked
from numerbay_chain.core.home.home import Home
from tests.support.codes import fails_with

WITHOUT = [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EPERM, 524]


def no_locks(number: int) -> object:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return flock


@pytest.fixture(params=[None, *WITHOUT], ids=lambda number: errno.errorcode.get(number, str(number)))
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int | None:
    if request.param is not None:
        monkeypatch.setattr(fcntl, "flock", no_locks(request.param))
    return request.param


@pytest.mark.usefixtures("file_system")
def test_one_at_a_time_and_the_next_waits(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def add() -> None:
        for _ in range(10):
            with locked(tmp_path / "lock", "counting"):
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "40"


@pytest.mark.usefixtures("file_system")
def test_who_can_not_wait_is_told_who_is_at_it(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "lock", "delivering listing 1"),
        fails_with(RefusedError, "busy", 1) as caught,
        locked(tmp_path / "lock", "delivering listing 1", 0),
    ):
        raise AssertionError("two at once")
    assert caught.value.code == "busy"
    with locked(tmp_path / "lock", "delivering listing 1", 0):
        pass


def test_what_a_dead_process_held_is_free_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", no_locks(errno.ENOLCK))
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    held = tmp_path / "lock-held"
    held.write_text(json.dumps({"host": socket.gethostname(), "process": dead.pid}))
    with locked(tmp_path / "lock", "counting", 0):
        pass
    for other in ({"host": "elsewhere", "process": dead.pid}, {"host": socket.gethostname(), "process": os.getpid()}):
        held.write_text(json.dumps(other))
        with pytest.raises(RefusedError) as caught, locked(tmp_path / "lock", "counting", 0):
            raise AssertionError("it is another's")
        assert caught.value.code == "busy"
        assert held.exists()


def test_a_lock_that_was_taken_between_two_looks_stays_its_owners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", no_locks(errno.ENOLCK))
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    held = tmp_path / "lock-held"
    held.write_text(json.dumps({"host": socket.gethostname(), "process": dead.pid}))
    theirs = json.dumps({"host": socket.gethostname(), "process": os.getppid()})
    rename = Path.rename

    def slow(path: Path, target: Path) -> Path:
        if path.read_text() != theirs and path == held:
            held.write_text(theirs)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", slow)
    with pytest.raises(RefusedError) as caught, locked(tmp_path / "lock", "counting", 0):
        raise AssertionError("it is another's")
    assert caught.value.code == "busy"
    assert held.read_text() == theirs


def test_a_lock_file_that_its_owner_removed_meanwhile_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, flock, removed = tmp_path / "lock", fcntl.flock, []

    def slow(descriptor: int, how: int) -> None:
        if not removed:
            removed.append(path)
            path.unlink()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    with locked(path, "counting", 0):
        assert removed
        with pytest.raises(RefusedError) as caught, locked(path, "counting", 0):
            raise AssertionError("two at once")
        assert caught.value.code == "busy"


def test_profiles_that_are_written_at_once_are_all_there(tmp_path: Path) -> None:
    """By processes, as people start them."""
    program = "import sys; from numerbay_chain.cli.main import main; sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "NUMERBAY_CHAIN_HOME": str(tmp_path / "home")}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, "profile", "set", name, flag, value],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for name, flag, value in [
            *((f"p{number}", "--rpc", f"http://127.0.0.1:{number}") for number in range(1, 5)),
            ("both", "--chain-id", "7"),
            ("both", "--from-block", "8"),
        ]
    ]
    assert [process.wait() for process in running] == [0] * 6
    profiles = Home(tmp_path / "home").profiles()
    assert set(profiles) == {"p1", "p2", "p3", "p4", "both"}
    assert profiles["both"] == {"chain_id": 7, "from_block": 8}


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS, errno.EACCES, errno.EIO])
def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)
    write_atomic(tmp_path / "new", b"first", overwrite=False)
    assert (tmp_path / "new").read_bytes() == b"first"
    with pytest.raises(RefusedError) as caught:
        write_atomic(tmp_path / "new", b"second", overwrite=False)
    assert caught.value.code == "file-exists"
    assert (tmp_path / "new").read_bytes() == b"first"
    secret, made = Home(tmp_path / "home").seller_secret()
    assert made
    assert Home(tmp_path / "home").seller_secret() == (secret, False)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "home"}


def test_a_name_that_is_taken_meanwhile_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "")

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(RefusedError) as caught, atomic.open_complete(tmp_path / "out", overwrite=False):
        (tmp_path / "out").write_bytes(b"theirs")
    assert caught.value.code == "file-exists"
    assert (tmp_path / "out").read_bytes() == b"theirs"


@pytest.mark.parametrize("name", ["chmod", "fsync"])
def test_a_file_system_without_modes_or_syncing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "")

    monkeypatch.setattr(os, name, refuse)
    write_atomic(tmp_path / "file", b"data")
    assert (tmp_path / "file").read_bytes() == b"data"
