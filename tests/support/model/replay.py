"""The ledger rebuilt from decoded events alone, with no rule of the marketplace and no look at its state."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from tests.support.model.ledger import BUYER, CHALLENGE_FIELDS, REVOKED, SELLER, Ledger
from tests.support.model.terms import TERMS

NOTHING_PROVEN = 3


class Event(Protocol):
    name: str
    arguments: dict[str, Any]


def replay(events: Iterable[Event], ledger: Ledger | None = None) -> Ledger:
    """Apply events, oldest first, to a ledger (a new one by default).

    Raises AssertionError where an event contradicts the ones before it.
    """
    ledger = ledger or Ledger()
    for event in events:
        if handler := _HANDLERS.get(event.name):
            handler(ledger, event.arguments)
    return ledger


def _listing_created(ledger: Ledger, e: dict[str, Any]) -> None:
    terms = dict(zip(TERMS, e["terms"], strict=True))
    listing = ledger.add_listing(e["seller"], e["operator"], e["payout"], terms, _offer(e["offer"]))
    assert listing == e["listing"], "listings are numbered from 1"


def _offer(values: Iterable[Any]) -> dict[str, Any]:
    return dict(zip(("price", "open", "details"), values, strict=True))


def _offer_changed(ledger: Ledger, e: dict[str, Any]) -> None:
    ledger.listings[e["listing"]] |= {"version": e["version"], "offer": _offer(e["offer"])}


def _bought(ledger: Ledger, e: dict[str, Any]) -> None:
    buyer, listing = e["buyer"], e["order"] >> 32
    order = ledger.add_order(listing, buyer, e["first"], e["rounds"], e["price"], e["version"], e["bucket"])
    assert order == e["order"], "orders are numbered in sequence"
    assert ledger.orders[order]["epoch"] == e["epoch"], "an order is bought with the newest key"


def _released(ledger: Ledger, e: dict[str, Any]) -> None:
    assert e["round"] == ledger.listings[e["listing"]]["nextRound"], "rounds are released in order"
    ledger.earn(e["listing"], e["round"], e["bucket"], e["releasedAt"], e["contentHash"])


def _shortened(ledger: Ledger, e: dict[str, Any]) -> None:
    end = e["end"] if "end" in e else e["round"]
    assert ledger.shorten(e["order"], end) == e["paid"], "the event says what was paid"


def _cancelled(ledger: Ledger, e: dict[str, Any]) -> None:
    _shortened(ledger, e)
    ledger.orders[e["order"]]["cancelledAt"] = e["cancelledAt"]


def _round_refunded(ledger: Ledger, e: dict[str, Any]) -> None:
    if "bucket" in e:
        assert ledger.cells[e["order"]][e["round"]][1] == e["bucket"], "the money lay in that bucket"
    assert ledger.give_back(e["order"], e["round"]) == e["paid"], "the event says what was paid"


def _withdrawn(ledger: Ledger, e: dict[str, Any]) -> None:
    assert e["payout"] == ledger.listings[e["listing"]]["payout"], "money goes to the payout address"
    assert ledger.pay_out(e["listing"], e["round"], e["bucket"]) == e["amount"], "the event says what was paid"


def _challenged(ledger: Ledger, e: dict[str, Any]) -> None:
    assert ledger.cells[e["order"]][e["round"]][1] == e["bucket"], "the money lay in that bucket"
    nothing = {"respondedAt": 0, "responseKey": 0, "sealedKey": bytes(32), "keyCommitment": 0}
    ledger.challenge(e["order"], e["round"], {name: (e | nothing)[name] for name in CHALLENGE_FIELDS})


def _responded(ledger: Ledger, e: dict[str, Any]) -> None:
    answer = {name: e[name] for name in ("respondedAt", "responseKey", "sealedKey", "keyCommitment")}
    ledger.challenges[e["order"], e["round"]].update(answer)


def _challenge_ended(ledger: Ledger, e: dict[str, Any]) -> None:
    to_buyer = e["ground"] != NOTHING_PROVEN
    order, place = ledger.orders[e["order"]], BUYER if to_buyer else SELLER
    receiver = order["buyer"] if to_buyer else ledger.listings[order["listing"]]["payout"]
    assert e["receiver"] == receiver, f"the money is the {place}'s"
    assert ledger.end_challenge(e["order"], e["round"], to_buyer) == e["paid"], "the event says what was paid"


def _copy_faulty(ledger: Ledger, e: dict[str, Any]) -> None:
    if (e["order"], e["round"]) in ledger.challenges:
        assert (e["order"], e["round"]) not in ledger.copy_faulty, "a mark is made once"
        ledger.copy_faulty[e["order"], e["round"]] = e["faultyAt"]


def _round_faulty(ledger: Ledger, e: dict[str, Any]) -> None:
    marks = ledger.listings[e["listing"]]["faulty"]
    assert e["round"] not in marks, "a mark is made once"
    marks[e["round"]] = e["faultyAt"]


def _faulty_refunded(ledger: Ledger, e: dict[str, Any]) -> None:
    if e["end"] == ledger.orders[e["order"]]["end"]:
        return _round_refunded(ledger, e)
    assert ledger.cells[e["order"]][e["round"]][1] == e["bucket"], "the money lay in that bucket"
    assert e["end"] == e["round"], "the order ends before that round"
    return _shortened(ledger, e)


def _credited(ledger: Ledger, e: dict[str, Any]) -> None:
    ledger.credits[e["account"], e["token"]] += e["amount"]


def _collected(ledger: Ledger, e: dict[str, Any]) -> None:
    ledger.credits[e["account"], e["token"]] -= e["amount"]


def _key_registered(ledger: Ledger, e: dict[str, Any]) -> None:
    ledger.keys[e["owner"]].append(e["publicKey"])
    assert len(ledger.keys[e["owner"]]) == e["epoch"], "epochs are numbered from 1"


def _voucher_used(ledger: Ledger, e: dict[str, Any]) -> None:
    ledger.vouchers[e["digest"]] += 1


def _voucher_revoked(ledger: Ledger, e: dict[str, Any]) -> None:
    ledger.vouchers[e["digest"]] = REVOKED


_HANDLERS: dict[str, Callable[[Ledger, dict[str, Any]], None]] = {
    "KeyRegistered": _key_registered,
    "ListingCreated": _listing_created,
    "OfferChanged": _offer_changed,
    "OperatorChanged": lambda ledger, e: ledger.listings[e["listing"]].update(operator=e["operator"]),
    "PayoutChanged": lambda ledger, e: ledger.listings[e["listing"]].update(payout=e["payout"]),
    "Bought": _bought,
    "VoucherUsed": _voucher_used,
    "VoucherRevoked": _voucher_revoked,
    "Released": _released,
    "Skipped": lambda ledger, e: ledger.miss(e["listing"], e["round"], e["lastTurn"]),
    "CopyDelivered": lambda ledger, e: ledger.copies.update({(e["order"], e["round"]): e["contentHash"]}),
    "Declined": _shortened,
    "Cancelled": _cancelled,
    "Reclaimed": _shortened,
    "Refunded": _shortened,
    "RoundRefunded": _round_refunded,
    "MissedRefunded": _round_refunded,
    "Challenged": _challenged,
    "Responded": _responded,
    "ChallengeEnded": _challenge_ended,
    "RoundFaulty": _round_faulty,
    "CopyFaulty": _copy_faulty,
    "FaultyRefunded": _faulty_refunded,
    "Withdrawn": _withdrawn,
    "Credited": _credited,
    "Collected": _collected,
}
