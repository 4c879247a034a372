"""Merkle trees as RFC 6962 §2.1 has them, over SHA-256."""

from collections.abc import Iterable, Sequence
from functools import reduce
from hashlib import sha256

from numerbay_chain.core.errors import ContentError


def leaf_hash(data: bytes) -> bytes:
    """`H(0x00 ‖ data)`."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """`H(0x01 ‖ left ‖ right)`."""
    return sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """The root over leaves that come bit by bit: holds one hash per level, whatever the number of leaves."""

    __slots__ = ("_waiting", "count")

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._waiting: list[bytes | None] = []  # per level, the root of a complete subtree that has no sibling yet
        self.count = 0
        self.extend(leaf_hashes)

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Appends leaves by their hashes."""
        nodes = list(leaf_hashes)
        self.count += len(nodes)
        level = 0
        while nodes:
            if level == len(self._waiting):
                self._waiting.append(None)
            waiting = self._waiting[level]
            if waiting is not None:
                nodes.insert(0, waiting)
            self._waiting[level] = nodes.pop() if len(nodes) % 2 else None
            nodes = [sha256(b"\x01" + nodes[i] + nodes[i + 1]).digest() for i in range(0, len(nodes), 2)]
            level += 1

    @property
    def root(self) -> bytes:
        """The root over all leaves so far; of no leaves it is `H("")`."""
        peaks = [peak for peak in self._waiting if peak is not None]
        return reduce(lambda root, peak: node_hash(peak, root), peaks) if peaks else sha256().digest()


def siblings(index: int, count: int) -> list[tuple[int, int]]:
    """First leaf and one past the last of each subtree that the path of leaf `index` of `count` names."""
    found: list[tuple[int, int]] = []
    start, end = 0, count
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def root_from_path(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """The root that `path` leads to from a leaf's hash (RFC 9162 §2.1.3.2).

    Raises `ContentError` for a path that fits no tree of `count` leaves.
    """
    if not 0 <= index < count:
        raise ContentError(f"a tree of {count} leaves has no leaf {index}")
    position, last, root = index, count - 1, leaf
    for sibling in path:
        if last == 0:
            raise ContentError("the Merkle path is too long")
        if position & 1 or position == last:
            root = node_hash(sibling, root)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ContentError("the Merkle path is too short")
    return root
