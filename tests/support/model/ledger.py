"""Where every round of every order's money is. The marketplace's O(1) sums are computed the long way, cell by cell."""

from collections import defaultdict
from typing import Any

from eth_utils import keccak

from tests.support.model import terms as times

AHEAD, POT, CHALLENGE, SELLER, BUYER = "ahead", "pot", "challenge", "seller", "buyer"
NONE, CHALLENGED, PAID_TO_SELLER, PAID_BACK = range(4)
VOUCHER_PRICE = 65_535
REVOKED = 2**256 - 1

CHALLENGE_FIELDS = [
    "disputeKey", "bucket", "price", "bond", "challengedAt", "respondedAt", "responseKey", "sealedKey",
    "keyCommitment",
]  # fmt: skip

Listing = dict[str, Any]
Order = dict[str, Any]
Challenge = dict[str, Any]


def challenge_tuple(challenge: Challenge) -> tuple[Any, ...]:
    return tuple(challenge[name] for name in CHALLENGE_FIELDS)


def challenge_hash(challenge: Challenge) -> int:
    """What the contract keeps of a challenge: the hash of its fields, a word each."""
    words = challenge_tuple(challenge)
    return int.from_bytes(keccak(b"".join(w if isinstance(w, bytes) else w.to_bytes(32, "big") for w in words)), "big")


class Ledger:
    """Plain dicts; `cells[order][round]` is [place, bucket]."""

    def __init__(self) -> None:
        self.listings: dict[int, Listing] = {}
        self.orders: dict[int, Order] = {}
        self.cells: dict[int, dict[int, list[Any]]] = {}
        self.settled: dict[tuple[int, int], int] = {}
        self.copies: dict[tuple[int, int], bytes] = {}
        self.challenges: dict[tuple[int, int], Challenge] = {}  # open ones
        self.copy_faulty: dict[tuple[int, int], int] = {}  # when the copy of a challenged round was proven faulty
        self.credits: dict[tuple[str, str], int] = defaultdict(int)
        self.vouchers: dict[bytes, int] = defaultdict(int)
        self.keys: dict[str, list[bytes]] = defaultdict(list)

    # ---------------------------------------------------------------------------------------------------------- moves

    def add_listing(self, seller: str, operator: str, payout: str, terms: dict[str, Any], offer: dict[str, Any]) -> int:
        listing = len(self.listings) + 1
        self.listings[listing] = {
            "seller": seller, "operator": operator, "payout": payout, "terms": terms, "offer": offer, "version": 0,
            "nextRound": 0, "orders": 0, "voided": 0, "lastTurn": 0, "released": {}, "missed": set(),
            "withdrawn": set(), "faulty": {}, "ids": [],
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

    def give_back_faulty(self, order: int, round_: int) -> int:
        """One round; an order's last one is given back by ending the order before it."""
        if round_ + 1 == self.orders[order]["end"]:
            return self.shorten(order, round_)
        return self.give_back(order, round_)

    def give_back(self, order: int, round_: int) -> int:
        """One round, settled by itself."""
        if not self._give(order, round_):
            raise AssertionError(f"round {round_} of order {order} is paid out twice")
        self.settled[order, round_] = PAID_BACK
        return int(self.orders[order]["price"])

    def challenge(self, order: int, round_: int, opened: Challenge) -> None:
        """The price leaves the pot; it is held with the bond until the challenge ends."""
        if self.cells[order][round_][0] != POT:
            raise AssertionError(f"round {round_} of order {order} is challenged, and its money is in no pot")
        self.cells[order][round_][0] = CHALLENGE
        self.settled[order, round_] = CHALLENGED
        self.challenges[order, round_] = dict(opened)

    def end_challenge(self, order: int, round_: int, to_buyer: bool) -> int:
        """Price and bond, which are the buyer's or the seller's now."""
        ended = self.challenges.pop((order, round_))
        self.cells[order][round_][0] = BUYER if to_buyer else SELLER
        self.settled[order, round_] = PAID_BACK if to_buyer else PAID_TO_SELLER
        return int(ended["price"] + ended["bond"])

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
        disputed = sum(
            challenge["price"] + challenge["bond"]
            for (order, _), challenge in self.challenges.items()
            if self.token(self.orders[order]["listing"]) == token
        )
        return held + disputed + sum(amount for (_, of), amount in self.credits.items() if of == token)

    def bond(self, order: int) -> int:
        """What a challenge of the order asks for."""
        state = self.orders[order]
        return int(min(self.listings[state["listing"]]["terms"]["challengeBond"], state["price"] // 10))

    def proof_end(self, order: int, answered: Challenge) -> int:
        """The last second for a proof: not before the money would have matured."""
        listing = self.orders[order]["listing"]
        window = self.listings[listing]["terms"]["disputeWindow"]
        return int(max(answered["respondedAt"] + window, self.maturity(listing, answered["bucket"]) - 1))

    def settlement_word(self, order: int, round_: int) -> int:
        """What the contract keeps of an order's round: how it was settled, or the hash of the open challenge."""
        if opened := self.challenges.get((order, round_)):
            return challenge_hash(opened)
        return self.settled.get((order, round_), NONE)

    def is_frozen(self, listing: int, round_: int, bucket: int) -> bool:
        """Whether a pot is the buyers' for good: its round was proven faulty before it matured."""
        return bool(self.listings[listing]["faulty"].get(round_, 2**256) < self.maturity(listing, bucket))

    def standing(self, order: int) -> tuple[Any, ...]:
        """All that decides what an order still gets, copied."""
        rounds = self.cells[order]
        disputes = [
            (self.settled.get((order, r)), dict(self.challenges.get((order, r), {})), self.copy_faulty.get((order, r)))
            for r in rounds
        ]
        return dict(self.orders[order]), {r: tuple(cell) for r, cell in rounds.items()}, disputes

    def maturity(self, listing: int, bucket: int) -> int:
        return times.maturity(self.listings[listing]["terms"], bucket)
