"""Sending a call and knowing what became of it: simulate, sign, tell the hash, send, wait.

The signed transaction is told (`before_broadcast`) before anything leaves this machine. Who writes it down first can be
killed at any point: `Sender.resume` takes it to its end. A nonce is mined once, so that sending it again is safe.

One question may be answered by several machines, of which some lag behind. So nothing follows from an answer that is
missing: a transaction is given up only when its nonce was used, a final number of blocks ago, and it has no receipt.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

from numerbay_chain.chain import tokens
from numerbay_chain.chain.connection import Connection, Fees, NodeRefusedError, checksummed
from numerbay_chain.chain.encoding import abi, calls
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.chain.finality import Finality
from numerbay_chain.chain.node import pricing
from numerbay_chain.chain.node.values import NodeReceipt
from numerbay_chain.chain.second import agreed_nonce, require_replaced
from numerbay_chain.chain.sending.mined import final_nonce, mined, require_no_gap, why
from numerbay_chain.chain.sending.outgoing import (
    RUN_AGAIN,
    ReplacedError,
    is_known,
    is_poor,
    maybe_sent,
    name_of,
    not_taken,
    replaced,
    short_of,
)
from numerbay_chain.chain.sending.plan import Plan
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.core.errors import NetworkError, RefusedError, RevertedError, TooLateError, UsageError
from numerbay_chain.core.progress import Notify
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.gas import gas_limit

BeforeBroadcast = Callable[[str, bytes], None]  # the transaction's hash, and the signed transaction itself
Check = Callable[[], None]  # raises where it must not leave this machine now: its deadline is near
INTRINSIC_GAS = 21_000
_FAILURES_IN_A_ROW = 5
_LOOKS = 3  # how often a receipt is asked for before it is believed that there is none


class Sender:
    """Sends calls to the marketplace at `address` from the signer's account.

    `confirmations`: how many blocks on top make it final what became of a transaction (None: as the chain says it, see
    `Finality`); `send` does not wait for them. `patience`: seconds to wait for a transaction. `notify` is told where
    gas costs more than usual. Raises `UsageError` for an account that must not be used on this chain.
    """

    def __init__(
        self,
        connection: Connection,
        signer: Signer,
        address: str | None = None,
        *,
        confirmations: int | None = None,
        patience: float = 900,
        notify: Notify = lambda _: None,
    ) -> None:
        signer.check(connection)
        self.connection = connection
        self.signer = signer
        self.address = None if address is None else checksummed(address)
        self.finality = Finality(connection, confirmations)
        self.patience = patience
        self.notify = notify

    @property
    def account(self) -> str:
        """The signer's address."""
        return self.signer.address

    def plan(self, call: Call, stake: int | None = None) -> Plan:
        """Simulates the call. Raises `RevertedError`, `AccountError` where money for value and gas is missing, and
        `RefusedError` as `send`."""
        fees = self.connection.fees(staked=stake is not None)
        gas = self._rehearse(self._transaction(call), fees, stake=stake)
        return Plan(call.function, call.arguments, call.value, gas, gas * fees.most, self.connection.limits.symbol)

    def send(
        self,
        call: Call,
        before_broadcast: BeforeBroadcast | None = None,
        check: Check | None = None,
        *,
        stake: int | None = None,
    ) -> Receipt:
        """Simulates, signs, sends and waits. `check` is asked before a node is told the call, before it is signed, and
        before it is handed over again.

        `stake`: what is lost if the call comes too late, in wei; its gas may cost that much, above the usual limit.

        Raises `RefusedError` (`fee-too-high`) where gas costs more than is allowed, `RevertedError` (before anything
        was sent, or with `.transaction` where it was mined and reverted), `AccountError` for missing money,
        `NotTakenError` where the node refuses it, `ReplacedError` for one that was replaced, `NetworkError` naming the
        hash where it is unknown what became of it.
        """
        return self._execute(self._transaction(call), before_broadcast, check, stake)

    def deploy(
        self, data: bytes, before_broadcast: BeforeBroadcast | None = None, *, through: str | None = None
    ) -> Receipt:
        """Create a contract by its init code; its address is the receipt's `created`. `through`: the contract that
        makes it of `data`; no receipt names its address then. Raise as `send`."""
        target = {} if through is None else {"to": checksummed(through)}
        return self._execute({"from": self.account, **target, "value": 0, "data": "0x" + data.hex()}, before_broadcast)

    def approve(self, token: str, amount: int, before_broadcast: BeforeBroadcast | None = None) -> Receipt | None:
        """Lets the marketplace take exactly `amount` of the signer's tokens; None where it may take that much already.

        Raises `AccountError` where the account holds less, `RefusedError` where the token did not do it, and as `send`.
        """
        spender = self._marketplace()
        allowed = tokens.allowed_of(self.connection, token, self.account, spender, amount)
        if allowed >= amount:
            return None
        call = calls.approve(token=token, spender=spender, amount=amount)
        if allowed > 0:
            # some tokens refuse to change an allowance that is not zero
            try:
                self.plan(call)
            except RevertedError:
                self.send(calls.approve(token=token, spender=spender, amount=0), before_broadcast)
        receipt = self.send(call, before_broadcast)
        if tokens.allowance(self.connection, token, self.account, spender) < amount:
            raise RefusedError(
                f"the token {token} did not approve {amount} units", "do not use this token", code="not-approved"
            )
        return receipt

    def lookup(self, transaction: str) -> Receipt | Literal["pending"] | None:
        """What became of a transaction: its receipt, None where the node does not know it.

        Raises `RevertedError` where it was mined and reverted, `NetworkError`.
        """
        if receipt := self._receipt(transaction):
            return receipt
        return None if self.connection.transaction(transaction) is None else "pending"

    def resume(self, raw: bytes, check: Check | None = None) -> Receipt | None:
        """Takes a signed transaction of this account to its end: its receipt where it was mined, else it is handed over
        again, unless `check` raises, and waited for; None where its nonce was used by another one for good.

        Raises `UsageError` for one of another account or chain, `NetworkError` (nonce-gap), and as `send`.
        """
        name, nonce = name_of(raw), self.nonce_of(raw)
        try:
            if self._receipt(name) is None:
                self._still_there(name, nonce, raw, check)
                require_no_gap(self.connection, self.account, name, nonce)
            return self._wait(name, nonce, raw, check)
        except ReplacedError:
            return None

    def is_final(self, receipt: Receipt) -> bool:
        """Whether the transaction's block stays in the chain."""
        return self.finality.is_final(receipt.block)

    def is_void(self, raw: bytes) -> bool:
        """Whether a signed transaction of this account has had no effect, and never will have: for good, its nonce was
        used by another one, or it was mined and reverted. Raises `NetworkError`, `UsageError` as `resume`."""
        name, nonce = name_of(raw), self.nonce_of(raw)
        if mined := self._mined(name):
            receipt = mined[1]
            return receipt.status == 0 and self.is_final(receipt)
        return self._is_replaced(name, nonce)

    def next_nonce(self) -> int:
        """What a transaction that is signed now would have."""
        return agreed_nonce(self.connection, self.account)

    def nonce_of(self, raw: bytes) -> int:
        """Of a signed transaction. Raises `UsageError` for one of another account or chain."""
        from numerbay_chain.chain.sending.signed import nonce_of  # what reads alone must not wait for it

        return nonce_of(raw, self.account, self.connection.chain_id)

    # ------------------------------------------------------------------------------------------------------- sending

    def _marketplace(self) -> str:
        if self.address is None:
            raise UsageError("no marketplace was named", "give the contract's address")
        return self.address

    def _transaction(self, call: Call) -> dict[str, Any]:
        target = self._marketplace() if call.target is None else checksummed(call.target)
        return {"from": self.account, "to": target, "value": call.value, "data": "0x" + abi.encode_call(call).hex()}

    def _rehearse(
        self, transaction: Mapping[str, Any], fees: Fees, check: Check | None = None, stake: int | None = None
    ) -> int:
        """The gas that the transaction takes."""
        balance = self.connection.balance(self.account)
        value, coin = int(transaction["value"]), self.connection.limits.symbol
        if balance < value:
            raise short_of(self.account, balance, value, 0, coin)
        if check is not None:
            check()
        try:
            gas = self._simulated(transaction)
        except NodeRefusedError as error:
            if is_poor(error):
                raise short_of(self.account, balance, value, INTRINSIC_GAS * fees.most, coin) from error
            raise
        if excess := self.connection.limits.allow(gas_limit(gas), fees, stake):
            self.notify(excess)
        if balance < value + gas * fees.most:
            raise short_of(self.account, balance, value, gas * fees.most, coin)
        return gas

    def _simulated(self, transaction: Mapping[str, Any]) -> int:
        """The gas of a transaction that succeeds: an estimate on the block of all other questions tries it out. Where
        it is made on another block, or refused, a call says whether, and why, the contract refuses."""
        if pricing.is_at_tip(self.connection):
            with suppress(RevertedError):
                gas = self.connection.estimate_gas(transaction)
                if pricing.is_at_tip(self.connection):
                    return gas
        self.connection.doubt()  # what is refused may be allowed by a block that is newer than the one it was tried on
        self.connection.call(transaction, self.connection.tip)
        return self._estimate(transaction)

    def _estimate(self, transaction: Mapping[str, Any]) -> int:
        """The gas for what was tried out with success: a node that refuses it meanwhile may only be behind."""
        refused: list[RevertedError] = []

        def ask() -> int | None:
            try:
                return self.connection.estimate_gas(transaction)
            except RevertedError as error:
                refused.append(error)
                return None

        gas = self.connection.fresh.looked(ask, lambda found: found is None)
        if gas is None:
            raise refused[-1]
        return gas

    def _execute(
        self,
        transaction: dict[str, Any],
        before_broadcast: BeforeBroadcast | None,
        check: Check | None = None,
        stake: int | None = None,
    ) -> Receipt:
        gas = self._rehearse(transaction, self.connection.fees(staked=stake is not None), check, stake)
        self.signer.unlock()  # a password may take its time, so gas is priced once more
        fees = self.connection.fees(staked=stake is not None)
        self.connection.limits.allow(gas_limit(gas), fees, stake)
        limit = min(gas_limit(gas), self.connection.gas_limit() or gas)
        nonce = self.next_nonce()
        more = {"chainId": self.connection.chain_id, "nonce": nonce, "gas": max(limit, gas), **fees.fields()}
        if check is not None:
            check()
        raw = self.signer.sign_transaction({**transaction, **more})
        name = name_of(raw)
        if before_broadcast is not None:
            before_broadcast(name, raw)  # which may ask nodes what became of earlier ones
            if check is not None:
                check()
        self._broadcast(raw, name)
        return self._wait(name, nonce, raw, check)

    def _broadcast(self, raw: bytes, name: str) -> None:
        """Hands it over. Where the node has it, or its nonce was used by now, waiting finds out what that means."""
        try:
            answer = self.connection.send_raw(raw)
        except NodeRefusedError as error:
            if is_known(error) or self._knows(name):
                return
            raise not_taken(error, name, self.account) from error
        except NetworkError as error:
            raise maybe_sent(error, name) from error
        if answer != name:
            raise NetworkError(
                f"{self.connection.name} answered with {answer} for transaction {name}", RUN_AGAIN, code="bad-answer"
            )

    def _knows(self, name: str) -> bool:
        return self.connection.receipt(name) is not None or self.connection.transaction(name) is not None

    # ------------------------------------------------------------------------------------------------------- waiting

    def _wait(self, name: str, nonce: int, raw: bytes, check: Check | None = None) -> Receipt:
        end, pause, failures = time.monotonic() + self.patience, 0.02, 0
        while True:
            try:
                if receipt := self._receipt(name):
                    return receipt
                self._still_there(name, nonce, raw, check)
                failures = 0
            except NetworkError as error:
                failures += 1
                if failures == _FAILURES_IN_A_ROW or error.code in ("nodes-disagree", "node-behind"):
                    raise NetworkError(
                        f"{error}: transaction {name} may have been mined", RUN_AGAIN, code=error.code
                    ) from error
            if time.monotonic() > end:
                raise NetworkError(
                    f"transaction {name} was not mined within {self.patience:.0f} s: it may still be",
                    RUN_AGAIN,
                    code="unconfirmed",
                )
            self.connection.policy.sleep(pause)
            pause = min(pause * 1.5, 0.25 if self.connection.is_development else 2.0)

    def _still_there(self, name: str, nonce: int, raw: bytes, check: Check | None) -> None:
        """Notices a transaction that can't be mined any more, and hands one that the node dropped over again, unless it
        would come too late by now."""
        if self.connection.transaction(name) is not None:
            return
        if self.connection.transaction_count(self.account) <= nonce:
            if check is not None:
                try:
                    check()
                except TooLateError as error:
                    raise TooLateError(f"transaction {name} was not handed over again: {error}", error.hint) from error
            self._broadcast(raw, name)
        elif self._is_replaced(name, nonce):
            raise replaced(name, nonce, self.account)

    def _is_replaced(self, name: str, nonce: int) -> bool:
        """Whether the nonce was used for good, and not by this transaction."""
        if final_nonce(self.connection, self.finality, self.account) <= nonce:
            return False
        for look in range(_LOOKS):
            if look:
                self.connection.policy.sleep(0.1 if self.connection.is_development else 1.0)
            if self._mined(name):
                return False
        require_replaced(self.connection, self.account, name, nonce)
        return True

    def _receipt(self, name: str) -> Receipt | None:
        if (answer := self._mined(name)) is None:
            return None
        found, receipt = answer
        if receipt.status == 0:
            raise why(self.connection, found, receipt)
        return receipt

    def _mined(self, name: str) -> tuple[NodeReceipt, Receipt] | None:
        return mined(self.connection, name, self.address)
