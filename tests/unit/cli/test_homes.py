"""A home folder, and what lies in it, may be anything: no command waits for it, or ends as a bug."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run

COMMANDS = [
    ["profile", "list"],
    ["profile", "set", "x", "--chain-id", "5"],
    ["seller-secret", "export", "-o", "-"],
    ["orders", "--rpc", "http://127.0.0.1:1"],
]
FILES = ["profiles.toml", "seller-secret", ".profiles.lock", "keys", "deployments", "store"]
KINDS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "folder": lambda path: path.mkdir(),
    "loop": lambda path: path.symlink_to(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "dangling": lambda path: path.symlink_to("nowhere"),
    "empty": lambda path: path.write_bytes(b""),
    "junk": lambda path: path.write_bytes(bytes(range(256))),
    "UTF-16": lambda path: path.write_text("[x]", encoding="utf-16"),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numerbay_chain.core.files.textfile._SECONDS_FOR_A_WRITER", 0.01)
    monkeypatch.setattr("numerbay_chain.core.files.atomic._SECONDS_FOR_A_READER", 0.01)


def expect_a_sentence(run: Run) -> None:
    for command in COMMANDS:
        ended = run(*command)
        assert ended.code in {0, 1, 2, 3, 4}, (command, ended)
        assert "this is a bug" not in ended.stderr, (command, ended)
        assert ended.code == 0 or "numerbay-chain: error: " in ended.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_in_the_home_folder(run: Run, home: Path, kind: str) -> None:
    for name in FILES:
        home.mkdir()
        KINDS[kind](home / name)
        expect_a_sentence(run)
        home.rename(home.with_name(f"was-{name}"))


@pytest.mark.parametrize(
    "name",
    ["loop", "loop/x", "file", "file/x", "pipe", "dangling", "/dev/null", "/dev/null/x", "~nosuchuser", "x" * 300],
)
def test_the_home_folder_itself(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    monkeypatch.setenv("NUMERBAY_CHAIN_HOME", name)
    expect_a_sentence(run)


def test_no_home_folder_at_all(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NUMERBAY_CHAIN_HOME")
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: Path("~/.local/share") / name)
    ended = run("profile", "list", "--json")
    assert (ended.code, ended.object["error"]["code"]) == (2, "unusable-path")
    assert not (tmp_path / "~").exists()


def test_a_folder_with_links_in_a_circle_is_refused(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    key = tmp_path / "key"
    assert run("keys", "new", "-o", key).code == 0
    for command in (["cid", folder], ["seal", folder, "--to", key, "-o", tmp_path / "sealed"], ["cid", folder / "a"]):
        ended = run(*command, "--json")
        assert ended.code == 1
        assert ended.object["error"]["code"] in {"not-a-file", "unreadable"}
    assert not (tmp_path / "sealed").exists()
