"""A store, and a file that was sealed into it."""

from pathlib import Path

import pytest

from numerbay_chain.artifacts.seal import SealedArtifact, seal
from numerbay_chain.ipfs import EmbeddedStore
from tests.support.noise import noise
from tests.support.sealing import CONTEXT, SECRET
from tests.support.vectors import reference as ref


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "store")


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_bytes(noise(3_000_000))
    return path


@pytest.fixture
def sealed(predictions: Path, store: EmbeddedStore) -> SealedArtifact:
    return seal(predictions, store, SECRET, CONTEXT, note="week 1")


@pytest.fixture
def small(store: EmbeddedStore, tmp_path: Path) -> SealedArtifact:
    (tmp_path / "small").write_bytes(ref.pattern(9_000))
    return seal(tmp_path / "small", store, SECRET, CONTEXT)
