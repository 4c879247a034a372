"""The marketplace's books, kept from its whole history: what every pot and order is worth, and so what is owed.

A small accounting of its own, with none of the contract's shortcuts: what a release earns is summed up over the
orders that cover the round. What is booked here is money, and what does not add up; what became of a listing or an
order says `protocol.replay`, right after. Memory grows with what is sold and released, not with the blocks.
"""

from collections.abc import Callable
from typing import Final

from numerbay_chain.core.units import format_order_id
from numerbay_chain.protocol.books import Books, ListingBook, PotBook, add_to
from numerbay_chain.protocol.events import Event, order_of
from numerbay_chain.protocol.facts import OrderFacts
from numerbay_chain.protocol.types import Ground, Order, Settlement


class Ledger(Books):
    """The state of a whole history: replay all events of a marketplace into it, the first one first."""

    def admit(self, event: Event) -> bool:
        """Book one event. What can't be booked becomes a discrepancy, and changes nothing else: it never raises for
        what a contract may have written."""
        self.events += 1
        try:
            if book := _BOOKED.get(event.name):
                book(self, event)
        except LookupError:
            self.doubt(
                f"block {event.block}",
                f"the event {event.name} is about something that no event before it made",
                "unknown-subject",
            )
            return False
        return True

    def sale(self, id: int) -> OrderFacts:
        """An order that was sold. Raises `LookupError`."""
        return self.books[id >> 32].orders[id & 0xFFFF_FFFF]

    # --------------------------------------------------------------------------------------------------------- events

    def _listing_created(self, event: Event) -> None:
        id = event["listing"]
        if id != len(self.books) + 1:
            self.doubt(f"listing {id}", f"it is number {len(self.books) + 1} by the logs", "wrong-number")
        self.books[id] = made = ListingBook(self.listing(id))
        self.by_token.setdefault(event["terms"].token, []).append(made)

    def _offer_changed(self, event: Event) -> None:
        offering, offer = self.books[event["listing"]].offering, event["offer"]
        same = (offer.price, offer.details) == (offering.offer.price, offering.offer.details)
        if event["version"] != offering.version + (not same):
            change = f"its offer went from version {offering.version} to {event['version']}"
            self.doubt(f"listing {event['listing']}", change, "wrong-version")

    def _offering_changed(self, event: Event) -> None:
        self.books[event["listing"]]  # raises LookupError

    def _bought(self, event: Event) -> None:
        id, first = event["order"], event["first"]
        book = self.books[id >> 32]
        if (id & 0xFFFF_FFFF) != len(book.orders):
            self.doubt(_name(id), f"it is order {len(book.orders)} of its listing by the logs", "wrong-number")
        if (event["buyer"], event["epoch"]) not in self.keys:
            self.doubt(_name(id), f"its buyer had no key of epoch {event['epoch']}", "no-key")
        if first != book.next_round - (event["bucket"] != 0):
            self.doubt(
                _name(id), f"it begins with round {first} when round {book.next_round} was the next one", "wrong-round"
            )
        if event["bucket"]:
            if first in book.facts.faulty:
                self.doubt(_name(id), f"it was bought for round {first}, which had been proven faulty", "faulty")
            book.pots.setdefault((first, event["bucket"]), PotBook()).amount += event["price"]
        book.orders.append(self.order(id))
        book.earn_from(order_of(event))
        add_to(self.received, book.terms.token, event["price"] * event["rounds"])

    def _voucher_used(self, event: Event) -> None:
        self.sale(event["order"])  # raises LookupError

    def _released(self, event: Event) -> None:
        book, round = self.books[event["listing"]], event["round"]
        if round != book.next_round:
            self.doubt(
                f"listing {book.id}", f"round {round} was released when round {book.next_round} was next", "wrong-round"
            )
        pot = book.pots.setdefault((round, event["bucket"]), PotBook())
        pot.amount, pot.released = pot.amount + book.earned_by(round), True
        book.next_round, book.last_turn = round + 1, event["releasedAt"]

    def _skipped(self, event: Event) -> None:
        book, round = self.books[event["listing"]], event["round"]
        if round != book.next_round:
            self.doubt(
                f"listing {book.id}", f"round {round} was missed when round {book.next_round} was next", "wrong-round"
            )
        book.next_round, book.last_turn = round + 1, event["lastTurn"]

    def _copy_delivered(self, event: Event) -> None:
        sale, round = self.sale(event["order"]), event["round"]
        if sale.at(round).copy is not None or not sale.sold.covers(round):
            self.doubt(
                _name(sale.id), f"a copy of round {round} was posted twice, or without a right to it", "copy-unowed"
            )

    def _ends(self, event: Event, end: int) -> None:
        """An order that ends early is paid for the rounds that it gives up: one that is out leaves its pot."""
        order = self.sale(event["order"]).sold
        book = self.books[order.listing]
        if not order.first <= end <= order.end:
            self.doubt(_name(order.id), f"it was ended before round {end}, which it does not cover", "not-covered")
        for round in range(end, min(order.end, book.next_round)):
            release = book.facts.releases[round]
            self._take(book, round, release.bucket, order.price, _name(order.id))
        self._pay(event, order, order.price * (order.end - end))
        book.end(order, end)

    def _declined(self, event: Event) -> None:
        self._ends(event, event["round"])

    def _ended_early(self, event: Event) -> None:
        self._ends(event, event["end"])

    def _round_refunded(self, event: Event) -> None:
        order = self._unsettled(event).sold
        self._take(self.books[order.listing], event["round"], event["bucket"], order.price, _name(order.id))
        self._pay(event, order, order.price)

    def _missed_refunded(self, event: Event) -> None:
        order = self.sale(event["order"]).sold
        if not self.books[order.listing].facts.is_missed(event["round"]):
            self.doubt(_name(order.id), f"round {event['round']} was paid back as missed, but was not", "not-missed")
        self._unsettled(event)
        self._pay(event, order, order.price)

    def _withdrawn(self, event: Event) -> None:
        book = self.books[event["listing"]]
        place = event["round"], event["bucket"]
        subject = f"round {event['round']} of listing {book.id}"
        self._take(book, *place, event["amount"], subject)
        if book.pots[place].amount:
            self.doubt(subject, "less than its pot was withdrawn", "wrong-amount")
        book.pots[place].released = False  # the contract clears the slot
        self._check_receiver(event["payout"], book.offering.payout, subject)
        if book.is_frozen(*place):
            self.doubt(subject, "it was proven faulty before its pot matured, and that was withdrawn", "frozen")
        add_to(self.paid, book.terms.token, event["amount"])

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
            self.doubt(f"account {place[0]}", f"it collected {event['amount']} of a credit of {held}", "no-credit")
        add_to(self.paid, event["token"], event["amount"])

    # ------------------------------------------------------------------------------------------------------- disputes

    def _challenged(self, event: Event) -> None:
        sale, round = self.sale(event["order"]), event["round"]
        order, book = sale.sold, self.books[sale.sold.listing]
        released = round in book.facts.releases and round not in book.facts.faulty
        if sale.at(round).settlement is not Settlement.NONE or not order.covers(round) or not released:
            self.doubt(_name(order.id), f"round {round} was challenged without a right to it", "challenge-unowed")
        price, bond = event["price"], event["bond"]
        if (price, bond) != (order.price, book.terms.bond(order.price)):
            self.doubt(
                _name(order.id), f"a challenge of round {round} was about {price} with a bond of {bond}", "wrong-stake"
            )
        add_to(self.received, book.terms.token, bond)
        self._take(book, round, event["bucket"], price, _name(order.id))

    def _responded(self, event: Event) -> None:
        sale, round = self.sale(event["order"]), event["round"]
        before = sale.at(round).open_challenge
        if before is None or before.responded:
            self.doubt(
                _name(sale.id), f"a challenge of round {round} was answered that was not open, or twice", "not-open"
            )

    def _challenge_ended(self, event: Event) -> None:
        sale, round, ground = self.sale(event["order"]), event["round"], event["ground"]
        order, book, name = sale.sold, self.books[sale.sold.listing], _name(sale.id)
        known = sale.at(round)
        ended = known.open_challenge
        if ended is None:
            self.doubt(name, f"a challenge of round {round} ended that was not open", "not-open")
        elif ground not in (_AFTER_ANSWER if ended.responded else _BEFORE_ANSWER):
            self.doubt(
                name,
                f"the challenge of round {round} ended for a reason that it could not have: {ground}",
                "wrong-ground",
            )
        proven = known.marked_at if book.terms.copies else book.facts.faulty.get(round)
        if ground == Ground.WRONG_CONTENT and not proven:
            self.doubt(name, f"the challenge of round {round} ended for a fault that was not proven", "not-faulty")
        receiver = book.offering.payout if ground == Ground.NOTHING_PROVEN else order.buyer
        self._check_receiver(event["receiver"], receiver, name)
        self._pay(event, order, ended.stake if ended else 0)

    def _round_faulty(self, event: Event) -> None:
        book, round = self.books[event["listing"]], event["round"]
        if round in book.facts.faulty or round not in book.facts.releases:
            self.doubt(
                f"round {round} of listing {book.id}",
                "it was proven faulty twice, or without a release",
                "marked-twice",
            )

    def _copy_faulty(self, event: Event) -> None:
        sale, round = self.sale(event["order"]), event["round"]
        known = sale.at(round)
        if known.marked_at or known.copy is None:
            self.doubt(
                _name(sale.id), f"its copy of round {round} was proven faulty twice, or was none", "marked-twice"
            )

    def _faulty_refunded(self, event: Event) -> None:
        sale, round, bucket = self.sale(event["order"]), event["round"], event["bucket"]
        order, book, name = sale.sold, self.books[sale.sold.listing], _name(sale.id)
        if not book.terms.copies and not book.is_frozen(round, bucket):
            self.doubt(name, f"round {round} was paid back as faulty, but was not", "not-faulty")
        if event["end"] == order.end:
            self._unsettled(event)
        else:
            last = event["end"] == round == order.end - 1
            if not last or sale.at(round).settlement is not Settlement.NONE:
                self.doubt(name, f"round {round} was paid back twice, or without a right to it", "refund-unowed")
            book.end(order, event["end"])
        self._take(book, round, bucket, order.price, name)
        self._pay(event, order, order.price)

    # --------------------------------------------------------------------------------------------------------- money

    def _check_receiver(self, receiver: str, due: str, subject: str) -> None:
        if receiver != due:
            self.doubt(subject, f"its money went to {receiver} instead of {due}", "wrong-receiver")

    def _unsettled(self, event: Event) -> OrderFacts:
        """The order of a round that is paid back by itself."""
        sale, round = self.sale(event["order"]), event["round"]
        if sale.at(round).settlement is not Settlement.NONE or not sale.sold.covers(round):
            self.doubt(_name(sale.id), f"round {round} was paid back twice, or without a right to it", "refund-unowed")
        return sale

    def _take(self, book: ListingBook, round: int, bucket: int, amount: int, subject: str) -> None:
        pot = book.pots[round, bucket]
        pot.amount -= amount
        if pot.amount < 0:
            self.doubt(subject, f"more left the pot of round {round} than it held", "pot-short")

    def _pay(self, event: Event, order: Order, amount: int) -> None:
        if event["paid"] != amount:
            self.doubt(_name(order.id), f"it was paid {event['paid']} where {amount} were due", "wrong-amount")
        add_to(self.paid, self.books[order.listing].terms.token, event["paid"])


def _name(order: int) -> str:
    return f"order {format_order_id(order)}"


_BEFORE_ANSWER: Final = {Ground.NO_RESPONSE, Ground.WRONG_CONTENT}
_AFTER_ANSWER: Final = {Ground.WRONG_KEY, Ground.WRONG_CONTENT, Ground.NOTHING_PROVEN}

_BOOKED: Final[dict[str, Callable[[Ledger, Event], None]]] = {
    "ListingCreated": Ledger._listing_created,
    "OfferChanged": Ledger._offer_changed,
    "OperatorChanged": Ledger._offering_changed,
    "PayoutChanged": Ledger._offering_changed,
    "Bought": Ledger._bought,
    "VoucherUsed": Ledger._voucher_used,
    "Released": Ledger._released,
    "Skipped": Ledger._skipped,
    "CopyDelivered": Ledger._copy_delivered,
    "Declined": Ledger._declined,
    "Cancelled": Ledger._ended_early,
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
