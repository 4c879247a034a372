"""Challenges, answers, proofs and what they pay, from docs/protocol.md §2 "Disputes".

Money only: whether a point, a key or a proof is a right one is told to the model, which does no cryptography.
"""

from hashlib import sha256
from typing import Any

from tests.support.model import manifest as manifests
from tests.support.model.base import Base
from tests.support.model.ledger import Challenge
from tests.support.model.rules import Reason, Rules


class Disputes(Base):
    """A challenge is given back as a dict of its fields; `fault` is why a proof fails, None where it holds."""

    # ------------------------------------------------------------------------------------------------------ challenges

    def challenge(
        self, caller: str, order: int, round_: int, bucket: int, dispute_key: int, is_point: bool, value: int
    ) -> None:
        rules, ledger = Rules(), self.ledger
        state, listing = self._order(rules, order)
        terms, number = listing["terms"], state["listing"]
        rules(caller == state["buyer"], "NotBuyer", caller, state["buyer"])
        rules(terms["disputeWindow"] > 0, "NotAdjudicated", number)
        rules(ledger.covers(order, round_), "NotCovered", order, round_)
        released = listing["released"].get(round_)
        self._lies_in(rules, order, round_, bucket)
        self._unripe(rules, number, round_, bucket)
        if released:
            earliest = released["time"] + terms["declineWindow"]
            rules(self.now >= earliest, "Declinable", order, round_, earliest)
        rules(round_ not in listing["faulty"], "Faulty", number, round_, listing["faulty"].get(round_))
        self._unsettled(rules, order, round_)
        rules(is_point, "InvalidPoint", dispute_key)
        bond = ledger.bond(order)
        self._check_payment(rules, terms["token"], bond, value)
        rules.check()
        self.wallets.spend(terms["token"], caller, bond)
        opened = {"disputeKey": dispute_key, "bucket": bucket, "price": state["price"], "bond": bond}
        nothing = {"respondedAt": 0, "responseKey": 0, "sealedKey": bytes(32), "keyCommitment": 0}
        ledger.challenge(order, round_, opened | {"challengedAt": self.now} | nothing)

    def respond(
        self, caller: str, order: int, round_: int, given: Challenge, manifest: bytes, response_key: int,
        is_point: bool, sealed_key: bytes,
    ) -> None:  # fmt: skip
        rules = Rules()
        listing = self._listing(rules, order >> 32)
        self._only_operator(rules, listing, caller)
        if self._is_the_challenge(rules, order, round_, given):
            rules(not given["respondedAt"], "AlreadyResponded", order, round_, given["respondedAt"])
            deadline = given["challengedAt"] + listing["terms"]["responseWindow"]
            rules(self.now <= deadline, "TooLate", deadline + 1)
            self._check_manifest(rules, self.ledger.hash_of(order, round_), manifest)
        rules(is_point, "InvalidPoint", response_key)
        rules.check()
        answer = {"respondedAt": self.now, "responseKey": response_key, "sealedKey": sealed_key}
        answer["keyCommitment"] = manifests.key_commitment(manifest)
        self.ledger.challenges[order, round_].update(answer)

    def claim_timeout(self, order: int, round_: int, given: Challenge) -> int:
        rules = Rules()
        if self._is_the_challenge(rules, order, round_, given):
            rules(not given["respondedAt"], "AlreadyResponded", order, round_, given["respondedAt"])
            deadline = given["challengedAt"] + self._terms(order)["responseWindow"]
            rules(self.now > deadline, "StillOpen", deadline)
        rules.check()
        return self._pay(order, self.ledger.end_challenge(order, round_, to_buyer=True))

    def prove_wrong_key(
        self, order: int, round_: int, given: Challenge, is_dispute_key: bool, answer_is_right: bool
    ) -> int:
        rules = Rules()
        if self._is_the_challenge(rules, order, round_, given) and self._answered(rules, order, round_, given):
            deadline = self.ledger.proof_end(order, given)
            rules(self.now <= deadline, "TooLate", deadline + 1)
            if rules(is_dispute_key, "NotTheDisputeKey", given["disputeKey"]):
                rules(not answer_is_right, "KeyIsRight", order, round_)
        rules.check()
        return self._pay(order, self.ledger.end_challenge(order, round_, to_buyer=True))

    def settle_challenge(self, order: int, round_: int, given: Challenge) -> int:
        """At once to the buyer where the content was proven wrong in time; else to the seller when that is over."""
        rules, ledger = Rules(), self.ledger
        to_buyer = False
        if self._is_the_challenge(rules, order, round_, given):
            listing = ledger.listings[ledger.orders[order]["listing"]]
            terms, payout = listing["terms"], listing["payout"]
            mark = ledger.copy_faulty.get((order, round_)) if terms["copies"] else listing["faulty"].get(round_)
            deadline = ledger.proof_end(order, given)
            to_buyer = mark is not None and (not given["respondedAt"] or mark <= deadline)
            if not to_buyer and self._answered(rules, order, round_, given):
                rules(self.now > deadline, "StillOpen", deadline)
                amount = given["price"] + given["bond"]
                refused = amount and (terms["token"], payout) in self.wallets.refusing
                rules(not refused, "PaymentRefused", terms["token"], payout, amount)
        rules.check()
        amount = ledger.end_challenge(order, round_, to_buyer)
        if to_buyer:
            return self._pay(order, amount)
        self.wallets.pay(terms["token"], payout, amount)
        return amount

    # --------------------------------------------------------------------------------------------------- wrong content

    def prove_wrong_content(self, listing: int, round_: int, manifest: bytes, fault: Reason | None) -> None:
        rules = Rules()
        rules(listing in self.ledger.listings, "NotAdjudicated", listing)
        rules.check()
        state = self.ledger.listings[listing]
        rules(state["terms"]["disputeWindow"] > 0, "NotAdjudicated", listing)
        rules(round_ not in state["faulty"], "AlreadyFaulty", state["faulty"].get(round_))
        posted = state["released"].get(round_, {"hash": bytes(32)})["hash"]
        self._check_fault(rules, posted, manifest, fault)
        rules.check()
        state["faulty"][round_] = self.now

    def prove_wrong_copy(self, order: int, round_: int, bucket: int, manifest: bytes, fault: Reason | None) -> int:
        rules, ledger = Rules(), self.ledger
        state, listing = self._order(rules, order)
        rules(listing["terms"]["disputeWindow"] > 0, "NotAdjudicated", state["listing"])
        rules(ledger.covers(order, round_), "NotCovered", order, round_)
        rules(listing["terms"]["copies"], "NotCopies", state["listing"])
        self._check_fault(rules, ledger.copies.get((order, round_), bytes(32)), manifest, fault)
        challenged = (order, round_) in ledger.challenges
        if challenged:
            mark = ledger.copy_faulty.get((order, round_))
            rules(mark is None, "AlreadyFaulty", mark)
        else:
            self._lies_in(rules, order, round_, bucket)
            self._unripe(rules, state["listing"], round_, bucket)
            self._unsettled(rules, order, round_)
        rules.check()
        if challenged:
            ledger.copy_faulty[order, round_] = self.now
            return 0
        return self._pay(order, ledger.give_back_faulty(order, round_))

    def refund_faulty(self, order: int, round_: int, bucket: int) -> int:
        rules, ledger = Rules(), self.ledger
        state, _ = self._order(rules, order)
        rules(ledger.covers(order, round_), "NotCovered", order, round_)
        rules(ledger.is_frozen(state["listing"], round_, bucket), "NotFaulty", state["listing"], round_)
        self._lies_in(rules, order, round_, bucket)
        self._unsettled(rules, order, round_)
        rules.check()
        return self._pay(order, ledger.give_back_faulty(order, round_))

    # --------------------------------------------------------------------------------------------- what these share

    def _terms(self, order: int) -> dict[str, Any]:
        return dict(self.ledger.listings[order >> 32]["terms"])

    def _is_the_challenge(self, rules: Rules, order: int, round_: int, given: Challenge) -> bool:
        known = self.ledger.settlement_word(order, round_).to_bytes(32, "big")
        is_known = self.ledger.challenges.get((order, round_)) == given
        return rules(is_known, "NotTheChallenge", order, round_, known)

    def _answered(self, rules: Rules, order: int, round_: int, given: Challenge) -> bool:
        return rules(given["respondedAt"] > 0, "NotResponded", order, round_)

    def _check_manifest(self, rules: Rules, posted: bytes, manifest: bytes) -> bool:
        found = sha256(manifest).digest()
        valid = rules(manifests.is_valid(manifest), "InvalidManifest")
        return rules(found == posted, "WrongManifest", posted, found) and valid

    def _check_fault(self, rules: Rules, posted: bytes, manifest: bytes, fault: Reason | None) -> None:
        self._check_manifest(rules, posted, manifest)
        if fault:
            rules(False, fault[0], *fault[1])
