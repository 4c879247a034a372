"""What people gain and lose, to the wei."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.protocol.events import Receipt


class Purses:
    """Balances to the wei: what each account gained, but for the gas that it paid itself."""

    def __init__(self, session: MarketplaceContract, *senders: Sender) -> None:
        self._session, self._senders = session, senders
        self._fees = dict.fromkeys(senders, 0)
        self._before = {sender: self._balance(sender.account) for sender in senders}
        self._held = self._balance(session.address)
        self._sends = {sender: sender.send for sender in senders}

    def _balance(self, account: str) -> int:
        return self._session.connection.balance(account)

    @contextmanager
    def watching(self) -> Iterator["Purses"]:
        """Counts the gas of everything that the senders send meanwhile."""
        for sender in self._senders:
            sender.send = self._counting(sender)  # type: ignore[method-assign]  # an observer of the real thing
        try:
            yield self
        finally:
            for sender in self._senders:
                del sender.send

    def _counting(self, sender: Sender) -> Any:
        def send(*arguments: Any, **named: Any) -> Receipt:
            receipt = self._sends[sender](*arguments, **named)
            self._fees[sender] += receipt.fee
            return receipt

        return send

    def gained(self, sender: Sender) -> int:
        return self._balance(sender.account) - self._before[sender] + self._fees[sender]

    @property
    def kept(self) -> int:
        """What the marketplace holds more than before."""
        return self._balance(self._session.address) - self._held
