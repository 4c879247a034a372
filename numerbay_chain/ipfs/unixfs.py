"""The fixed import (docs/protocol.md §3): CIDv1, sha2-256, raw leaves of 1 MiB, 1,024 links a node, balanced.

It is what `ipfs add --cid-version 1 --raw-leaves --chunker size-1048576 --max-file-links 1024` computes. The size of a
file decides the shape of its tree, so a reader that knows the size refuses every other tree.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from numerbay_chain.core.errors import ContentError
from numerbay_chain.ipfs.cid import LEAF_SIZE, Cid
from numerbay_chain.ipfs.dag_pb import Link, NodeError, decode_node, encode_node

MAX_LINKS = 1024


@dataclass(frozen=True, slots=True)
class Root:
    """An imported file: the CID of its root block and its size in bytes."""

    cid: Cid
    size: int


@dataclass(frozen=True, slots=True)
class _Layout:
    leaf_size: int
    max_links: int

    def height(self, size: int) -> int:
        height = 0
        while self.capacity(height) < size:
            height += 1
        return height

    def capacity(self, height: int) -> int:
        """Bytes of the file below a full node: 0 is a leaf."""
        return self.leaf_size * int(self.max_links**height)


_FIXED = _Layout(LEAF_SIZE, MAX_LINKS)


class Importer:
    """Cuts a stream into blocks and hands each to `put_block`, children first; memory: a leaf, and a node a level.

    Without `put_block` it only computes the CID.
    """

    def __init__(self, put_block: Callable[[Cid, bytes], None] | None = None, *, _layout: _Layout = _FIXED) -> None:
        self._put_block = put_block
        self._layout = _layout
        self._buffer = bytearray()
        self._size = 0
        self._levels: list[list[Link]] = [[]]
        self._finished = False

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Takes the next bytes of the file, as many as there are."""
        self._refuse_finished()
        leaf_size = self._layout.leaf_size
        if isinstance(data, bytes) and len(data) == leaf_size and not self._buffer:
            self._add_leaf(data)  # the usual case, without a copy
            return
        view = memoryview(data).cast("B")
        while len(view):
            piece = view[: leaf_size - len(self._buffer)]
            view = view[len(piece) :]
            if len(piece) == leaf_size:
                self._add_leaf(bytes(piece))
                continue
            self._buffer += piece
            if len(self._buffer) == leaf_size:
                self._add_leaf(bytes(self._buffer))
                self._buffer.clear()

    def finish(self) -> Root:
        """Puts what is left and gives the root. An empty file is one empty raw block."""
        self._refuse_finished()
        if self._buffer or not self._size:
            self._add_leaf(bytes(self._buffer))
        self._finished = True
        level = 0
        while level < len(self._levels) - 1 or len(self._levels[level]) > 1:
            if self._levels[level]:
                self._close_node(level)
            level += 1
        return Root(self._levels[level][0].cid, self._size)

    def _refuse_finished(self) -> None:
        if self._finished:
            raise RuntimeError("the import is finished")

    def _add_leaf(self, block: bytes) -> None:
        self._size += len(block)
        self._add(0, Cid("raw", hashlib.sha256(block).digest()), block, len(block), len(block))

    def _add(self, level: int, cid: Cid, block: bytes, size: int, tsize: int) -> None:
        if self._put_block is not None:
            self._put_block(cid, block)
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(Link(cid, size, tsize))
        if len(self._levels[level]) == self._layout.max_links:
            self._close_node(level)

    def _close_node(self, level: int) -> None:
        links = self._levels[level]
        block = encode_node(links)
        size = sum(link.size for link in links)
        tsize = len(block) + sum(link.tsize for link in links)
        self._levels[level] = []
        self._add(level + 1, Cid("dag-pb", hashlib.sha256(block).digest()), block, size, tsize)


def read_file(
    get_block: Callable[[Cid], bytes],
    cid: Cid,
    size: int,
    offset: int = 0,
    length: int | None = None,
    *,
    ahead: int = 0,
    _layout: _Layout = _FIXED,
) -> Iterator[bytes]:
    """Yields the bytes of a file of `size` bytes, or `length` of them from `offset`, out of the blocks they lie in.

    Every block is checked: against its CID, and to be the one that the fixed import makes of a file of this size.
    `ahead` leaves are fetched at the same time, by as many threads. Raises `ContentError` for a block that is not what
    it should be, `ValueError` for a range that does not lie in the file, and whatever `get_block` raises.
    """
    length = size - offset if length is None else length
    if size < 0 or offset < 0 or length < 0 or offset + length > size:
        raise ValueError(f"{length} bytes from {offset} do not lie in a file of {size} bytes")
    height = _layout.height(size)
    if cid.codec != _codec(height):
        raise ContentError(f"{cid} is not the CID of a file of {size} bytes")
    if not length and size:
        return
    reader = _TreeReader(get_block, _layout)
    leaves = reader.leaves(cid, size, None, height, offset, offset + length)
    if not ahead:
        for leaf in leaves:
            yield reader.read_leaf(leaf)
        return
    pool = ThreadPoolExecutor(ahead, "ipfs-read")
    try:
        pending: deque[Future[bytes]] = deque()
        for leaf in leaves:
            # in the caller's context, which holds how long its reads may take
            pending.append(pool.submit(copy_context().run, reader.read_leaf, leaf))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def checked_block(get_block: Callable[[Cid], bytes], cid: Cid) -> bytes:
    """The block of `cid`. Raises `ContentError` where `get_block` gives other bytes."""
    block = get_block(cid)
    if not cid.matches(block):
        raise ContentError(f"block {cid} has other bytes than its CID promises")
    return block


def _codec(height: int) -> str:
    return "dag-pb" if height else "raw"


@dataclass(frozen=True, slots=True)
class _Leaf:
    cid: Cid
    size: int
    start: int
    end: int


class _TreeReader:
    def __init__(self, get_block: Callable[[Cid], bytes], layout: _Layout) -> None:
        self._get_block = get_block
        self._layout = layout

    def read_leaf(self, leaf: _Leaf) -> bytes:
        block = checked_block(self._get_block, leaf.cid)
        if len(block) != leaf.size:
            raise ContentError(f"block {leaf.cid} has {len(block)} bytes instead of {leaf.size}")
        return block[leaf.start : leaf.end]

    def leaves(self, cid: Cid, size: int, tsize: int | None, height: int, start: int, end: int) -> Iterator[_Leaf]:
        """The leaves that hold the bytes from `start` to `end`, both counted from the first byte below `cid`."""
        if not height:
            yield _Leaf(cid, size, max(start, 0), min(end, size))
            return
        child_capacity = self._layout.capacity(height - 1)
        position = 0
        for link in self._node(cid, size, tsize, height):
            if position >= end:
                return
            if position + child_capacity > start:
                yield from self.leaves(link.cid, link.size, link.tsize, height - 1, start - position, end - position)
            position += child_capacity

    def _node(self, cid: Cid, size: int, tsize: int | None, height: int) -> tuple[Link, ...]:
        block = checked_block(self._get_block, cid)
        try:
            links = decode_node(block, self._layout.max_links)
        except NodeError as error:
            raise ContentError(f"block {cid} is no node of the fixed import: {error}") from error
        capacity = self._layout.capacity(height - 1)
        full, rest = divmod(size, capacity)
        expected = [capacity] * full + ([rest] if rest else [])
        if (
            [link.size for link in links] != expected
            or any(link.cid.codec != _codec(height - 1) for link in links)
            or (height == 1 and any(link.tsize != link.size for link in links))
            or tsize not in {None, len(block) + sum(link.tsize for link in links)}
        ):
            raise ContentError(f"block {cid} is not the node that the fixed import makes of {size} bytes")
        return links
