"""What must be true of any state at all, whatever led to it: docs/protocol.md §2 "Invariants", said of single cells."""

from collections.abc import Iterator

from tests.support.model.ledger import (
    BUYER,
    CHALLENGE,
    CHALLENGED,
    NONE,
    PAID_BACK,
    PAID_TO_SELLER,
    POT,
    SELLER,
    Ledger,
)


def check_sense(ledger: Ledger, now: int) -> set[str]:
    """Which kinds of state this one is."""
    kinds: set[str] = set()
    for order, cells in ledger.cells.items():
        for round_, (place, bucket) in cells.items():
            kinds |= {*_kinds(ledger, order, round_, place, bucket)}
            _check_cell(ledger, now, order, round_, place, bucket)
    return kinds


def _check_cell(ledger: Ledger, now: int, order: int, round_: int, place: str, bucket: int) -> None:
    what = f"round {round_} of order {order}"
    settled, opened = ledger.settled.get((order, round_), NONE), ledger.challenges.get((order, round_))
    at_stake = (place == CHALLENGE, settled == CHALLENGED, opened is not None)
    assert len({*at_stake}) == 1, f"{what} is half challenged"
    if place == SELLER and settled != PAID_TO_SELLER:
        assert settled == NONE, f"{what} was paid twice"
        assert ledger.maturity(order >> 32, bucket) <= now, f"{what} was withdrawn before it matured"
        assert not ledger.is_frozen(order >> 32, round_, bucket), f"{what} is faulty, and the seller has the money"
    if settled == PAID_BACK:
        assert place == BUYER, f"{what} was paid back, and its money is elsewhere"
    if opened:
        assert opened["bond"] <= opened["price"] // 10, f"the bond for {what} is too high"


def _kinds(ledger: Ledger, order: int, round_: int, place: str, bucket: int) -> Iterator[str]:
    listing = ledger.listings[order >> 32]
    mark = ledger.copy_faulty.get((order, round_)) or listing["faulty"].get(round_)
    if opened := ledger.challenges.get((order, round_)):
        yield "challenge answered" if opened["respondedAt"] else "challenge open"
        if opened["bond"]:
            yield "challenge with a bond"
        if mark:
            yield "challenge of a faulty copy" if listing["terms"]["copies"] else "challenge of a faulty round"
    elif place == POT and mark:
        yield "frozen pot" if ledger.is_frozen(order >> 32, round_, bucket) else "faulty too late"
    elif ledger.settled.get((order, round_)) == PAID_TO_SELLER:
        yield "challenge lost"
