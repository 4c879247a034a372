"""Deploying a marketplace, once: the signed transaction is on disk before the network hears of it, until the place of
the contract is remembered."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from numerbay_chain.chain import abi
from numerbay_chain.chain.deployment import Deployment, deployed_by, save
from numerbay_chain.chain.transactions import NotTakenError, Sender
from numerbay_chain.chain.types import Receipt
from numerbay_chain.config import Home
from numerbay_chain.errors import RefusedError, RevertedError
from numerbay_chain.journal import Entry, exclusive


@dataclass(frozen=True, slots=True)
class Deployed:
    """A marketplace and the file that remembers it. `resumed`: an earlier, interrupted call had sent the
    transaction."""

    deployment: Deployment
    path: Path
    receipt: Receipt
    resumed: bool


def deploy_once(home: Home, sender: Sender) -> Deployed:
    """Deploys a marketplace from the sender's account, or takes a deployment that was interrupted to its end.

    Raises `RefusedError` where another process deploys, and as `Sender.send`.
    """
    bytecode = bytes.fromhex(abi.artifact()["bytecode"].removeprefix("0x"))
    folder = home.folder("outbox", f"{sender.connection.chain_id}-deploy-{sender.account}")
    entry = Entry(folder / f"{sha256(bytecode).hexdigest()[:16]}.json")  # another version's is another deployment
    with exclusive(folder, "deploy", "deploying a marketplace"):
        receipt = _resume(entry, sender)
        resumed = receipt is not None
        if receipt is None:

            def keep(transaction: str, raw: bytes) -> None:
                entry.save({"hash": transaction, "raw": raw.hex()})

            receipt = sender.deploy(bytecode, keep)
        deployment = deployed_by(sender.connection, receipt)
        path = save(deployment, home.folder("deployments"))
        entry.remove()
    return Deployed(deployment, path, receipt, resumed)


def _resume(entry: Entry, sender: Sender) -> Receipt | None:
    """What became of the transaction that was written down; None if there is none that counts."""
    document = entry.read()
    if document is None:
        return None
    try:
        raw = bytes.fromhex(document["raw"])
    except (LookupError, TypeError, ValueError) as error:
        raise RefusedError(f"the journal entry {entry.path} can't be read", "look at it, then move it away") from error
    try:
        return sender.resume(raw)
    except (RevertedError, NotTakenError):
        return None  # mined without effect; or refused by now, as for its fee: the next one has the same nonce
