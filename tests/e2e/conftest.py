"""A marketplace of one's own on a chain inside the process, with the embedded store."""

from pathlib import Path

import pytest

from numerbay_chain.chain.embedded import EmbeddedChain
from numerbay_chain.ipfs import EmbeddedStore
from tests.places import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.found(tmp_path, EmbeddedChain(), EmbeddedStore(tmp_path / "store"))
