"""What the judge is asked, in the contract's own structs."""

from collections.abc import Sequence
from typing import Any

from tests.support.evm import Contract


def opened(judge: Contract, order: int, round: int, keys: tuple[int, int], sealed: bytes, secret: int) -> int:
    """What a response opens to. `keys`: x of the challenge's one-time point, and of the response's."""
    dispute_key, response_key = keys
    challenge = (dispute_key, 0, 0, 0, 0, 0, response_key, sealed, 0)
    return int(judge.open(order, round, challenge, secret))


def of_content(
    content_key: int, index: int, size: int, root: bytes, ciphertext: bytes, commitment: bytes, path: Sequence[bytes]
) -> tuple[Any, ...]:
    """The arguments of `isFaulty`."""
    return (content_key, index, commitment, ciphertext, list(path)), size, root
