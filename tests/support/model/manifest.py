"""The manifest's form, as far as the contract checks it. docs/protocol.md §2 "Content hash"."""

FIELD = 2**256 - 2**32 - 977
MAX_SIZE = 256 * 2**30 - 64
LENGTH = 288


def is_point(x: int) -> bool:
    """Whether x is a coordinate of a secp256k1 point."""
    if not 0 < x < FIELD:
        return False
    square = (x**3 + 7) % FIELD
    root = pow(square, (FIELD + 1) // 4, FIELD)
    return root * root % FIELD == square


def encode(key_commitment: int, salt: bytes = bytes(32), size: int = 1, version: int = 1, data_root: int = 3) -> bytes:
    """version, key commitment, salt, data root, size, digests of ciphertext, commitments and details, custody."""
    words = [version, key_commitment, int.from_bytes(salt, "big"), data_root, size, 5, 6, 7, 0]
    return b"".join(word.to_bytes(32, "big") for word in words)


def key_commitment(manifest: bytes) -> int:
    return int.from_bytes(manifest[32:64], "big")


def is_valid(manifest: bytes) -> bool:
    words = [int.from_bytes(manifest[i : i + 32], "big") for i in range(0, len(manifest), 32)]
    return len(manifest) == LENGTH and words[0] == 1 and words[4] <= MAX_SIZE and is_point(words[1])
