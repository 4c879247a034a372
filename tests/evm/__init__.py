"""The fast in-process EVM that the contract tests, the stateful test and the gas cases run on (pyrevm)."""

from tests.evm.accounts import Account
from tests.evm.chain import Chain, Log, Receipt, Reverted
from tests.evm.contracts import Artifact, Contract, CustomError, Event, artifact, decode_events

__all__ = [
    "Account",
    "Artifact",
    "Chain",
    "Contract",
    "CustomError",
    "Event",
    "Log",
    "Receipt",
    "Reverted",
    "artifact",
    "decode_events",
]
