"""The fixed import and its reader.

Small leaves and few links make deep trees cheap here; the real figures are compared with Kubo's.
"""

import hashlib
import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numerbay_chain.core.errors import ContentError
from numerbay_chain.ipfs import LEAF_SIZE, Cid, Importer, read_file
from numerbay_chain.ipfs.dag_pb import MAX_BLOCK_SIZE, Link, NodeError, decode_node, encode_node, encode_varint
from numerbay_chain.ipfs.unixfs import _Layout
from tests.support.codes import fails_with

layouts = st.builds(_Layout, leaf_size=st.integers(1, 7), max_links=st.integers(2, 4))


def import_file(content, layout, pieces=None):
    blocks = {}
    importer = Importer(blocks.__setitem__, _layout=layout)
    for piece in pieces if pieces is not None else [content]:
        importer.update(piece)
    return importer.finish(), blocks


def read(blocks, root, layout, *span, **options):
    return b"".join(read_file(blocks.__getitem__, root.cid, root.size, *span, _layout=layout, **options))


@given(st.binary(max_size=400), layouts, st.integers(0, 3))
def test_what_is_imported_can_be_read_back(content, layout, ahead):
    root, blocks = import_file(content, layout)
    assert root.size == len(content)
    assert read(blocks, root, layout, ahead=ahead) == content


@given(st.binary(max_size=400), layouts, st.data())
def test_any_range_can_be_read_and_asks_for_its_own_leaves_only(content, layout, data):
    root, blocks = import_file(content, layout)
    offset = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, len(content) - offset))
    asked = []

    def get_block(cid):
        asked.append(cid)
        return blocks[cid]

    got = b"".join(read_file(get_block, root.cid, root.size, offset, length, _layout=layout))
    assert got == content[offset : offset + length]
    leaves = sum(cid.codec == "raw" for cid in asked)
    assert leaves <= length // layout.leaf_size + 2


@given(st.binary(max_size=300), layouts, st.lists(st.integers(0, 20)))
def test_the_cid_does_not_depend_on_how_the_file_is_cut_for_update(content, layout, cuts):
    stops = list(itertools.accumulate([0, *cuts]))
    pieces = [memoryview(content)[a:b] for a, b in itertools.pairwise([*stops, max(len(content), stops[-1])])]
    assert import_file(content, layout, pieces) == import_file(content, layout)


@given(st.binary(min_size=1, max_size=200), layouts, st.data())
def test_a_change_of_any_bit_of_any_block_is_noticed(content, layout, data):
    root, blocks = import_file(content, layout)
    cid = data.draw(st.sampled_from(list(blocks)))
    altered = bytearray(blocks[cid])
    assume(altered)
    bit = data.draw(st.integers(0, 8 * len(altered) - 1))
    altered[bit // 8] ^= 1 << bit % 8
    with fails_with(ContentError, "bad-content", cid):
        read({**blocks, cid: bytes(altered)}, root, layout)


@given(st.binary(min_size=20, max_size=200), st.integers(1, 300))
def test_another_size_than_the_file_has_is_noticed(content, wrong):
    assume(wrong != len(content))
    layout = _Layout(leaf_size=4, max_links=3)
    root, blocks = import_file(content, layout)
    with pytest.raises(ContentError):
        list(read_file(blocks.__getitem__, root.cid, wrong, _layout=layout))


@pytest.mark.parametrize("span", [(-1,), (0, -1), (0, 11), (11,), (5, 6)])
def test_a_range_outside_of_the_file_is_refused(span):
    layout = _Layout(leaf_size=4, max_links=3)
    root, blocks = import_file(bytes(10), layout)
    with fails_with(ValueError, None, 10):
        read(blocks, root, layout, *span)


def test_an_empty_file_is_one_empty_raw_block():
    root, blocks = import_file(b"", _Layout(LEAF_SIZE, 1024))
    assert blocks == {root.cid: b""}
    assert root.cid == Cid.raw(hashlib.sha256(b"").digest())


def test_a_leaf_is_handed_over_as_soon_as_it_is_full():
    put = []
    importer = Importer(lambda cid, block: put.append(len(block)))
    importer.update(bytes(LEAF_SIZE - 1))
    assert put == []
    importer.update(bytes(LEAF_SIZE + 1))
    assert put == [LEAF_SIZE, LEAF_SIZE]


def test_a_finished_import_takes_no_more():
    importer = Importer()
    importer.finish()
    with pytest.raises(RuntimeError):
        importer.update(b"more")


def leaf(content: bytes) -> tuple[Link, bytes]:
    return Link(Cid.raw(hashlib.sha256(content).digest()), len(content), len(content)), content


def node(links) -> tuple[Link, bytes]:
    block = encode_node(links)
    cid = Cid("dag-pb", hashlib.sha256(block).digest())
    return Link(cid, sum(link.size for link in links), len(block) + sum(link.tsize for link in links)), block


class TestATreeThatIsNotTheFixedImport:
    """Its blocks match their CIDs, and it is refused all the same: 10 bytes, leaves of 4, three links a node."""

    layout = _Layout(leaf_size=4, max_links=3)

    def refuse(self, root: Link, *parts: tuple[Link, bytes], values: tuple[object, ...] = (), size: int = 10) -> None:
        blocks = {link.cid: block for link, block in parts}
        with fails_with(ContentError, "bad-content", *values):
            list(read_file(blocks.__getitem__, root.cid, size, _layout=self.layout))

    def parts(self, *contents: bytes) -> list[tuple[Link, bytes]]:
        return [leaf(content) for content in contents]

    def test_leaves_of_other_sizes(self):
        parts = self.parts(b"aaa", b"aaaa", b"aaa")
        root = node([link for link, _ in parts])
        self.refuse(root[0], root, *parts, values=(root[0].cid, 10))

    def test_a_leaf_shorter_than_its_parent_says(self):
        parts = self.parts(b"aaaa", b"bbbb", b"c")
        links = [link for link, _ in parts]
        root = node([*links[:2], Link(links[2].cid, 2, 2)])
        self.refuse(root[0], root, *parts, values=(links[2].cid, 1, 2))

    def test_a_tsize_that_is_not_the_sum(self):
        parts = self.parts(b"aaaa", b"bbbb", b"cc")
        links = [link for link, _ in parts]
        root = node([*links[:2], Link(links[2].cid, 2, 3)])
        self.refuse(root[0], root, *parts, values=(root[0].cid, 10))

    def test_a_tree_that_is_deeper_than_the_size_asks_for(self):
        parts = self.parts(b"aaaa", b"bbbb", b"cc")
        inner = node([link for link, _ in parts])
        root = node([inner[0]])
        self.refuse(root[0], root, inner, *parts, values=(root[0].cid, 10))

    def test_a_tree_that_is_flatter_than_the_size_asks_for(self):
        parts = self.parts(*(bytes([n]) * 4 for n in range(4)))
        root = node([link for link, _ in parts])
        self.refuse(root[0], root, *parts, values=(root[0].cid, 3), size=16)

    def test_a_wrong_tsize_further_down(self):
        parts = self.parts(*(bytes([n]) * 4 for n in range(4)))
        left, right = node([link for link, _ in parts[:3]]), node([parts[3][0]])
        root = node([left[0], Link(right[0].cid, 4, right[0].tsize + 1)])
        self.refuse(root[0], root, left, right, *parts, values=(right[0].cid, 4), size=16)

    def test_a_raw_root_for_a_file_of_many_leaves(self):
        root = leaf(b"aaaabbbbcc")
        self.refuse(root[0], root, values=(root[0].cid, 10))

    def test_the_depth_follows_from_the_size_so_that_no_tree_is_walked_further(self):
        assert _Layout(LEAF_SIZE, 1024).height(256 << 30) == 2
        assert _Layout(LEAF_SIZE, 1024).height((1 << 63) - 1) == 5


GOOD = encode_node([leaf(b"aaaa")[0], leaf(b"bb")[0]])
CID = leaf(b"aaaa")[0].cid.to_bytes()
DATA = b"\x08\x02\x18\x04\x20\x04"


def raw_link(cid=CID, name=b"", tsize=b"\x04", extra=b"") -> bytes:
    return b"\x0a" + bytes([len(cid)]) + cid + b"\x12" + bytes([len(name)]) + name + b"\x18" + tsize + extra


def raw_node(*links: bytes, data: bytes = DATA) -> bytes:
    return b"".join(b"\x12" + encode_varint(len(link)) + link for link in links) + b"\x0a" + bytes([len(data)]) + data


HOSTILE = {
    "nothing": b"",
    "no links": b"\x0a\x04\x08\x02\x18\x00",
    "a leaf with the bytes inside": b"\x0a\x07\x08\x02\x12\x01a\x18\x01",
    "no data": b"\x12" + bytes([len(raw_link())]) + raw_link(),
    "data before the links": b"\x0a\x06" + DATA + b"\x12" + bytes([len(raw_link())]) + raw_link(),
    "a directory": raw_node(raw_link(), data=b"\x08\x01\x18\x04\x20\x04"),
    "sizes that don't add up": raw_node(raw_link(), data=b"\x08\x02\x18\x05\x20\x04"),
    "a size too few": raw_node(raw_link(), raw_link()),
    "a size too many": raw_node(raw_link(), data=b"\x08\x02\x18\x08\x20\x04\x20\x04"),
    "a mode": raw_node(raw_link(), data=DATA + b"\x38\x01"),
    "a named link": raw_node(raw_link(name=b"x")),
    "no name": raw_node(b"\x0a\x24" + CID + b"\x18\x04"),
    "an unknown field in a link": raw_node(raw_link(extra=b"\x20\x01")),
    "CIDv0": raw_node(raw_link(cid=CID[2:])),
    "identity hash": raw_node(raw_link(cid=b"\x01\x55\x00\x20" + CID[4:])),
    "short identity hash": raw_node(raw_link(cid=b"\x01\x55\x00\x01a")),
    "sha2-512": raw_node(raw_link(cid=b"\x01\x55\x13\x40" + bytes(64))),
    "dag-cbor child": raw_node(raw_link(cid=b"\x01\x71\x12\x20" + CID[4:])),
    "an integer with a needless byte": raw_node(raw_link(tsize=b"\x84\x00")),
    "an integer of 64 bits": raw_node(raw_link(tsize=b"\xff" * 9 + b"\x01")),
    "an integer without an end": raw_node(raw_link(tsize=b"\x84")),
    "a field longer than the block": GOOD[:-1],
    "a huge field": b"\x12" + b"\xff" * 8 + b"\x7f",
    "bytes after the end": GOOD + b"\x00",
    "a second data field": GOOD + b"\x0a\x06" + DATA,
    "too many links": encode_node([leaf(b"aaaa")[0]] * 4),
    "too large": bytes(MAX_BLOCK_SIZE + 1),
}


@pytest.mark.parametrize("block", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_node_is_refused(block):
    with pytest.raises(NodeError):
        decode_node(block, max_links=3)


def test_the_node_that_the_hostile_ones_are_made_from_is_fine():
    assert [link.size for link in decode_node(GOOD, max_links=3)] == [4, 2]
    assert decode_node(raw_node(raw_link()), max_links=1) == (leaf(b"aaaa")[0],)


@given(st.one_of(st.binary(max_size=300), st.tuples(st.just(GOOD), st.integers(0, len(GOOD) - 1), st.integers(1, 255))))
def test_any_block_is_either_canonical_or_refused(block):
    if isinstance(block, tuple):
        base, index, change = block
        block = base[:index] + bytes([base[index] ^ change]) + base[index + 1 :]
    try:
        links = decode_node(block, max_links=3)
    except NodeError:
        return
    assert encode_node(links) == block
