"""The judge once more, from docs/protocol.md, RFC 6962 and SEC 2, by other means than the contracts and the package.

Points by field arithmetic, trees by recursion, ChaCha20 from `cryptography`.
"""

from collections.abc import Iterable
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from eth_utils import keccak

FIELD = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
CHUNK = 4096
MAX_SIZE = 2**38 - 64

Point = tuple[int, int] | None  # None: infinity
G: Point = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)

# ---------------------------------------------------------------------------------------------------------- secp256k1


def add(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return b if a is None else a
    (ax, ay), (bx, by) = a, b
    if ax == bx and (ay + by) % FIELD == 0:
        return None
    slope = 3 * ax * ax * pow(2 * ay, -1, FIELD) if a == b else (by - ay) * pow(bx - ax, -1, FIELD)
    x = (slope * slope - ax - bx) % FIELD
    return x, (slope * (ax - x) - ay) % FIELD


@cache
def doubles(point: Point) -> tuple[Point, ...]:
    """point, 2 * point, 4 * point … 2^255 * point"""
    found = [point]
    for _ in range(255):
        found.append(add(found[-1], found[-1]))
    return tuple(found)


def times(scalar: int, point: Point) -> Point:
    """scalar * point, from the left, in Jacobian coordinates: (x / z^2, y / z^3)."""
    if point is None or scalar % N == 0:
        return None
    if point == G:
        powers = (power for bit, power in enumerate(doubles(G)) if scalar % N >> bit & 1)
        return _affine(_sum(powers))
    result = (0, 1, 0)
    for bit in bin(scalar % N)[2:]:
        result = _double(result)
        if bit == "1":
            result = _plus(result, point)
    return _affine(result)


Jacobian = tuple[int, int, int]


def _sum(points: Iterable[Point]) -> Jacobian:
    result = (0, 1, 0)
    for point in points:
        assert point
        result = _plus(result, point)
    return result


def _double(point: Jacobian) -> Jacobian:
    x, y, z = point
    square = y * y % FIELD
    s, m = 4 * x * square % FIELD, 3 * x * x % FIELD
    double_x = (m * m - 2 * s) % FIELD
    return double_x, (m * (s - double_x) - 8 * square * square) % FIELD, 2 * y * z % FIELD


def _plus(point: Jacobian, other: tuple[int, int]) -> Jacobian:
    (x, y, z), (other_x, other_y) = point, other
    if z == 0:
        return other_x, other_y, 1
    zz = z * z % FIELD
    h, r = (other_x * zz - x) % FIELD, (other_y * zz * z - y) % FIELD
    if h == 0:
        return _double(point) if r == 0 else (0, 1, 0)
    hh = h * h % FIELD
    hhh, v = h * hh % FIELD, x * hh % FIELD
    sum_x = (r * r - hhh - 2 * v) % FIELD
    return sum_x, (r * (v - sum_x) - y * hhh) % FIELD, z * h % FIELD


def _affine(point: Jacobian) -> Point:
    x, y, z = point
    if z == 0:
        return None
    inverse = pow(z, -1, FIELD)
    return x * inverse * inverse % FIELD, y * inverse**3 % FIELD


def lift(x: int) -> Point:
    """The point with this x and even y; None where there is none."""
    if not 0 < x < FIELD:
        return None
    y = pow(x**3 + 7, (FIELD + 1) // 4, FIELD)
    if y * y % FIELD != (x**3 + 7) % FIELD:
        return None
    return x, y if y % 2 == 0 else FIELD - y


def is_x(x: int) -> bool:
    return x < N and lift(x) is not None


def even(scalar: int) -> int:
    """The one of ±scalar whose point has even y."""
    point = times(scalar, G)
    assert point
    return scalar if point[1] % 2 == 0 else N - scalar


def is_key_of(x: int, k: int) -> bool:
    """Whether 0 < k < N and k * G = (x, even y)."""
    if not 0 < k < N:
        return False
    point = times(k, G)
    return point is not None and point[0] == x and point[1] % 2 == 0


def address(point: Point) -> bytes:
    """20 bytes; zeros for infinity, as the precompile's silence reads."""
    if point is None:
        return bytes(20)
    return bytes(keccak(point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big"))[12:])


# --------------------------------------------------------------------------------------------------------- key judge


def mask(chain: int, market: bytes, order: int, round_: int, px: int, rx: int, shared: bytes) -> int:
    """`shared`: 20 bytes, the address of r * P, which is p * R."""
    words = [chain, int.from_bytes(market, "big"), order, round_, px, rx, int.from_bytes(shared, "big")]
    domain = keccak(b"numerbay-chain/v1/dispute")
    return int.from_bytes(keccak(domain + b"".join(word.to_bytes(32, "big") for word in words)), "big")


# ------------------------------------------------------------------------------------------------------ content judge


def stream_key(k: int) -> bytes:
    return sha256(b"numerbay-chain/v1/stream" + k.to_bytes(32, "big")).digest()


def crypt(k: int, index: int, data: bytes) -> bytes:
    """Chunk `index` under the stream: encrypts and decrypts."""
    nonce = (1 + 64 * index).to_bytes(4, "little") + bytes(12)
    left = 64 * (2**32 - int.from_bytes(nonce[:4], "little"))  # the counter ends there, and no honest chunk goes on
    return Cipher(ChaCha20(stream_key(k), nonce), mode=None).encryptor().update(data[:left]) + data[left:]


def commit(k: int, index: int, plaintext: bytes) -> bytes:
    salts = sha256(b"numerbay-chain/v1/salt" + k.to_bytes(32, "big")).digest()
    salt = sha256(salts + index.to_bytes(8, "big")).digest()
    return sha256(b"\x02" + salt + plaintext).digest()


def leaf(commitment: bytes, ciphertext: bytes) -> bytes:
    return sha256(b"\x00" + commitment + ciphertext).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def path_length(index: int, count: int) -> int:
    if count == 1:
        return 0
    half = 1 << (count - 1).bit_length() - 1
    return 1 + (path_length(index, half) if index < half else path_length(index - half, count - half))


def root(leaf_hash: bytes, index: int, count: int, path: list[bytes]) -> bytes | None:
    """RFC 6962 §2.1.1 read backwards: the last sibling is that of the root's half. None: a path of another length."""
    if not 0 <= index < count or len(path) != path_length(index, count):
        return None
    if count == 1:
        return leaf_hash
    half = 1 << (count - 1).bit_length() - 1
    if index < half:
        below = root(leaf_hash, index, half, path[:-1])
        return below and node(below, path[-1])
    below = root(leaf_hash, index - half, count - half, path[:-1])
    return below and node(path[-1], below)


def chunk_count(size: int) -> int:
    return max(1, -(-size // CHUNK))


def chunk_length(size: int, index: int) -> int:
    return min(CHUNK, size - CHUNK * index)


def is_faulty(
    k: int, index: int, size: int, data_root: bytes, ciphertext: bytes, commitment: bytes, path: list[bytes]
) -> bool | None:
    """None: the path does not prove that the seller published this chunk."""
    if root(leaf(commitment, ciphertext), index, chunk_count(size), path) != data_root:
        return None
    if len(ciphertext) != chunk_length(size, index):
        return True
    return commit(k, index, crypt(k, index, ciphertext)) != commitment
