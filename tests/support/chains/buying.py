"""A buyer of one order on a real chain, who is killed at a step and runs the purchase again."""

from pathlib import Path

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.local.devnet import request
from numerbay_chain.chain.sending.outbox import Outbox
from numerbay_chain.chain.sending.sender import Sender
from tests.support.chains.stage import Stage
from tests.support.wrapped import altered

LABEL = "buy"
DEPTH = 3


class KilledError(BaseException):
    """The process ends here."""


class Buyer:
    """A buyer of one order, who repeats the purchase until it is done."""

    def __init__(self, stage: Stage, folder: Path, connection: Connection, confirmations: int | None = None) -> None:
        self.stage, self.listing = stage, stage.new_listing()
        self.sender = Sender(
            connection, stage.buyer.signer, stage.session.address, confirmations=confirmations, patience=20
        )
        self.outbox = Outbox(folder, self.sender)
        self.call = stage.purchase(self.listing)
        self._folder = folder

    def buy(self, call: calls.Call | None = None) -> bool:
        """Whether it was an earlier one that went through."""
        return self.outbox.send(LABEL, call or self.call).resumed

    def dies(self, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
        """Before the transaction reached the node, or right after."""

        def send_raw(connection: Connection, raw: bytes) -> str:
            if after:
                original(connection, raw)
            raise KilledError

        original = Connection.send_raw
        with monkeypatch.context() as patch:
            altered(patch, self.sender.connection, "send_raw", send_raw)
            with pytest.raises(KilledError):
                self.buy()

    @property
    def orders(self) -> int:
        return self.stage.session.listing(self.listing).orders

    @property
    def keeps_nothing(self) -> bool:
        return not [*self._folder.glob("*.json")]


def mine(stage: Stage, blocks: int = 1) -> None:
    request(stage.connection, "anvil_mine", hex(blocks))
