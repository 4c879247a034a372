"""The formats of docs/protocol.md §3 once more: slow, short, and sharing nothing with the package.

Plain integers for secp256k1 (SEC 2), ChaCha20 as RFC 8439 writes it, HKDF as RFC 5869 does, trees as RFC 6962 does.
PyNaCl is used for X25519 and XSalsa20-Poly1305; the sealed box is built from them by hand, so that it can be repeated.
"""

import hashlib
import hmac
import json
import struct

from nacl import bindings

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
Point = tuple[int, int] | None


def add(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = 3 * a[0] ** 2 * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k: int, point: Point = G) -> Point:
    result: Point = None
    while k:
        if k & 1:
            result = add(result, point)
        point, k = add(point, point), k >> 1
    return result


def normalise(k: int) -> tuple[int, int]:
    """The scalar with even y, and its x."""
    x, y = multiply(k)
    return (N - k if y % 2 else k), x


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    prk = hmac.new(salt, secret, hashlib.sha256).digest()
    block, out = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out += block
    return out[:length]


def key_info(chain_id: int, marketplace: bytes, listing: int, round: int, order: int) -> bytes:
    words = [value.to_bytes(32, "big") for value in (chain_id, listing, round, order)]
    return b"numerbay-chain/v1/content-key" + words[0] + marketplace + words[1] + words[2] + words[3]


def derive(secret: bytes, salt: bytes, info: bytes) -> int:
    return normalise(1 + int.from_bytes(hkdf(secret, salt, info, 48), "big") % (N - 1))[0]


def dispute_key(private_key: bytes, chain_id: int, marketplace: bytes, order: int, round: int) -> tuple[int, int]:
    """A buyer's one-time scalar, and the x of its point. RFC 5869: without a salt it is 32 zero bytes."""
    words = [value.to_bytes(32, "big") for value in (chain_id, order, round)]
    info = b"numerbay-chain/v1/dispute-key" + words[0] + marketplace + words[1] + words[2]
    return normalise(1 + int.from_bytes(hkdf(private_key, bytes(32), info, 48), "big") % (N - 1))


def H(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def subkey(name: str, k: bytes) -> bytes:
    return H(b"numerbay-chain/v1/" + name.encode(), k)


def chacha20_block(key: bytes, counter: int, nonce: bytes = bytes(12)) -> bytes:
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    work = state[:]
    columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for _ in range(10):
        for a, b, c, d in columns + diagonals:
            for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                work[x] = (work[x] + work[y]) % 2**32
                mixed = work[z] ^ work[x]
                work[z] = (mixed << turn | mixed >> 32 - turn) % 2**32
    return struct.pack("<16I", *((a + b) % 2**32 for a, b in zip(work, state, strict=True)))


def chacha20(key: bytes, data: bytes) -> bytes:
    out = bytearray()
    for start in range(0, len(data), 64):
        stream = chacha20_block(key, 1 + start // 64)
        out += bytes(a ^ b for a, b in zip(data[start : start + 64], stream, strict=False))
    return bytes(out)


def merkle_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return H(b"\0", leaves[0])
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return H(b"\1", merkle_root(leaves[:middle]), merkle_root(leaves[middle:]))


def merkle_path(leaves: list[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    if index < middle:
        return [*merkle_path(leaves[:middle], index), merkle_root(leaves[middle:])]
    return [*merkle_path(leaves[middle:], index - middle), merkle_root(leaves[:middle])]


def container(k: bytes, plaintext: bytes) -> tuple[bytes, bytes, bytes]:
    """Ciphertext, commitments, data root."""
    ciphertext = chacha20(subkey("stream", k), plaintext)
    starts = range(0, max(1, len(plaintext)), 4096)
    commitments = []
    for index, start in enumerate(starts):
        salt = H(subkey("salt", k), index.to_bytes(8, "big"))
        commitments.append(H(b"\2", salt, plaintext[start : start + 4096]))
    leaves = [c + ciphertext[start : start + 4096] for c, start in zip(commitments, starts, strict=True)]
    return ciphertext, b"".join(commitments), merkle_root(leaves)


def sealed_box(message: bytes, public_key: bytes, ephemeral: bytes) -> bytes:
    """libsodium's crypto_box_seal with a given ephemeral private key."""
    ephemeral_public = bindings.crypto_scalarmult_base(ephemeral)
    nonce = hashlib.blake2b(ephemeral_public + public_key, digest_size=24).digest()
    return ephemeral_public + bindings.crypto_box(message, nonce, public_key, ephemeral)


def envelope(
    k: bytes, chain_id: int, marketplace: bytes, order: int, round: int, public_key: bytes, ephemeral: bytes
) -> bytes:
    place = chain_id.to_bytes(32, "big") + marketplace
    mask = H(b"numerbay-chain/v1/envelope", place, order.to_bytes(32, "big"), round.to_bytes(32, "big"))
    masked = bytes(a ^ b for a, b in zip(k, mask, strict=True))
    return order.to_bytes(8, "big") + sealed_box(masked, public_key, ephemeral)


def details(k: bytes, fields: object) -> bytes:
    text = fields if isinstance(fields, bytes) else canonical(fields)
    return bindings.crypto_secretbox(text, bytes(24), subkey("details", k))


def canonical(fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def pattern(size: int) -> bytes:
    """The plaintext of the vectors: byte i is i mod 251, which is no divisor of a chunk."""
    return bytes(i % 251 for i in range(size))
