"""Keccak-256, Ethereum's hash.

The first short data are hashed here: loading the library that does it takes a tenth of a second, longer than the names
and addresses of most commands. Source: the Keccak reference, version 3.0, with the padding that Ethereum kept.
"""

from itertools import count
from typing import Final

_RATE: Final = 136  # bytes
_LONGEST: Final = 8 * _RATE
"""Bytes of what is hashed here."""
_FIRST: Final = 256
"""How many are: 80 ms, about what the library takes to load."""
_COUNT: Final = count()
_MASK: Final = (1 << 64) - 1
_ROUNDS: Final = (
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000A, 0x000000008000808B, 0x800000000000008B, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
)  # fmt: skip


def _steps() -> list[tuple[int, int, int]]:
    """Where each lane goes (rho and pi): from, to, and how far it is rotated. Lanes are counted x + 5 y."""
    steps, x, y = [(0, 0, 0)], 1, 0
    for step in range(24):
        steps.append((x + 5 * y, y + 5 * ((2 * x + 3 * y) % 5), (step + 1) * (step + 2) // 2 % 64))
        x, y = y, (2 * x + 3 * y) % 5
    return steps


_STEPS: Final = _steps()


def keccak(data: bytes) -> bytes:
    """Return the 32 bytes of Keccak-256."""
    if len(data) < _LONGEST and next(_COUNT) < _FIRST:
        return hashed_here(data)
    from eth_hash.auto import keccak

    return bytes(keccak(data))


def hashed_here(data: bytes) -> bytes:
    """Return the same, without the library."""
    padded = bytearray(data) + bytes(_RATE - len(data) % _RATE)
    padded[len(data)] |= 1
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            lanes[lane] ^= int.from_bytes(padded[start + 8 * lane : start + 8 * lane + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permuted(a: list[int]) -> list[int]:
    b = [0] * 25
    for constant in _ROUNDS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ (c[x - 4] << 1 & _MASK | c[x - 4] >> 63) for x in range(5)]
        for source, target, turn in _STEPS:
            lane = a[source] ^ d[source % 5]
            b[target] = lane << turn & _MASK | lane >> (64 - turn)
        a = [
            b[i + x] ^ (~b[i + (x + 1) % 5] & b[i + (x + 2) % 5] & _MASK) for i in (0, 5, 10, 15, 20) for x in range(5)
        ]
        a[0] ^= constant
    return a
