"""Transactions that are sent once: each is on disk, signed, before the network hears of it, until what became of it is
final.

A call that is repeated after a crash takes the same signed bytes to their end, so nothing is paid twice. What is
kept can't be turned against its owner: it is what he signed to be public. Entries are
`outbox/<chain>-<marketplace>-<account>/<label>.json`.
"""

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from numerbay_chain.chain.clock import ANY_TIME, Clock, Window
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.chain.sending.outgoing import NotTakenError, require_name
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import NetworkError, RefusedError, RevertedError, TooLateError
from numerbay_chain.core.files.journal import Entry, exclusive
from numerbay_chain.core.files.stored import Hex
from numerbay_chain.core.progress import Note, Notify
from numerbay_chain.protocol.events import Receipt


@dataclass(frozen=True, slots=True)
class Sent:
    """`resumed`: the transaction is one that an earlier call had sent. `identity`: what was asked for by it."""

    receipt: Receipt
    resumed: bool
    identity: str


def fingerprint(call: Call) -> str:
    """What a call asks for: two with the same fingerprint do the same."""
    text = repr((call.function, list(call.arguments.items()), call.value, call.target))
    return hashlib.sha256(text.encode()).hexdigest()


class Outbox:
    """The transactions of one account to one marketplace that are on their way. `notify` is told what is waited for;
    `clock` says whether there is still time for what has a deadline."""

    def __init__(
        self,
        folder: Path,
        sender: Sender,
        notify: Notify = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        self._folder, self._sender, self._notify = folder, sender, notify
        self._clock = clock or Clock(sender.connection)

    def send(self, label: str, call: Call, identity: str | None = None, window: Window = ANY_TIME) -> Sent:
        """Sends `call`, or finds out what became of the one that was sent under `label` before.

        `identity`: what was asked for, where the call itself is never twice the same (it holds a time). `window`: when
        it may be mined, which is looked at right before it is told, signed, and handed over again by a later run;
        raises `TooLateError`, or `RefusedError` (`too-early`), outside of it, and nothing is signed. Raises
        `RefusedError` if another thing under that label was on its way: it has gone through then. `NetworkError` where
        an earlier transaction could take effect beside a new one, so that none is sent. `RevertedError` and
        `NetworkError` as `Sender`.
        """
        wanted = identity or fingerprint(call)
        with exclusive(self._folder, _file_name(label), f"sending {call.function}"):
            entry = self._entry(label)
            found = self._resume(entry, wanted)
            if found is None:
                return Sent(self._send(entry, call, wanted, window), False, wanted)
            if found.identity != wanted:
                raise RefusedError(
                    f"an earlier {call.function} was still on its way, and has gone through: transaction "
                    f"{found.receipt.transaction}",
                    "look at what is there now, and run this again if it is still wanted",
                    code="earlier-transaction",
                )
            return found

    def resume(self, label: str, identity: str | None = None) -> Sent | None:
        """What became of the transaction that was on its way under `label`; None if there is none that counts, or the
        call that sent it was told already. One that never reached the network is sent now if it was for `identity`."""
        with exclusive(self._folder, _file_name(label), "sending a transaction"):
            return self._resume(self._entry(label), identity)

    def holds(self, beginning: str) -> bool:
        """Return whether any transaction is kept under a label that begins so."""
        return any(self._folder.glob(f"{_file_name(beginning)}*.json"))

    def untold(self, beginning: str) -> dict[str, str]:
        """The newest transaction under each label that begins so, where no call was told what became of it."""
        found = {}
        for path in sorted(self._folder.glob(f"{_file_name(beginning)}*.json")):
            signed = _transactions(Entry(path, _Kept))
            if signed and not any(one.told for one in signed):
                found[path.stem] = signed[-1].hash
        return found

    def _entry(self, label: str) -> "Entry[_Kept]":
        return Entry(self._folder / f"{_file_name(label)}.json", _Kept)

    def _send(self, entry: "Entry[_Kept]", call: Call, wanted: str, window: Window) -> Receipt:
        def before_broadcast(transaction: str, raw: bytes) -> None:
            # The nonce is chosen by now: of two with the same one only one can be mined.
            left = self._undecided(_transactions(entry))
            self._refuse_beside(left, call, self._sender.nonce_of(raw))
            new = _Signed(transaction, raw, wanted, until=window.until, margin=window.margin)
            entry.save(_Kept(call.function, [*left, new]))

        # Before the node is told the call by trying it out: there may be a secret in it.
        if left := self._undecided(_transactions(entry)):
            self._refuse_beside(left, call, self._sender.next_nonce())
        try:
            check = partial(self._clock.require, window, call.function)
            receipt = self._sender.send(call, before_broadcast, check, stake=window.stake)
        except RevertedError as error:
            if error.transaction is not None:
                with suppress(NetworkError):  # else the next call finds out
                    self._forget_void(entry)
            raise
        self._told(entry, receipt, just_mined=True)
        return receipt

    def _refuse_beside(self, left: list["_Signed"], call: Call, nonce: int) -> None:
        if any(self._sender.nonce_of(one.raw) != nonce for one in left):
            raise NetworkError(
                f"an earlier {call.function} could still go through, transaction {left[-1].hash}: none is "
                "sent beside it",
                "run this again in some minutes",
                code="earlier-pending",
            )

    def _resume(self, entry: "Entry[_Kept]", wanted: str | None) -> Sent | None:
        """What became of the newest transaction that counts. One that the network never heard of is sent only if it
        is `wanted`; one that a call was told of counts only if it fell out of the chain since."""
        unknown = []
        for one in reversed(_transactions(entry)):
            try:
                receipt = self._sender.lookup(one.hash)
                if isinstance(receipt, Receipt) and one.told:
                    if self._is_final(receipt):
                        entry.remove()
                    return None
                if receipt is None:
                    unknown.append(one)
                    continue
                if receipt == "pending":
                    said = f"transaction {one.hash}, sent by an earlier call, is not mined yet: waiting"
                    self._notify(Note(said, "not-mined"))
                if found := self._to_its_end(entry, one):
                    return found
            except RevertedError:
                continue  # mined without effect
        for one in unknown:
            if (one.told or one.identity == wanted) and (found := self._to_its_end(entry, one)):
                return found
        return None

    def _to_its_end(self, entry: "Entry[_Kept]", one: "_Signed") -> Sent | None:
        try:
            receipt = self._sender.resume(one.raw, partial(self._clock.require, one.window, "it"))
        except (RevertedError, NotTakenError, TooLateError):
            return None  # mined without effect; or refused by now, as for its fee; or its time is over
        if receipt is None:
            return None
        self._told(entry, receipt)
        return Sent(receipt, True, one.identity)

    def _undecided(self, signed: list["_Signed"]) -> list["_Signed"]:
        """Those that could take effect beside a new one, which is meant in their place."""
        for one in signed:
            with suppress(RevertedError):
                if one.told and isinstance(self._sender.lookup(one.hash), Receipt):
                    return []  # it went through and its caller knows; the others had the same nonce
        return [one for one in signed if not self._sender.is_void(one.raw)]

    def _is_final(self, receipt: Receipt) -> bool:
        try:
            return self._sender.is_final(receipt)
        except NetworkError:
            return False  # it was mined all the same

    def _told(self, entry: "Entry[_Kept]", receipt: Receipt, *, just_mined: bool = False) -> None:
        """The caller is told of this one. It is kept until no reorganisation can send it back on its way; one that was
        `just_mined` is not asked about."""
        if self._sender.finality.is_instant or (not just_mined and self._is_final(receipt)):
            entry.remove()
            return
        if kept := entry.read():
            signed = [replace(one, told=one.hash == receipt.transaction) for one in kept.transactions]
            entry.save(_Kept(kept.function, signed))

    def _forget_void(self, entry: "Entry[_Kept]") -> None:
        if all(self._sender.is_void(one.raw) for one in _transactions(entry)):
            entry.remove()


@dataclass(frozen=True, slots=True)
class _Signed:
    """`told`: it was mined, and the call that asked for it knows. `until` and `margin`: when it may be mined."""

    hash: str
    raw: Hex
    identity: str
    told: bool = False
    until: int | None = None
    margin: int = 0

    def __post_init__(self) -> None:
        require_name(self.raw, self.hash)

    @property
    def window(self) -> Window:
        return Window(until=self.until, margin=self.margin)


@dataclass(frozen=True, slots=True)
class _Kept:
    function: str
    transactions: list[_Signed]


def _transactions(entry: Entry[_Kept]) -> list[_Signed]:
    kept = entry.read()
    return kept.transactions if kept else []


def _file_name(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", label)
