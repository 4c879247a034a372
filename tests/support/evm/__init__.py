"""The fast in-process EVM that the contract tests, the stateful test and the gas cases run on (pyrevm)."""

from tests.support.evm.accounts import Account
from tests.support.evm.chain import Chain, Log, Receipt, Reverted
from tests.support.evm.contracts import Artifact, Contract, CustomError, Event, artifact, decode_events

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
