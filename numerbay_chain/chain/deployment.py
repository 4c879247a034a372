"""Putting the marketplace on a chain, from the bytecode that ships with the package, and remembering where it is."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from numerbay_chain import jsontext
from numerbay_chain.chain import abi, typed_data
from numerbay_chain.chain.connection import Connection, checksummed
from numerbay_chain.chain.transactions import BeforeBroadcast, Sender
from numerbay_chain.chain.types import Receipt, Voucher, abi_tuple
from numerbay_chain.errors import NetworkError, RefusedError, UsageError
from numerbay_chain.files import write_atomic


@dataclass(frozen=True, slots=True)
class Deployment:
    """A marketplace on a chain: its logs begin in `block`."""

    chain_id: int
    address: str
    block: int
    transaction: str


def deploy(sender: Sender, before_broadcast: BeforeBroadcast | None = None) -> Deployment:
    """Deploys the marketplace and checks what came of it. Raises as `Sender.send`."""
    receipt = sender.deploy(bytes.fromhex(abi.artifact()["bytecode"].removeprefix("0x")), before_broadcast)
    return deployed_by(sender.connection, receipt)


def deployed_by(connection: Connection, receipt: Receipt) -> Deployment:
    """The deployment that a mined transaction made. Raises `NetworkError` where it made none of ours."""
    if receipt.created is None:
        raise NetworkError(f"{connection.name} names no contract for transaction {receipt.transaction}")
    verify_code(connection, receipt.created)
    return Deployment(connection.chain_id, receipt.created, receipt.block, receipt.transaction)


def verify_code(connection: Connection, address: str) -> None:
    """Whether the contract at `address` is the marketplace that ships with the package, for this chain and address.

    The code is compared byte for byte but for its immutables, which hold the EIP-712 domain and the place of the
    contract that its constructor made: what it makes of a voucher, and that place with the code there, are compared
    instead. Raises `RefusedError` where it is something else.
    """
    if not (
        _is_shipped(connection, address, abi.artifact())
        and _signs_for_itself(connection, address)
        and _runs_disputes(connection, address)
    ):
        raise RefusedError(
            f"the contract at {address} on chain {connection.chain_id} is not the marketplace of this version",
            "check the address; another version of this program may belong to it",
        )


def _is_shipped(connection: Connection, address: str, artifact: Mapping[str, Any]) -> bool:
    shipped = bytearray.fromhex(artifact["deployedBytecode"].removeprefix("0x"))
    found = bytearray(connection.code(address))
    if len(found) != len(shipped):
        return False
    for start, length in artifact["immutableReferences"]:
        found[start : start + length] = shipped[start : start + length]
    return found == shipped


def _runs_disputes(connection: Connection, address: str) -> bool:
    """Its address is that of a contract's first CREATE: keccak256 of the RLP list of maker and nonce 1 (EIP-161)."""
    place = keccak(b"\xd6\x94" + bytes.fromhex(address.removeprefix("0x")) + b"\x01")[12:]
    selector = abi.selector(abi.functions()["disputes"])
    answer = connection.call({"to": checksummed(address), "data": "0x" + selector.hex()})
    return answer == bytes(12) + place and _is_shipped(
        connection, checksummed("0x" + place.hex()), abi.disputes_artifact()
    )


def _signs_for_itself(connection: Connection, address: str) -> bool:
    item = abi.functions()["voucherDigest"]
    data = abi.selector(item) + abi.encode(item["inputs"], [abi_tuple(Voucher.none())])
    digest = connection.call({"to": checksummed(address), "data": "0x" + data.hex()})
    return digest == typed_data.digest(typed_data.voucher(connection.chain_id, address, Voucher.none()))


# ------------------------------------------------------------------------------------------------------------ files


def save(deployment: Deployment, folder: Path) -> Path:
    """Writes the deployment into the folder; one file each, named by chain and address."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{deployment.chain_id}-{deployment.address}.json"
    write_atomic(path, json.dumps(asdict(deployment), indent=1) + "\n", mode=0o644)
    return path


def load(path: Path) -> Deployment:
    """Raises `UsageError` for a file that is none."""
    try:
        fields = jsontext.parse(path.read_bytes())
        deployment = Deployment(**fields)
        numbers = (deployment.chain_id, deployment.block)
        sound = all(type(number) is int and number >= 0 for number in numbers) and isinstance(
            deployment.transaction, str
        )
        if not sound or checksummed(deployment.address) != deployment.address:
            raise ValueError
    except (OSError, ValueError, TypeError, UsageError):
        raise UsageError(f"{path} is not the record of a deployment", "remove it, and name the contract") from None
    return deployment


def load_all(folder: Path, chain_id: int) -> list[Deployment]:
    """The deployments on one chain that the folder remembers, the newest first."""
    found = [load(path) for path in sorted(folder.glob(f"{chain_id}-0x*.json"))]
    return sorted(found, key=lambda deployment: deployment.block, reverse=True)
