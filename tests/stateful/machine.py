"""The two sides of the comparison, and what must hold after every call."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from hypothesis.strategies import DataObject

from tests.evm import CustomError
from tests.evm.world import key_of
from tests.model import Ledger, Model, Refused, replay
from tests.model import terms as times
from tests.model.wallets import NATIVE
from tests.stateful.agreement import Views, check_balances, check_replayed, check_views
from tests.stateful.cast import Cast
from tests.stateful.drain import drain

#: What calls came to in all runs of this process: (function, "" or the error's name) → how often.
OUTCOMES: Counter[tuple[str, str]] = Counter()


class Comparison(RuleBasedStateMachine):
    """A marketplace and its model; `tests.stateful.rules` adds what people do."""

    def __init__(self) -> None:
        super().__init__()
        self.cast = Cast()
        self.chain, self.market = self.cast.chain, self.cast.market
        self.model = Model(self.cast.wallets, self.chain.now, self.market.address)
        self.ledger = self.model.ledger
        self.replayed = Ledger()
        self.sound = True  # false from the moment something is wrong: then draining tells nothing more
        self.views = Views(self.chain, self.market)
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
        replay(events, self.replayed)
        self.sound = True
        return not refusal

    @invariant()
    def both_agree(self) -> None:
        self.sound = False
        check_views(self.views, self.model)
        check_balances(self.views, self.model, self.market.address, self.token_addresses())
        check_replayed(self.model, self.replayed)
        for actor in (self.cast.actors["ReenteringBuyer"], self.cast.tokens["ReenteringToken"]):
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
        return right if data.draw(st.integers(0, 11)) < 11 else data.draw(st.sampled_from(others))

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
        near = {moment + offset for moment in moments for offset in (-1, 0, 1)}
        return sorted(moment for moment in near if moment > self.chain.now)
