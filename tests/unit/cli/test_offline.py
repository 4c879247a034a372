"""`seal`, `open`, `cid` and `keys`: what needs no chain."""

import base64
import errno
import json
import os
import stat
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.cli.conftest import Ran, Run


@pytest.fixture
def sealed(run: Run, artifact: Path, alice: Path, tmp_path: Path) -> Ran:
    return run("seal", artifact, "--to", alice, "-o", tmp_path / "sealed", "--note", "for you", "--json")


def test_new_keys_are_for_their_owner_alone_and_never_overwritten(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "numerbay.json"
    made = run("keys", "new", "-o", path, "--json")
    before = path.read_bytes()
    again = run("keys", "new", "-o", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.object["public_key"] == json.loads(before)["public_key"]
    assert again.code == 1
    assert path.read_bytes() == before


def test_keys_show_prints_the_public_half_alone(run: Run, alice: Path) -> None:
    fields = json.loads(alice.read_text())
    shown = run("keys", "show", alice, "--json")
    assert shown.object["public_key"] == fields["public_key"]
    assert len(base64.b64decode(shown.object["public_key"], validate=True)) == 32
    assert fields["private_key"] not in shown.stdout + shown.stderr


def test_what_is_sealed_opens_for_its_recipient(
    run: Run, sealed: Ran, artifact: Path, alice: Path, tmp_path: Path
) -> None:
    assert sealed.code == 0
    assert sorted(path.name for path in (tmp_path / "sealed").iterdir()) == [
        "ciphertext", "commitments", "details", "envelopes", "manifest",
    ]  # fmt: skip
    assert sealed.object["size"] == artifact.stat().st_size
    assert sealed.object["content_hash"] == "0x" + sha256((tmp_path / "sealed" / "manifest").read_bytes()).hexdigest()
    copy = tmp_path / "copy.csv"
    opened = run(
        "open",
        tmp_path / "sealed",
        "--content-hash",
        sealed.object["content_hash"],
        "--key",
        alice,
        "-o",
        copy,
        "--json",
    )
    assert opened.code == 0
    assert copy.read_bytes() == artifact.read_bytes()
    assert opened.object["sha256"] == sha256(artifact.read_bytes()).hexdigest()
    assert opened.object["size"] == artifact.stat().st_size
    assert opened.object["details"] == {"name": "predictions.csv", "media_type": "text/csv", "note": "for you"}
    assert opened.object["authenticated"] is True
    assert opened.stderr == ""


def test_open_says_when_it_had_no_hash_to_check_the_manifest_against(
    run: Run, sealed: Ran, alice: Path, tmp_path: Path
) -> None:
    opened = run("open", tmp_path / "sealed", "--key", alice, "-o", tmp_path / "copy.csv", "--json")
    assert opened.code == 0
    assert opened.object["authenticated"] is False
    assert "no content hash to check the manifest against" in opened.stderr


def test_envelopes_stand_in_the_order_of_to(
    run: Run, artifact: Path, alice: Path, mallory: Path, tmp_path: Path
) -> None:
    public_key = json.loads(mallory.read_text())["public_key"]
    assert run("seal", artifact, "--to", mallory, "--to", alice, "--to", public_key, "-o", tmp_path / "two").code == 0
    envelopes = (tmp_path / "two" / "envelopes").read_bytes()
    assert [int.from_bytes(envelopes[start : start + 8], "big") for start in range(0, len(envelopes), 88)] == [0, 1, 2]
    for key in (alice, mallory):
        out = tmp_path / f"{key.stem}.csv"
        assert run("open", tmp_path / "two", "--key", key, "-o", out).code == 0
        assert out.read_bytes() == artifact.read_bytes()


def test_a_wrong_key_is_a_decryption_error_and_leaves_no_file(
    run: Run, sealed: Ran, mallory: Path, tmp_path: Path
) -> None:
    opened = run("open", tmp_path / "sealed", "--key", mallory, "-o", tmp_path / "copy.csv")
    assert opened.code == 5
    assert opened.stdout == ""
    assert opened.stderr.startswith("numerbay-chain: error: no envelope in this folder opens with this key\n")
    assert not list(tmp_path.glob("*copy.csv*"))


def test_another_content_hash_is_refused(run: Run, sealed: Ran, alice: Path, tmp_path: Path) -> None:
    opened = run(
        "open", tmp_path / "sealed", "--content-hash", "0x" + 64 * "0", "--key", alice, "-o", tmp_path / "copy.csv"
    )
    assert opened.code == 1
    assert not (tmp_path / "copy.csv").exists()


@pytest.mark.parametrize("part", ["manifest", "ciphertext", "commitments", "details", "envelopes"])
@pytest.mark.parametrize("harm", ["altered", "truncated", "missing"])
def test_a_damaged_part_is_refused_and_leaves_no_file(
    run: Run, sealed: Ran, alice: Path, tmp_path: Path, part: str, harm: str
) -> None:
    path = tmp_path / "sealed" / part
    data = bytearray(path.read_bytes())
    if harm == "missing":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data if harm == "altered" else data[:-1])
    expected = sealed.object["content_hash"]
    opened = run("open", tmp_path / "sealed", "--content-hash", expected, "--key", alice, "-o", tmp_path / "copy.csv")
    assert opened.code in (1, 5)
    assert opened.stderr.startswith("numerbay-chain: error: ")
    assert "this is a bug" not in opened.stderr
    assert not list(tmp_path.glob("*copy.csv*"))


def test_an_existing_file_is_kept_unless_overwrite_is_said(run: Run, sealed: Ran, alice: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_text("mine")
    assert run("open", tmp_path / "sealed", "--key", alice, "-o", copy).code == 1
    assert copy.read_text() == "mine"
    assert run("open", tmp_path / "sealed", "--key", alice, "-o", copy, "--overwrite").code == 0
    assert copy.read_text() != "mine"


def test_a_dash_is_standard_output(run: Run, sealed: Ran, artifact: Path, alice: Path, tmp_path: Path) -> None:
    assert run("open", tmp_path / "sealed", "--key", alice, "-o", "-").stdout.encode() == artifact.read_bytes()
    by_name = run("open", tmp_path / "sealed", "--key", alice, "-o", "/dev/stdout", "--json")
    assert by_name.code == 2, "another name of stdout is stdout"
    both = run("open", tmp_path / "sealed", "--key", alice, "-o", "-", "--json")
    assert both.code == 2
    assert both.object["error"]["code"] == "usage"


def test_a_folder_is_sealed_as_a_tar_that_is_the_same_every_time(run: Run, alice: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name / "data"
        (folder / "inner").mkdir(parents=True)
        (folder / "a.txt").write_text("a")
        (folder / "inner" / "b.txt").write_text("b")
    first, second = (run("cid", tmp_path / name / "data").stdout for name in ("one", "two"))
    assert first == second
    out = tmp_path / "sealed-folder"
    assert run("seal", tmp_path / "one" / "data", "--to", alice, "-o", out).code == 0
    opened = run("open", out, "--key", alice, "-o", tmp_path / "data.tar", "--json")
    assert opened.object["details"]["name"] == "data.tar"
    assert run("cid", tmp_path / "data.tar").stdout == first


@pytest.mark.parametrize("data", [b"", b"hello world", bytes(1 << 20)], ids=["empty", "short", "1 MiB"])
def test_cid_prints_the_one_of_a_raw_block_up_to_a_mebibyte(run: Run, tmp_path: Path, data: bytes) -> None:
    cid = "b" + base64.b32encode(bytes.fromhex("01551220") + sha256(data).digest()).decode().lower().rstrip("=")
    path = tmp_path / "file"
    path.write_bytes(data)
    assert run("cid", path).stdout == cid + "\n"
    piped = subprocess.run(
        [sys.executable, "-m", "numerbay_chain.cli.main", "cid", "-"], input=data, capture_output=True, check=True
    )
    assert piped.stdout.decode() == cid + "\n"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=20_000))
def test_any_bytes_come_back_as_they_were(
    run: Run, alice: Path, tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "file").write_bytes(data)
    assert run("seal", folder / "file", "--to", alice, "-o", folder / "sealed").code == 0
    assert run("open", folder / "sealed", "--key", alice, "-o", folder / "copy").code == 0
    assert (folder / "copy").read_bytes() == data


def test_the_seller_secret_is_made_on_first_need_and_said_aloud_once(
    run: Run, home: Path, artifact: Path, alice: Path, tmp_path: Path
) -> None:
    first = run("seal", artifact, "--to", alice, "-o", tmp_path / "one")
    second = run("seal", artifact, "--to", alice, "-o", tmp_path / "two")
    secret = (home / "seller-secret").read_text().strip()
    assert stat.S_IMODE((home / "seller-secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert "seller-secret export" in first.stderr
    assert "seller secret" not in second.stderr
    assert secret not in first.stdout + first.stderr


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_secret_goes_to_stdout_alone_under_any_name_of_it(run: Run, home: Path, name: str) -> None:
    assert run("seller-secret", "export", "-o", home.parent / "backup").code == 0
    ended = run("seller-secret", "export", "-o", name)
    assert (ended.code, ended.stdout) == (0, (home / "seller-secret").read_text())


def test_a_secret_that_can_not_be_read_is_not_taken_for_a_damaged_one(run: Run, home: Path, tmp_path: Path) -> None:
    (home / "seller-secret").mkdir(parents=True)
    told = run("seller-secret", "export", "-o", tmp_path / "backup", "--json")
    assert told.object["error"]["code"] == "not-a-file"
    (home / "seller-secret").rmdir()
    (home / "seller-secret").write_text("")
    told = run("seller-secret", "export", "-o", tmp_path / "backup", "--json")
    assert told.object["error"]["code"] == "bad-secret"


def test_a_secret_on_a_disk_that_is_read_only_is_used(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "seller-secret").write_text(64 * "a")
    (home / "seller-secret").chmod(0o644)

    def chmod(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "chmod", chmod)
    assert run("seller-secret", "export", "-o", "-").stdout == 64 * "a" + "\n"


def test_a_seller_secret_moves_to_another_machine(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = tmp_path / "backup.txt"
    assert run("seller-secret", "export", "-o", backup).code == 0
    secret = (home / "seller-secret").read_text()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    monkeypatch.setenv("NUMERBAY_CHAIN_HOME", str(tmp_path / "elsewhere"))
    assert run("seller-secret", "import", backup).code == 0
    assert (tmp_path / "elsewhere" / "seller-secret").read_text() == secret
    backup.write_text(64 * "1")
    refused = run("seller-secret", "import", backup)
    assert refused.code == 1
    assert (tmp_path / "elsewhere" / "seller-secret").read_text() == secret
