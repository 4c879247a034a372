"""What each function of the marketplace does and refuses, from docs/protocol.md §2."""

from hashlib import sha256
from typing import Any

from tests.support.model import manifest as manifests
from tests.support.model import terms as times
from tests.support.model.disputes import Disputes
from tests.support.model.ledger import REVOKED, VOUCHER_PRICE
from tests.support.model.rules import Rules
from tests.support.model.wallets import NATIVE


class Model(Disputes):
    """A refused call raises `Refused` and changes nothing."""

    # ------------------------------------------------------------------------------------------------------ listings

    def register(self, caller: str, key: bytes) -> int:
        self.ledger.keys[caller].append(key)
        return len(self.ledger.keys[caller])

    def create_listing(
        self, caller: str, terms: dict[str, Any], offer: dict[str, Any], operator: str, payout: str
    ) -> int:
        rules = Rules()
        times.check_bounds(rules, terms, self.now)
        rules(payout not in (NATIVE, self.address), "InvalidReceiver", payout)
        rules.check()
        return self.ledger.add_listing(caller, operator, payout, dict(terms), dict(offer))

    def change_offer(self, caller: str, listing: int, offer: dict[str, Any]) -> None:
        rules = Rules()
        state = self._listing(rules, listing)
        self._only_seller(rules, state, caller)
        rules.check()
        state["version"] += any(offer[key] != state["offer"][key] for key in ("price", "details"))
        state["offer"] = dict(offer)

    def set_operator(self, caller: str, listing: int, operator: str) -> None:
        rules = Rules()
        state = self._listing(rules, listing)
        self._only_seller(rules, state, caller)
        rules.check()
        state["operator"] = operator

    def set_payout(self, caller: str, listing: int, payout: str) -> None:
        rules = Rules()
        state = self._listing(rules, listing)
        self._only_seller(rules, state, caller)
        rules(payout not in (NATIVE, self.address), "InvalidReceiver", payout)
        rules.check()
        state["payout"] = payout

    # -------------------------------------------------------------------------------------------------------- buying

    def buy(
        self, caller: str, listing: int, version: int, seen: int, out: bool, rounds: int, recipient: str, value: int,
        voucher: dict[str, Any] | None = None, digest: bytes = b"", signer: str = "",
    ) -> int:  # fmt: skip
        """`seen` is the next round as the buyer knows it; a voucher comes with its EIP-712 digest and its signer. A
        voucher of listing 0 is none, whatever came with it."""
        rules, ledger = Rules(), self.ledger
        if voucher and voucher["listing"] == 0:
            voucher = None
        state = self._listing(rules, listing)
        terms, offer = state["terms"], state["offer"]
        price = voucher["price"] if voucher else offer["price"]
        next_round, total = state["nextRound"], price * rounds

        if voucher:
            self._check_voucher(rules, state, listing, caller, rounds, voucher, digest, signer)
        else:
            rules(offer["open"], "Closed", listing)
        rules(version == state["version"], "TermsChanged", listing, version, state["version"])
        rules(1 <= rounds <= terms["maxRounds"], "RoundsOutOfBounds", rounds, terms["maxRounds"])
        first = next_round - 1 if out else next_round
        rules(seen == next_round, "RoundMoved", listing, seen, next_round)
        if out:
            rules(terms["instant"], "NotInstant", listing)
            rules(first in state["released"], "NotReleased")
            rules(first not in state["faulty"], "Faulty", listing, first, state["faulty"].get(first))
        due = times.due(terms, next_round)
        if due is not None and (not out or rounds > 1):
            rules(self.now <= due, "Overdue", listing, next_round, due)
        if terms["supply"]:
            rules(state["orders"] - state["voided"] < terms["supply"], "SoldOut", listing, terms["supply"])
        rules(len(ledger.keys[recipient]) > 0, "NoKey", recipient, 0)
        self._check_payment(rules, terms["token"], total, value)
        rules.check()

        self.wallets.spend(terms["token"], caller, total)
        if voucher:
            ledger.vouchers[digest] += 1
        bucket = times.bucket_at(terms, self.now) if out else 0
        offered = VOUCHER_PRICE if voucher else state["version"]
        return ledger.add_order(listing, recipient, first, rounds, price, offered, bucket)

    def _check_voucher(
        self, rules: Rules, state: dict[str, Any], listing: int, caller: str, rounds: int,
        voucher: dict[str, Any], digest: bytes, signer: str,
    ) -> None:  # fmt: skip
        used = self.ledger.vouchers[digest]
        rules(voucher["listing"] == listing, "VoucherForOtherListing", listing, voucher["listing"])
        rules(voucher["buyer"] in (NATIVE, caller), "VoucherNotYours", caller, voucher["buyer"])
        rules(self.now <= voucher["deadline"], "VoucherExpired", voucher["deadline"])
        rules(used < voucher["uses"], "VoucherSpent")
        rules(rounds <= voucher["maxRounds"], "RoundsOutOfBounds", rounds, voucher["maxRounds"])
        rules(signer == state["seller"], "InvalidSignature", state["seller"])

    def revoke_voucher(self, caller: str, voucher: dict[str, Any], digest: bytes) -> None:
        rules = Rules()
        self._only_seller(rules, self._listing(rules, voucher["listing"]), caller)
        rules.check()
        self.ledger.vouchers[digest] = REVOKED

    # --------------------------------------------------------------------------------------------- the buyer's ways out

    def decline(self, caller: str, order: int, round_: int) -> int:
        rules, ledger = Rules(), self.ledger
        state, listing = self._order(rules, order)
        rules(caller == state["buyer"], "NotBuyer", caller, state["buyer"])
        released = listing["released"].get(round_)
        if not rules(released is not None, "NotReleased", state["listing"], round_):
            rules.check()
        deadline = released["time"] + listing["terms"]["declineWindow"]
        latest = round_ == listing["nextRound"] - 1
        rules(latest, "NotLatest", state["listing"], round_, listing["nextRound"])
        rules(self.now < deadline, "TooLate", deadline)
        rules(ledger.covers(order, round_), "NotCovered", order, round_)
        rules(not (state["bucket"] and round_ == state["first"]), "BoughtWhenOut", order, round_)
        self._unsettled(rules, order, round_)
        rules.check()
        return self._pay(order, ledger.shorten(order, round_))

    def cancel(self, caller: str, order: int) -> int:
        rules = Rules()
        state, listing = self._order(rules, order)
        rules(caller == state["buyer"], "NotBuyer", caller, state["buyer"])
        rules(not state["cancelledAt"], "AlreadyCancelled", order)
        rules(state["end"] > listing["nextRound"], "NothingLeft", order)
        rules.check()
        state["cancelledAt"] = self.now
        return self._pay(order, self.ledger.shorten(order, listing["nextRound"] + 1))

    def reclaim(self, caller: str, order: int) -> int:
        rules = Rules()
        state, listing = self._order(rules, order)
        rules(caller == state["buyer"], "NotBuyer", caller, state["buyer"])
        if rules(state["cancelledAt"] > 0, "NotCancelled", order):
            earliest = state["cancelledAt"] + listing["terms"]["noticePeriod"]
            rules(self.now >= earliest, "TooEarly", state["listing"], listing["nextRound"], earliest)
        rules(state["end"] == listing["nextRound"] + 1, "NothingLeft", order)
        rules.check()
        return self._pay(order, self.ledger.shorten(order, listing["nextRound"]))

    # ------------------------------------------------------------------------------------------------------- releases

    def release(self, caller: str, listing: int, round_: int, manifest: bytes) -> None:
        rules = Rules()
        state = self._listing(rules, listing)
        terms = state["terms"]
        self._only_operator(rules, state, caller)
        rules(round_ == state["nextRound"], "NotNextRound", listing, round_, state["nextRound"])
        if terms["copies"]:
            rules(not manifest, "ManifestNotWanted", listing)
        else:
            rules(manifests.is_valid(manifest), "InvalidManifest")
        due = times.due(terms, round_)
        if due is not None:
            rules(self.now <= due, "Overdue", listing, round_, due)
        self._may_turn(rules, listing, round_)
        rules.check()
        content_hash = bytes(32) if terms["copies"] else sha256(manifest).digest()
        self.ledger.earn(listing, round_, times.bucket_at(terms, self.now), self.now, content_hash)

    def skip(self, caller: str, listing: int, round_: int) -> None:
        rules = Rules()
        state = self._listing(rules, listing)
        rules(round_ == state["nextRound"], "NotNextRound", listing, round_, state["nextRound"])
        due = times.due(state["terms"], state["nextRound"])
        voluntary = due is None or self.now <= due
        if voluntary:
            self._only_operator(rules, state, caller)
            self._may_turn(rules, listing, round_)
        rules.check()
        self.ledger.miss(listing, round_, self.now if voluntary else state["lastTurn"])

    def deliver(self, caller: str, listing: int, round_: int) -> None:
        rules = Rules()
        state = self._listing(rules, listing)
        self._only_operator(rules, state, caller)
        rules(round_ in state["released"], "NotReleased", listing, round_)
        rules.check()

    def deliver_copies(self, caller: str, listing: int, round_: int, orders: list[int], hashes: list[bytes]) -> None:
        rules, ledger = Rules(), self.ledger
        state = self._listing(rules, listing)
        terms = state["terms"]
        self._only_operator(rules, state, caller)
        rules(terms["copies"], "NotCopies", listing)
        rules(len(orders) == len(hashes), "LengthsDiffer", len(orders), len(hashes))
        if rules(round_ in state["released"], "NotReleased", listing, round_) and terms["disputeWindow"]:
            half = state["released"][round_]["time"] + terms["declineWindow"] // 2
            rules(round_ == state["nextRound"] - 1, "NotLatest", listing, round_, state["nextRound"])
            rules(self.now < half, "TooLate", half)
        rules.check()
        for order, content_hash in zip(orders, hashes, strict=True):
            mine = order in ledger.orders and ledger.orders[order]["listing"] == listing
            if mine and ledger.covers(order, round_) and any(content_hash) and (order, round_) not in ledger.copies:
                ledger.copies[order, round_] = content_hash

    # ---------------------------------------------------------------------------------------------------- settlement

    def refund(self, caller: str, order: int) -> int:
        rules = Rules()
        state, listing = self._order(rules, order)
        self._only_operator(rules, listing, caller)
        rules(state["end"] > listing["nextRound"], "NothingLeft", order)
        rules.check()
        return self._pay(order, self.ledger.shorten(order, listing["nextRound"]))

    def refund_round(self, caller: str, order: int, round_: int, bucket: int) -> int:
        rules, ledger = Rules(), self.ledger
        state, listing = self._order(rules, order)
        self._only_operator(rules, listing, caller)
        rules(ledger.covers(order, round_), "NotCovered", order, round_)
        self._unsettled(rules, order, round_)
        if rules(round_ in listing["released"], "NotReleased", state["listing"], round_):
            self._lies_in(rules, order, round_, bucket)
        self._unripe(rules, state["listing"], round_, bucket)
        rules.check()
        return self._pay(order, ledger.give_back(order, round_))

    def refund_missed(self, order: int, round_: int) -> int:
        rules = Rules()
        state, listing = self._order(rules, order)
        rules(round_ in listing["missed"], "NotMissed", state["listing"], round_)
        rules(self.ledger.covers(order, round_), "NotCovered", order, round_)
        self._unsettled(rules, order, round_)
        rules.check()
        return self._pay(order, self.ledger.give_back(order, round_))

    def withdraw(self, listing: int, rounds: list[int], buckets: list[int]) -> int:
        rules, ledger = Rules(), self.ledger
        state = self._listing(rules, listing)
        if rules(len(rounds) == len(buckets), "LengthsDiffer", len(rounds), len(buckets)):
            for round_, bucket in zip(rounds, buckets, strict=True):
                matures = ledger.maturity(listing, bucket)
                rules(self.now >= matures, "NotMatured", listing, round_, bucket, matures)
            token, payout = state["terms"]["token"], state["payout"]
            amounts = {(r, b): ledger.pot(listing, r, b) for r, b in zip(rounds, buckets, strict=True)}
            for (round_, bucket), held in amounts.items():
                mark = state["faulty"].get(round_)
                rules(not (held and ledger.is_frozen(listing, round_, bucket)), "Faulty", listing, round_, mark)
            amount = sum(amounts.values())
            if rules(amount > 0, "NothingToPay", payout, token):
                rules((token, payout) not in self.wallets.refusing, "PaymentRefused", token, payout, amount)
        rules.check()
        for round_, bucket in zip(rounds, buckets, strict=True):
            ledger.pay_out(listing, round_, bucket)
        self.wallets.pay(token, payout, amount)
        return amount

    def collect(self, caller: str, token: str, to: str) -> int:
        return self._collect(caller, token, to)

    def collect_for(self, account: str, token: str) -> int:
        return self._collect(account, token, account)

    def _collect(self, caller: str, token: str, to: str) -> int:
        rules = Rules()
        amount = self.ledger.credits[caller, token]
        rules(to not in (NATIVE, self.address), "InvalidReceiver", to)
        if rules(amount > 0, "NothingToPay", caller, token):
            rules((token, to) not in self.wallets.refusing, "PaymentRefused", token, to, amount)
        rules.check()
        self.ledger.credits[caller, token] = 0
        self.wallets.pay(token, to, amount)
        return amount
