"""What would be sent, for dry runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numerbay_chain.core.errors import ExitCode, NumerbayChainError


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
