"""A gateway is trusted with nothing: the reader gets the right bytes, or a clear error and none of the wrong ones."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError, UsageError
from numerbay_chain.ipfs import LEAF_SIZE, GatewayStore
from tests.support.codes import fails_with
from tests.support.gateways import BINARY, HASTY, LARGE, RAW_BLOCK, SMALL, File, Request, serving, trustless
from tests.support.servers import forever, speaking


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
