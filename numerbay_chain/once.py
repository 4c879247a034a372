"""A transaction that a call which is repeated after a crash finds again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import overload

from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.chain.sending.outbox import Sent
from numerbay_chain.session import Market


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be sent: see `Market.send`."""

    call: Call
    after: int | None = None
    until: int | None = None
    stake: int | None = None


@overload
def resume_or_send(market: Market, label: str, prepare: Callable[[], Prepared]) -> Sent: ...
@overload
def resume_or_send(market: Market, label: str, prepare: Callable[[], Prepared | None]) -> Sent | None: ...
def resume_or_send(market: Market, label: str, prepare: Callable[[], Prepared | None]) -> Sent | None:
    """Return what became of the transaction that an earlier call sent under `label`; where there is none that counts,
    send what `prepare` makes of the chain as it stands, or nothing where it returns None.

    `prepare` raises what speaks against it, which must not keep an earlier call's transaction from being told: a round
    that was declined can't be declined again. Raises as `Market.send`.
    """
    sent = market.resume(label)
    if sent is None and (step := prepare()) is not None:
        sent = market.send(label, step.call, after=step.after, until=step.until, stake=step.stake)
    return sent
