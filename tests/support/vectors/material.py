"""What the vectors are made from: keys, places, and the ways to break something."""

from typing import Any

from tests.support.vectors import reference as ref

Vectors = dict[str, Any]

SECRET = bytes(range(32))
SALT = bytes(range(100, 132))
MARKETPLACE = bytes.fromhex("00112233445566778899aabbccddeeff00112233")
BUYERS = [bytes([n]) * 32 for n in (1, 5, 9)]
EPHEMERAL = bytes([2]) * 32
PLACE = {"chain_id": 1, "marketplace": MARKETPLACE, "listing": 3, "round": 2, "order": 0}


def key_of(**place: Any) -> bytes:
    return ref.derive(SECRET, SALT, ref.key_info(**{**PLACE, **place})).to_bytes(32, "big")


def flip(data: bytes, index: int, bit: int = 1) -> bytes:
    changed = bytearray(data)
    changed[index] ^= bit
    return bytes(changed)


def failure(why: str, error: str, **fields: Any) -> Vectors:
    return {"why": why, "error": error, **fields}
