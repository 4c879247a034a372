"""What all calls of the model share."""

from typing import Any

from tests.support.model import terms as times
from tests.support.model.ledger import POT, Ledger
from tests.support.model.rules import Rules
from tests.support.model.wallets import NATIVE, Wallets


class Base:
    """`now` is the chain's time, `address` the marketplace's. A refused call raises `Refused` and changes nothing."""

    def __init__(self, wallets: Wallets, now: int, address: str) -> None:
        self.ledger = Ledger()
        self.address = address
        self.wallets = wallets
        self.now = now

    def _pay(self, order: int, amount: int) -> int:
        state = self.ledger.orders[order]
        self._send(self.ledger.token(state["listing"]), state["buyer"], amount)
        return amount

    def _send(self, token: str, to: str, amount: int) -> None:
        """A payment that its receiver refuses becomes his credit."""
        if not self.wallets.pay(token, to, amount):
            self.ledger.credits[to, token] += amount

    def _listing(self, rules: Rules, listing: int) -> dict[str, Any]:
        rules(listing in self.ledger.listings, "NoListing", listing)
        rules.check()
        return self.ledger.listings[listing]

    def _order(self, rules: Rules, order: int) -> tuple[dict[str, Any], dict[str, Any]]:
        rules(order in self.ledger.orders, "NoOrder", order)
        rules.check()
        state = self.ledger.orders[order]
        return state, self.ledger.listings[state["listing"]]

    def _only_seller(self, rules: Rules, listing: dict[str, Any], caller: str) -> None:
        rules(caller == listing["seller"], "NotSeller", caller, listing["seller"])

    def _only_operator(self, rules: Rules, listing: dict[str, Any], caller: str) -> None:
        seller, operator = listing["seller"], listing["operator"]
        rules(caller in (seller, operator), "NotOperator", caller, seller, operator)

    def _unsettled(self, rules: Rules, order: int, round_: int) -> None:
        settlement = self.ledger.settled.get((order, round_), 0)
        rules(settlement == 0, "AlreadySettled", order, round_, settlement)

    def _lies_in(self, rules: Rules, order: int, round_: int, bucket: int) -> None:
        state = self.ledger.orders[order]
        released = round_ in self.ledger.listings[state["listing"]]["released"]
        fits = released and self.ledger.lies_in(order, round_, bucket)
        rules(fits, "WrongBucket", order, round_, bucket)

    def _unripe(self, rules: Rules, listing: int, round_: int, bucket: int) -> None:
        matures = self.ledger.maturity(listing, bucket)
        rules(self.now < matures, "Matured", listing, round_, bucket, matures)

    def _check_payment(self, rules: Rules, token: str, amount: int, value: int) -> None:
        """Exact, and no ether beside tokens."""
        wanted = amount if token == NATIVE else 0
        rules(value == wanted, "WrongPayment", value, wanted)
        received = self.wallets.received(token, amount)
        rules(token == NATIVE or received == amount, "TokenTookFee", token, received, amount)

    def _may_turn(self, rules: Rules, listing: int, round_: int) -> None:
        """Not within the interval after the last release or voluntary skip, nor before the round's period begins."""
        state = self.ledger.listings[listing]
        terms, due = state["terms"], times.due(state["terms"], round_)
        if state["lastTurn"]:
            earliest = state["lastTurn"] + terms["minInterval"]
            rules(self.now >= earliest, "TooEarly", listing, round_, earliest)
        if due is not None:
            rules(self.now >= due - terms["period"], "TooEarly", listing, round_, due - terms["period"])

    def held(self, order: int, round_: int) -> str:
        """Where an order's money for a round is: ahead, pot, challenge, seller, buyer."""
        return str(self.ledger.cells[order][round_][0])

    def in_pots(self, listing: int) -> list[tuple[int, int]]:
        """(round, bucket) of the pots that are not empty."""
        ids = self.ledger.listings[listing]["ids"]
        cells = [(r, cell) for order in ids for r, cell in self.ledger.cells[order].items()]
        return sorted({(r, cell[1]) for r, cell in cells if cell[0] == POT})
