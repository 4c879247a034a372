"""Random people do random things to a marketplace, mostly sensible ones at the edges of what is allowed."""

from hashlib import sha256
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from hypothesis.strategies import DataObject

from tests.contracts.stateful.cast import COPIES_JUDGED, LISTINGS, RELEASES_JUDGED, terms_tuple
from tests.contracts.stateful.credits import Credits
from tests.contracts.stateful.sealing import CONTENT
from tests.support.evm.digests import VOUCHER_FIELDS, voucher_digest
from tests.support.evm.world import DETAILS, ETHER, NO_PERMIT, manifest
from tests.support.model.wallets import NATIVE

DATA = st.data()


class Marketplace(Credits):
    # --------------------------------------------------------------------------------------------------------- listings

    @initialize(data=DATA)
    def some_listings_to_begin_with(self, data: DataObject) -> None:
        """One that is judged by release, one that is judged by copy, and perhaps another."""
        kinds = [RELEASES_JUDGED, COPIES_JUDGED, range(len(LISTINGS))]
        chosen = {data.draw(st.sampled_from(kind)) for kind in data.draw(st.sampled_from([kinds[:2], kinds]))}
        for number in sorted(chosen):
            assert self._list(number, self.cast.sellers[0], self.cast.world.operator, self.cast.world.payout, ETHER)
        if data.draw(st.booleans(), label="somebody refuses ether from the beginning"):
            self.cast.refuse_ether(True, data.draw(st.integers(1, 3)))

    @rule(data=DATA, price=st.sampled_from([1, 27, ETHER, 0]))
    @precondition(lambda self: len(self.ledger.listings) < 5)
    def create_listing(self, data: DataObject, price: int) -> None:
        seller = data.draw(st.sampled_from(self.cast.sellers))
        operator = data.draw(st.sampled_from([NATIVE, self.cast.world.operator, self.cast.buyers[-1]]))
        payout = self.mostly(data, data.draw(st.sampled_from(self.cast.receivers)), [NATIVE, self.market])
        change = self.mostly(
            data,
            {},
            [{"maxRounds": 0}, {"minInterval": 59}, {"noticePeriod": 59}, {"responseWindow": 1}, {"period": 60}],
        )
        self._list(data.draw(st.sampled_from(range(len(LISTINGS)))), seller, operator, payout, price, change)

    def _list(
        self, number: int, seller: Any, operator: Any, payout: Any, price: int, change: dict[str, int] | None = None
    ) -> bool:
        terms = self.cast.terms(number) | (change or {})
        offer = {"price": price, "open": True, "details": DETAILS}
        return self.call(
            lambda: self.model.create_listing(str(seller), terms, offer, str(operator), str(payout)),
            seller, "createListing", terms_tuple(terms), tuple(offer.values()), operator, payout,
        )  # fmt: skip

    @rule(
        data=DATA,
        price=st.sampled_from([1, 27, ETHER]),
        opened=st.sampled_from([True, True, False]),
        plain=st.booleans(),
    )
    def change_offer(self, data: DataObject, price: int, opened: bool, plain: bool) -> None:
        listing = self.a_listing(data)
        caller = self.mostly(data, self.people[self.ledger.listings[listing]["seller"]], self.cast.everybody)
        offer = {"price": price, "open": opened, "details": bytes(32) if plain else DETAILS}
        self.call(
            lambda: self.model.change_offer(str(caller), listing, offer),
            caller, "changeOffer", listing, tuple(offer.values()),
        )  # fmt: skip

    @rule(data=DATA)
    def set_payout(self, data: DataObject) -> None:
        listing = self.a_listing(data)
        caller = self.mostly(data, self.people[self.ledger.listings[listing]["seller"]], self.cast.everybody)
        payout = self.mostly(data, data.draw(st.sampled_from(self.cast.receivers)), [NATIVE, self.market])
        self.call(
            lambda: self.model.set_payout(str(caller), listing, str(payout)), caller, "setPayout", listing, payout
        )

    # ----------------------------------------------------------------------------------------------------------- buying

    def _purchase(self, data: DataObject, listing: int, price: int, most: int) -> tuple[Any, tuple[Any, ...], int]:
        """Payer; version, next round, out, rounds, recipient; value."""
        state = self.ledger.listings[listing]
        payer = data.draw(st.sampled_from(self.cast.buyers), label="payer")
        recipient = self.mostly(data, data.draw(st.sampled_from([payer, *self.cast.buyers])), [self.cast.keyless])
        rounds = self.mostly(data, data.draw(st.integers(1, most)), [0, state["terms"]["maxRounds"], 6])
        next_round = state["nextRound"]
        out = self.mostly(data, data.draw(st.booleans()) and state["terms"]["instant"], [True])
        seen = self.mostly(data, next_round, [next_round + 1, max(next_round - 1, 0)])
        version = self.mostly(data, state["version"], [state["version"] + 1])
        exact = price * rounds if state["terms"]["token"] == NATIVE else 0
        value = self.mostly(data, exact, [exact + 1, max(exact - 1, 0)])
        if self.chain.balance(payer) < value:  # the hostile token has no ether
            payer = self.cast.world.buyer
        return payer, (version, seen, out, rounds, recipient), value

    @rule(data=DATA)
    def buy(self, data: DataObject) -> None:
        self._buy(data)

    @rule(data=DATA)
    def buy_some_more(self, data: DataObject) -> None:
        """Most of what people do is buying."""
        self._buy(data)

    def _buy(self, data: DataObject) -> None:
        listing = self.a_listing(data)
        price = self.ledger.listings[listing]["offer"]["price"]
        payer, details, value = self._purchase(data, listing, price, 3)
        self.call(
            lambda: self.model.buy(str(payer), listing, *details[:-1], str(details[-1]), value),
            payer, "buy", listing, *details, value=value,
        )  # fmt: skip

    def _sign_voucher(self, data: DataObject) -> None:
        listing = self.a_listing(data)
        voucher = {
            "listing": self.mostly(data, listing, [0]),
            "buyer": str(data.draw(st.sampled_from([NATIVE, NATIVE, *self.cast.buyers]))),
            "price": data.draw(st.sampled_from([0, 3, ETHER // 2])),
            "maxRounds": data.draw(st.integers(1, 3)),
            "uses": self.mostly(data, data.draw(st.integers(1, 2)), [0]),
            "deadline": self.chain.now + data.draw(st.sampled_from([100, 1000])),
            "nonce": data.draw(st.integers(0, 1)),
        }
        digest = voucher_digest(self.market, voucher)
        signer = self.mostly(data, self.people[self.ledger.listings[listing]["seller"]], self.cast.sellers)
        if self.mostly(data, True, [False]):
            self.vouchers.append((voucher, digest, str(signer), self.cast.sign(signer, digest)))
        else:
            self.vouchers.append((voucher, digest, NATIVE, b""))  # nobody's

    @rule(data=DATA, fresh=st.booleans())
    def buy_with_voucher(self, data: DataObject, fresh: bool) -> None:
        if fresh or not self.vouchers:
            self._sign_voucher(data)
        voucher, digest, signer, signature = self.vouchers[-1] if fresh else data.draw(st.sampled_from(self.vouchers))
        listing = self.mostly(data, voucher["listing"] or self.a_listing(data), sorted(self.ledger.listings))
        if not fresh:
            self.wait_around(data, min(voucher["deadline"], self.chain.now + 50))
        price = voucher["price"] if voucher["listing"] else self.ledger.listings[listing]["offer"]["price"]
        payer, details, value = self._purchase(data, listing, price, voucher["maxRounds"])
        if voucher["buyer"] != NATIVE and self.chain.balance(voucher["buyer"]) >= value:
            payer = self.mostly(data, self.people[voucher["buyer"]], self.cast.buyers[:2])
        self.call(
            lambda: self.model.buy(
                str(payer), listing, *details[:-1], str(details[-1]), value, voucher, digest, signer
            ),
            payer, "buyWith", listing, *details, NO_PERMIT,
            tuple(voucher[field] for field in VOUCHER_FIELDS), signature, value=value,
        )  # fmt: skip

    @rule(data=DATA)
    @precondition(lambda self: self.vouchers)
    def revoke_voucher(self, data: DataObject) -> None:
        voucher, digest, _, _ = data.draw(st.sampled_from(self.vouchers))
        caller = data.draw(st.sampled_from(self.cast.sellers))
        self.call(
            lambda: self.model.revoke_voucher(str(caller), voucher, digest),
            caller, "revokeVoucher", tuple(voucher[field] for field in VOUCHER_FIELDS),
        )  # fmt: skip

    # --------------------------------------------------------------------------------------------------------- releases

    @rule(data=DATA)
    def release(self, data: DataObject) -> None:
        self._release(data, ())

    @rule(data=DATA)
    def release_and_deliver(self, data: DataObject) -> None:
        self._release(data, (DETAILS, 1))

    def _release(self, data: DataObject, envelopes: tuple[Any, ...]) -> None:
        listing = self.a_listing(data)
        state = self.ledger.listings[listing]
        caller = self.manager(data, listing)
        self.wait_around(data, self.earliest_release(listing))
        round_ = self.mostly(data, state["nextRound"], [state["nextRound"] + 1, 0])
        copies = state["terms"]["copies"]
        right = b"" if copies else self.content(data).manifest
        content = self.mostly(data, right, [b"", manifest(0), manifest(0, version=2)])
        envelopes = () if copies else envelopes
        self.call(
            lambda: self.model.release(str(caller), listing, round_, content),
            caller, "releaseAndDeliver" if envelopes else "release", listing, round_, content, *envelopes,
        )  # fmt: skip

    @rule(data=DATA)
    def skip(self, data: DataObject) -> None:
        paid = [number for number in self.ledger.listings if self.ledger.active(number)]
        listing = data.draw(st.sampled_from(paid)) if paid else self.a_listing(data)
        self.wait_around(data, self.earliest_release(listing))
        state = self.ledger.listings[listing]
        caller = self.mostly(data, self.manager(data, listing), self.cast.everybody)
        round_ = self.mostly(data, state["nextRound"], [state["nextRound"] + 1, 0])
        self.call(lambda: self.model.skip(str(caller), listing, round_), caller, "skip", listing, round_)

    @rule(data=DATA)
    @precondition(lambda self: any(state["released"] for state in self.ledger.listings.values()))
    def deliver(self, data: DataObject) -> None:
        listing = self.a_listing(data)
        round_ = data.draw(st.integers(0, self.ledger.listings[listing]["nextRound"]))
        caller = self.manager(data, listing)
        self.call(
            lambda: self.model.deliver(str(caller), listing, round_), caller, "deliver", listing, round_, DETAILS, 2
        )

    @rule(data=DATA)
    @precondition(lambda self: any(s["terms"]["copies"] and s["released"] for s in self.ledger.listings.values()))
    def deliver_copies(self, data: DataObject) -> None:
        copies = [n for n, state in self.ledger.listings.items() if state["terms"]["copies"] and state["released"]]
        listing = self.mostly(data, data.draw(st.sampled_from(copies)), sorted(self.ledger.listings))
        state = self.ledger.listings[listing]
        self.wait_around(data, min(state["lastTurn"] + state["terms"]["declineWindow"] // 2, self.chain.now + 50))
        round_ = self.mostly(data, max(state["nextRound"] - 1, 0), [state["nextRound"], 0])
        known = [*sorted(self.ledger.orders), 0, 2**64]
        orders = data.draw(st.lists(st.sampled_from([*state["ids"], *state["ids"], *known]), max_size=3))
        contents = [*(sealed.content_hash for sealed in CONTENT.values()), sha256(b"no manifest").digest(), bytes(32)]
        hashes = [data.draw(st.sampled_from(contents)) for _ in orders]
        hashes = self.mostly(data, hashes, [[*hashes, DETAILS]])
        caller = self.manager(data, listing)
        self.call(
            lambda: self.model.deliver_copies(str(caller), listing, round_, orders, hashes),
            caller, "deliverCopies", listing, round_, orders, hashes,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------- settlement

    @rule(data=DATA)
    @precondition(lambda self: self.ledger.orders)
    def decline(self, data: DataObject) -> None:
        order = self.order_just_released(data, self.orders("pot", self.can_decline))
        state = self.state_of(order)
        if data.draw(st.booleans(), label="near the deadline"):
            self.wait_around(data, state["lastTurn"] + state["terms"]["declineWindow"])
        round_ = self.mostly(data, self.latest(order), [0, 1, 2])
        caller = self.owner(data, order)
        self.call(lambda: self.model.decline(str(caller), order, round_), caller, "decline", order, round_)

    @rule(data=DATA)
    @precondition(lambda self: self.ledger.orders)
    def cancel(self, data: DataObject) -> None:
        order = self.mostly(data, self.an_order(data, self.orders("ahead")), [2**40, 0])
        caller = self.owner(data, order) if order in self.ledger.orders else self.cast.keyless
        self.call(lambda: self.model.cancel(str(caller), order), caller, "cancel", order)

    @rule(data=DATA)
    @precondition(lambda self: any(order["cancelledAt"] for order in self.ledger.orders.values()))
    def reclaim(self, data: DataObject) -> None:
        order = self.an_order(data, [o for o in self.orders("ahead") if self.ledger.orders[o]["cancelledAt"]])
        self.wait_around(data, self.ledger.orders[order]["cancelledAt"] + self.state_of(order)["terms"]["noticePeriod"])
        caller = self.owner(data, order)
        self.call(lambda: self.model.reclaim(str(caller), order), caller, "reclaim", order)

    @rule(data=DATA)
    @precondition(lambda self: self.orders("ahead"))
    def refund(self, data: DataObject) -> None:
        order = self.an_order(data, self.orders("ahead"))
        caller = self.manager(data, self.ledger.orders[order]["listing"])
        self.call(lambda: self.model.refund(str(caller), order), caller, "refund", order)

    @rule(data=DATA)
    @precondition(lambda self: self.ledger.orders)
    def refund_round(self, data: DataObject) -> None:
        order = self.order_just_released(data, self.orders("pot", self.is_unripe))
        rounds = [r for r, cell in self.ledger.cells[order].items() if cell[0] == "pot"]
        round_ = self.mostly(data, data.draw(st.sampled_from(rounds)) if rounds else 0, [0, 1, 2])
        listing, released = self.ledger.orders[order]["listing"], self.state_of(order)["released"]
        bucket = self.ledger.bucket_of(order, round_) if round_ in released else 1
        self.wait_around(data, self.ledger.maturity(listing, bucket) if data.draw(st.booleans()) else 0)
        bucket = self.mostly(data, bucket, [0, 1, bucket + 1, *(entry["bucket"] for entry in released.values())])
        caller = self.manager(data, listing)
        self.call(
            lambda: self.model.refund_round(str(caller), order, round_, bucket),
            caller, "refundRound", order, round_, bucket,
        )  # fmt: skip

    @rule(data=DATA)
    @precondition(lambda self: self.ledger.orders and any(state["missed"] for state in self.ledger.listings.values()))
    def refund_missed(self, data: DataObject) -> None:
        order = self.an_order(
            data, self.orders("ahead", lambda order, round_: round_ in self.state_of(order)["missed"])
        )
        missed = sorted(self.state_of(order)["missed"])
        round_ = self.mostly(data, data.draw(st.sampled_from(missed)) if missed else 0, [0, 1, 2, 3])
        caller = data.draw(st.sampled_from(self.cast.everybody))
        self.call(lambda: self.model.refund_missed(order, round_), caller, "refundMissed", order, round_)

    @rule(data=DATA)
    @precondition(lambda self: self.orders("pot"))
    def withdraw(self, data: DataObject) -> None:
        order = data.draw(st.sampled_from(self.orders("pot")))
        listing = self.ledger.orders[order]["listing"]
        pots = sorted(self.ledger.pots(listing))
        if filled := self.model.in_pots(listing):
            self.wait_around(data, self.ledger.maturity(listing, data.draw(st.sampled_from(filled))[1]))
        ripe = [pot for pot in pots if self.ledger.maturity(listing, pot[1]) <= self.chain.now]
        choice = self.mostly(data, ripe or pots, [pots])
        some = data.draw(st.lists(st.sampled_from(choice), min_size=1, max_size=3))
        rounds, buckets = [pot[0] for pot in some], [pot[1] for pot in some]
        buckets = self.mostly(data, buckets, [buckets[:-1]])
        caller = data.draw(st.sampled_from(self.cast.everybody))
        self.call(lambda: self.model.withdraw(listing, rounds, buckets), caller, "withdraw", listing, rounds, buckets)

    # ----------------------------------------------------------------------------------------------- time and behaviour

    @rule(data=DATA)
    def wait_for_an_edge(self, data: DataObject) -> None:
        edges = self.edges()[:12]
        self.wait(data.draw(st.sampled_from(edges)) if edges else self.chain.now + 1)

    @rule(seconds=st.sampled_from([1, 30, 100, 500]))
    def wait_a_while(self, seconds: int) -> None:
        self.wait(self.chain.now + seconds)

    @rule(percent=st.sampled_from([0, 0, 1, 100]))
    def change_the_fee(self, percent: int) -> None:
        token = self.cast.tokens["FeeToken"]
        token.setFeePercent(percent, sender=self.cast.keyless)
        self.cast.wallets.fee[token.address] = percent

    @rule(data=DATA)
    @precondition(lambda self: self.ledger.orders)
    def arm_the_hostile(self, data: DataObject) -> None:
        """The re-entering buyers and token will try this call from within every payment."""
        actor = data.draw(st.sampled_from(self.cast.hostile))
        mine = [order for order, state in self.ledger.orders.items() if state["buyer"] == actor.address]
        order = data.draw(st.sampled_from(mine or sorted(self.ledger.orders)))
        listing = self.ledger.orders[order]["listing"]
        round_ = self.latest(order)
        pots = sorted(self.ledger.pots(listing)) or [(0, 1)]
        attacks: dict[str, tuple[Any, ...]] = {
            "cancel": (order,), "reclaim": (order,), "decline": (order, round_), "refundMissed": (order, round_),
            "collect": (self.ledger.token(listing), actor), "collectFor": (actor, self.ledger.token(listing)),
            "buy": (listing, 0, round_ + 1, False, 1, actor),
            "withdraw": (listing, [r for r, _ in pots], [b for _, b in pots]), "refund": (order,),
            "release": (listing, round_ + 1, manifest(0)), "skip": (listing, round_ + 1), **self.dispute_attacks(order),
        }  # fmt: skip
        name = data.draw(st.sampled_from(sorted(attacks)))
        actor.arm(self.market, self.market.kind.functions[name].encode(*attacks[name]), sender=self.cast.keyless)
