"""A gateway that gives something else than was asked for is found out, and gives nothing that is wrong."""

import gzip

import pytest

from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError
from numerbay_chain.ipfs import LEAF_SIZE, Cid, GatewayStore, Importer
from numerbay_chain.ipfs.dag_pb import MAX_BLOCK_SIZE
from tests.support.codes import says
from tests.support.gateways import BINARY, HASTY, LARGE, RAW_BLOCK, SMALL, serving, trustless

LIES_ABOUT_BLOCKS = {
    "other bytes": (lambda file, block, request: request.answer(b"\x00" + block[1:], **RAW_BLOCK), ContentError),
    "cut off": (lambda file, block, request: request.answer(block[:-1], **RAW_BLOCK), ContentError),
    "nothing": (lambda file, block, request: request.answer(b"", **RAW_BLOCK), ContentError),
    "a byte more": (lambda file, block, request: request.answer(block + b"\x00", **RAW_BLOCK), ContentError),
    "without an end": (lambda file, block, request: request.answer_endlessly(**RAW_BLOCK), ContentError),
    "other bytes, compressed": (
        lambda file, block, request: request.answer(gzip.compress(b"\x00" + block[1:]), Content_Encoding="gzip"),
        ContentError,
    ),
    "compressed and cut off": (
        lambda file, block, request: request.answer(gzip.compress(block)[:-9], Content_Encoding="gzip", **RAW_BLOCK),
        NetworkError,
    ),
    "said to be compressed": (
        lambda file, block, request: request.answer(block, Content_Encoding="gzip", **RAW_BLOCK),
        NetworkError,
    ),
    "compressed by other means": (
        lambda file, block, request: request.answer(block, Content_Encoding="zstd", **RAW_BLOCK),
        NetworkError,
    ),
    "a bomb": (
        lambda file, block, request: request.answer(
            gzip.compress(bytes(64 << 20)), Content_Encoding="gzip", **RAW_BLOCK
        ),
        ContentError,
    ),
    "a broken connection": (
        lambda file, block, request: request.answer(block[:-9], length=len(block), **RAW_BLOCK),
        NetworkError,
    ),
    "an error page": (
        lambda file, block, request: request.answer(b"<html>Sorry</html>", Content_Type="text/html"),
        ContentError,
    ),
    "not found": (lambda file, block, request: request.answer(b"no", 404), NotFoundError),
    "gone": (lambda file, block, request: request.answer(b"no", 410), NotFoundError),
    "nobody has it": (lambda file, block, request: request.answer(b"no", 504), NotFoundError),
    "forbidden": (lambda file, block, request: request.answer(b"no", 403), NotFoundError),
    "not for legal reasons": (lambda file, block, request: request.answer(b"no", 451), NotFoundError),
    "an error": (lambda file, block, request: request.answer(b"no", 500), NotFoundError),
    "an error of its front": (lambda file, block, request: request.answer(b"no", 502), NotFoundError),
    "only with a login": (lambda file, block, request: request.answer(b"no", 401), NetworkError),
    "out of order": (lambda file, block, request: request.answer(b"no", 503), NetworkError),
}


@pytest.mark.parametrize("file", [SMALL, LARGE], ids=["one block", "many blocks"])
@pytest.mark.parametrize(("lie", "error"), LIES_ABOUT_BLOCKS.values(), ids=LIES_ABOUT_BLOCKS.keys())
def test_a_gateway_that_lies_from_the_start_is_found_out(lie, error, file):
    def behaviour(request):
        lie(file, file.blocks.get(request.cid, b"?"), request)

    with serving(behaviour) as server:
        with pytest.raises(error) as caught:
            GatewayStore(server.url, HASTY).read_bytes(file.cid, file.size)
        assert isinstance(caught.value, NotFoundError) == (error is NotFoundError)
        assert f"gateway {server.url}" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.hint


@pytest.mark.parametrize(("lie", "error"), LIES_ABOUT_BLOCKS.values(), ids=LIES_ABOUT_BLOCKS.keys())
def test_a_gateway_that_lies_about_the_last_block_gives_only_what_is_right(lie, error):
    last = str(cid_of(LARGE.content[-77:]))
    given = bytearray()

    def behaviour(request):
        if request.cid == last:
            lie(LARGE, LARGE.blocks[last], request)
        else:
            trustless(LARGE, request)

    with serving(behaviour) as server, pytest.raises(error):
        collect(GatewayStore(server.url, HASTY).read(LARGE.cid, LARGE.size), given)
    assert LARGE.content.startswith(given)
    assert len(given) <= 3 * LEAF_SIZE


def collect(pieces, given: bytearray) -> None:
    for piece in pieces:
        given += piece


def cid_of(content: bytes) -> Cid:
    importer = Importer()
    importer.update(content)
    return importer.finish().cid


LIES_ABOUT_FILES = {
    "other bytes": lambda content, request: request.answer(content[:-1] + bytes([content[-1] ^ 1]), **BINARY),
    "cut off": lambda content, request: request.answer(content[:-1], **BINARY),
    "a byte more": lambda content, request: request.answer(content + b"\x00", **BINARY),
    "without an end": lambda content, request: request.answer_endlessly(**BINARY),
    "a page": lambda content, request: request.answer(b"<html>Sorry</html>", Content_Type="text/html"),
    "blocks in another order": lambda content, request: request.answer(
        content[LEAF_SIZE : 2 * LEAF_SIZE] + content[:LEAF_SIZE] + content[2 * LEAF_SIZE :], **BINARY
    ),
}


@pytest.mark.parametrize("lie", LIES_ABOUT_FILES.values(), ids=LIES_ABOUT_FILES.keys())
def test_a_gateway_that_lies_about_a_whole_file_gives_not_a_byte_of_it(lie):
    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 406)
        else:
            lie(LARGE.content, request)

    given = bytearray()
    with serving(behaviour) as server, pytest.raises(ContentError) as raised:
        collect(GatewayStore(server.url, HASTY).read(LARGE.cid, LARGE.size), given)
    assert raised.value.code in ("bad-content", "too-large")
    assert says(raised.value, server.url)
    assert given == b""


@pytest.mark.parametrize("wants_block", [True, False], ids=["block", "file"])
def test_a_body_without_an_end_is_left_as_soon_as_it_is_too_long(wants_block):
    def behaviour(request):
        if request.wants_block == wants_block:
            request.answer_endlessly(**(RAW_BLOCK if wants_block else BINARY))
        else:
            request.answer(b"unsupported", 406)

    with serving(behaviour) as server, pytest.raises(ContentError):
        GatewayStore(server.url, HASTY).read_bytes(LARGE.cid, LARGE.size)
    # The rest lay in the buffers of the two sockets when the reader hung up.
    assert server.log.sent < (MAX_BLOCK_SIZE if wants_block else LARGE.size) + (16 << 20)
