"""The two sides of the comparison, and what must hold after every call."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from hypothesis.strategies import DataObject

from tests.contracts.stateful.agreement import Views, check_balances, check_replayed, check_views
from tests.contracts.stateful.cast import Cast
from tests.contracts.stateful.drain import drain
from tests.contracts.stateful.sealing import BAD, CONTENT, GOOD
from tests.contracts.stateful.sense import check_sense
from tests.support.evm import CustomError
from tests.support.evm.disputes import Sealed
from tests.support.evm.world import key_of
from tests.support.model import Ledger, Model, Refused, replay
from tests.support.model import terms as times
from tests.support.model.wallets import NATIVE

#: What calls came to in all runs of this process: (function, "" or the error's name) → how often.
OUTCOMES: Counter[tuple[str, str]] = Counter()
#: Which states were met after how many of the steps.
REACHED: Counter[str] = Counter()

DISPUTES = {
    "challenge", "respond", "claimTimeout", "proveWrongKey", "settleChallenge", "proveWrongContent", "proveWrongCopy",
    "refundFaulty", "refundRound", "refundMissed", "refund",
}  # fmt: skip

Kind = Callable[[times.Terms], bool]


def anything(terms: times.Terms) -> bool:
    return True


class Comparison(RuleBasedStateMachine):
    """A marketplace and its model; `tests.contracts.stateful.rules` adds what people do."""

    def __init__(self) -> None:
        super().__init__()
        self.cast = Cast()
        self.chain, self.market = self.cast.chain, self.cast.market
        self.model = Model(self.cast.wallets, self.chain.now, self.market.address)
        self.ledger = self.model.ledger
        self.replayed = Ledger()
        self.sound = True  # false from the moment something is wrong: then draining tells nothing more
        self.views = Views(self.chain, self.market)
        self.calm = False  # true while everybody does what makes sense
        self.vouchers: list[tuple[dict[str, Any], bytes, str, bytes]] = []
        self.people = {str(person): person for person in self.cast.everybody}
        for owner in (self.cast.world.buyer, self.cast.world.other, self.cast.world.friend):
            for ledger in (self.ledger, self.replayed):
                ledger.keys[str(owner)] = [self.market.keyAt(owner, 1)]
        for actor in self.cast.newcomers:
            key = key_of(actor.kind.name)
            assert self.call(lambda a=actor, k=key: self.model.register(a.address, k), actor, "register", key, b"")

    def call(self, expected: Callable[[], Any], sender: Any, function: str, *arguments: Any, value: int = 0) -> bool:
        """Make a call on both sides; True if it went through on both, False if both refused it for the same reason."""
        self.sound, refusal, revert, events = False, None, None, []
        others = self._others(arguments[0]) if function in DISPUTES else {}
        try:
            expected()
        except Refused as error:
            refusal = error
        try:
            events = getattr(self.market, function)(*arguments, sender=sender, value=value).events
        except CustomError as error:
            revert = error
        assert revert or not refusal, f"{function} goes through, and the model says {refusal}"
        assert refusal or not revert, f"{function} reverts with {revert}, and the model allows it"
        if refusal and revert:
            assert refusal.allows(revert.name, revert.arguments), f"{function} reverts with {revert}, not {refusal}"
        OUTCOMES[function, revert.name if revert else ""] += 1
        for order, standing in others.items():
            assert self.ledger.standing(order) == standing, f"{function} changes what order {order} gets"
        replay(events, self.replayed)
        self.sound = True
        return not refusal

    def _others(self, subject: int) -> dict[int, Any]:
        """Where all orders stand but the one that the call is about."""
        return {order: self.ledger.standing(order) for order in self.ledger.orders if order != subject}

    @invariant()
    def both_agree(self) -> None:
        self.sound = False
        REACHED.update(check_sense(self.ledger, self.chain.now))
        check_views(self.views, self.model)
        check_balances(self.views, self.model, self.market.address, self.token_addresses())
        check_replayed(self.model, self.replayed)
        for actor in self.cast.hostile:
            assert actor.successes() == 0, "a call got in while another was under way"
        self.sound = True

    def token_addresses(self) -> list[str]:
        return [NATIVE, *(token.address for token in self.cast.tokens.values())]

    def teardown(self) -> None:
        if self.sound and self.ledger.listings:
            drain(self)
            self.both_agree()
            for token in self.token_addresses():
                assert self.views.balance(token, self.market.address) == 0, f"{token} is stuck"

    # ------------------------------------------------------------------------------------------------------------ words

    def wait(self, until: int) -> None:
        self.chain.at(max(self.chain.now, until))
        self.model.now = self.chain.now

    def wait_around(self, data: DataObject, moment: int) -> None:
        """Be there just before, at or just after a moment, or don't bother."""
        offset = data.draw(st.sampled_from([0, -1, 1, None]), label="seconds from the edge")
        if offset is not None:
            self.wait(moment + offset)

    def mostly(self, data: DataObject, right: Any, others: list[Any]) -> Any:
        """Usually what makes sense, now and then something else."""
        return right if self.calm or data.draw(st.integers(0, 11)) < 11 else data.draw(st.sampled_from(others))

    def sometimes(self, data: DataObject, one_in: int, label: str) -> bool:
        return not self.calm and data.draw(st.integers(1, one_in), label=label) == 1

    def a_listing(self, data: DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.ledger.listings)), label="listing")

    def orders(self, place: str, wanted: Callable[[int, int], bool] = lambda order, round_: True) -> list[int]:
        """Orders with money in a place, in a round that is wanted."""
        return [
            order for order, cells in self.ledger.cells.items()
            if any(cell[0] == place and wanted(order, round_) for round_, cell in cells.items())
        ]  # fmt: skip

    def an_order(self, data: DataObject, fitting: list[int]) -> int:
        """Usually one for which the call makes sense."""
        everything = sorted(self.ledger.orders)
        return data.draw(st.sampled_from(self.mostly(data, fitting or everything, [everything])), label="order")

    def order_just_released(self, data: DataObject, fitting: list[int], wanted: Kind = anything) -> int:
        """One of these; where there are none, an order's next round is released first, and an order bought before if
        need be, both in a listing whose terms are wanted. 0: nobody has bought anything, nor can."""
        if fitting:
            return self.an_order(data, fitting)
        waiting = self.orders("ahead", lambda order, round_: round_ == self.state_of(order)["nextRound"])
        waiting = [order for order in waiting if wanted(self.state_of(order)["terms"])]
        if not waiting:
            offered = self.on_sale(wanted)
            if not offered or not self._buy_two(data.draw(st.sampled_from(offered), label="listing")):
                return self.an_order(data, []) if self.ledger.orders else 0
            waiting = [next(reversed(self.ledger.orders))]
        order = data.draw(st.sampled_from(waiting), label="order that waits")
        self.release_next(data, order >> 32)
        return order

    def on_sale(self, wanted: Kind) -> list[int]:
        """Listings that can be bought now, of those whose terms are wanted."""
        return [
            number for number, state in self.ledger.listings.items()
            if state["offer"]["open"] and wanted(state["terms"])
            and self.chain.now <= (times.due(state["terms"], state["nextRound"]) or self.chain.now)
            and (not state["terms"]["supply"] or state["orders"] - state["voided"] < state["terms"]["supply"])
        ]  # fmt: skip

    def _buy_two(self, listing: int) -> bool:
        """Two orders of two people, so that what one does could harm somebody else."""
        state = self.ledger.listings[listing]
        value = state["offer"]["price"] if state["terms"]["token"] == NATIVE else 0
        bought = 0
        for buyer in (self.cast.world.other, self.cast.world.buyer):
            terms = (listing, state["version"], state["nextRound"], False, 1, str(buyer))
            bought += self.call(
                lambda b=buyer, t=terms: self.model.buy(str(b), *t, value), buyer, "buy", *terms, value=value
            )
        return bought > 0

    def release_next(self, data: DataObject, listing: int) -> bool:
        """The seller releases as soon as he may, and posts copies where they are sold."""
        state = self.ledger.listings[listing]
        self.wait(self.earliest_release(listing))
        round_, seller, copies = state["nextRound"], state["seller"], state["terms"]["copies"]
        content = b"" if copies else self.content(data).manifest
        done = self.call(
            lambda: self.model.release(seller, listing, round_, content),
            self.people[seller], "release", listing, round_, content,
        )  # fmt: skip
        orders = [order for order in state["ids"] if self.ledger.covers(order, round_)]
        if done and copies and self.mostly(data, True, [False]):
            hashes = [self.content(data).content_hash for _ in orders]
            self.call(
                lambda: self.model.deliver_copies(seller, listing, round_, orders, hashes),
                self.people[seller], "deliverCopies", listing, round_, orders, hashes,
            )  # fmt: skip
        return done

    def content(self, data: DataObject) -> Sealed:
        """What a seller releases: good or bad."""
        return CONTENT[data.draw(st.sampled_from(data.draw(st.sampled_from([GOOD, BAD, BAD]))), label="content")]

    def manager(self, data: DataObject, listing: int) -> Any:
        state = self.ledger.listings[listing]
        right = data.draw(st.sampled_from([state["seller"], state["operator"]]))
        return self.mostly(data, self.people.get(right, self.people[state["seller"]]), self.cast.everybody)

    def owner(self, data: DataObject, order: int) -> Any:
        return self.mostly(data, self.people[self.ledger.orders[order]["buyer"]], self.cast.everybody)

    def state_of(self, order: int) -> dict[str, Any]:
        return self.ledger.listings[self.ledger.orders[order]["listing"]]

    def latest(self, order: int) -> int:
        """The round before the next one."""
        return max(self.state_of(order)["nextRound"] - 1, 0)

    def can_decline(self, order: int, round_: int) -> bool:
        state = self.state_of(order)
        return round_ == self.latest(order) and self.chain.now < state["lastTurn"] + state["terms"]["declineWindow"]

    def is_unripe(self, order: int, round_: int) -> bool:
        """Whether the money of a round can't be withdrawn yet."""
        bucket = self.ledger.cells[order][round_][1]
        return self.chain.now < self.ledger.maturity(self.ledger.orders[order]["listing"], bucket)

    def earliest_release(self, listing: int) -> int:
        state = self.ledger.listings[listing]
        due, last = times.due(state["terms"], state["nextRound"]), state["lastTurn"]
        opening = due - state["terms"]["period"] if due is not None else 0
        return max(opening, last + state["terms"]["minInterval"] if last else 0)

    def edges(self) -> list[int]:
        """Every moment from now on at which some call begins or ceases to be possible, and the seconds beside it."""
        moments = {voucher["deadline"] for voucher, *_ in self.vouchers}
        for listing, state in self.ledger.listings.items():
            terms = state["terms"]
            last, due = state["lastTurn"], times.due(terms, state["nextRound"])
            moments |= {last + terms["minInterval"], last + terms["declineWindow"], last + terms["declineWindow"] // 2}
            moments |= {due, due - terms["period"]} if due is not None else set()
            moments |= {self.ledger.maturity(listing, bucket) for _, bucket in self.model.in_pots(listing)}
            cancelled = [self.ledger.orders[order]["cancelledAt"] for order in state["ids"]]
            moments |= {at + terms["noticePeriod"] for at in cancelled if at}
            open_ones = [self.ledger.challenges[place] for place in self.ledger.challenges if place[0] >> 32 == listing]
            moments |= {c["challengedAt"] + terms["responseWindow"] for c in open_ones if not c["respondedAt"]}
            moments |= {self.ledger.proof_end(listing << 32, c) for c in open_ones if c["respondedAt"]}
        near = {moment + offset for moment in moments for offset in (-1, 0, 1)}
        return sorted(moment for moment in near if moment > self.chain.now)
