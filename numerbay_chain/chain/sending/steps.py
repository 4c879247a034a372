"""What a session sends: each step once, or in a dry run planned in place of being sent."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn, overload

from numerbay_chain.chain.clock import ANY_TIME, Clock, Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.chain.sending.outbox import Outbox, Sent
from numerbay_chain.chain.sending.plan import Planned, plan_of_secret
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import AccountError
from numerbay_chain.core.units import format_amount
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.gas import DISPUTE_GAS, gas_limit
from numerbay_chain.protocol.types import ZERO_ADDRESS


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be sent, and when it may be mined."""

    call: Call
    window: Window = ANY_TIME


class Sending:
    """The transactions of a session's account to its marketplace.

    `opened` gives their sender when the first one is wanted, and raises where there is no account, or where the
    contract must not be paid. `folder`: where those of an account that are on their way are written down. `confirm`
    asks a second node before a secret leaves.
    """

    def __init__(
        self,
        opened: Callable[[], Sender],
        folder: Callable[[str], Path],
        clock: Clock,
        confirm: Callable[[], None],
    ) -> None:
        self._opened, self._folder, self._clock, self._confirm = opened, folder, clock, confirm

    @cached_property
    def sender(self) -> Sender:
        """Whatever is signed for the contract is signed by its `signer`."""
        return self._opened()

    @cached_property
    def outbox(self) -> Outbox:
        """The account's transactions that are on their way."""
        return Outbox(self._folder(self.sender.account), self.sender, self.sender.notify, self._clock)

    def send(self, label: str, call: Call, identity: str | None = None, window: Window = ANY_TIME) -> Sent:
        """Send once (`Outbox.send`), where it can be mined within the `window`. Raise `RefusedError` (`too-late`,
        `too-early`) outside of it: nothing is signed then."""
        return self.outbox.send(label, call, identity, window)

    def send_secret(self, label: str, call: Call, window: Window, identity: str | None = None) -> Sent:
        """`send`, of what nobody must learn for nothing: a node is told only once it can be signed, and while there is
        time for it (`window.margin`). What it rests on is read within a decision, and a second node is asked the same
        before. Raise `AccountError`, and `NetworkError` where the nodes differ."""
        self._require_gas(call, window.stake)
        self.sender.signer.unlock()
        self._confirm()
        return self.send(label, call, identity, window)

    def resume(self, label: str, identity: str | None = None) -> Sent | None:
        """What became of an earlier call's transaction under `label` (`Outbox.resume`)."""
        return self.outbox.resume(label, identity)

    def holds(self, beginning: str) -> bool:
        """Return whether there may be something to `resume` under a label that begins so. Asks no node."""
        return self.outbox.holds(beginning)

    @overload
    def resume_or_send(self, label: str, prepare: Callable[[], Prepared]) -> Sent: ...
    @overload
    def resume_or_send(self, label: str, prepare: Callable[[], Prepared | None]) -> Sent | None: ...
    def resume_or_send(self, label: str, prepare: Callable[[], Prepared | None]) -> Sent | None:
        """Return what became of the transaction that an earlier call sent under `label`; where there is none that
        counts, send what `prepare` makes of the chain as it stands, or nothing where it returns None.

        `prepare` raises what speaks against it, which must not keep an earlier call's transaction from being told: a
        round that was declined can't be declined again. Raise as `send`.
        """
        sent = self.resume(label)
        if sent is None and (step := prepare()) is not None:
            sent = self.send(label, step.call, window=step.window)
        return sent

    def approve(self, token: str, amount: int) -> Receipt | None:
        """Let the marketplace take exactly `amount` of a token (`Sender.approve`). It is not kept in the outbox: it
        sets an amount, so that twice is once."""
        return self.sender.approve(token, amount)

    def at_stake(self, token: str, amount: int) -> int | None:
        """What may be spent on the gas of a step with a deadline (`Window.stake`): the amount that is lost without it,
        in the chain's coin. None for a token, whose worth nobody tells."""
        return amount if token == ZERO_ADDRESS else None

    def _require_gas(self, call: Call, stake: int | None) -> None:
        """Before a node is told a step of a dispute: raise `AccountError` where the account can't pay its gas, and
        `RefusedError` (`fee-too-high`) where that costs more than is allowed. Other calls are not looked at."""
        if call.function not in DISPUTE_GAS:
            return
        connection, account = self.sender.connection, self.sender.account
        gas, fees = gas_limit(DISPUTE_GAS[call.function]), connection.fees(staked=stake is not None)
        connection.limits.allow(gas, fees, stake)
        held = connection.balance(account)
        if held < gas * fees.most:
            shown, most = (format_amount(one, connection.coin) for one in (held, gas * fees.most))
            raise AccountError(
                f"{account} holds {shown}, but the gas of {call.function} may cost {most}",
                "send it some of the chain's coin",
                code="insufficient-funds",
            )


class Planning(Sending):
    """A dry run: the first step is planned in place of being sent, and ends the run as `Planned`. Nothing is signed,
    and what earlier calls sent stays as it is."""

    def send(self, label: str, call: Call, identity: str | None = None, window: Window = ANY_TIME) -> NoReturn:
        """Raise `Planned`, and what the real thing would raise before it is signed."""
        self._clock.require(window, call.function)
        raise Planned(self.sender.plan(call, window.stake))

    def send_secret(self, label: str, call: Call, window: Window, identity: str | None = None) -> NoReturn:
        """Raise `Planned` without telling the node, or anybody, what the call reveals."""
        self._require_gas(call, window.stake)
        raise Planned(plan_of_secret(self.sender.connection, call))

    def resume(self, label: str, identity: str | None = None) -> None:
        """Leave earlier transactions alone."""

    def holds(self, beginning: str) -> bool:
        """Nothing is resumed."""
        return False

    def approve(self, token: str, amount: int) -> NoReturn:
        """Raise `Planned`."""
        self.send("approve", calls.approve(token=token, spender=self.sender.address or "", amount=amount))
