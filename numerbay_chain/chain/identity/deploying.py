"""Deploying a marketplace, once: the signed transaction is on disk before the network hears of it, until the address of
the contract is remembered."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.identity import proxy
from numerbay_chain.chain.identity.creation import Method, first_block_with_code
from numerbay_chain.chain.identity.deployment import Deployment, deployed_by, save, send_deployment, verify_code
from numerbay_chain.chain.sending.outgoing import NotTakenError, require_name
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import NetworkError, RefusedError, RevertedError
from numerbay_chain.core.files.journal import Entry, exclusive
from numerbay_chain.core.files.stored import Hex
from numerbay_chain.core.home.home import Home
from numerbay_chain.protocol.events import Receipt


@dataclass(frozen=True, slots=True)
class Deployed:
    """A marketplace and the file that remembers it. `existing`: it was there already, and nothing was sent, so that
    there is no receipt. `resumed`: an earlier, interrupted call had sent the transaction."""

    deployment: Deployment
    path: Path
    receipt: Receipt | None
    resumed: bool
    existing: bool


@dataclass(frozen=True, slots=True)
class _Sent:
    hash: str
    raw: Hex

    def __post_init__(self) -> None:
        require_name(self.raw, self.hash)


def deploy_once(home: Home, sender: Sender, *, direct: bool = False) -> Deployed:
    """Deploy a marketplace from the sender's account, or finish a deployment that was interrupted.

    It goes through the deterministic deployment proxy: this version has one address on every chain, and where it is
    deployed already nothing is sent. `direct`: from the account itself, at an address of its own.

    Raise `RefusedError` where another process deploys or the chain lacks the proxy (no-proxy), and as `Sender.send`.
    """
    method: Method = "direct" if direct else "proxy"
    connection = sender.connection
    folder = home.folder("outbox", f"{connection.chain_id}-deploy-{sender.account}")
    data = proxy.init_code() if direct else proxy.deployment_data()
    entry = Entry(folder / f"{sha256(data).hexdigest()[:16]}.json", _Sent)  # another version's is another deployment
    with exclusive(folder, "deploy", "deploying a marketplace"):
        receipt = _resume(entry, sender)
        resumed = receipt is not None
        if receipt is None and not direct and (found := find_existing(connection)):
            return _remember(home, entry, Deployed(found, Path(), None, False, True))
        if receipt is None:

            def keep(transaction: str, raw: bytes) -> None:
                entry.save(_Sent(transaction, raw))

            try:
                receipt = send_deployment(sender, keep, method)
            except RevertedError:
                # the proxy refuses what is there already: somebody else was faster
                if direct or not (found := find_existing(connection)):
                    raise
                return _remember(home, entry, Deployed(found, Path(), None, False, True))
        deployment = deployed_by(connection, receipt, method)
        return _remember(home, entry, Deployed(deployment, Path(), receipt, resumed, False))


def find_existing(connection: Connection) -> Deployment | None:
    """Return this version's marketplace at its known address; None where nobody has deployed it yet.

    Its block is searched for, and 0 where the node keeps no old state. Raise `RefusedError` (contract-unknown) where
    there is something else.
    """
    address = proxy.known_address()
    if not connection.code(address):
        return None
    verify_code(connection, address)
    try:
        block = first_block_with_code(connection, address) or 0
    except (RefusedError, NetworkError):
        block = 0
    return Deployment(connection.chain_id, address, block, "", "proxy")


def _remember(home: Home, entry: Entry[_Sent], done: Deployed) -> Deployed:
    path = save(done.deployment, home.folder("deployments"))
    entry.remove()
    return Deployed(done.deployment, path, done.receipt, done.resumed, done.existing)


def _resume(entry: Entry[_Sent], sender: Sender) -> Receipt | None:
    """What became of the transaction that was written down; None if there is none that counts."""
    sent = entry.read()
    if sent is None:
        return None
    try:
        return sender.resume(sent.raw)
    except (RevertedError, NotTakenError):
        return None  # mined without effect; or refused by now, as for its fee: the next one has the same nonce
