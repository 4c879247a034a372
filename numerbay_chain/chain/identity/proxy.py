"""The deterministic deployment proxy: the same init code and salt have the same address on every chain that has it.

Its own address is the same everywhere, because it was deployed by a transaction that is valid on every chain and whose
signing key nobody has. Sources: EIP-1014 (CREATE2), github.com/Arachnid/deterministic-deployment-proxy.
"""

from functools import cache
from typing import Final

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import abi
from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.hashing import keccak

ADDRESS: Final = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
CODE: Final = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082"
    "378035828234f58015156039578182fd5b8082525050506014600cf3"
)
SALT: Final = keccak(b"numerbay_chain marketplace")
"""Never changes: with another one, the same version would have a second address."""


@cache
def init_code() -> bytes:
    """Return the code that makes the marketplace; its constructor takes no arguments."""
    return bytes.fromhex(abi.artifact()["bytecode"].removeprefix("0x"))


def create2(salt: bytes, code: bytes) -> str:
    """Return the address of what the proxy makes of this init code."""
    maker = bytes.fromhex(ADDRESS.removeprefix("0x"))
    return checksummed("0x" + keccak(b"\xff" + maker + salt + keccak(code))[12:].hex())


@cache
def known_address() -> str:
    """Return the address of this version's marketplace on every chain where somebody deployed it through the proxy."""
    return create2(SALT, init_code())


def deployment_data() -> bytes:
    """Return the data of the transaction to the proxy that deploys the marketplace at its known address."""
    return SALT + init_code()


def is_there(connection: Connection) -> bool:
    """Return whether the chain has the proxy, by its code."""
    return connection.code(ADDRESS) == CODE


def require(connection: Connection) -> None:
    """Raise `RefusedError` (no-proxy) where the chain lacks the proxy."""
    if not is_there(connection):
        raise RefusedError(
            f"chain {connection.chain_id} at {connection.name} has no deterministic deployment proxy at {ADDRESS}",
            "give --direct: the marketplace gets an address of its own then",
            code="no-proxy",
        )
