"""What people do about a round that they doubt: challenges, answers, proofs, and what both end in."""

from hashlib import sha256
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from hypothesis.strategies import DataObject

from tests.contracts.stateful import sealing
from tests.contracts.stateful.machine import Comparison, Kind
from tests.contracts.stateful.sealing import BAD, CONTENT, Proof
from tests.support.evm.chain import CHAIN_ID
from tests.support.evm.disputes import Place as EvmPlace
from tests.support.evm.disputes import seal_key
from tests.support.evm.world import manifest
from tests.support.model.ledger import CHALLENGE_FIELDS, Challenge, challenge_tuple
from tests.support.model.rules import Reason
from tests.support.model.terms import Terms
from tests.support.model.wallets import NATIVE
from tests.support.vectors.reference import N

DATA = st.data()
ABOUT_KEYS = [
    ["respond"],
    ["respond", "prove wrong key"],
    ["respond", "settle"],
    ["respond", "respond", "claim timeout", "settle"],
    ["challenge again", "claim timeout"],
]
ABOUT_COPIES = [
    ["prove wrong content", "prove wrong content", "settle"],
    ["respond", "prove wrong content", "settle"],
    ["respond", "be late", "prove wrong content", "settle"],
]
ABOUT_RELEASES = [
    ["prove wrong content", "withdraw"],
    ["prove wrong content", "others come", "settle", "refund"],
    ["prove wrong content", "refund too", "prove wrong content", "settle"],
    ["respond", "prove wrong content", "refund", "settle"],
    ["be late", "prove wrong content", "refund"],
    ["respond", "be late", "prove wrong content", "settle"],
]
Place = tuple[int, int]  # order, round
UNKNOWN: Challenge = dict.fromkeys(CHALLENGE_FIELDS, 0) | {"sealedKey": bytes(32)}


def is_judged(terms: Terms) -> bool:
    return bool(terms["disputeWindow"])


def is_copy(terms: Terms) -> bool:
    return is_judged(terms) and bool(terms["copies"])


def is_release(terms: Terms) -> bool:
    return is_judged(terms) and not terms["copies"]


class Disputes(Comparison):
    def __init__(self) -> None:
        self.answered_rightly: dict[tuple[int, int], bool] = {}
        super().__init__()

    # ------------------------------------------------------------------------------------------------------ challenges

    def _can_challenge(self, order: int, round_: int) -> bool:
        state = self.state_of(order)
        judged = state["terms"]["disputeWindow"] > 0 and round_ not in state["faulty"]
        bucket = self.ledger.cells[order][round_][1]
        opens = state["released"][round_]["time"] + state["terms"]["declineWindow"]
        return judged and max(self.chain.now, opens) < self.ledger.maturity(order >> 32, bucket)

    def _withdraw_at_maturity(self, place: Place) -> None:
        """Anybody may try: what is frozen stays."""
        listing, pot = place[0] >> 32, (place[1], self.ledger.bucket_of(*place))
        self.wait(self.ledger.maturity(listing, pot[1]))
        self.call(
            lambda: self.model.withdraw(listing, [pot[0]], [pot[1]]),
            self.cast.keyless, "withdraw", listing, [pot[0]], [pot[1]],
        )  # fmt: skip

    def _to_challenge(self, wanted: Kind) -> list[int]:
        return [o for o in self.orders("pot", self._can_challenge) if wanted(self.state_of(o)["terms"])]

    @rule(data=DATA)
    @precondition(lambda self: self.ledger.orders)
    def challenge(self, data: DataObject) -> None:
        self._challenge(data, is_judged)

    @rule(data=DATA, story=st.sampled_from(ABOUT_KEYS))
    @precondition(lambda self: self.on_sale(is_judged) or self._to_challenge(is_judged))
    def dispute_about_a_key(self, data: DataObject, story: list[str]) -> None:
        self._dispute(data, story, is_judged)

    @rule(data=DATA, story=st.sampled_from(ABOUT_RELEASES))
    @precondition(lambda self: self.on_sale(is_release) or self._to_challenge(is_release))
    def dispute_about_a_release(self, data: DataObject, story: list[str]) -> None:
        self._dispute(data, story, is_release)

    @rule(data=DATA, story=st.sampled_from(ABOUT_COPIES))
    @precondition(lambda self: self.on_sale(is_copy) or self._to_challenge(is_copy))
    def dispute_about_a_copy(self, data: DataObject, story: list[str]) -> None:
        self._dispute(data, story, is_copy)

    # copies are rare among the listings, and a run may switch a rule off: two rules meet them often enough
    @rule(data=DATA, story=st.sampled_from(ABOUT_COPIES))
    @precondition(lambda self: self.on_sale(is_copy) or self._to_challenge(is_copy))
    def dispute_about_another_copy(self, data: DataObject, story: list[str]) -> None:
        self._dispute(data, story, is_copy)

    def _dispute(self, data: DataObject, story: list[str], wanted: Kind) -> None:
        """A challenge and what comes of it, without anything in between."""
        self.calm = data.draw(st.sampled_from([True, True, False]), label="calm")
        place = self._challenge(data, wanted)
        for step in story if place in self.ledger.challenges else []:
            if place in self.ledger.challenges or step in ("refund", "withdraw"):
                self._continue(data, step, place)
        self.calm = False

    def _continue(self, data: DataObject, step: str, place: Place) -> None:
        urgent = (
            step in ("respond", "prove wrong key", "prove wrong content") and self._deadline(place) > self.chain.now
        )
        if urgent and data.draw(st.sampled_from([False, False, True]), label="in the last second"):
            self.wait(self._deadline(place))
        content_hash = self.ledger.hash_of(*place)
        if step == "respond":
            self._respond(data, place)
        elif step == "claim timeout":
            self._claim_timeout(data, place)
        elif step == "prove wrong key":
            self._prove_wrong_key(data, place)
        elif step == "be late":
            self.wait(
                max(self._deadline(place) + 1, self.ledger.maturity(place[0] >> 32, self.ledger.bucket_of(*place)))
            )
        elif step == "challenge again":
            self._challenge_plainly(*place, self.ledger.challenges[place]["bucket"])
        elif step == "others come":
            self._others_come(place)
        elif step == "refund too":
            self._refund_faulty(data, [(*place, self.ledger.bucket_of(*place))])
        elif step == "withdraw":
            self._withdraw_at_maturity(place)
        elif step == "settle":
            self._settle(data, place)
        elif step == "refund":
            if faulty := [one for one in self._in_faulty_pots() if one[0] >> 32 == place[0] >> 32]:
                self._refund_faulty(data, faulty)
        elif self.state_of(place[0])["terms"]["copies"]:
            self._prove_wrong_copy(data, place, content_hash)
        else:
            self._prove_wrong_content(data, place[0] >> 32, place[1], content_hash)

    def _challenge(self, data: DataObject, wanted: Kind) -> Place:
        order = self.order_just_released(data, self._to_challenge(wanted), wanted)
        if not order:
            return 0, 0
        rounds = [r for r, cell in self.ledger.cells[order].items() if cell[0] == "pot"]
        fitting = [r for r in rounds if self._can_challenge(order, r)]
        round_ = self.mostly(data, data.draw(st.sampled_from(fitting or rounds or [0])), [0, 1, 2])
        listing, state = order >> 32, self.state_of(order)
        released = state["released"].get(round_)
        bucket = self.ledger.bucket_of(order, round_) if released else 1
        if released and round_ in rounds:
            opens = released["time"] + state["terms"]["declineWindow"]
            self.wait(opens if self.mostly(data, True, [False]) else self.chain.now)
            if self.sometimes(data, 4, "near a deadline"):
                edges = [opens, self.ledger.maturity(listing, bucket)]
                self.wait_around(data, data.draw(st.sampled_from(edges)))
        wrong_buckets = [0, bucket + 1, *(entry["bucket"] for entry in state["released"].values())]
        bucket = self.mostly(data, bucket, wrong_buckets)
        key = self.mostly(
            data, data.draw(st.sampled_from(sealing.DISPUTE_KEYS)).x, [0, sealing.NOT_A_POINT, 2**256 - 1]
        )
        bond = self.ledger.bond(order) if state["terms"]["token"] == NATIVE else 0
        value = self.mostly(data, bond, [bond + 1, max(bond - 1, 0)])
        caller = self.owner(data, order)
        if self.chain.balance(caller) < value:  # the hostile token has no ether
            caller = self.cast.world.buyer
        self.call(
            lambda: self.model.challenge(
                str(caller), order, round_, bucket, key, key in sealing.SECRETS, value
            ),
            caller, "challenge", order, round_, bucket, key, value=value,
        )  # fmt: skip
        return order, round_

    def _challenge_plainly(self, order: int, round_: int, bucket: int) -> None:
        buyer, key = self.ledger.orders[order]["buyer"], sealing.DISPUTE_KEYS[0].x
        value = self.ledger.bond(order) if self.ledger.token(order >> 32) == NATIVE else 0
        self.call(
            lambda: self.model.challenge(buyer, order, round_, bucket, key, True, value),
            self.people[buyer], "challenge", order, round_, bucket, key, value=value,
        )  # fmt: skip

    def _others_come(self, place: Place) -> None:
        """Who shares the round challenges it too, and somebody wants to buy it."""
        listing = place[0] >> 32
        for order, round_, bucket in self._in_faulty_pots():
            if (order >> 32, round_) == (listing, place[1]) and self.chain.balance(self.ledger.orders[order]["buyer"]):
                self._challenge_plainly(order, round_, bucket)
        state, buyer = self.ledger.listings[listing], self.cast.world.buyer
        terms = (listing, state["version"], state["nextRound"], True, 1, str(buyer))
        value = state["offer"]["price"] if state["terms"]["token"] == NATIVE else 0
        self.call(lambda: self.model.buy(str(buyer), *terms, value), buyer, "buy", *terms, value=value)

    def _challenged(self, data: DataObject, answered: bool) -> Place:
        """An open challenge, usually one that is answered or not."""
        every = sorted(self.ledger.challenges)
        fitting = [place for place in every if bool(self.ledger.challenges[place]["respondedAt"]) == answered]
        in_time = [place for place in fitting if self.chain.now <= self._deadline(place)]
        fitting = in_time or fitting
        over = sorted(self.ledger.settled)
        return data.draw(st.sampled_from(self.mostly(data, fitting or every or over, [every or over, over])))

    def _deadline(self, place: Place) -> int:
        """The last second for an answer to an open challenge, or for a proof against the answer."""
        opened = self.ledger.challenges[place]
        if opened["respondedAt"]:
            return self.ledger.proof_end(place[0], opened)
        return int(opened["challengedAt"] + self.state_of(place[0])["terms"]["responseWindow"])

    def _given(self, data: DataObject, order: int, round_: int) -> Challenge:
        """What a caller says about a challenge: usually the truth."""
        given = dict(self.ledger.challenges.get((order, round_), UNKNOWN))
        other = data.draw(st.sampled_from(["bond", "respondedAt", "challengedAt", "price", "disputeKey"]))
        return self.mostly(data, given, [given | {other: given[other] + 1}])

    @rule(data=DATA)
    @precondition(lambda self: any(not c["respondedAt"] for c in self.ledger.challenges.values()))
    def respond(self, data: DataObject) -> None:
        self._respond(data, self._challenged(data, answered=False))

    def _respond(self, data: DataObject, place: Place) -> None:
        (order, round_), given = place, self._given(data, *place)
        if self.sometimes(data, 5, "near the deadline"):
            self.wait_around(data, given["challengedAt"] + self.state_of(order)["terms"]["responseWindow"])
        content_hash = self.ledger.hash_of(order, round_)
        sealed = CONTENT.get(sealing.BY_HASH.get(content_hash, ""))
        others = [b"", b"no manifest", manifest(0, version=2), CONTENT["good"].manifest]
        posted = next((other for other in others if sha256(other).digest() == content_hash), manifest(round_))
        content = self.mostly(data, sealed.manifest if sealed else posted, others)
        key, right = (sealed.key.secret, data.draw(st.sampled_from([True, False, False]))) if sealed else (1, False)
        if not right:
            key = data.draw(st.sampled_from(sealing.wrong_keys(key)), label="another key")
        responder = data.draw(st.sampled_from(sealing.RESPONSE_KEYS))
        point = self.mostly(data, responder.x, [0, sealing.NOT_A_POINT, N])
        known = given["disputeKey"] if given["disputeKey"] in sealing.SECRETS else sealing.DISPUTE_KEYS[0].x
        answer = seal_key(key, EvmPlace(CHAIN_ID, self.market.address, order, round_), known, responder.secret)
        stranger = self.sometimes(data, 4, "a stranger's")
        caller = data.draw(st.sampled_from(self.cast.everybody)) if stranger else self.manager(data, order >> 32)
        if self.call(
            lambda: self.model.respond(
                str(caller), order, round_, given, content, point, point == responder.x, answer
            ),
            caller, "respond", order, round_, challenge_tuple(given), content, point, answer,
        ):  # fmt: skip
            self.answered_rightly[order, round_] = right

    @rule(data=DATA)
    @precondition(lambda self: self.ledger.challenges)
    def claim_timeout(self, data: DataObject) -> None:
        self._claim_timeout(data, self._challenged(data, answered=False))

    def _claim_timeout(self, data: DataObject, place: Place) -> None:
        (order, round_), given = place, self._given(data, *place)
        deadline = given["challengedAt"] + self.state_of(order)["terms"]["responseWindow"]
        self.wait(deadline + self.mostly(data, 1, [0, -1]))
        caller = data.draw(st.sampled_from(self.cast.everybody))
        self.call(
            lambda: self.model.claim_timeout(order, round_, given),
            caller, "claimTimeout", order, round_, challenge_tuple(given),
        )  # fmt: skip

    @rule(data=DATA)
    @precondition(lambda self: any(c["respondedAt"] for c in self.ledger.challenges.values()))
    def prove_wrong_key(self, data: DataObject) -> None:
        wrong = [
            place for place in self.ledger.challenges
            if not self.answered_rightly.get(place, True) and self.chain.now <= self._deadline(place)
        ]  # fmt: skip
        anything = self._challenged(data, answered=True)
        self._prove_wrong_key(
            data, self.mostly(data, data.draw(st.sampled_from(sorted(wrong) or [anything])), [anything])
        )

    def _prove_wrong_key(self, data: DataObject, place: Place) -> None:
        (order, round_), given = place, self._given(data, *place)
        if self.sometimes(data, 4, "near the deadline"):
            self.wait_around(data, self.ledger.proof_end(order, given))
        key = sealing.SECRETS.get(given["disputeKey"], 1)
        private = self.mostly(data, key, [0, 1, N - key, key + 1, 2**256 - 1])
        caller = data.draw(st.sampled_from(self.cast.everybody))
        self.call(
            lambda: self.model.prove_wrong_key(
                order, round_, given, private == key, self.answered_rightly.get((order, round_), False)
            ),
            caller, "proveWrongKey", order, round_, challenge_tuple(given), private,
        )  # fmt: skip

    @rule(data=DATA)
    @precondition(lambda self: self.ledger.challenges)
    def settle_challenge(self, data: DataObject) -> None:
        self._settle(data, self._challenged(data, answered=data.draw(st.sampled_from([True, True, True, False]))))

    def _settle(self, data: DataObject, place: Place) -> None:
        (order, round_), given = place, self._given(data, *place)
        if given["respondedAt"] and not self.sometimes(data, 3, "at once"):
            self.wait(self.ledger.proof_end(order, given) + data.draw(st.sampled_from([1, 1, 0])))
        caller = data.draw(st.sampled_from(self.cast.everybody))
        self.call(
            lambda: self.model.settle_challenge(order, round_, given),
            caller, "settleChallenge", order, round_, challenge_tuple(given),
        )  # fmt: skip

    # --------------------------------------------------------------------------------------------------- wrong content

    def _proof(self, data: DataObject, content_hash: bytes) -> tuple[bytes, Proof, Reason | None]:
        """A manifest with a proof, and why it fails if it does; usually the right one."""
        name = self.mostly(data, sealing.BY_HASH.get(content_hash, BAD[0]), list(CONTENT))
        proof, why_not = self.mostly(data, sealing.proof(name), sealing.proofs_that_fail(CONTENT[name]))
        # the last one is well formed and never posted: what is posted has its own reasons
        content = self.mostly(data, CONTENT[name].manifest, [b"", b"no manifest", manifest(99)])
        return content, proof, why_not

    def _is_bad(self, content_hash: bytes) -> bool:
        return sealing.BY_HASH.get(content_hash) in BAD

    @rule(data=DATA)
    @precondition(lambda self: any(state["released"] for state in self.ledger.listings.values()))
    def prove_wrong_content(self, data: DataObject) -> None:
        releases = [
            (listing, round_, entry)
            for listing, state in self.ledger.listings.items() for round_, entry in state["released"].items()
        ]  # fmt: skip
        bad = [
            (listing, round_, entry) for listing, round_, entry in releases
            if self._is_bad(entry["hash"]) and round_ not in self.ledger.listings[listing]["faulty"]
            and self.chain.now < self.ledger.maturity(listing, entry["bucket"])
            and self.ledger.listings[listing]["terms"]["disputeWindow"]
        ]  # fmt: skip
        listing, round_, entry = data.draw(st.sampled_from(self.mostly(data, bad or releases, [releases])))
        if self.sometimes(data, 6, "near maturity"):
            self.wait_around(data, self.ledger.maturity(listing, entry["bucket"]))
        self._prove_wrong_content(data, listing, round_, entry["hash"])

    def _prove_wrong_content(self, data: DataObject, listing: int, round_: int, content_hash: bytes) -> None:
        content, proof, why_not = self._proof(data, content_hash)
        listing, round_ = self.mostly(data, (listing, round_), [(listing, round_ + 1), (0, 0), (listing, 0)])
        caller = data.draw(st.sampled_from(self.cast.everybody))
        self.call(
            lambda: self.model.prove_wrong_content(listing, round_, content, why_not),
            caller, "proveWrongContent", listing, round_, content, proof,
        )  # fmt: skip

    @rule(data=DATA)
    @precondition(lambda self: self.ledger.copies)
    def prove_wrong_copy(self, data: DataObject) -> None:
        copies = sorted(self.ledger.copies)
        open_ones = [place for place in copies if self.ledger.cells[place[0]][place[1]][0] in ("pot", "challenge")]
        bad = [place for place in open_ones if self._is_bad(self.ledger.copies[place])]
        challenged = [place for place in bad if place in self.ledger.challenges]
        wanted = data.draw(st.sampled_from([challenged or bad, bad])) or open_ones or copies
        place = data.draw(st.sampled_from(self.mostly(data, wanted, [copies])))
        if self.sometimes(data, 6, "near maturity"):
            self.wait_around(data, self.ledger.maturity(place[0] >> 32, self.ledger.bucket_of(*place)))
        self._prove_wrong_copy(data, place, self.ledger.copies[place])

    def _prove_wrong_copy(self, data: DataObject, place: Place, content_hash: bytes) -> None:
        (order, round_), bucket = place, self.ledger.bucket_of(*place)
        content, proof, why_not = self._proof(data, content_hash)
        order = self.mostly(data, order, [*sorted(self.ledger.orders), 0])
        bucket = self.mostly(data, bucket, [0, bucket + 1])
        caller = data.draw(st.sampled_from(self.cast.everybody))
        self.call(
            lambda: self.model.prove_wrong_copy(order, round_, bucket, content, why_not),
            caller, "proveWrongCopy", order, round_, bucket, content, proof,
        )  # fmt: skip

    def _in_faulty_pots(self) -> list[tuple[int, int, int]]:
        """(order, round, bucket) of money in a pot of a faulty round, in time or too late."""
        return [
            (order, round_, cell[1])
            for order, cells in self.ledger.cells.items() for round_, cell in cells.items()
            if cell[0] == "pot" and round_ in self.state_of(order)["faulty"]
        ]  # fmt: skip

    def in_frozen_pots(self) -> list[tuple[int, int, int]]:
        """Of those, what can be paid back and by nobody be withdrawn."""
        return [one for one in self._in_faulty_pots() if self.ledger.is_frozen(one[0] >> 32, *one[1:])]

    @rule(data=DATA)
    @precondition(lambda self: self.orders("pot", lambda order, round_: round_ in self.state_of(order)["faulty"]))
    def refund_faulty(self, data: DataObject) -> None:
        gone = [
            (order, round_, cell[1])
            for order, cells in self.ledger.cells.items() for round_, cell in cells.items()
            if cell[0] != "pot" and round_ in self.state_of(order)["faulty"] and self.ledger.covers(order, round_)
        ]  # fmt: skip
        pots = self._in_faulty_pots()
        self._refund_faulty(
            data, data.draw(st.sampled_from([pots, pots, gone]), label="in pots, or not any more") or pots
        )

    def _refund_faulty(self, data: DataObject, fitting: list[tuple[int, int, int]]) -> None:
        everything = [(o, r, cell[1]) for o, cells in self.ledger.cells.items() for r, cell in cells.items()]
        order, round_, bucket = data.draw(st.sampled_from(self.mostly(data, fitting or everything, [everything])))
        bucket = self.mostly(data, bucket, [0, bucket + 1, bucket + 1000])
        caller = data.draw(st.sampled_from(self.cast.everybody))
        self.call(
            lambda: self.model.refund_faulty(order, round_, bucket), caller, "refundFaulty", order, round_, bucket
        )

    def dispute_attacks(self, order: int) -> dict[str, tuple[Any, ...]]:
        """Calls about a round of the order that would go through if they were made in the middle of another."""
        places = [place for place in self.ledger.challenges if place[0] == order]
        round_ = places[0][1] if places else self.latest(order)
        given = challenge_tuple(self.ledger.challenges.get((order, round_), UNKNOWN))
        bucket = self.ledger.bucket_of(order, round_) if round_ in self.state_of(order)["released"] else 1
        dispute_key, x = sealing.DISPUTE_KEYS[0]
        name = sealing.BY_HASH.get(self.ledger.hash_of(order, round_), BAD[0])
        content, (proof, _) = CONTENT[name], sealing.proof(name)
        return {
            "challenge": (order, round_, bucket, x), "refundFaulty": (order, round_, bucket),
            "claimTimeout": (order, round_, given), "settleChallenge": (order, round_, given),
            "proveWrongKey": (order, round_, given, sealing.SECRETS.get(given[0], dispute_key)),
            "respond": (order, round_, given, content.manifest, x, bytes(32)),
            "proveWrongContent": (order >> 32, round_, content.manifest, proof),
            "proveWrongCopy": (order, round_, bucket, content.manifest, proof),
        }  # fmt: skip
