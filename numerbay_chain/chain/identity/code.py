"""Whether a contract's code is the one that ships with the package."""

from collections.abc import Mapping
from typing import Any

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import abi, typed_data
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.protocol.types import Voucher, abi_tuple


def require_code(connection: Connection, address: str) -> None:
    """Raise `RefusedError` unless the code at `address` is the shipped marketplace's, for this chain and address.

    The code is compared byte for byte but for its immutables, which hold the EIP-712 domain and the address of the
    contract that its constructor made: what it makes of a voucher, and that address with the code there, are compared
    instead. Code alone is not enough to pay a contract: see `creation`.
    """
    if not (
        is_shipped_code(connection.code(address), abi.artifact())
        and _signs_for_itself(connection, address)
        and _runs_disputes(connection, address)
    ):
        raise RefusedError(
            f"the contract at {address} on chain {connection.chain_id} is not the marketplace of this version",
            "check the address; another version of this program may belong to it",
            code="contract-unknown",
        )


def is_shipped_code(code: bytes, artifact: Mapping[str, Any]) -> bool:
    """Return whether a contract's code is the artifact's, but for the immutables."""
    shipped = bytearray.fromhex(artifact["deployedBytecode"].removeprefix("0x"))
    found = bytearray(code)
    if len(found) != len(shipped):
        return False
    for start, length in artifact["immutableReferences"]:
        found[start : start + length] = shipped[start : start + length]
    return found == shipped


def _runs_disputes(connection: Connection, address: str) -> bool:
    """Its address is that of a contract's first CREATE: keccak256 of the RLP list of maker and nonce 1 (EIP-161)."""
    place = keccak(b"\xd6\x94" + bytes.fromhex(address.removeprefix("0x")) + b"\x01")[12:]
    selector = abi.selector(abi.functions()["disputes"])
    answer = connection.read(address, selector)
    return answer == bytes(12) + place and is_shipped_code(connection.code("0x" + place.hex()), abi.disputes_artifact())


def _signs_for_itself(connection: Connection, address: str) -> bool:
    item = abi.functions()["voucherDigest"]
    data = abi.selector(item) + abi.encode(item["inputs"], [abi_tuple(Voucher.none())])
    digest = connection.read(address, data)
    return digest == typed_data.digest(typed_data.voucher(connection.chain_id, address, Voucher.none()))
