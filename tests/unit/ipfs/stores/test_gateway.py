"""A gateway is trusted with nothing: the reader gets the right bytes, or a clear error and none of the wrong ones."""

import gzip
import random
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError, UsageError
from numerbay_chain.ipfs import LEAF_SIZE, Cid, GatewayStore, Importer
from numerbay_chain.ipfs.dag_pb import MAX_BLOCK_SIZE
from tests.support.codes import fails_with, says
from tests.support.gateways import HASTY, RAW_BLOCK, SMALL, File, Request, serving, trustless
from tests.support.servers import forever, speaking

BINARY = {"Content_Type": "application/octet-stream"}


LARGE = File(random.Random(2).randbytes(3 * LEAF_SIZE + 77))


def files_only(file: File, request: Request) -> None:
    """An old gateway: it does not know `format=raw`, and gives the file at a path, also from an offset."""
    if request.cid != str(file.cid):
        request.answer(b"no such file", 404)
    elif "Range" in request.headers:
        start = int(request.headers["Range"].removeprefix("bytes=").rstrip("-"))
        span = f"bytes {start}-{file.size - 1}/{file.size}"
        request.answer(file.content[start:], 206, Content_Range=span, **BINARY)
    else:
        request.answer(file.content, **BINARY)


def formats_refused(file: File, request: Request) -> None:
    """Another old gateway: it answers `format=raw` with an error."""
    if request.wants_block:
        request.answer(b"unsupported format", 400)
    else:
        files_only(file, request)


def blocks_refused(status: int) -> Callable[[File, Request], None]:
    """One that answers as if it did not have the block, and gives the file."""

    def behaviour(file: File, request: Request) -> None:
        if request.wants_block:
            request.answer(b"raw blocks are not served here", status)
        else:
            files_only(file, request)

    return behaviour


def compressing(*encodings: str) -> Callable[[File, Request], None]:
    """One that compresses though it was asked not to."""
    pack = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "bare": lambda data: zlib.compress(data, wbits=-15),
        "two members": lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
    }
    name = {"bare": "deflate", "two members": "gzip"}

    def behaviour(file: File, request: Request) -> None:
        block = file.blocks.get(request.cid)
        if block is None:
            request.answer(b"no such block", 404)
            return
        for encoding in encodings:
            block = pack[encoding](block)
        said = ", ".join(name.get(encoding, encoding) for encoding in encodings)
        request.answer(block, Content_Encoding=said, **RAW_BLOCK)

    return behaviour


def files_compressed(file: File, request: Request) -> None:
    if request.wants_block:
        request.answer(b"unsupported format", 400)
    else:
        request.answer(gzip.compress(file.content), Content_Encoding="gzip", **BINARY)


HONEST = {
    "trustless": trustless,
    "files only": files_only,
    "formats refused": formats_refused,
    "blocks forbidden": blocks_refused(403),
    "blocks not found": blocks_refused(404),
    "gzip": compressing("gzip"),
    "deflate": compressing("deflate"),
    "deflate without a header": compressing("bare"),
    "gzip of two members": compressing("two members"),
    "gzip twice": compressing("gzip", "gzip"),
    "files in gzip": files_compressed,
}


@pytest.mark.parametrize(
    "file", [File(b""), SMALL, File(bytes(LEAF_SIZE)), LARGE], ids=["empty", "small", "1 MiB", "large"]
)
@pytest.mark.parametrize("behaviour", HONEST.values(), ids=HONEST.keys())
def test_an_honest_gateway_of_any_kind_gives_the_file_and_any_part_of_it(behaviour, file):
    with serving(lambda request: behaviour(file, request)) as server:
        store = GatewayStore(server.url, HASTY)
        assert store.read_bytes(file.cid, file.size) == file.content
        middle = file.size // 2
        assert store.read_bytes(file.cid, file.size, middle, min(88, file.size - middle)) == file.content[middle:][:88]
        assert store.read_bytes(file.cid, file.size, file.size, 0) == b""


def test_only_the_blocks_of_a_range_are_fetched_and_they_are_remembered():
    with serving(lambda request: trustless(LARGE, request)) as server:
        store = GatewayStore(server.url, HASTY)
        for offset in range(0, 880, 88):
            store.read_bytes(LARGE.cid, LARGE.size, offset, 88)
        assert len(server.log.paths) == 2  # the root and its first leaf


def test_a_file_fetched_as_a_whole_is_fetched_once():
    with serving(lambda request: formats_refused(LARGE, request)) as server:
        store = GatewayStore(server.url, HASTY)
        for offset in range(0, 880, 88):
            assert store.read_bytes(LARGE.cid, LARGE.size, offset, 88) == LARGE.content[offset:][:88]
        assert len(server.log.paths) == 2


def test_a_raw_block_can_be_read_without_knowing_its_size():
    with serving(lambda request: formats_refused(SMALL, request)) as server:
        assert GatewayStore(server.url, HASTY).read_block(SMALL.cid) == SMALL.content


# What a lying or broken gateway answers, and the error it earns.
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


def test_a_gateway_that_breaks_off_is_asked_for_the_rest():
    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 406)
        elif "Range" in request.headers:
            files_only(LARGE, request)
        else:
            request.answer(LARGE.content[: 2 * LEAF_SIZE], length=LARGE.size, **BINARY)

    with serving(behaviour) as server:
        assert GatewayStore(server.url, HASTY).read_bytes(LARGE.cid, LARGE.size) == LARGE.content
        assert len(server.log.paths) == 3


def test_a_gateway_that_breaks_off_and_knows_no_ranges_is_asked_again():
    times = []

    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 406)
            return
        times.append(1)
        complete = len(times) == 2
        request.answer(LARGE.content if complete else LARGE.content[:-5], length=LARGE.size, **BINARY)

    with serving(behaviour) as server:
        assert GatewayStore(server.url, HASTY).read_bytes(LARGE.cid, LARGE.size) == LARGE.content


def test_a_busy_gateway_is_asked_again():
    answers = iter([429, 503, 200])

    def behaviour(request):
        status = next(answers)
        if status == 200:
            trustless(SMALL, request)
        else:
            request.answer(b"later", status, Retry_After="0")

    with serving(behaviour) as server:
        assert GatewayStore(server.url, HASTY).read_bytes(SMALL.cid, SMALL.size) == SMALL.content


def test_after_a_lie_the_next_read_asks_again():
    lies = iter([True, False, False])

    def behaviour(request):
        if next(lies):
            request.answer(bytes(SMALL.size), **RAW_BLOCK)
        else:
            trustless(SMALL, request)

    with serving(behaviour) as server:
        store = GatewayStore(server.url, HASTY)
        with pytest.raises(ContentError):
            store.read_bytes(SMALL.cid, SMALL.size)
        assert store.read_bytes(SMALL.cid, SMALL.size) == SMALL.content


def test_a_size_that_is_not_the_files_is_noticed():
    for behaviour in HONEST.values():
        with serving(lambda request, behaviour=behaviour: behaviour(LARGE, request)) as server:
            for size in (LARGE.size - 1, LARGE.size + 1):
                with pytest.raises(ContentError):
                    GatewayStore(server.url, HASTY).read_bytes(LARGE.cid, size)


def test_a_gateway_that_is_not_there_is_a_network_error():
    with serving(lambda request: None) as server:
        pass
    with fails_with(NetworkError, "network") as caught:
        GatewayStore(server.url, HASTY).read_bytes(SMALL.cid, SMALL.size)
    assert not isinstance(caught.value, NotFoundError)


def test_a_gateway_that_says_nothing_is_not_waited_for_for_ever():
    def behaviour(request):
        request.rfile.read(1)  # until the other side hangs up

    with serving(behaviour) as server, fails_with(NotFoundError, "slow-source"):
        GatewayStore(server.url, replace(HASTY, idle=0.2)).read_bytes(SMALL.cid, SMALL.size)


def test_a_gateway_that_drips_is_left():
    drip = forever(b"HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n", b"x", 0.02)
    with speaking(drip) as port, fails_with(NotFoundError, "slow-source"):
        GatewayStore(f"http://127.0.0.1:{port}", replace(HASTY, block=0.2)).read_bytes(SMALL.cid, SMALL.size)


@pytest.mark.parametrize(
    "url", ["", "ipfs.io", "ftp://ipfs.io", "https://", "https://h:99999", "https://h/?q=1", "http://["]
)
def test_an_address_that_is_none_is_refused(url):
    with fails_with(UsageError, "bad-store"):
        GatewayStore(url, HASTY)


def test_a_password_in_the_address_is_not_shown():
    assert "hunter2" not in GatewayStore("https://me:hunter2@gateway.example/ipfs/", HASTY).name


def test_nothing_can_be_written_through_a_gateway():
    store = GatewayStore("https://gateway.example", HASTY)
    assert not store.writable
    with fails_with(UsageError, "read-only-store"):
        store.add(b"x")
