"""A CID is read in the one form that the protocol uses, and in no other."""

import base64
import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core.errors import UsageError
from numerbay_chain.ipfs import LEAF_SIZE, Cid
from tests.support.codes import fails_with

EMPTY_FILE = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

cids = st.builds(Cid, st.sampled_from(["raw", "dag-pb"]), st.binary(min_size=32, max_size=32))


def base32(binary: bytes) -> str:
    return "b" + base64.b32encode(binary).decode().rstrip("=").lower()


def test_the_empty_file_has_its_well_known_cid():
    assert str(Cid.raw(hashlib.sha256(b"").digest())) == EMPTY_FILE


@given(cids)
def test_text_and_binary_form_lead_back_to_the_cid(cid):
    assert Cid.parse(str(cid)) == cid
    assert Cid.from_bytes(cid.to_bytes()) == cid


@pytest.mark.parametrize(
    ("size", "codec"), [(0, "raw"), (LEAF_SIZE, "raw"), (LEAF_SIZE + 1, "dag-pb"), (1 << 40, "dag-pb")]
)
def test_size_decides_the_codec(size, codec):
    assert Cid.of(bytes(32), size).codec == codec


DIGEST = bytes(range(32))
OTHER_KINDS = {
    "nothing": "",
    "CIDv0": "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
    "upper case": EMPTY_FILE.upper(),
    "base58": "z" + EMPTY_FILE[1:],
    "no base32": EMPTY_FILE[:-1] + "1",
    "a character too few": EMPTY_FILE[:-1],
    "a character too many": EMPTY_FILE + "a",
    "bits beyond the last byte": EMPTY_FILE[:-1] + "v",
    "padded": EMPTY_FILE[:-6] + "======",
    "dag-cbor": base32(b"\x01\x71\x12\x20" + DIGEST),
    "version 2": base32(b"\x02\x55\x12\x20" + DIGEST),
    "identity hash": base32(b"\x01\x55\x00\x20" + DIGEST),
    "sha3-256": base32(b"\x01\x55\x16\x20" + DIGEST),
    "digest of another size": base32(b"\x01\x55\x12\x1f" + DIGEST),
    "not ASCII": "b" + "ä" * 58,
    "control characters": "b\x1b[31m" + EMPTY_FILE[6:],
}


@pytest.mark.parametrize("text", OTHER_KINDS.values(), ids=OTHER_KINDS.keys())
def test_every_other_kind_of_cid_is_refused(text):
    with fails_with(UsageError, "not-a-cid"):
        Cid.parse(text)


@given(st.text(max_size=70))
def test_any_text_is_a_cid_or_refused(text):
    with suppress(UsageError):
        assert str(Cid.parse(text)) == text


def test_a_digest_of_another_size_makes_no_cid():
    with fails_with(ValueError, None, 32):
        Cid("raw", b"short")
