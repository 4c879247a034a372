"""The marketplace once more, in plain dicts and integers, from docs/protocol.md and not from the Solidity source."""

from tests.support.model.ledger import Ledger
from tests.support.model.marketplace import Model
from tests.support.model.replay import replay
from tests.support.model.rules import Refused
from tests.support.model.wallets import Wallets

__all__ = ["Ledger", "Model", "Refused", "Wallets", "replay"]
