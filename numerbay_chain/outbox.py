"""Transactions that are sent once: each is on disk, signed, before the network hears of it, until it is known what
became of it.

A call that is repeated after a crash takes the same signed bytes to their end, so nothing is paid twice. What is
kept can't be turned against its owner: it is what he signed to be public. Entries are
`outbox/<chain>-<marketplace>-<account>/<label>.json`.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from numerbay_chain.chain.calls import Call
from numerbay_chain.chain.connection import NodeRefusedError
from numerbay_chain.chain.transactions import Sender
from numerbay_chain.chain.types import Receipt
from numerbay_chain.errors import NetworkError, RefusedError, RevertedError
from numerbay_chain.journal import Entry, exclusive


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
    """The transactions of one account to one marketplace that are on their way."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self._folder, self._sender = folder, sender

    def send(self, label: str, call: Call, identity: str | None = None) -> Sent:
        """Sends `call`, or finds out what became of the one that was sent under `label` before.

        `identity`: what was asked for, where the call itself is never twice the same (it holds a time). Raises
        `RefusedError` if another thing under that label was on its way: it has gone through then. `RevertedError`
        and `NetworkError` as `Sender`.
        """
        wanted = identity or fingerprint(call)
        with exclusive(self._folder, _file_name(label), f"sending {call.function}"):
            entry = self._entry(label)
            found = self._resume(entry, wanted)
            if found is None:
                return Sent(self._send(entry, call, wanted), False, wanted)
            if found.identity != wanted:
                raise RefusedError(
                    f"an earlier {call.function} was still on its way, and has gone through: transaction "
                    f"{found.receipt.transaction}",
                    "look at what is there now, and run this again if it is still wanted",
                )
            return found

    def resume(self, label: str, identity: str | None = None) -> Sent | None:
        """What became of the transaction that was on its way under `label`; None if there is none that counts. One
        that never reached the network is sent now if it was for `identity`."""
        with exclusive(self._folder, _file_name(label), "sending a transaction"):
            return self._resume(self._entry(label), identity)

    def _entry(self, label: str) -> Entry:
        return Entry(self._folder / f"{_file_name(label)}.json")

    def _send(self, entry: Entry, call: Call, wanted: str) -> Receipt:
        earlier = _parse(entry)

        def before_broadcast(transaction: str, raw: bytes) -> None:
            # The nonce is chosen by now. An earlier transaction that is still unknown here can't have used a lower one.
            if any(self._sender.lookup(one.transaction) is not None for one in earlier):
                raise NetworkError("an earlier transaction turned up again", "run this again: it is waited for then")
            signed = [*earlier, _Signed(transaction, raw, wanted)]
            entry.save({"function": call.function, "transactions": [one.to_json() for one in signed]})

        try:
            receipt = self._sender.send(call, before_broadcast)
        except RevertedError:
            if not earlier:
                entry.remove()  # refused before it was signed, or mined without effect
            raise
        entry.remove()
        return receipt

    def _resume(self, entry: Entry, wanted: str | None) -> Sent | None:
        """What became of the newest transaction that counts. One that the network never heard of is sent only if it
        is `wanted`."""
        for signed in reversed(_parse(entry)):
            try:
                receipt = self._sender.lookup(signed.transaction)
                if receipt == "pending" or (receipt is None and signed.identity == wanted):
                    receipt = self._sender.resume(signed.raw)
            except (RevertedError, NodeRefusedError):
                continue  # mined without effect; or refused by now, as for its fee
            if receipt is not None:
                entry.remove()
                return Sent(receipt, True, signed.identity)
        return None


@dataclass(frozen=True, slots=True)
class _Signed:
    transaction: str
    raw: bytes
    identity: str

    def to_json(self) -> dict[str, str]:
        return {"hash": self.transaction, "raw": self.raw.hex(), "identity": self.identity}


def _parse(entry: Entry) -> list[_Signed]:
    document = entry.read()
    try:
        signed = document["transactions"] if document else []
        return [_Signed(str(one["hash"]), bytes.fromhex(one["raw"]), str(one["identity"])) for one in signed]
    except (LookupError, TypeError, ValueError) as error:
        raise RefusedError(f"the journal entry {entry.path} can't be read", "look at it, then move it away") from error


def _file_name(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", label)
