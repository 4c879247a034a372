"""Putting the marketplace on a chain, from the bytecode that ships with the package, and remembering where it is."""

from dataclasses import dataclass
from pathlib import Path

from numerbay_chain.chain.connection import Connection, checksummed
from numerbay_chain.chain.identity import proxy
from numerbay_chain.chain.identity.code import require_code
from numerbay_chain.chain.identity.creation import Method, find_creation
from numerbay_chain.chain.sending.sender import BeforeBroadcast, Sender
from numerbay_chain.core.errors import NetworkError, UsageError
from numerbay_chain.core.files import stored
from numerbay_chain.core.files.atomic import write_atomic
from numerbay_chain.protocol.events import Receipt


@dataclass(frozen=True, slots=True)
class Deployment:
    """A marketplace on a chain: its logs begin in `block` (0: not known). `transaction` is empty where somebody else
    deployed it."""

    chain_id: int
    address: str
    block: int
    transaction: str
    method: Method = "direct"


def deploy(sender: Sender, before_broadcast: BeforeBroadcast | None = None, method: Method = "direct") -> Deployment:
    """Deploy the marketplace, and check what came of it. Raise as `send_deployment`."""
    return deployed_by(sender.connection, send_deployment(sender, before_broadcast, method), method)


def send_deployment(sender: Sender, before_broadcast: BeforeBroadcast | None, method: Method) -> Receipt:
    """Send the transaction that deploys the marketplace. Raise as `Sender.send`, and `RefusedError` (no-proxy) where
    the chain lacks the proxy."""
    if method == "direct":
        return sender.deploy(proxy.init_code(), before_broadcast)
    proxy.require(sender.connection)
    return sender.deploy(proxy.deployment_data(), before_broadcast, through=proxy.ADDRESS)


def plan_deployment(sender: Sender, method: Method) -> int:
    """Return the gas that deploying would take. Raise as `send_deployment`."""
    transaction = {"from": sender.account, "value": 0, "data": "0x" + proxy.init_code().hex()}
    if method == "proxy":
        proxy.require(sender.connection)
        transaction |= {"to": proxy.ADDRESS, "data": "0x" + proxy.deployment_data().hex()}
    return sender.connection.estimate_gas(transaction)


def deployed_by(connection: Connection, receipt: Receipt, method: Method) -> Deployment:
    """Return the deployment that a mined transaction made. Raise `NetworkError` where it made none of ours."""
    address = receipt.created if method == "direct" else proxy.known_address()
    if address is None:
        raise NetworkError(
            f"{connection.name} names no contract for transaction {receipt.transaction}", code="bad-answer"
        )
    verify_code(connection, address, receipt.transaction, receipt.block)
    return Deployment(connection.chain_id, address, receipt.block, receipt.transaction, method)


def verify_code(connection: Connection, address: str, transaction: str | None = None, first_block: int = 0) -> None:
    """Raise `RefusedError` (contract-unknown) unless the contract at `address` is the marketplace that ships with the
    package, by its code and by its creation (`creation.find_creation`, which says what the rest is for)."""
    require_code(connection, address)
    find_creation(connection, address, transaction, first_block)


# ------------------------------------------------------------------------------------------------------------ files


def save(deployment: Deployment, folder: Path) -> Path:
    """Writes the deployment into the folder; one file each, named by chain and address."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{deployment.chain_id}-{deployment.address}.json"
    write_atomic(path, stored.encode(deployment), mode=0o644)
    return path


def load(path: Path) -> Deployment:
    """Raises `UsageError` for a file that is none."""
    try:
        deployment = stored.load(path, Deployment)
        if min(deployment.chain_id, deployment.block) < 0 or checksummed(deployment.address) != deployment.address:
            raise ValueError
    except (OSError, ValueError, UsageError):
        raise UsageError(
            f"{path} is not the record of a deployment", "remove it, and name the contract", code="bad-deployment"
        ) from None
    return deployment


def load_all(folder: Path, chain_id: int) -> list[Deployment]:
    """The deployments on one chain that the folder remembers, the newest first."""
    found = [load(path) for path in sorted(folder.glob(f"{chain_id}-0x*.json"))]
    return sorted(found, key=lambda deployment: deployment.block, reverse=True)
