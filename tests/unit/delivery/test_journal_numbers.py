"""A journal's numbers are what they can be: none is below 0."""

import json

import pytest

from numerbay_chain.core.files import stored
from numerbay_chain.delivery.journal import RoundEntry
from tests.support.codes import fails_with

FILE = {"name": "a", "sha256": "aa" * 32, "size": 5, "manifest": "02" * 288, "read_back": True}
ENTRY = {"version": 1, "round": 1, "file": FILE, "copies": {}, "envelopes": {}, "done": False}


def decoded(**changes: object) -> RoundEntry:
    return stored.decode(json.dumps({**ENTRY, **changes}).encode(), RoundEntry, 1)


def test_an_entry_is_read_as_it_was_written() -> None:
    entry = decoded()
    assert (entry.round, entry.file and entry.file.size) == (1, 5)


@pytest.mark.parametrize(
    "changes", [{"round": -1}, {"file": {**FILE, "size": -1}}, {"copies": {"1": {**FILE, "size": -1}}}]
)
def test_numbers_below_0_are_none_of_an_entry(changes: dict[str, object]) -> None:
    with fails_with(ValueError):
        decoded(**changes)
