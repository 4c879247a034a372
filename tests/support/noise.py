"""Bytes that no compression makes smaller and nobody has a preimage of, the same in every run."""

from random import Random


def noise(size: int, *name: object) -> bytes:
    """Return that many bytes; other ones for another `name`."""
    return Random(" ".join(map(str, (size, *name)))).randbytes(size)
