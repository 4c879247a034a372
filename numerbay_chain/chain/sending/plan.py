"""What would be sent, for dry runs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.core.errors import ExitCode, NumerbayChainError
from numerbay_chain.protocol.gas import DISPUTE_GAS

_KEPT_BACK: Final = "kept back until it is sent"
_SECRET: Final[Mapping[str, Collection[str]]] = {
    "respond": {"manifest", "sealedKey"},
    "proveWrongKey": {"privateKey"},
    "proveWrongContent": {"proof"},
    "proveWrongCopy": {"proof"},
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call would be: `value` and `fee` (the most that gas can cost) in wei of the `coin`, `gas` in units as
    estimated."""

    function: str
    arguments: Mapping[str, Any]
    value: int
    gas: int
    fee: int
    coin: str


class Planned(NumerbayChainError, exit_code=ExitCode.DONE):
    """Not an error: with `dry_run`, what would have been sent first. `plan` has the decoded call, its value and its
    gas."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"would call {plan.function}")
        self.plan = plan


def plan_of_secret(connection: Connection, call: Call) -> Plan:
    """Return the plan of a step of a dispute that nobody must hear of yet: no node is asked for its gas, and what it
    reveals is not shown."""
    secret = _SECRET.get(call.function, ())
    shown = {name: _KEPT_BACK if name in secret else value for name, value in call.arguments.items()}
    gas = DISPUTE_GAS[call.function]
    return Plan(call.function, shown, call.value, gas, gas * connection.gas_price(), connection.coin)
