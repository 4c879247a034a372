"""Where every round of every order's money is. The marketplace's O(1) sums are computed the long way, cell by cell."""

from collections import defaultdict
from typing import Any

from tests.model import terms as times

AHEAD, POT, SELLER, BUYER = "ahead", "pot", "seller", "buyer"
NONE, CHALLENGED, PAID_TO_SELLER, PAID_BACK = range(4)
VOUCHER_PRICE = 65_535
REVOKED = 2**256 - 1

Listing = dict[str, Any]
Order = dict[str, Any]


class Ledger:
    """Plain dicts; `cells[order][round]` is [place, bucket]."""

    def __init__(self) -> None:
        self.listings: dict[int, Listing] = {}
        self.orders: dict[int, Order] = {}
        self.cells: dict[int, dict[int, list[Any]]] = {}
        self.settled: dict[tuple[int, int], int] = {}
        self.copies: dict[tuple[int, int], bytes] = {}
        self.credits: dict[tuple[str, str], int] = defaultdict(int)
        self.vouchers: dict[bytes, int] = defaultdict(int)
        self.keys: dict[str, list[bytes]] = defaultdict(list)

    # ---------------------------------------------------------------------------------------------------------- moves

    def add_listing(self, seller: str, operator: str, payout: str, terms: dict[str, Any], offer: dict[str, Any]) -> int:
        listing = len(self.listings) + 1
        self.listings[listing] = {
            "seller": seller, "operator": operator, "payout": payout, "terms": terms, "offer": offer, "version": 0,
            "nextRound": 0, "orders": 0, "voided": 0, "lastTurn": 0, "released": {}, "missed": set(),
            "withdrawn": set(), "ids": [],
        }  # fmt: skip
        return listing

    def add_order(
        self, listing: int, buyer: str, first: int, rounds: int, price: int, version: int, bucket: int
    ) -> int:
        state = self.listings[listing]
        order = listing << 32 | state["orders"]
        state["orders"] += 1
        state["ids"].append(order)
        self.orders[order] = {
            "listing": listing, "buyer": buyer, "first": first, "end": first + rounds, "price": price,
            "version": version, "epoch": len(self.keys[buyer]), "bucket": bucket, "cancelledAt": 0,
        }  # fmt: skip
        self.cells[order] = {r: [AHEAD, 0] for r in range(first, first + rounds)}
        if bucket:
            self.cells[order][first] = [POT, bucket]
        return order

    def earn(self, listing: int, round_: int, bucket: int, time: int, content_hash: bytes) -> None:
        """A release: the round's money of every order that covers it goes into the pot of its bucket."""
        state = self.listings[listing]
        state["released"][round_] = {"bucket": bucket, "time": time, "hash": content_hash}
        state["lastTurn"] = time
        state["nextRound"] += 1
        for order in state["ids"]:
            if self.cells[order].get(round_, [None])[0] == AHEAD:
                self.cells[order][round_] = [POT, bucket]

    def miss(self, listing: int, round_: int, last_turn: int) -> None:
        self.listings[listing]["lastTurn"] = last_turn
        self.listings[listing]["missed"].add(round_)
        self.listings[listing]["nextRound"] += 1

    def shorten(self, order: int, end: int) -> int:
        """The order ends before round `end`: what lies at or after it is the buyer's. Returns how much."""
        state = self.orders[order]
        given = [r for r in range(end, state["end"]) if self._give(order, r)]
        state["end"] = end
        listing = self.listings[state["listing"]]
        if end == state["first"] and listing["terms"]["supply"]:
            listing["voided"] += 1
        return len(given) * state["price"]

    def give_back(self, order: int, round_: int) -> int:
        """One round, settled by itself."""
        if not self._give(order, round_):
            raise AssertionError(f"round {round_} of order {order} is paid out twice")
        self.settled[order, round_] = PAID_BACK
        return int(self.orders[order]["price"])

    def _give(self, order: int, round_: int) -> bool:
        cell = self.cells[order][round_]
        held = cell[0] in (AHEAD, POT)
        if held:
            cell[0] = BUYER
        return held

    def pay_out(self, listing: int, round_: int, bucket: int) -> int:
        """Empty a pot; what was in it is the seller's. A pot of free rounds stays as it is: nothing moves."""
        amount = self.pot(listing, round_, bucket)
        if amount:
            self.listings[listing]["withdrawn"].add((round_, bucket))
        for order in self.listings[listing]["ids"] if amount else []:
            if self.cells[order].get(round_) == [POT, bucket]:
                self.cells[order][round_][0] = SELLER
        return amount

    # ---------------------------------------------------------------------------------------------------------- views

    def token(self, listing: int) -> str:
        return str(self.listings[listing]["terms"]["token"])

    def covers(self, order: int, round_: int) -> bool:
        return bool(self.orders[order]["first"] <= round_ < self.orders[order]["end"])

    def active(self, listing: int) -> int:
        """What the release of the next round would earn."""
        state = self.listings[listing]
        return sum(
            self.orders[order]["price"] for order in state["ids"]
            if self.cells[order].get(state["nextRound"], [None])[0] == AHEAD
        )  # fmt: skip

    def leaving(self, listing: int, round_: int) -> int:
        """The prices of the orders that end before this round, of those with a round still ahead."""
        state = self.listings[listing]
        if round_ <= state["nextRound"]:
            return 0
        return sum(self.orders[order]["price"] for order in state["ids"] if self.orders[order]["end"] == round_)

    def pot(self, listing: int, round_: int, bucket: int) -> int:
        return sum(
            self.orders[order]["price"] for order in self.listings[listing]["ids"]
            if self.cells[order].get(round_) == [POT, bucket]
        )  # fmt: skip

    def is_flagged(self, listing: int, round_: int, bucket: int) -> bool:
        """Whether a pot is known as the one that the release filled; forgotten once it was withdrawn."""
        state = self.listings[listing]
        released = state["released"].get(round_, {}).get("bucket") == bucket
        return released and (round_, bucket) not in state["withdrawn"]

    def pots(self, listing: int) -> set[tuple[int, int]]:
        """(round, bucket) of every pot that ever was."""
        state = self.listings[listing]
        released = {(r, entry["bucket"]) for r, entry in state["released"].items()}
        bought = {(self.orders[o]["first"], self.orders[o]["bucket"]) for o in state["ids"] if self.orders[o]["bucket"]}
        return released | bought

    def bucket_of(self, order: int, round_: int) -> int:
        """Where the order's money for a released round lies."""
        state = self.orders[order]
        if state["bucket"] and round_ == state["first"]:
            return int(state["bucket"])
        return int(self.listings[state["listing"]]["released"][round_]["bucket"])

    def lies_in(self, order: int, round_: int, bucket: int) -> bool:
        """Whether the contract can know that the order's money for a released round went into that bucket."""
        state = self.orders[order]
        bought = state["bucket"] and round_ == state["first"]
        return bool(
            bucket == self.bucket_of(order, round_) and (bought or self.is_flagged(state["listing"], round_, bucket))
        )

    def hash_of(self, order: int, round_: int) -> bytes:
        listing = self.listings[self.orders[order]["listing"]]
        if listing["terms"]["copies"]:
            return self.copies.get((order, round_), bytes(32))
        return bytes(listing["released"][round_]["hash"]) if round_ in listing["released"] else bytes(32)

    def owed(self, token: str) -> int:
        """All that the contract has to hold of a token."""
        held = sum(
            state["price"] * sum(cell[0] in (AHEAD, POT) for cell in self.cells[order].values())
            for order, state in self.orders.items()
            if self.token(state["listing"]) == token
        )
        return held + sum(amount for (_, of), amount in self.credits.items() if of == token)

    def maturity(self, listing: int, bucket: int) -> int:
        return times.maturity(self.listings[listing]["terms"], bucket)
