from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.artifacts.manifest import MANIFEST_SIZE, Manifest
from numerbay_chain.core import errors
from numerbay_chain.core.errors import ContentError
from numerbay_chain.crypto.container import MAX_SIZE
from tests.support.codes import fails_with
from tests.support.vectors import failures, load, why
from tests.support.vectors import reference as ref

words = st.binary(min_size=32, max_size=32)


def manifest_of(vector: dict[str, Any]) -> Manifest:
    values = {field.name: vector[field.name] for field in fields(Manifest)}
    return Manifest(
        **{name: bytes.fromhex(value) if isinstance(value, str) else value for name, value in values.items()}
    )


@pytest.mark.parametrize("vector", load("manifest")["valid"], ids=lambda vector: str(vector["size"]))
def test_encoding_matches_the_vectors(vector: dict[str, Any]) -> None:
    manifest, encoded = manifest_of(vector), bytes.fromhex(vector["encoded"])
    assert manifest.encode() == encoded
    assert Manifest.decode(encoded) == manifest
    assert manifest.content_hash.hex() == vector["content_hash"]


@pytest.mark.parametrize("vector", failures("manifest"), ids=why)
def test_what_the_contract_would_refuse_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(getattr(errors, vector["error"])):
        Manifest.decode(bytes.fromhex(vector["encoded"]))


@given(st.integers(1, ref.N - 1), words, words, st.integers(0, MAX_SIZE), st.lists(words, min_size=4, max_size=4))
def test_any_manifest_comes_back(k: int, salt: bytes, root: bytes, size: int, digests: list[bytes]) -> None:
    manifest = Manifest(ref.normalise(k)[1].to_bytes(32, "big"), salt, root, size, *digests)
    assert len(manifest.encode()) == MANIFEST_SIZE
    assert Manifest.decode(manifest.encode()) == manifest


def test_the_hash_on_chain_is_the_cid() -> None:
    vector = load("manifest")["valid"][0]
    manifest = manifest_of(vector)
    assert manifest.cid.digest.hex() == vector["content_hash"]
    assert str(manifest.cid).startswith("bafkrei")


@pytest.mark.parametrize(
    ("size", "ciphertext", "commitments"),
    [(0, "raw", "raw"), (2**20, "raw", "raw"), (2**20 + 1, "dag-pb", "raw"), (2**27 + 1, "dag-pb", "dag-pb")],
)
def test_the_size_decides_the_kind_of_cid(size: int, ciphertext: str, commitments: str) -> None:
    manifest = manifest_of(load("manifest")["valid"][0] | {"size": size})
    assert (manifest.ciphertext_cid.codec, manifest.commitments_cid.codec) == (ciphertext, commitments)
    assert manifest.details_cid.codec == "raw"


def test_a_word_of_another_length_is_no_manifest() -> None:
    vector = load("manifest")["valid"][0]
    with fails_with(ContentError, "bad-content", 32):
        manifest_of(vector | {"key_salt": "00" * 31})
