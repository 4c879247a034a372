from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core import errors
from numerbay_chain.core.errors import ContentError, DecryptionError, UsageError
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.crypto.details import MAX_DETAILS_SIZE, Details, open_details, seal_details
from tests.support.codes import fails_with
from tests.support.vectors import failures, load, why

KEY = ContentKey.from_bytes(bytes(31) + b"\x07")


@pytest.mark.parametrize("vector", load("details")["valid"])
def test_the_vectors_open_and_seal_again(vector: dict[str, Any]) -> None:
    key, details = ContentKey.from_bytes(bytes.fromhex(vector["key"])), Details(**vector["fields"])
    assert open_details(key, bytes.fromhex(vector["blob"])) == details
    if "ignored" not in vector:
        assert seal_details(key, details).hex() == vector["blob"]


@pytest.mark.parametrize("vector", failures("details"), ids=why)
def test_one_wrong_thing_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises((ContentError, DecryptionError)) as caught:
        open_details(ContentKey.from_bytes(bytes.fromhex(vector["key"])), bytes.fromhex(vector["blob"]))
    assert type(caught.value) is getattr(errors, vector["error"])


@given(st.text(max_size=200), st.text(max_size=50), st.integers(0, 2**38), st.text(max_size=300))
def test_any_text_comes_back(name: str, media_type: str, size: int, note: str) -> None:
    details = Details(name, media_type, size, note)
    assert open_details(KEY, seal_details(KEY, details)) == details


def test_a_name_that_is_not_unicode_does_not_stop_the_sale() -> None:
    blob = seal_details(KEY, Details("caf\udce9.csv", "text/csv", 1))
    assert open_details(KEY, blob).name == "caf?.csv"


def test_the_longest_note_fits_and_one_more_byte_does_not() -> None:
    empty = len(seal_details(KEY, Details("a", "b", 1)))
    longest = Details("a", "b", 1, "x" * (MAX_DETAILS_SIZE - empty))
    assert open_details(KEY, seal_details(KEY, longest)) == longest
    with fails_with(UsageError, "too-large"):
        seal_details(KEY, Details("a", "b", 1, longest.note + "x"))


def test_a_blob_that_is_too_long_is_not_even_opened() -> None:
    with fails_with(ContentError, "too-large"):
        open_details(KEY, bytes(MAX_DETAILS_SIZE + 1))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("predictions.csv", "predictions.csv"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\autoexec.bat", "autoexec.bat"),
        (".bashrc", "bashrc"),
        ("..", "artifact"),
        ("", "artifact"),
        ("/", "artifact"),
        ("a\x00b\x1b[2Jc\n.csv", "ab[2Jc .csv"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
    ],
)
def test_a_sellers_name_is_never_a_path(name: str, safe: str) -> None:
    assert Details(name, "", 0).safe_name == safe


@given(st.text())
def test_a_safe_name_is_always_a_plain_file_name(name: str) -> None:
    safe = Details(name, "", 0).safe_name
    assert safe
    assert "/" not in safe
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 200
    assert safe.isprintable()


def test_a_note_can_not_steer_the_terminal() -> None:
    assert Details("", "", 0, "fine\x1b[31m\r\nnext").safe_note == "fine[31m\nnext"
