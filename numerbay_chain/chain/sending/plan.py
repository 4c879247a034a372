"""What would be sent, for dry runs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.core.errors import ExitCode, NumerbayChainError

_KEPT_BACK: Final = "kept back until it is sent"


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


class Planned(NumerbayChainError):
    """Not an error: with `dry_run`, what would have been sent first. `plan` has the decoded call, its value and its
    gas."""

    exit_code = ExitCode.DONE

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"would call {plan.function}")
        self.plan = plan


def untold(call: Call, gas: int, fee: int, coin: str, secret: Collection[str]) -> Planned:
    """Return the plan of a call that nobody must hear of yet: its `secret` arguments are not shown."""
    shown = {name: _KEPT_BACK if name in secret else value for name, value in call.arguments.items()}
    return Planned(Plan(call.function, shown, call.value, gas, fee, coin))
