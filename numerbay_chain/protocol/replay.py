"""The marketplace's books, kept from its events alone: what every order, round and pot is worth, and so what is
owed.

A small accounting of its own, with none of the contract's shortcuts: what a release earns is summed up over the
orders that cover the round. `Ledger.apply` takes events in the chain's order; memory grows with orders and pots,
not with events.
"""

from bisect import insort
from collections.abc import Callable
from typing import Final

from numerbay_chain.core.units import format_order_id
from numerbay_chain.protocol.books import Books, ListingBook, OrderBook, PotBook, ReleaseBook, add_to
from numerbay_chain.protocol.events import Event, challenge_after
from numerbay_chain.protocol.types import Ground, Offer, Settlement


class Ledger(Books):
    """The books of one marketplace, kept from its events."""

    def apply(self, event: Event) -> None:
        """Books one event. What can't be booked becomes a discrepancy: it never raises for what a contract may have
        written."""
        self.events += 1
        handler = _HANDLERS.get(event.name)
        if handler is None:
            return
        try:
            handler(self, event)
        except LookupError:
            self.doubt(
                f"block {event.block}", f"the event {event.name} is about something that no event before it made"
            )

    # --------------------------------------------------------------------------------------------------------- events

    def _listing_created(self, event: Event) -> None:
        id = event["listing"]
        if id != len(self.listings) + 1:
            self.doubt(f"listing {id}", f"it is number {len(self.listings) + 1} by the logs")
        self.listings[id] = made = ListingBook(
            id, event["seller"], event["operator"], event["payout"], event["terms"], event["offer"]
        )
        self.by_token.setdefault(made.terms.token, []).append(made)

    def _offer_changed(self, event: Event) -> None:
        listing = self.listings[event["listing"]]
        offer: Offer = event["offer"]
        same = (offer.price, offer.details) == (listing.offer.price, listing.offer.details)
        if event["version"] != listing.version + (not same):
            self.doubt(f"listing {listing.id}", f"its offer went from version {listing.version} to {event['version']}")
        listing.offer, listing.version = offer, event["version"]

    def _operator_changed(self, event: Event) -> None:
        self.listings[event["listing"]].operator = event["operator"]

    def _payout_changed(self, event: Event) -> None:
        self.listings[event["listing"]].payout = event["payout"]

    def _key_registered(self, event: Event) -> None:
        self.keys[event["owner"], event["epoch"]] = event["publicKey"]

    def _bought(self, event: Event) -> None:
        id = event["order"]
        listing = self.listings[id >> 32]
        if (id & 0xFFFF_FFFF) != len(listing.orders):
            self.doubt(_name(id), f"it is order {len(listing.orders)} of its listing by the logs")
        order = OrderBook(
            id, event["buyer"], event["first"], event["first"] + event["rounds"], event["price"], event["version"],
            event["epoch"], event["bucket"],
        )  # fmt: skip
        if (order.buyer, order.epoch) not in self.keys:
            self.doubt(_name(id), f"its buyer had no key of epoch {order.epoch}")
        if order.first != listing.next_round - (order.bucket != 0):
            self.doubt(
                _name(id), f"it begins with round {order.first} when round {listing.next_round} was the next one"
            )
        if order.bucket:
            if order.first in listing.faulty:
                self.doubt(_name(id), f"it was bought for round {order.first}, which had been proven faulty")
            listing.pots.setdefault((order.first, order.bucket), PotBook()).amount += order.price
        listing.take_in(order)
        add_to(self.received, listing.terms.token, event["price"] * event["rounds"])

    def _voucher_used(self, event: Event) -> None:
        self.order(event["order"]).voucher = event["digest"]
        self.voucher_uses[event["digest"]] = self.voucher_uses.get(event["digest"], 0) + 1

    def _voucher_revoked(self, event: Event) -> None:
        self.revoked.add(event["digest"])

    def _released(self, event: Event) -> None:
        listing, round = self.listings[event["listing"]], event["round"]
        if round != listing.next_round:
            self.doubt(f"listing {listing.id}", f"round {round} was released when round {listing.next_round} was next")
        listing.releases[round] = ReleaseBook(event["contentHash"], event["bucket"], event["releasedAt"])
        pot = listing.pots.setdefault((round, event["bucket"]), PotBook())
        pot.amount, pot.released = pot.amount + listing.earned_by(round), True
        listing.next_round, listing.last_turn = round + 1, event["releasedAt"]

    def _skipped(self, event: Event) -> None:
        listing, round = self.listings[event["listing"]], event["round"]
        if round != listing.next_round:
            self.doubt(f"listing {listing.id}", f"round {round} was missed when round {listing.next_round} was next")
        if not listing.is_missed(round):
            insort(listing.missed, round)
        listing.next_round, listing.last_turn = round + 1, event["lastTurn"]

    def _copy_delivered(self, event: Event) -> None:
        order, round = self.order(event["order"]), event["round"]
        if round in order.copies or not order.covers(round):
            self.doubt(_name(order.id), f"a copy of round {round} was posted twice, or without a right to it")
        order.copies[round] = event["contentHash"]

    def _ends(self, event: Event, end: int) -> None:
        """An order that ends early is paid for the rounds that it gives up: one that is out leaves its pot."""
        order = self.order(event["order"])
        listing = self.listings[order.id >> 32]
        if not order.first <= end <= order.end:
            self.doubt(_name(order.id), f"it was ended before round {end}, which it does not cover")
        for round in range(end, min(order.end, listing.next_round)):
            release = listing.releases[round]
            self._take(listing, round, release.bucket, order.price, _name(order.id))
        self._pay(event, order, order.price * (order.end - end))
        listing.end(order, end)

    def _declined(self, event: Event) -> None:
        self._ends(event, event["round"])

    def _ended_early(self, event: Event) -> None:
        self._ends(event, event["end"])

    def _cancelled(self, event: Event) -> None:
        self.order(event["order"]).cancelled_at = event["cancelledAt"]
        self._ends(event, event["end"])

    def _round_refunded(self, event: Event) -> None:
        order = self.order(event["order"])
        self._settle(order, event["round"])
        self._take(self.listings[order.id >> 32], event["round"], event["bucket"], order.price, _name(order.id))
        self._pay(event, order, order.price)

    def _missed_refunded(self, event: Event) -> None:
        order = self.order(event["order"])
        if not self.listings[order.id >> 32].is_missed(event["round"]):
            self.doubt(_name(order.id), f"round {event['round']} was paid back as missed, but was not")
        self._settle(order, event["round"])
        self._pay(event, order, order.price)

    def _withdrawn(self, event: Event) -> None:
        listing = self.listings[event["listing"]]
        subject = f"round {event['round']} of listing {listing.id}"
        self._take(listing, event["round"], event["bucket"], event["amount"], subject)
        if listing.pots[event["round"], event["bucket"]].amount:
            self.doubt(subject, "less than its pot was withdrawn")
        listing.pots[event["round"], event["bucket"]].released = False  # the contract clears the slot
        self._check_receiver(event["payout"], listing.payout, subject)
        if listing.is_frozen(event["round"], event["bucket"]):
            self.doubt(subject, "it was proven faulty before its pot matured, and that was withdrawn")
        add_to(self.paid, listing.terms.token, event["amount"])

    def _credited(self, event: Event) -> None:
        place = (event["account"], event["token"])
        self.credits[place] = self.credits.get(place, 0) + event["amount"]
        add_to(self.credited_in, event["token"], event["amount"])
        add_to(self.paid, event["token"], -event["amount"])

    def _collected(self, event: Event) -> None:
        place = (event["account"], event["token"])
        held = self.credits.pop(place)
        add_to(self.credited_in, event["token"], -held)
        if held != event["amount"]:
            self.doubt(f"account {place[0]}", f"it collected {event['amount']} of a credit of {held}")
        add_to(self.paid, event["token"], event["amount"])

    # ------------------------------------------------------------------------------------------------------- disputes

    def _challenged(self, event: Event) -> None:
        order, round = self.order(event["order"]), event["round"]
        listing, name = self.listings[order.id >> 32], _name(order.id)
        released = round in listing.releases and round not in listing.faulty
        if round in order.settled or not order.covers(round) or not released:
            self.doubt(name, f"round {round} was challenged without a right to it")
        if (event["price"], event["bond"]) != (order.price, listing.terms.bond(order.price)):
            self.doubt(name, f"a challenge of round {round} was about {event['price']} with a bond of {event['bond']}")
        if opened := challenge_after(None, event):
            order.challenges[round], order.settled[round] = opened, Settlement.CHALLENGED
        add_to(self.received, listing.terms.token, event["bond"])
        self._take(listing, round, event["bucket"], event["price"], name)

    def _responded(self, event: Event) -> None:
        order, round = self.order(event["order"]), event["round"]
        before = order.challenges.get(round)
        if before is None or before.responded:
            self.doubt(_name(order.id), f"a challenge of round {round} was answered that was not open, or twice")
        if answered := challenge_after(before, event):
            order.challenges[round] = answered

    def _challenge_ended(self, event: Event) -> None:
        order, round, ground = self.order(event["order"]), event["round"], event["ground"]
        listing, name = self.listings[order.id >> 32], _name(order.id)
        ended = order.challenges.pop(round, None)
        to_seller = ground == Ground.NOTHING_PROVEN
        order.settled[round] = Settlement.PAID_TO_SELLER if to_seller else Settlement.PAID_BACK
        if ended is None:
            self.doubt(name, f"a challenge of round {round} ended that was not open")
        elif ground not in (_AFTER_ANSWER if ended.responded else _BEFORE_ANSWER):
            self.doubt(name, f"the challenge of round {round} ended for a reason that it could not have: {ground}")
        marks = order.copy_faulty if listing.terms.copies else listing.faulty
        if ground == Ground.WRONG_CONTENT and round not in marks:
            self.doubt(name, f"the challenge of round {round} ended for a fault that was not proven")
        self._check_receiver(event["receiver"], listing.payout if to_seller else order.buyer, name)
        self._pay(event, order, ended.stake if ended else 0)

    def _round_faulty(self, event: Event) -> None:
        listing, round = self.listings[event["listing"]], event["round"]
        if round in listing.faulty or round not in listing.releases:
            self.doubt(f"round {round} of listing {listing.id}", "it was proven faulty twice, or without a release")
        listing.faulty[round] = event["faultyAt"]

    def _copy_faulty(self, event: Event) -> None:
        order, round = self.order(event["order"]), event["round"]
        if round in order.copy_faulty or round not in order.copies:
            self.doubt(_name(order.id), f"its copy of round {round} was proven faulty twice, or was none")
        if round in order.challenges:
            order.copy_faulty[round] = event["faultyAt"]

    def _faulty_refunded(self, event: Event) -> None:
        order, round, bucket = self.order(event["order"]), event["round"], event["bucket"]
        listing, name = self.listings[order.id >> 32], _name(order.id)
        if not listing.terms.copies and not listing.is_frozen(round, bucket):
            self.doubt(name, f"round {round} was paid back as faulty, but was not")
        if event["end"] == order.end:
            self._settle(order, round)
        else:
            if not event["end"] == round == order.end - 1 or round in order.settled:
                self.doubt(name, f"round {round} was paid back twice, or without a right to it")
            listing.end(order, event["end"])
        self._take(listing, round, bucket, order.price, name)
        self._pay(event, order, order.price)

    # --------------------------------------------------------------------------------------------------------- money

    def _check_receiver(self, receiver: str, due: str, subject: str) -> None:
        if receiver != due:
            self.doubt(subject, f"its money went to {receiver} instead of {due}")

    def _settle(self, order: OrderBook, round: int) -> None:
        if round in order.settled or not order.covers(round):
            self.doubt(_name(order.id), f"round {round} was paid back twice, or without a right to it")
        order.settled[round] = Settlement.PAID_BACK

    def _take(self, listing: ListingBook, round: int, bucket: int, amount: int, subject: str) -> None:
        pot = listing.pots[round, bucket]
        pot.amount -= amount
        if pot.amount < 0:
            self.doubt(subject, f"more left the pot of round {round} than it held")

    def _pay(self, event: Event, order: OrderBook, amount: int) -> None:
        if event["paid"] != amount:
            self.doubt(_name(order.id), f"it was paid {event['paid']} where {amount} were due")
        add_to(self.paid, self.listings[order.id >> 32].terms.token, event["paid"])


def _name(order: int) -> str:
    return f"order {format_order_id(order)}"


_BEFORE_ANSWER: Final = {Ground.NO_RESPONSE, Ground.WRONG_CONTENT}
_AFTER_ANSWER: Final = {Ground.WRONG_KEY, Ground.WRONG_CONTENT, Ground.NOTHING_PROVEN}

_HANDLERS: Final[dict[str, Callable[[Ledger, Event], None]]] = {
    "ListingCreated": Ledger._listing_created,
    "OfferChanged": Ledger._offer_changed,
    "OperatorChanged": Ledger._operator_changed,
    "PayoutChanged": Ledger._payout_changed,
    "KeyRegistered": Ledger._key_registered,
    "Bought": Ledger._bought,
    "VoucherUsed": Ledger._voucher_used,
    "VoucherRevoked": Ledger._voucher_revoked,
    "Released": Ledger._released,
    "Skipped": Ledger._skipped,
    "CopyDelivered": Ledger._copy_delivered,
    "Declined": Ledger._declined,
    "Cancelled": Ledger._cancelled,
    "Reclaimed": Ledger._ended_early,
    "Refunded": Ledger._ended_early,
    "RoundRefunded": Ledger._round_refunded,
    "MissedRefunded": Ledger._missed_refunded,
    "Challenged": Ledger._challenged,
    "Responded": Ledger._responded,
    "ChallengeEnded": Ledger._challenge_ended,
    "RoundFaulty": Ledger._round_faulty,
    "CopyFaulty": Ledger._copy_faulty,
    "FaultyRefunded": Ledger._faulty_refunded,
    "Withdrawn": Ledger._withdrawn,
    "Credited": Ledger._credited,
    "Collected": Ledger._collected,
}
