"""Text files as editors, shells and file systems leave them."""

import codecs
import os
import socket
import threading
from pathlib import Path

import pytest

from numerbay_chain.core.errors import AccountError, NumerbayChainError, RefusedError, UsageError
from numerbay_chain.core.files import textfile
from numerbay_chain.core.home import keyfile
from numerbay_chain.core.home.home import Home


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain\n", "plain\n"),
        (codecs.BOM_UTF8 + b"marked\r\n", "marked\r\n"),
        (b"padded\n\0\0\0", "padded\n"),
        ("größer ✓".encode(), "größer ✓"),
        (b"", ""),
        (codecs.BOM_UTF8, ""),
    ],
)
def test_what_is_no_part_of_the_text_is_left_out(tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "file").write_bytes(data)
    assert textfile.read(tmp_path / "file", "file") == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "latin-1"])
def test_another_encoding_is_said(tmp_path: Path, encoding: str) -> None:
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    (tmp_path / "file").write_bytes(mark + "schlüssel".encode(encoding))
    with pytest.raises(RefusedError) as caught:
        textfile.read(tmp_path / "file", "file")
    assert caught.value.code == "not-utf-8"
    assert ("UTF-16" in str(caught.value)) == (encoding != "latin-1")


def not_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Path and code by what stands there."""
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "device").symlink_to("/dev/zero")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / "socket"))
    listening.close()
    return {
        "folder": (folder, "not-a-file"),
        "pipe": (folder / "pipe", "not-a-file"),
        "socket": (folder / "socket", "not-a-file"),
        "device": (folder / "device", "not-a-file"),
        "loop": (folder / "loop", "unreadable"),
        "dangling": (folder / "dangling", "no-such-file"),
        "missing": (folder / "missing", "no-such-file"),
        "below a file": (Path(__file__) / "below", "unreadable"),
        "too long": (folder / ("x" * 300), "unreadable"),
        "NUL": (folder / "a\0b", "unreadable"),
    }


@pytest.mark.parametrize("error", [RefusedError, AccountError, UsageError])
def test_what_is_no_file_is_refused_and_nothing_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[NumerbayChainError]
) -> None:
    monkeypatch.setattr(textfile, "_SECONDS_FOR_A_WRITER", 0.1)
    for path, code in not_files(tmp_path).values():
        with pytest.raises(error) as caught:
            textfile.read(path, "file", error=error)
        assert caught.value.code == code, path
        assert caught.value.hint


def test_a_pipe_with_a_writer_is_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(codecs.BOM_UTF8 + b"x" * 100_000,))
    writer.start()
    assert textfile.read(tmp_path / "pipe", "file") == "x" * 100_000
    writer.join()


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 101)
    with pytest.raises(RefusedError) as caught:
        textfile.read(tmp_path / "file", "file", limit=100)
    assert caught.value.code == "too-large"
    assert textfile.read(tmp_path / "file", "file", limit=101) == "x" * 101


def test_a_key_file_with_a_mark_is_read(tmp_path: Path) -> None:
    pair = keyfile.generate()
    keyfile.save(pair, tmp_path / "key.json")
    for changed in (lambda data: codecs.BOM_UTF8 + data, lambda data: data.replace(b", ", b",\r\n") + b"\r\n\0"):
        (tmp_path / "edited.json").write_bytes(changed((tmp_path / "key.json").read_bytes()))
        assert keyfile.load(tmp_path / "edited.json").public_key == pair.public_key
    (tmp_path / "edited.json").write_text((tmp_path / "key.json").read_text(), encoding="utf-16")
    with pytest.raises(AccountError) as caught:
        keyfile.load(tmp_path / "edited.json")
    assert caught.value.code == "not-utf-8"


def test_profiles_and_secrets_with_a_mark_are_read(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "profiles.toml").write_bytes(codecs.BOM_UTF8 + b'[a]\r\nrpc = "http://127.0.0.1:1"\r\n')
    assert home.profiles() == {"a": {"rpc": "http://127.0.0.1:1"}}
    (tmp_path / "profiles.toml").write_text("[a]\n", encoding="utf-16")
    with pytest.raises(UsageError) as caught:
        home.profiles()
    assert caught.value.code == "not-utf-8"
    assert home.import_seller_secret("\ufeff" + "ab" * 32 + "\r\n")
    home.secret_path.write_bytes(codecs.BOM_UTF8 + b"ab" * 32 + b"\r\n")
    assert home.export_seller_secret() == "ab" * 32
