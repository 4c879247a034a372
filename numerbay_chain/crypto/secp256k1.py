"""The few facts about secp256k1 (SEC 2 §2.4.1) that the content key needs, on libsecp256k1."""

from typing import Final

from coincurve import PublicKey

P: Final = 2**256 - 2**32 - 977
"""The field's prime."""
N: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""The group's order."""


def is_valid_x(x: int) -> bool:
    """Whether a point has this x, and 0 < x < n, so that the contract can use it as the `r` of `ecrecover`."""
    return 0 < x < N and pow(x**3 + 7, (P - 1) // 2, P) == 1


def point_x(k: int) -> int:
    """The x of kG, for 0 < k < n."""
    return int.from_bytes(_compressed(k)[1:], "big")


def even_scalar(k: int) -> int:
    """k or n - k, whichever has a point with even y, for 0 < k < n."""
    return k if _compressed(k)[0] == 2 else N - k


def _compressed(k: int) -> bytes:
    if not 0 < k < N:
        raise ValueError("a scalar must lie between 0 and the group's order")
    point: bytes = PublicKey.from_valid_secret(k.to_bytes(32, "big")).format(compressed=True)
    return point
