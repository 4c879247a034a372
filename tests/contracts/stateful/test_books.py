"""The package's own books, kept from the events alone, are right whatever people do."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from numerbay_chain.protocol.books import ListingBook
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.facts import OrderFacts
from numerbay_chain.protocol.ledger import Ledger
from numerbay_chain.protocol.replay import replay
from numerbay_chain.protocol.rules import REVOKED
from numerbay_chain.protocol.types import Offer, Terms
from tests.contracts.stateful import machine
from tests.contracts.stateful.parts import check_parts
from tests.contracts.stateful.scenes import Scenes
from tests.support.model import Ledger as Model
from tests.support.model.ledger import AHEAD, POT, VOUCHER_PRICE, challenge_tuple
from tests.support.model.terms import TERMS


def _as_the_package_has_it(number: int, event: Any) -> Event:
    arguments = dict(event.arguments)
    for name, kind in (("terms", Terms), ("offer", Offer)):
        if name in arguments:
            arguments[name] = kind(*arguments[name])
    return Event(event.name, arguments, number, 0, "", event.address)


class Booked(Scenes):
    """The same people; an auditor listens. That model and bytecode agree, the money test says after every step; here
    it is looked at in the end."""

    listening: ClassVar["Booked"]

    def __init__(self) -> None:
        self.books, self.history = Ledger(), list[Event]()
        Booked.listening = self
        super().__init__()
        owners = (self.cast.world.buyer, self.cast.world.other, self.cast.world.friend)
        self.keys_before = {(str(owner), 1): self.market.keyAt(owner, 1) for owner in owners}
        self.books.keys |= self.keys_before

    def both_agree(self) -> None:
        super().both_agree()

    @invariant()
    def books_are_right(self) -> None:
        check_books(self.books, self.ledger, self.token_addresses())

    def teardown(self) -> None:
        super().teardown()
        if self.sound:
            check_parts(self.history, self.books, self.keys_before, Random(len(self.history)))


def check_books(books: Ledger, model: Model, tokens: list[str]) -> None:
    """All that an audit compares or tells."""
    assert books.discrepancies == []
    for token in tokens:
        owed = books.unreleased(token), books.missed(token), books.pots(token), books.credited(token)
        assert owed == _owed(model, token), f"owed in {token}: unreleased, missed, in pots, as credits"
        assert books.challenged(token) == sum(
            opened["price"] + opened["bond"]
            for (order, _), opened in model.challenges.items()
            if model.token(order >> 32) == token
        ), f"in open challenges in {token}"
        assert books.owed(token) == model.owed(token) == books.received.get(token, 0) - books.paid.get(token, 0)
    assert books.books.keys() == books.listings.keys() == model.listings.keys()
    for number, listing in books.books.items():
        _check_listing(listing, model, number)
        for order in listing.orders:
            _check_order(order, model)
    for (account, token), amount in model.credits.items():
        assert books.credits.get((account, token), 0) == amount, f"credit of {account}"
    for owner, keys in model.keys.items():
        assert [books.keys.get((owner, epoch)) for epoch in range(1, len(keys) + 2)] == [*keys, None], (
            f"keys of {owner}"
        )
    for digest, uses in model.vouchers.items():
        assert (REVOKED if digest in books.revoked else books.voucher_uses.get(digest, 0)) == uses


def _owed(model: Model, token: str) -> tuple[int, int, int, int]:
    unreleased, missed, pots = 0, 0, 0
    for order, state in model.orders.items():
        listing = model.listings[state["listing"]]
        if listing["terms"]["token"] != token:
            continue
        for round_, (place, _) in model.cells[order].items():
            unreleased += state["price"] * (place == AHEAD and round_ not in listing["missed"])
            missed += state["price"] * (place == AHEAD and round_ in listing["missed"])
            pots += state["price"] * (place == POT)
    return unreleased, missed, pots, sum(amount for (_, other), amount in model.credits.items() if other == token)


def _check_listing(book: ListingBook, model: Model, number: int) -> None:
    state = model.listings[number]
    offering = book.offering
    assert (book.id, offering.seller, offering.operator, offering.payout) == (
        number, str(state["seller"]), str(state["operator"]), str(state["payout"])
    )  # fmt: skip
    assert astuple(offering.terms) == tuple(state["terms"][name] for name in TERMS)
    assert (astuple(offering.offer), offering.version) == (tuple(state["offer"].values()), state["version"])
    assert (book.next_round, book.last_turn) == (state["nextRound"], state["lastTurn"])
    assert [order.id for order in book.orders] == state["ids"]
    assert (book.voided, set(book.facts.missed)) == (state["voided"], state["missed"])
    assert book.facts.faulty == state["faulty"]
    frozen = {place for place in book.pots if model.is_frozen(number, *place)}
    assert {place for place in book.pots if book.is_frozen(*place)} == frozen
    assert book.earned_by(book.next_round) == model.active(number)
    last, leaving = max([book.next_round, *(order.sold.end for order in book.orders)]), book.leaving()
    for round_ in range(last + 1):
        assert leaving.get(round_, 0) == model.leaving(number, round_), f"leaving before round {round_}"
    released = {r: (one.content_hash, one.bucket, one.released_at) for r, one in book.facts.releases.items()}
    assert released == {r: (one["hash"], one["bucket"], one["time"]) for r, one in state["released"].items()}
    assert {place: (pot.amount, pot.released) for place, pot in book.pots.items()} == {
        place: (model.pot(number, *place), model.is_flagged(number, *place)) for place in model.pots(number)
    }


def _check_order(sale: OrderFacts, model: Model) -> None:
    order, state = sale.sold, model.orders[sale.id]
    names = ("buyer", "first", "end", "price", "version", "epoch", "bucket")
    assert tuple(getattr(order, name) for name in names) == tuple(state[name] for name in names)
    assert order.cancelled_at == state["cancelledAt"]
    assert (sale.voucher in model.vouchers) == (state["version"] == VOUCHER_PRICE)
    for round_ in model.cells[sale.id]:
        place, known = (sale.id, round_), sale.at(round_)
        assert known.settlement == model.settled.get(place, 0)
        opened = model.challenges.get(place)
        assert (astuple(known.open_challenge) if known.open_challenge else None) == (opened and challenge_tuple(opened))
        assert known.marked_at == model.copy_faulty.get(place, 0)
        assert (known.copy.content_hash if known.copy else None) == model.copies.get(place)


def test_the_books_are_right_whatever_people_do(monkeypatch: pytest.MonkeyPatch) -> None:
    original, counted = machine.replay, Counter[str]()

    def heard(events: Iterable[Any], ledger: Any = None) -> Any:
        heard_events = list(events)
        counted.update(event.name for event in heard_events)
        here = Booked.listening
        for event in heard_events:
            here.history.append(_as_the_package_has_it(here.books.events, event))
            replay(here.history[-1:], here.books)
        return original(heard_events, ledger)

    monkeypatch.setattr(machine, "replay", heard)
    profile = settings(max_examples=70, stateful_step_count=60, derandomize=True, deadline=None)
    run_state_machine_as_test(Booked, settings=profile)
    moving = {
        "Bought", "VoucherUsed", "VoucherRevoked", "Released", "Skipped", "Declined", "Cancelled", "Reclaimed",
        "Refunded", "RoundRefunded", "MissedRefunded", "CopyDelivered", "Withdrawn", "Credited", "Collected",
        "Challenged", "Responded", "ChallengeEnded", "RoundFaulty", "CopyFaulty", "FaultyRefunded",
    }  # fmt: skip
    assert min(counted[name] for name in moving) >= 2, f"the run was too short to mean something: {counted}"
