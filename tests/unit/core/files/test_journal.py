"""Journal entries are whole or absent, private, and never half understood."""

import stat
from pathlib import Path

import pytest

from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files.journal import Entry, exclusive
from numerbay_chain.delivery.journal import RoundEntry, RoundJournal, SealedFile


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    return Entry(tmp_path / "entry.json")


def test_what_was_saved_is_read(entry: Entry) -> None:
    assert entry.read() is None
    entry.save({"step": "one"})
    entry.save({"step": "two"})
    assert entry.read() == {"step": "two"}
    assert stat.S_IMODE(entry.path.stat().st_mode) == 0o600
    entry.remove()
    entry.remove()
    assert entry.read() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '"version"', "[" * 100_000])
def test_a_file_that_is_no_entry_stops_everything(entry: Entry, text: str) -> None:
    entry.path.write_text(text)
    with pytest.raises(RefusedError, match="can't be read"):
        entry.read()


def test_what_is_set_aside_is_kept(entry: Entry) -> None:
    names = []
    for number in range(3):
        entry.save({"number": number})
        names.append(entry.set_aside().name)
    assert names == ["entry.old-1.json", "entry.old-2.json", "entry.old-3.json"]
    assert entry.read() is None


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with exclusive(tmp_path, "listing", "delivering listing 1"):
        with (
            pytest.raises(RefusedError, match="another process is delivering listing 1"),
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
    document = RoundEntry(0).to_json()
    del document[missing]
    Entry(tmp_path / "round-0.json").save(document)
    with pytest.raises(RefusedError, match="can't be read"):
        RoundJournal(tmp_path, 1).load(0)
