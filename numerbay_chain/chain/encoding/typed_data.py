"""EIP-712 messages for `Signer.sign_typed_data`: a seller's voucher, a key's registration, an ERC-2612 permit."""

from collections.abc import Mapping, Sequence
from typing import Any

from numerbay_chain.chain.encoding import codec
from numerbay_chain.core.hashing import keccak
from numerbay_chain.protocol.types import Voucher

DOMAIN_NAME = "numerbay_chain"
DOMAIN_VERSION = "1"

_DOMAIN_TYPES = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}
_VOUCHER = [
    ("listing", "uint256"),
    ("buyer", "address"),
    ("price", "uint88"),
    ("maxRounds", "uint16"),
    ("uses", "uint32"),
    ("deadline", "uint40"),
    ("nonce", "uint256"),
]
_REGISTRATION = [
    ("owner", "address"),
    ("publicKey", "bytes32"),
    ("backupHash", "bytes32"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
]
_PERMIT = [
    ("owner", "address"),
    ("spender", "address"),
    ("value", "uint256"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
]


def marketplace_domain(chain_id: int, marketplace: str) -> dict[str, Any]:
    """The domain of everything that is signed for a marketplace."""
    return {"name": DOMAIN_NAME, "version": DOMAIN_VERSION, "chainId": chain_id, "verifyingContract": marketplace}


def voucher(chain_id: int, marketplace: str, voucher: Voucher) -> dict[str, Any]:
    """A voucher, to be signed by the listing's seller."""
    values = (
        voucher.listing,
        voucher.buyer,
        voucher.price,
        voucher.max_rounds,
        voucher.uses,
        voucher.deadline,
        voucher.nonce,
    )
    return _message("Voucher", _VOUCHER, values, marketplace_domain(chain_id, marketplace))


def registration(
    chain_id: int, marketplace: str, *, owner: str, public_key: bytes, backup: bytes, nonce: int, deadline: int
) -> dict[str, Any]:
    """A key's registration by somebody else, to be signed by `owner`; `nonce` is the contract's registrationNonce."""
    values = (owner, public_key, keccak(backup), nonce, deadline)
    return _message("Registration", _REGISTRATION, values, marketplace_domain(chain_id, marketplace))


def permit(
    domain: Mapping[str, Any], *, owner: str, spender: str, value: int, nonce: int, deadline: int
) -> dict[str, Any]:
    """An ERC-2612 permit, to be signed by `owner`; `domain` is the token's (`tokens.permit_domain`)."""
    return _message("Permit", _PERMIT, (owner, spender, value, nonce, deadline), domain)


def digest(message: Mapping[str, Any]) -> bytes:
    """The 32 bytes that are signed."""
    body = _hash(message["primaryType"], message["types"][message["primaryType"]], message["message"])
    return keccak(b"\x19\x01" + separator(message) + body)


def separator(message: Mapping[str, Any]) -> bytes:
    """The message's domain separator, 32 bytes."""
    return _hash("EIP712Domain", message["types"]["EIP712Domain"], message["domain"])


def _hash(name: str, fields: Sequence[Mapping[str, str]], values: Mapping[str, Any]) -> bytes:
    """Of a struct whose fields are no structs and no arrays (EIP-712, hashStruct)."""
    kind = f"{name}({','.join(' '.join((field['type'], field['name'])) for field in fields)})"
    return keccak(keccak(kind.encode()) + b"".join(_word(field, values[field["name"]]) for field in fields))


def _word(field: Mapping[str, str], value: Any) -> bytes:
    if field["type"] in ("string", "bytes"):
        return keccak(value.encode() if isinstance(value, str) else value)
    return codec.encode([field], [value])


def _message(
    name: str, fields: list[tuple[str, str]], values: tuple[Any, ...], domain: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "types": {
            "EIP712Domain": [{"name": key, "type": _DOMAIN_TYPES[key]} for key in _DOMAIN_TYPES if key in domain],
            name: [{"name": field, "type": kind} for field, kind in fields],
        },
        "primaryType": name,
        "domain": dict(domain),
        "message": {field: value for (field, _), value in zip(fields, values, strict=True)},
    }
