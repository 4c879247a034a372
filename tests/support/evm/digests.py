"""EIP-712 digests, computed here and not asked of the contracts that check them."""

from collections.abc import Mapping
from typing import Any

from eth_abi import encode
from eth_utils import keccak

from tests.support.evm.chain import CHAIN_ID

_DOMAIN = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_VOUCHER = keccak(
    text="Voucher(uint256 listing,address buyer,uint88 price,"
    "uint16 maxRounds,uint32 uses,uint40 deadline,uint256 nonce)"
)
_PERMIT = keccak(text="Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")
_REGISTRATION = keccak(
    text="Registration(address owner,bytes32 publicKey,bytes32 backupHash,uint256 nonce,uint256 deadline)"
)
VOUCHER_FIELDS = ("listing", "buyer", "price", "maxRounds", "uses", "deadline", "nonce")


def _typed(name: str, contract: object, struct: bytes) -> bytes:
    domain = encode(
        ["bytes32", "bytes32", "bytes32", "uint256", "address"],
        [_DOMAIN, keccak(text=name), keccak(text="1"), CHAIN_ID, str(contract)],
    )
    return keccak(b"\x19\x01" + keccak(domain) + keccak(struct))


def voucher_digest(market: object, voucher: Mapping[str, Any]) -> bytes:
    kinds = ["bytes32", "uint256", "address", "uint88", "uint16", "uint32", "uint40", "uint256"]
    return _typed("numerbay_chain", market, encode(kinds, [_VOUCHER, *(voucher[field] for field in VOUCHER_FIELDS)]))


def permit_digest(
    token: object, name: str, owner: object, spender: object, value: int, nonce: int, deadline: int
) -> bytes:
    kinds = ["bytes32", "address", "address", "uint256", "uint256", "uint256"]
    return _typed(name, token, encode(kinds, [_PERMIT, str(owner), str(spender), value, nonce, deadline]))


def registration_digest(registry: object, owner: object, key: bytes, backup: bytes, nonce: int, deadline: int) -> bytes:
    kinds = ["bytes32", "address", "bytes32", "bytes32", "uint256", "uint256"]
    struct = encode(kinds, [_REGISTRATION, str(owner), key, keccak(backup), nonce, deadline])
    return _typed("numerbay_chain", registry, struct)
