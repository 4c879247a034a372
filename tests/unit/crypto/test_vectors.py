"""The committed vectors are what the reference computes, so they can't drift from the document that they stand for."""

import pytest

from tests.vectors import FOLDER, generate


@pytest.mark.parametrize("name", list(generate.FORMATS))
def test_committed_vectors_are_what_the_generator_writes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == generate.text_of(name)
