"""Payments that somebody refuses, and how their money reaches them all the same."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from hypothesis.strategies import DataObject

from tests.contracts.stateful.disputes import Disputes
from tests.support.model.terms import Terms
from tests.support.model.wallets import NATIVE

DATA = st.data()


def is_native(terms: Terms) -> bool:
    return bool(terms["token"] == NATIVE)


class Credits(Disputes):
    @rule(
        data=DATA,
        token=st.sampled_from([NATIVE, "BlockingToken"]),
        manner=st.integers(1, 3),
        refuses=st.sampled_from([True, True, False]),
    )
    def refuse_payments(self, data: DataObject, token: str, manner: int, refuses: bool) -> None:
        if token == NATIVE:
            self.cast.refuse_ether(refuses, manner)
        else:
            self.cast.block(data.draw(st.sampled_from(self.cast.buyers)), refuses, min(manner, 2))

    @rule(data=DATA)
    @precondition(lambda self: any(self.ledger.credits.values()))
    def collect(self, data: DataObject) -> None:
        owed = sorted(pair for pair, amount in self.ledger.credits.items() if amount)
        account, token = data.draw(st.sampled_from(owed))
        caller = self.mostly(data, self.people[account], self.cast.everybody)
        to = self.mostly(data, data.draw(st.sampled_from([caller, self.cast.world.payout])), [NATIVE, self.market])
        self.call(lambda: self.model.collect(str(caller), token, str(to)), caller, "collect", token, to)

    @rule(data=DATA)
    def collect_for(self, data: DataObject) -> None:
        """By anybody, for one who has a credit and takes it by now, or still refuses; or for somebody without one."""
        if not self._owed() and not self._refuses_a_refund(data):
            return
        if data.draw(st.sampled_from([True, True, False]), label="payments are taken again"):
            self.cast.accept_again()
        owed = self._owed()
        taken = [(account, token) for account, token in owed if (token, account) not in self.cast.wallets.refusing]
        account, token = data.draw(st.sampled_from(self.mostly(data, taken or owed, [owed])))
        account = str(self.mostly(data, account, [*self.cast.everybody, NATIVE, self.market]))
        caller = data.draw(st.sampled_from(self.cast.everybody))
        self.call(lambda: self.model.collect_for(account, token), caller, "collectFor", account, token)

    def _owed(self) -> list[tuple[str, str]]:
        """(account, token) of every credit, but those of a contract that can never receive the token."""
        never = (self.cast.tokens["ReenteringToken"].address, NATIVE)
        return sorted(pair for pair, amount in self.ledger.credits.items() if amount and pair != never)

    def _refuses_a_refund(self, data: DataObject) -> bool:
        """The contract that may refuse ether buys, and refuses what the seller gives back."""
        offered = [n for n in self.on_sale(is_native) if self.ledger.listings[n]["offer"]["price"]]
        if not offered:
            return False
        listing, buyer = data.draw(st.sampled_from(offered), label="listing"), self.cast.actors["RefusingBuyer"]
        state = self.ledger.listings[listing]
        terms: tuple[Any, ...] = (listing, state["version"], state["nextRound"], False, 1, str(buyer))
        value, seller = state["offer"]["price"], self.people[state["seller"]]
        if not self.call(lambda: self.model.buy(str(buyer), *terms, value), buyer, "buy", *terms, value=value):
            return False
        order = next(reversed(self.ledger.orders))
        self.cast.refuse_ether(True, data.draw(st.integers(1, 3), label="manner"))
        return self.call(lambda: self.model.refund(str(seller), order), seller, "refund", order)
