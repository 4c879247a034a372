"""The marketplace once more, in plain dicts and integers, from docs/protocol.md and not from the Solidity source."""

from tests.model.ledger import Ledger
from tests.model.marketplace import Model
from tests.model.replay import replay
from tests.model.rules import Refused
from tests.model.wallets import Wallets

__all__ = ["Ledger", "Model", "Refused", "Wallets", "replay"]
