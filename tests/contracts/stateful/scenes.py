"""What people seldom do by chance, played on purpose: each scene is several sensible calls in a row."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from hypothesis.strategies import DataObject

from tests.contracts.stateful.cast import LISTINGS
from tests.contracts.stateful.disputes import is_copy, is_release
from tests.contracts.stateful.rules import DATA, Marketplace
from tests.support.evm.digests import VOUCHER_FIELDS, voucher_digest
from tests.support.evm.world import DETAILS, NO_PERMIT
from tests.support.model.wallets import NATIVE


class Scenes(Marketplace):
    def _buys(self, data: DataObject, listing: int, buyer: Any = None, *, out: bool = False) -> None:
        """The usual way, for oneself."""
        state = self.ledger.listings[listing]
        buyer = buyer or data.draw(st.sampled_from(self.cast.buyers[:5]))
        rounds = data.draw(st.integers(1, min(3, state["terms"]["maxRounds"])), label="rounds")
        price, version, seen = state["offer"]["price"], state["version"], state["nextRound"]
        value = price * rounds if state["terms"]["token"] == NATIVE else 0
        self.call(
            lambda: self.model.buy(str(buyer), listing, version, seen, out, rounds, str(buyer), value),
            buyer, "buy", listing, version, seen, out, rounds, buyer, value=value,
        )  # fmt: skip

    def _next_round(self, data: DataObject, listing: int, *, missed: bool = False) -> None:
        """As soon as it may be, by the seller."""
        self.wait(self.earliest_release(listing))
        state = self.ledger.listings[listing]
        seller, round_ = self.people[state["seller"]], state["nextRound"]
        if missed:
            self.call(lambda: self.model.skip(str(seller), listing, round_), seller, "skip", listing, round_)
            return
        content = b"" if state["terms"]["copies"] else self.content(data).manifest
        self.call(
            lambda: self.model.release(str(seller), listing, round_, content),
            seller, "release", listing, round_, content,
        )  # fmt: skip

    def _withdraws(self, listing: int, last: int) -> None:
        """Everything up to that bucket, once it has matured."""
        self.wait(self.ledger.maturity(listing, last))
        ripe = [pot for pot in self.model.in_pots(listing) if pot[1] <= last]
        rounds, buckets = [pot[0] for pot in ripe], [pot[1] for pot in ripe]
        self.call(
            lambda: self.model.withdraw(listing, rounds, buckets),
            self.cast.keyless, "withdraw", listing, rounds, buckets,
        )  # fmt: skip

    def _asks(self, listing: int, price: int) -> None:
        """Another price, from an open shop."""
        seller, offer = self.people[self.ledger.listings[listing]["seller"]], {"price": price, "open": True}
        offer["details"] = DETAILS
        self.call(
            lambda: self.model.change_offer(str(seller), listing, offer),
            seller, "changeOffer", listing, tuple(offer.values()),
        )  # fmt: skip

    def _one_that(self, data: DataObject, fits: Callable[[dict[str, Any]], bool], but: int = 0) -> int:
        """A listing with such terms; one is opened where there is none yet, `but` that one."""
        fitting = [number for number, state in self.ledger.listings.items() if fits(state["terms"]) and number != but]
        if fitting:
            return data.draw(st.sampled_from(fitting), label="listing that fits")
        usual = (number for number, terms in enumerate(LISTINGS) if not terms["period"])  # a first due time may be over
        wanted = [number for number in usual if fits(self.cast.terms(number))]
        seller = self.cast.sellers[0]
        number = data.draw(st.sampled_from(wanted))
        assert self._list(number, seller, self.cast.world.operator, self.cast.world.payout, 7)
        return max(self.ledger.listings)

    def _owned(self, listing: int, place: str) -> list[tuple[int, int]]:
        """(order, round) of a listing with money in that place."""
        return [
            (order, round_)
            for order in self.ledger.listings[listing]["ids"]
            for round_, cell in self.ledger.cells[order].items()
            if cell[0] == place
        ]

    def _collects(self, account: str, token: str) -> None:
        owner, to = self.people[account], str(self.cast.keyless)
        self.call(lambda: self.model.collect(account, token, to), owner, "collect", token, to)

    def _is_collected_for(self, account: str, token: str) -> None:
        """By somebody else, once the account takes payments again."""
        self.cast.accept_again()
        self.call(lambda: self.model.collect_for(account, token), self.cast.keyless, "collectFor", account, token)

    @rule(data=DATA)
    def a_round_is_missed(self, data: DataObject) -> None:
        """In one listing or several for the same token, and paid back to some of those who bought it."""
        first = self.a_listing(data)
        token = self.ledger.token(first)
        second = self._one_that(data, lambda terms: terms["token"] == token, but=first)
        for listing in data.draw(st.sampled_from([[first], [first, second], [second, first]]), label="listings"):
            self._buys(data, listing)
            self._next_round(data, listing, missed=True)
            missed = self.ledger.listings[listing]["missed"]
            owed = [(order, round_) for order, round_ in self._owned(listing, "ahead") if round_ in missed]
            for order, round_ in data.draw(st.lists(st.sampled_from(owed), max_size=2, unique=True)) if owed else []:
                self.call(
                    lambda o=order, r=round_: self.model.refund_missed(o, r),
                    self.cast.keyless, "refundMissed", order, round_,
                )  # fmt: skip

    @rule(data=DATA)
    def somebody_comes_late(self, data: DataObject) -> None:
        """A round is bought when it is out, by several and hours apart: its money lies in several buckets."""
        listing = self._one_that(data, lambda terms: terms["instant"] and not terms["supply"])
        self._buys(data, listing)
        self._next_round(data, listing)
        for seconds in data.draw(
            st.lists(st.sampled_from([0, 70, 200]), min_size=1, max_size=3), label="who comes when"
        ):
            self.wait(self.chain.now + seconds)
            self._buys(data, listing, out=True)
        if data.draw(st.booleans(), label="the price changes"):
            self._asks(listing, data.draw(st.sampled_from([2, 5])))
        money = [(order, round_) for order, round_ in self._owned(listing, "pot") if self.is_unripe(order, round_)]
        if money and data.draw(st.sampled_from([True, True, False]), label="one is paid back"):
            order, round_ = data.draw(st.sampled_from([money[-1], *money]))
            seller, bucket = self.people[self.state_of(order)["seller"]], self.ledger.bucket_of(order, round_)
            self.call(
                lambda: self.model.refund_round(str(seller), order, round_, bucket),
                seller, "refundRound", order, round_, bucket,
            )  # fmt: skip
        if (filled := self.model.in_pots(listing)) and data.draw(
            st.sampled_from([True, True, False]), label="all is taken"
        ):
            self._withdraws(listing, max(bucket for _, bucket in filled))

    @rule(data=DATA)
    def an_order_is_reclaimed(self, data: DataObject) -> None:
        """It was cancelled, and nothing came within the notice period."""
        listing = self.a_listing(data)
        buyer = data.draw(st.sampled_from(self.cast.buyers[:3]))
        self._buys(data, listing, buyer)
        mine = [order for order, _ in self._owned(listing, "ahead") if self.ledger.orders[order]["buyer"] == str(buyer)]
        if mine:
            order = mine[-1]
            self.call(lambda: self.model.cancel(str(buyer), order), buyer, "cancel", order)
            self.wait(self.chain.now + self.state_of(order)["terms"]["noticePeriod"])
            self.call(lambda: self.model.reclaim(str(buyer), order), buyer, "reclaim", order)

    @rule(data=DATA)
    def a_round_is_declined(self, data: DataObject) -> None:
        """At once, by one of those who paid it in advance."""
        listing = self.a_listing(data)
        self._buys(data, listing)
        self._buys(data, listing)
        self._next_round(data, listing)
        waiting = [(order, round_) for order, round_ in self._owned(listing, "pot") if self.can_decline(order, round_)]
        if waiting:
            order, round_ = data.draw(st.sampled_from(waiting))
            buyer = self.people[self.ledger.orders[order]["buyer"]]
            self.call(lambda: self.model.decline(str(buyer), order, round_), buyer, "decline", order, round_)

    @rule(data=DATA, collected=st.sampled_from(["", "", "by the buyer", "by somebody else"]))
    def payments_are_refused(self, data: DataObject, collected: str) -> None:
        """Several, so that they add up."""
        token = self.cast.tokens["BlockingToken"].address
        open_to = {NATIVE: self.cast.actors["RefusingBuyer"], token: self.cast.buyers[0]}
        wanted = data.draw(st.sampled_from([NATIVE, token]))
        listing = self._one_that(data, lambda terms: terms["token"] == wanted)
        coin = self.ledger.token(listing)
        buyer = open_to[coin]
        if coin == NATIVE:
            self.cast.refuse_ether(True, 1)
        else:
            self.cast.block(buyer, True, 1)
        for _ in range(data.draw(st.integers(1, 2))):
            self._buys(data, listing, buyer)
            mine = [(o, r) for o, r in self._owned(listing, "ahead") if self.ledger.orders[o]["buyer"] == str(buyer)]
            later = [order for order, _ in mine if self.ledger.orders[order]["end"] > self.state_of(order)["nextRound"]]
            if later:
                order, seller = later[-1], self.people[self.state_of(later[-1])["seller"]]
                self.call(lambda o=order, s=seller: self.model.refund(str(s), o), seller, "refund", order)
        if collected and self.ledger.credits[str(buyer), coin]:
            (self._collects if collected == "by the buyer" else self._is_collected_for)(str(buyer), coin)

    @rule(data=DATA)
    def money_is_withdrawn(self, data: DataObject) -> None:
        """All that has matured, once something has."""
        listing = self.a_listing(data)
        if filled := self.model.in_pots(listing):
            self._withdraws(listing, data.draw(st.sampled_from(sorted({bucket for _, bucket in filled}))))

    @rule(data=DATA)
    def copies_are_delivered(self, data: DataObject) -> None:
        """To each order its own, of a round that was just released."""
        listing = self._one_that(data, lambda terms: terms["copies"])
        self._buys(data, listing)
        for _ in range(data.draw(st.integers(1, 2), label="rounds")):
            self._next_round(data, listing)
            self._copies_of_the_last_round(listing)

    def _copies_of_the_last_round(self, listing: int) -> None:
        state = self.ledger.listings[listing]
        seller, round_, orders = self.people[state["seller"]], max(state["nextRound"] - 1, 0), state["ids"][-3:]
        hashes = [bytes([number, round_]) + bytes(30) for number in range(1, len(orders) + 1)]
        self.call(
            lambda: self.model.deliver_copies(str(seller), listing, round_, orders, hashes),
            seller, "deliverCopies", listing, round_, orders, hashes,
        )  # fmt: skip

    @rule(data=DATA)
    @precondition(lambda self: self.on_sale(is_release))
    def a_wrong_round_is_paid_back(self, data: DataObject) -> None:
        """To all who doubt it, once it was proven wrong; a copy to whom it is for."""
        self._dispute(data, ["prove wrong content", "settle", "refund", "refund"], is_release)
        if self.on_sale(is_copy):
            self._dispute(data, ["prove wrong content", "settle"], is_copy)

    @rule(data=DATA, price=st.sampled_from([0, 3]), uses=st.integers(2, 3), revoked=st.booleans())
    def a_voucher_is_used_up(self, data: DataObject, price: int, uses: int, revoked: bool) -> None:
        listing = self.a_listing(data)
        state, buyer = self.ledger.listings[listing], self.cast.buyers[0]
        voucher = {
            "listing": listing, "buyer": NATIVE, "price": price, "maxRounds": 2, "uses": uses,
            "deadline": self.chain.now + 1000, "nonce": data.draw(st.integers(2, 9)),
        }  # fmt: skip
        digest = voucher_digest(self.market, voucher)
        seller = self.people[state["seller"]]
        fields, signature = tuple(voucher[field] for field in VOUCHER_FIELDS), self.cast.sign(seller, digest)
        value = 2 * price if state["terms"]["token"] == NATIVE else 0
        purchase = (state["version"], state["nextRound"], False, 2)
        for _ in range(uses + 1):
            self.call(
                lambda: self.model.buy(
                    str(buyer), listing, *purchase, str(buyer), value, voucher, digest, str(seller)
                ),
                buyer, "buyWith", listing, *purchase, buyer, NO_PERMIT, fields, signature, value=value,
            )  # fmt: skip
        if revoked:
            self.call(lambda: self.model.revoke_voucher(str(seller), voucher, digest), seller, "revokeVoucher", fields)

    @rule(data=DATA, listed=st.booleans())
    def papers_are_changed(self, data: DataObject, listed: bool) -> None:
        """Another operator of a listing, or another key of a buyer."""
        if listed:
            listing = self.a_listing(data)
            seller = self.people[self.ledger.listings[listing]["seller"]]
            operator = data.draw(st.sampled_from([NATIVE, self.cast.world.operator, self.cast.buyers[0]]))
            self.call(
                lambda: self.model.set_operator(str(seller), listing, str(operator)),
                seller, "setOperator", listing, operator,
            )  # fmt: skip
        else:
            buyer = data.draw(st.sampled_from(self.cast.newcomers))
            key = data.draw(st.binary(min_size=32, max_size=32).filter(any))
            self.call(lambda: self.model.register(str(buyer), key), buyer, "register", key, b"")
