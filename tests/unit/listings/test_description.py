"""A listing's public description: what goes on chain is the digest of exactly these bytes."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core.errors import ContentError, UsageError
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.listings.description import MAX_DESCRIPTION_SIZE, Description, read_description
from tests.support.codes import fails_with


@given(st.text(max_size=200), st.text(max_size=500), st.sampled_from(["", "text/csv", "application/x-tar"]))
def test_what_can_be_shown_survives(name: str, text: str, media_type: str) -> None:
    written = Description(name, text, media_type)
    read = Description.decode(written.encode())
    assert written.digest == sha256(written.encode()).digest()
    shown = "".join(c for c in name if c.isprintable() or c == "\n")
    assert (read.name, read.media_type) == (shown, media_type)


def test_later_versions_may_say_more() -> None:
    block = json.dumps({"version": 2, "name": "a model", "price": {"weekly": 1}}).encode()
    assert Description.decode(block) == Description("a model")


@pytest.mark.parametrize(
    "block",
    [b"", b"[]", b"{}", b'{"version": "1"}', b'{"version": 1, "name": 5}', b"\xff", b"[" * 60_000, b" " * 65_537],
)
def test_what_is_no_description_is_refused(block: bytes) -> None:
    with pytest.raises(ContentError):
        Description.decode(block)


def test_what_is_too_long_is_refused() -> None:
    for name, description in (("n" * 201, ""), ("", "d" * 60_001), ("", "\U0001f600" * 30_000)):
        with fails_with(UsageError, "too-large"):
            Description(name, description).encode()
    with fails_with(UsageError, "bad-description"):
        Description(media_type="csv")
    assert len(Description(description="d" * 60_000).encode()) < MAX_DESCRIPTION_SIZE


def test_a_description_that_is_not_to_be_had_says_why(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    assert read_description(store, bytes(32)) == (None, None)
    assert read_description(None, b"\x01" * 32)[1] == "no store is set to read the description from"
    found, trouble = read_description(store, b"\x01" * 32)
    assert found is None
    assert trouble
    digest = store.add(b"not json").cid.digest
    assert "not what the format asks for" in str(read_description(store, digest)[1])
    described = Description("a model")
    assert read_description(store, store.add(described.encode()).cid.digest) == (described, None)


def test_a_disk_that_fails_is_no_reason_to_show_no_listing(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store")
    root = store.add(Description("a model").encode())
    store.block_path(root.cid).unlink()
    store.block_path(root.cid).mkdir()
    found, trouble = read_description(store, root.cid.digest)
    assert found is None
    assert trouble
