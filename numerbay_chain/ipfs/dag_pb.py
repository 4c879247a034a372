"""The inner nodes of a UnixFS file: dag-pb with a UnixFS message in it, encoded as Kubo does and decoded strictly.

Sources: the IPLD specification of dag-pb, the UnixFS specification (`Data.Type.File`), Protocol Buffers' wire format.
Only the canonical encoding is read: one meaning has one block, so one CID.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from numerbay_chain.ipfs.cid import BINARY_SIZE, Cid

MAX_BLOCK_SIZE = 2 << 20
"""Bytes in the largest block that is accepted: what bitswap carries at most."""

_MAX_VARINT_SIZE = 9  # 63 bits
_FILE = 2  # unixfs Data.Type.File

# Tags of Protocol Buffers: the field's number, then 0 for a varint or 2 for bytes.
_NODE_DATA, _NODE_LINK = b"\x0a", b"\x12"
_LINK_HASH, _LINK_NAME, _LINK_TSIZE = b"\x0a", b"\x12", b"\x18"
_DATA_TYPE, _DATA_FILE_SIZE, _DATA_BLOCK_SIZE = b"\x08", b"\x18", b"\x20"


class NodeError(ValueError):
    """A block that is no canonical node of a UnixFS file."""


@dataclass(frozen=True, slots=True)
class Link:
    """One child: its CID, the bytes of the file below it, and the bytes of all blocks below it (dag-pb's Tsize)."""

    cid: Cid
    size: int
    tsize: int


def encode_node(links: Sequence[Link]) -> bytes:
    """The block of an inner node with these children."""
    sizes = [link.size for link in links]
    parts = [_DATA_TYPE, encode_varint(_FILE), _DATA_FILE_SIZE, encode_varint(sum(sizes))]
    for size in sizes:
        parts += (_DATA_BLOCK_SIZE, encode_varint(size))
    data = b"".join(parts)
    node = [_field(_NODE_LINK, _encode_link(link)) for link in links]
    node.append(_field(_NODE_DATA, data))
    return b"".join(node)


def decode_node(block: bytes, max_links: int) -> tuple[Link, ...]:
    """The children of an inner node, at least one and at most `max_links`. Raises `NodeError` for anything else."""
    if len(block) > MAX_BLOCK_SIZE:
        raise NodeError(f"{len(block)} bytes are too many for a block")
    reader = _Reader(block)
    heads: list[tuple[Cid, int]] = []
    while reader.take_tag(_NODE_LINK):
        if len(heads) == max_links:
            raise NodeError(f"more than {max_links} links")
        heads.append(_decode_link(_Reader(reader.take_bytes())))
    if not heads:
        raise NodeError("no links")
    reader.expect_tag(_NODE_DATA)
    sizes = _decode_sizes(_Reader(reader.take_bytes()), len(heads))
    reader.expect_end()
    links = tuple(Link(cid, size, tsize) for (cid, tsize), size in zip(heads, sizes, strict=True))
    if encode_node(links) != block:
        raise NodeError("sizes that don't add up, or not the canonical encoding")
    return links


def encode_varint(value: int) -> bytes:
    """An unsigned LEB128 integer, in as few bytes as can be."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + encode_varint(len(content)) + content


def _encode_link(link: Link) -> bytes:
    # Kubo writes the empty name of a file's child, too.
    return _field(_LINK_HASH, link.cid.to_bytes()) + _field(_LINK_NAME, b"") + _LINK_TSIZE + encode_varint(link.tsize)


def _decode_link(reader: "_Reader") -> tuple[Cid, int]:
    reader.expect_tag(_LINK_HASH)
    binary = reader.take_bytes()
    if len(binary) != BINARY_SIZE:
        raise NodeError("a link's CID is of another kind")
    try:
        cid = Cid.from_bytes(binary)
    except ValueError as error:
        raise NodeError(f"a link's CID is {error}") from error
    reader.expect_tag(_LINK_NAME)
    if reader.take_bytes():
        raise NodeError("a link has a name")
    reader.expect_tag(_LINK_TSIZE)
    tsize = reader.take_varint()
    reader.expect_end()
    return cid, tsize


def _decode_sizes(reader: "_Reader", count: int) -> list[int]:
    reader.expect_tag(_DATA_TYPE)
    if reader.take_varint() != _FILE:
        raise NodeError("not a file")
    reader.expect_tag(_DATA_FILE_SIZE)
    reader.take_varint()  # compared with the sum when the node is encoded again
    sizes = []
    for _ in range(count):
        reader.expect_tag(_DATA_BLOCK_SIZE)
        sizes.append(reader.take_varint())
    reader.expect_end()
    return sizes


class _Reader:
    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take_tag(self, tag: bytes) -> bool:
        if self._data[self._position : self._position + 1] != tag:
            return False
        self._position += 1
        return True

    def expect_tag(self, tag: bytes) -> None:
        if not self.take_tag(tag):
            raise NodeError(f"unexpected field at byte {self._position}")

    def expect_end(self) -> None:
        if self._position != len(self._data):
            raise NodeError(f"unexpected field at byte {self._position}")

    def take_varint(self) -> int:
        value = 0
        for index, byte in enumerate(self._data[self._position : self._position + _MAX_VARINT_SIZE]):
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                self._position += index + 1
                return value
        raise NodeError("an integer without an end")

    def take_bytes(self) -> bytes:
        size = self.take_varint()
        if size > len(self._data) - self._position:
            raise NodeError("a field that is longer than its block")
        self._position += size
        return self._data[self._position - size : self._position]
