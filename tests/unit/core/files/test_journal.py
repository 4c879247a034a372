"""Journal entries are whole or absent, private, and never half understood."""

import json
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files.journal import Entry, exclusive
from numerbay_chain.core.files.stored import Hex
from numerbay_chain.delivery.journal import RoundEntry, RoundJournal, SealedFile
from tests.support.codes import fails_with


@dataclass(frozen=True)
class Step:
    step: str
    raw: Hex = b""
    until: int | None = None


FILE = {"name": "p.csv", "sha256": "ab" * 32, "size": 5, "manifest": "02" * 288, "read_back": True}


@pytest.fixture
def entry(tmp_path: Path) -> Entry[Step]:
    return Entry(tmp_path / "entry.json", Step)


def test_what_was_saved_is_read(entry: Entry[Step]) -> None:
    assert entry.read() is None
    entry.save(Step("one"))
    entry.save(Step("two", b"\x00\xff", 1 << 70))
    assert entry.read() == Step("two", b"\x00\xff", 1 << 70)
    assert json.loads(entry.path.read_text()) == {"version": 1, "step": "two", "raw": "00ff", "until": 1 << 70}
    assert stat.S_IMODE(entry.path.stat().st_mode) == 0o600
    entry.remove()
    entry.remove()
    assert entry.read() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"version"',
        "[" * 100_000,
        '{"version": 1}',
        '{"version": 2, "step": "one"}',
        '{"step": "one"}',
        '{"version": 1, "step": 1}',
        '{"version": 1, "step": null}',
        '{"version": 1, "step": "one", "step": "two"}',
        '{"version": 1, "step": "one", "more": 1}',
        '{"version": 1, "step": "one", "raw": "no digits"}',
        '{"version": 1, "step": "one", "raw": 5}',
        '{"version": 1, "step": "one", "raw": [1]}',
        '{"version": 1, "step": "one", "until": "5"}',
        '{"version": 1, "step": "one", "until": true}',
        '{"version": 1, "step": "one", "until": 5.0}',
    ],
)
def test_a_file_that_is_no_entry_stops_everything_and_stays(entry: Entry[Step], text: str) -> None:
    entry.path.write_text(text)
    with pytest.raises(RefusedError) as caught:
        entry.read()
    assert caught.value.code == "bad-journal"
    assert entry.path.read_text() == text


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a device", "a socket", "a loop"])
def test_what_is_no_file_is_not_read(entry: Entry[Step], kind: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        match kind:
            case "a pipe":
                os.mkfifo(entry.path)
            case "a folder":
                entry.path.mkdir()
            case "a device":
                entry.path.symlink_to("/dev/zero")
            case "a socket":
                listener.bind(str(entry.path))
            case "a loop":
                entry.path.symlink_to(entry.path)
        with fails_with(RefusedError, "bad-journal"):
            entry.read()


def test_what_is_set_aside_is_kept(entry: Entry[Step]) -> None:
    names = []
    for number in range(3):
        entry.save(Step(str(number)))
        names.append(entry.set_aside().name)
    assert names == ["entry.old-1.json", "entry.old-2.json", "entry.old-3.json"]
    assert entry.read() is None


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with exclusive(tmp_path, "listing", "delivering listing 1"):
        with (
            fails_with(RefusedError, "busy", 1),
            exclusive(tmp_path, "listing", "delivering listing 1"),
        ):
            pass
        with exclusive(tmp_path, "other", "delivering listing 2"):
            pass
    with exclusive(tmp_path, "listing", "delivering listing 1"):
        pass


def test_a_round_is_written_down_completely(tmp_path: Path) -> None:
    file = SealedFile("p.csv", b"\x01" * 32, 5, b"\x02" * 288, read_back=True)
    written = RoundEntry(3, file, {1 << 32: file}, {"ab" * 32: [1 << 32]}, done=True)
    journal = RoundJournal(tmp_path, 1)
    journal.save(written)
    assert journal.load(3) == written
    assert journal.all() == [written]
    journal.set_aside(3)
    assert journal.all() == []


@pytest.mark.parametrize("missing", ["round", "done", "file", "copies", "envelopes"])
def test_a_round_with_a_field_missing_is_refused(tmp_path: Path, missing: str) -> None:
    journal = RoundJournal(tmp_path, 1)
    journal.save(RoundEntry.begun(0))
    document = json.loads(journal.path(0).read_text())
    del document[missing]
    journal.path(0).write_text(json.dumps(document))
    with pytest.raises(RefusedError) as caught:
        journal.load(0)
    assert caught.value.code == "bad-journal"


@pytest.mark.parametrize(
    "damage",
    [
        {"round": -1},
        {"round": 4},
        {"round": 1 << 24},
        {"envelopes": {"ab" * 31: [1]}},
        {"envelopes": {"zz" * 32: [1]}},
        {"envelopes": {"ab" * 32: [-1]}},
        {"copies": {"-1": FILE}},
        {"file": {**FILE, "sha256": "ab"}},
        {"file": {**FILE, "manifest": "ab"}},
        {"file": {**FILE, "size": -1}},
    ],
    ids=repr,
)
def test_a_round_that_can_t_be_is_refused(tmp_path: Path, damage: dict[str, Any]) -> None:
    journal = RoundJournal(tmp_path, 1)
    journal.path(3).write_text(json.dumps({**json.loads(OLD_ROUND), **damage}))
    with fails_with(RefusedError, "bad-journal"):
        journal.load(3)


OLD_ROUND = """{
 "version": 1,
 "round": 3,
 "done": false,
 "file": {
  "name": "p.csv",
  "sha256": "0101010101010101010101010101010101010101010101010101010101010101",
  "size": 5,
  "manifest": "MANIFEST",
  "read_back": true
 },
 "copies": {"4294967296": {"name": "c.csv", "sha256": "SHA256", "size": 0, "manifest": "MANIFEST", "read_back": false}},
 "envelopes": {"SHA256": [4294967296, 4294967297]}
}
""".replace("MANIFEST", "02" * 288).replace("SHA256", "ab" * 32)


def test_a_round_that_an_earlier_version_wrote_is_read(tmp_path: Path) -> None:
    journal = RoundJournal(tmp_path, 1)
    journal.path(3).write_text(OLD_ROUND)
    file = SealedFile("p.csv", b"\x01" * 32, 5, b"\x02" * 288, read_back=True)
    copy = SealedFile("c.csv", b"\xab" * 32, 0, b"\x02" * 288, read_back=False)
    entry = RoundEntry(3, file, {1 << 32: copy}, {"ab" * 32: [1 << 32, (1 << 32) + 1]}, done=False)
    assert journal.load(3) == entry
    journal.save(entry)
    assert json.loads(journal.path(3).read_text()) == json.loads(OLD_ROUND)
