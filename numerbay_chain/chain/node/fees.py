"""What gas may cost: a node names its price, and may be wrong or lie."""

from dataclasses import dataclass
from typing import Final

from numerbay_chain.chain.networks import network
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.progress import Note
from numerbay_chain.core.units import format_amount, format_fee

MAX_TIP: Final = 50
"""Gwei that a unit of gas may cost on top of the base fee, where networks.toml says nothing of the chain."""
MAX_FEE: Final = 5 * 10**16
"""Wei that one transaction may cost for its gas, where networks.toml says nothing of the chain."""
_GWEI: Final = 10**9


@dataclass(frozen=True, slots=True)
class Fees:
    """What a unit of gas is offered, in wei; `priority` is None on a chain without EIP-1559."""

    most: int
    priority: int | None

    def fields(self) -> dict[str, int]:
        """The transaction's fields."""
        if self.priority is None:
            return {"gasPrice": self.most}
        return {"maxFeePerGas": self.most, "maxPriorityFeePerGas": self.priority}


@dataclass(frozen=True, slots=True)
class FeeLimits:
    """What gas may cost: `max_tip` in gwei for a unit, on top of the base fee or in all on a chain without one;
    `max_fee` in wei for one transaction; `symbol` is the coin's."""

    max_tip: int = MAX_TIP
    max_fee: int = MAX_FEE
    symbol: str = "ETH"

    @classmethod
    def of(cls, chain_id: int) -> "FeeLimits":
        """Return the limits that networks.toml has for the chain, else the usual ones."""
        known = network(chain_id)
        return cls() if known is None else cls(known.max_tip, known.max_fee, known.symbol)

    def offered(self, base: int | None, asked: int, name: str, *, staked: bool = False) -> Fees:
        """Return what a unit of gas is offered: twice the `base` fee and the tip that is `asked` for, or the price
        that is asked for where there is no base fee. All in wei. `name` is the node's.

        Raises `RefusedError` (`fee-too-high`) for more than `max_tip`. With something at stake the tip is cut down to
        it instead: a smaller tip is better than none of the step.
        """
        most = self.max_tip * _GWEI
        if asked > most and not staked:
            raise RefusedError(
                f"{name} asks for a tip of {_gwei(asked)} gwei for each unit of gas, more than the {self.max_tip} "
                "that are allowed",
                "use another node, or allow more with --max-tip",
                code="fee-too-high",
            )
        if base is None:
            return Fees(asked, None)
        tip = min(asked, most)
        return Fees(2 * base + tip, tip)

    def allow(self, gas: int, fees: Fees, stake: int | None = None) -> Note | None:
        """Return what to tell the user where a transaction of `gas` units may cost more than `max_fee`, and does so
        because that is less than its `stake` (wei); None where it may not.

        Raises `RefusedError` (`fee-too-high`) where it may cost more than both.
        """
        cost = gas * fees.most
        if cost <= self.max_fee:
            return None
        shown = f"up to {format_fee(cost, self.symbol)} ({gas:,} units of gas at up to {_gwei(fees.most)} gwei)"
        allowed = f"the {format_amount(self.max_fee, self.symbol)} that --max-fee allows"
        if stake is not None and cost <= stake:
            return Note(
                f"this step has a deadline: its gas may cost {shown}, more than {allowed}, because "
                f"{format_amount(stake, self.symbol)} are at stake",
                "fee-above-limit",
            )
        beside = "" if stake is None else f" and than the {format_amount(stake, self.symbol)} that are at stake"
        raise RefusedError(
            f"the gas of this transaction may cost {shown}, more than {allowed}{beside}",
            "wait until gas is cheaper, or allow more with --max-fee",
            code="fee-too-high",
        )


def _gwei(wei: int) -> str:
    """Exact up to three digits after the point, rounded up."""
    return f"{-(-wei // 10**6) / 1000:,.3f}".rstrip("0").rstrip(".")
