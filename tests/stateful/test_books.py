"""The package's own books, kept from the events alone, are right whatever people do."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from numerbay_chain.chain.types import Event, Offer, Terms
from numerbay_chain.ledger import Ledger
from tests.stateful import machine
from tests.stateful.rules import Marketplace


def _as_the_package_has_it(number: int, event: Any) -> Event:
    arguments = dict(event.arguments)
    for name, kind in (("terms", Terms), ("offer", Offer)):
        if name in arguments:
            arguments[name] = kind(*arguments[name])
    return Event(event.name, arguments, number, 0, "", event.address)


class Booked(Marketplace):
    """The same people; an auditor listens."""

    listening: ClassVar["Booked"]

    def __init__(self) -> None:
        self.books = Ledger()
        Booked.listening = self
        super().__init__()
        for owner in (self.cast.world.buyer, self.cast.world.other, self.cast.world.friend):
            self.books.keys[str(owner), 1] = self.market.keyAt(owner, 1)

    @invariant()
    def books_are_right(self) -> None:
        assert self.books.discrepancies == []
        for token in self.token_addresses():
            owed = self.books.owed(token)
            assert owed == self.ledger.owed(token)
            assert owed == self.books.received.get(token, 0) - self.books.paid.get(token, 0)


def test_the_books_are_right_whatever_people_do(monkeypatch: pytest.MonkeyPatch) -> None:
    original, counted = machine.replay, Counter[str]()

    def heard(events: Iterable[Any], ledger: Any = None) -> Any:
        heard_events = list(events)
        counted.update(event.name for event in heard_events)
        books = Booked.listening.books
        for event in heard_events:
            books.apply(_as_the_package_has_it(books.events, event))
        return original(heard_events, ledger)

    monkeypatch.setattr(machine, "replay", heard)
    profile = settings(max_examples=50, stateful_step_count=80, derandomize=True, deadline=None)
    run_state_machine_as_test(Booked, settings=profile)
    moving = {"Bought", "Released", "Skipped", "Declined", "Cancelled", "Refunded", "RoundRefunded", "MissedRefunded"}
    assert counted.keys() >= moving | {"Withdrawn", "Credited"}, "the run was too short to mean something"
