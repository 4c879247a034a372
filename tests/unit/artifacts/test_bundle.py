import errno
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numerbay_chain.artifacts.bundle import SealedBundle, open_folder, seal_to_folder
from numerbay_chain.core.errors import (
    AccountError,
    ContentError,
    DecryptionError,
    NumerbayChainError,
    RefusedError,
    UsageError,
)
from numerbay_chain.core.home import keyfile
from numerbay_chain.core.home.keyfile import KeyPair
from numerbay_chain.ipfs import Cid, Importer
from tests.support.codes import fails_with
from tests.support.noise import noise

SECRET = bytes(range(32))
FILES = ["ciphertext", "commitments", "details", "envelopes", "manifest"]
CONTENT = noise(1_500_000)


@pytest.fixture
def buyers() -> list[KeyPair]:
    return [keyfile.generate() for _ in range(3)]


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sealed"


@pytest.fixture
def sealed(predictions: Path, buyers: list[KeyPair], folder: Path) -> SealedBundle:
    return seal_to_folder(predictions, [pair.public_key for pair in buyers], SECRET, folder, note="hello")


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_modes_and_without_fsync_takes_a_folder(
    predictions: Path, buyers: list[KeyPair], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    for call in ("chmod", "fchmod", "fsync"):
        monkeypatch.setattr(os, call, refused)
    sealed = seal_to_folder(predictions, [buyers[0].public_key], SECRET, folder)
    assert open_folder(folder, buyers[0], tmp_path / "out", sealed.content_hash).size == len(CONTENT)


def test_every_recipient_opens_it(sealed: SealedBundle, folder: Path, buyers: list[KeyPair], tmp_path: Path) -> None:
    for number, pair in enumerate(buyers):
        opened = open_folder(folder, pair, tmp_path / f"out{number}", sealed.content_hash)
        assert (tmp_path / f"out{number}").read_bytes() == CONTENT
        assert (opened.size, opened.sha256) == (sealed.size, sealed.sha256)
        assert (opened.authenticated, opened.content_hash) == (True, sealed.content_hash)
        assert (opened.details.name, opened.details.note) == ("predictions.csv", "hello")


def test_the_folder_holds_the_five_files_and_their_cids(sealed: SealedBundle, folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == FILES
    importer = Importer()
    importer.update((folder / "ciphertext").read_bytes())
    assert importer.finish().cid == sealed.ciphertext_cid
    assert Cid.raw(sealed.content_hash) == sealed.cid
    envelopes = (folder / "envelopes").read_bytes()
    assert [int.from_bytes(envelopes[i : i + 8], "big") for i in range(0, len(envelopes), 88)] == [0, 1, 2]


def test_without_a_content_hash_it_opens_but_says_so(
    sealed: SealedBundle, folder: Path, buyers: list[KeyPair], tmp_path: Path
) -> None:
    assert not open_folder(folder, buyers[0], tmp_path / "out").authenticated
    assert (tmp_path / "out").read_bytes() == CONTENT


def test_it_opens_into_a_stream(sealed: SealedBundle, folder: Path, buyers: list[KeyPair]) -> None:
    out = io.BytesIO()
    open_folder(folder, buyers[1], out, sealed.content_hash)
    assert out.getvalue() == CONTENT


def test_a_stream_gets_nothing_of_an_altered_folder(sealed: SealedBundle, folder: Path, buyers: list[KeyPair]) -> None:
    flip(folder / "ciphertext", len(CONTENT) - 1)
    out = io.BytesIO()
    with fails_with(ContentError, "bad-content"):
        open_folder(folder, buyers[1], out)
    assert out.getvalue() == b""


def test_a_stranger_opens_nothing(sealed: SealedBundle, folder: Path, tmp_path: Path) -> None:
    with fails_with(DecryptionError, "no-envelope"):
        open_folder(folder, keyfile.generate(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_hash_of_another_artifact_is_refused(
    sealed: SealedBundle, folder: Path, buyers: list[KeyPair], tmp_path: Path
) -> None:
    with fails_with(ContentError, "wrong-manifest"):
        open_folder(folder, buyers[0], tmp_path / "out", bytes(32))


def flip(path: Path, place: int, bit: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= bit
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def cut_a_record(path: Path) -> None:
    os.truncate(path, max(0, path.stat().st_size - 4096))


def lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def empty(path: Path) -> None:
    os.truncate(path, 0)


def alter_the_first_byte(path: Path) -> None:
    flip(path, 0)


def alter_the_last_byte(path: Path) -> None:
    flip(path, -1)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage", [cut, cut_a_record, lengthen, empty, alter_the_first_byte, alter_the_last_byte, Path.unlink]
)
def test_damage_to_any_file_is_a_clear_error(
    name: str,
    damage: Callable[[Path], None],
    sealed: SealedBundle,
    folder: Path,
    buyers: list[KeyPair],
    tmp_path: Path,
) -> None:
    damage(folder / name)
    with pytest.raises((ContentError, DecryptionError)) as caught:
        open_folder(folder, buyers[2], tmp_path / "out", sealed.content_hash)
    assert caught.value.hint or "manifest" in str(caught.value)
    if name != "envelopes":
        assert isinstance(caught.value, ContentError)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["predictions.csv", "sealed"]


def renumber(path: Path, ids: list[int]) -> None:
    records = [path.read_bytes()[88 * number + 8 : 88 * (number + 1)] for number in range(3)]
    path.write_bytes(b"".join(id.to_bytes(8, "big") + record for id, record in zip(ids, records, strict=True)))


@pytest.mark.parametrize("ids", [[0, 1, 7], [0, 7, 2], [1, 2, 3], [0, 1, 1], [0, 0, 2], [0, 2, 1]])
def test_order_ids_that_do_not_count_up_open_for_nobody(
    ids: list[int], sealed: SealedBundle, folder: Path, buyers: list[KeyPair], tmp_path: Path
) -> None:
    """All recipients are told the same, whichever record was altered."""
    renumber(folder / "envelopes", ids)
    for pair in (*buyers, keyfile.generate()):
        with pytest.raises(ContentError) as caught:
            open_folder(folder, pair, tmp_path / "out", sealed.content_hash)
        assert caught.value.code == "bad-content"
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_has_no_end_is_not_read(
    name: str, kind: str, sealed: SealedBundle, folder: Path, buyers: list[KeyPair], tmp_path: Path
) -> None:
    (folder / name).unlink()
    make = {"pipe": os.mkfifo, "device": lambda path: path.symlink_to("/dev/zero"), "folder": Path.mkdir}[kind]
    make(folder / name)
    with pytest.raises(ContentError) as caught:
        open_folder(folder, buyers[0], tmp_path / "out", sealed.content_hash)
    assert caught.value.code == ("not-a-file" if kind != "folder" else caught.value.code)


@pytest.fixture
def small(tmp_path: Path, buyers: list[KeyPair]) -> Path:
    (tmp_path / "in").write_bytes(CONTENT[:9_000])
    seal_to_folder(tmp_path / "in", [pair.public_key for pair in buyers], SECRET, tmp_path / "small")
    return tmp_path / "small"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_ever_gives_another_file(
    data: st.DataObject, small: Path, buyers: list[KeyPair], tmp_path: Path
) -> None:
    copy, out = tmp_path / "copy", tmp_path / "out"
    shutil.rmtree(copy, ignore_errors=True)
    out.unlink(missing_ok=True)
    shutil.copytree(small, copy)
    path = copy / data.draw(st.sampled_from(FILES))
    place = data.draw(st.integers(0, path.stat().st_size - 1))
    flip(path, place, data.draw(st.sampled_from([1, 8, 128])))
    try:
        open_folder(copy, buyers[1], out)
    except NumerbayChainError:
        assert not out.exists()
    else:
        # Bytes that this buyer does not rely on: the salt and the custody word, and what other buyers' boxes hold.
        unused = {"manifest": [*range(64, 96), *range(256, 288)], "envelopes": [*range(8, 88), *range(176, 264)]}
        assert place in unused[path.name]
        assert out.read_bytes() == CONTENT[:9_000]


def test_a_folder_that_is_not_empty_is_refused_and_kept(predictions: Path, buyers: list[KeyPair], folder: Path) -> None:
    folder.mkdir()
    (folder / "mine").write_bytes(b"")
    with fails_with(RefusedError, "file-exists"):
        seal_to_folder(predictions, [buyers[0].public_key], SECRET, folder)
    assert [path.name for path in folder.iterdir()] == ["mine"]


def test_an_empty_folder_is_filled(predictions: Path, buyers: list[KeyPair], folder: Path) -> None:
    folder.mkdir()
    seal_to_folder(predictions, [buyers[0].public_key], SECRET, folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_a_failure_midway_leaves_no_folder(predictions: Path, buyers: list[KeyPair], folder: Path) -> None:
    def touch(done: int, total: int) -> None:
        os.utime(predictions)

    with fails_with(RefusedError, "file-changed"):
        seal_to_folder(predictions, [buyers[0].public_key], SECRET, folder, progress=touch)
    assert list(folder.parent.iterdir()) == [predictions]


@pytest.mark.parametrize("bad", [bytes(32), bytes(31)])
def test_an_unusable_recipient_is_refused_before_anything_is_written(
    bad: bytes, predictions: Path, buyers: list[KeyPair], folder: Path
) -> None:
    with pytest.raises(AccountError):
        seal_to_folder(predictions, [buyers[0].public_key, bad], SECRET, folder)
    assert list(folder.parent.iterdir()) == [predictions]


def test_nobody_to_seal_to_is_refused(predictions: Path, folder: Path) -> None:
    with fails_with(UsageError, "no-recipient"):
        seal_to_folder(predictions, [], SECRET, folder)


def test_a_folder_is_not_sealed_into_itself(buyers: list[KeyPair], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with fails_with(UsageError, "unusable-path"):
        seal_to_folder(tmp_path / "data", [buyers[0].public_key], SECRET, tmp_path / "data" / "out")


def test_a_place_that_is_no_bundle_says_what_is_missing(buyers: list[KeyPair], tmp_path: Path) -> None:
    with fails_with(ContentError, "no-such-file"):
        open_folder(tmp_path, buyers[0], tmp_path / "out")
