"""The Kubo store against a real daemon, both ways; and against servers that only pretend to be one."""

import json
import random
import threading

import pytest

from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError
from numerbay_chain.ipfs import LEAF_SIZE, Cid, GatewayStore, Importer, KuboStore, Root
from tests.support.codes import fails_with, says
from tests.support.gateways import serving
from tests.support.noise import noise
from tests.support.plugins import toolchain
from tests.system.kubo.test_cids import IMPORT, SIZES

ABSENT = Cid.raw(bytes(range(32)))


def random_bytes(size):
    return random.Random(f"store {size}").randbytes(size)


def pins(daemon):
    return daemon.run("pin", "ls", "--type=recursive", "--names").decode()


@pytest.mark.parametrize("size", SIZES)
def test_what_is_pinned_through_the_store_is_what_the_daemon_has(daemon, store, size):
    content = random_bytes(size)
    root = store.add(content, f"label {size}")
    assert root == Root(Cid.of(root.cid.digest, size), size)
    assert daemon.run("cat", str(root.cid)) == content
    assert f"{root.cid} recursive label {size}\n" in pins(daemon)
    assert store.read_bytes(root.cid, size) == content


@pytest.mark.parametrize("size", SIZES)
def test_what_the_daemon_added_can_be_read_through_the_store(daemon, store, size):
    content = random.Random(f"daemon {size}").randbytes(size)
    cid = Cid.parse(daemon.run("add", "--quieter", *IMPORT, given=content).decode().strip())
    assert store.read_bytes(cid, size) == content
    middle = size // 2
    assert store.read_bytes(cid, size, middle, size - middle) == content[middle:]


@pytest.mark.parametrize("size", SIZES)
def test_the_daemons_own_gateway_serves_the_file_and_any_part_of_it(daemon, store, size):
    content = random_bytes(size)
    root = store.add(content)
    for url in (daemon.gateway_url, daemon.gateway_url.replace("127.0.0.1", "localhost")):
        gateway = GatewayStore(url)
        assert gateway.read_bytes(root.cid, size) == content
        assert gateway.read_bytes(root.cid, size, size // 3, size // 3) == content[size // 3 :][: size // 3]


def test_a_stream_in_pieces_of_any_size_gives_the_same_file(store):
    content = random_bytes(7 * LEAF_SIZE + 11)
    with store.writer("a stream") as writer:
        buffer = bytearray(content[:50])
        writer.write(buffer)
        buffer[:] = bytes(50)  # the caller may reuse it
        writer.write(memoryview(content)[50 : 3 * LEAF_SIZE])
        for start in range(3 * LEAF_SIZE, len(content), 10_000):
            writer.write(content[start : start + 10_000])
        root = writer.finish()
    assert store.read_bytes(root.cid, root.size) == content


def test_two_files_can_be_written_at_the_same_time(store):
    one, two = random_bytes(3 * LEAF_SIZE + 1), random_bytes(3 * LEAF_SIZE + 2)
    with store.writer("one") as first, store.writer("two") as second:
        for start in range(0, 4 * LEAF_SIZE, LEAF_SIZE):
            first.write(one[start : start + LEAF_SIZE])
            second.write(two[start : start + LEAF_SIZE])
        roots = first.finish(), second.finish()
    assert [store.read_bytes(root.cid, root.size) for root in roots] == [one, two]


def test_an_aborted_file_is_not_pinned(daemon, store):
    before = set(pins(daemon).splitlines())
    with store.writer("given up") as writer:
        writer.write(noise(12 * LEAF_SIZE))
    assert set(pins(daemon).splitlines()) == before
    assert not [thread for thread in threading.enumerate() if thread.name == "kubo-add"]


def test_content_that_the_daemon_does_not_have_is_not_found(daemon, store):
    for source in (store, KuboStore(daemon.rpc_url, offline=True), GatewayStore(daemon.gateway_url)):
        with pytest.raises(NotFoundError) as caught:
            source.read_bytes(ABSENT, 5)
        assert "\n" not in str(caught.value)


def test_a_block_that_was_altered_in_the_daemons_repository_is_noticed(daemon, store):
    content = b"a block that nobody else has"
    root = store.add(content)
    [path] = [
        path for path in (daemon.repository / "blocks").rglob("*.data") if path.stat().st_size == len(content)
        and path.read_bytes() == content
    ]  # fmt: skip
    path.chmod(0o600)
    path.write_bytes(content.upper())
    for source in (KuboStore(daemon.rpc_url), GatewayStore(daemon.gateway_url)):
        with fails_with(ContentError, "bad-content"):
            source.read_bytes(root.cid, root.size)
    path.write_bytes(content)


def test_the_gateway_is_not_taken_for_the_rpc_api(daemon):
    with pytest.raises(NetworkError) as caught:
        KuboStore(daemon.gateway_url).add(b"x")
    assert "RPC API" in caught.value.hint


def test_a_daemon_that_dies_during_the_upload_is_a_network_error():
    with toolchain.kubo() as mortal:
        writer = KuboStore(mortal.rpc_url).writer("cut short")
        writer.write(bytes(8 * LEAF_SIZE))
        mortal.process.kill()
        mortal.process.wait()
        with fails_with(NetworkError, "network", mortal.rpc_url):
            write_to_the_end(writer)
        writer.abort()
        with fails_with(NetworkError, "network", mortal.rpc_url):
            KuboStore(mortal.rpc_url).read_bytes(ABSENT, 5)


def write_to_the_end(writer):
    for _ in range(64):
        writer.write(bytes(LEAF_SIZE))
    writer.finish()


class Pretender:
    """Answers Kubo's RPC calls as a test says: command → answer."""

    def __init__(self, **answers):
        self.answers = {"version": lambda request: request.answer(b'{"Version":"0.42.0"}'), **answers}

    def __call__(self, request):
        command = request.path.partition("?")[0].removeprefix("/api/v0/")
        if "chunked" in request.headers.get("Transfer-Encoding", ""):
            while size := int(request.rfile.readline(), 16):
                request.rfile.read(size + 2)
            request.rfile.readline()
        self.answers[command.replace("/", "_")](request)


def answer(value, status=200):
    return lambda request: request.answer(json.dumps(value).encode(), status, Content_Type="application/json")


def cid_of(content):
    importer = Importer()
    importer.update(content)
    return importer.finish().cid


BAD_ADDS = {
    "another CID": answer({"Name": "x", "Hash": str(ABSENT), "Size": "1"}),
    "no CID": answer({"Name": "x"}),
    "two answers": lambda request: request.answer(b'{"Hash":"a"}\n{"Hash":"b"}\n'),
    "no JSON": lambda request: request.answer(b"<html>"),
    "nothing": lambda request: request.answer(b""),
    "an error": answer({"Message": "disk full\nsorry", "Code": 0, "Type": "error"}, 500),
    "forbidden": lambda request: request.answer(b"403", 403),
    "broken off": lambda request: request.answer(b'{"Hash":', length=100),
}


@pytest.mark.parametrize("add", BAD_ADDS.values(), ids=BAD_ADDS.keys())
def test_a_daemon_that_answers_an_upload_wrongly_is_a_network_error(add):
    with serving(Pretender(add=add)) as server, pytest.raises(NetworkError) as caught:
        KuboStore(server.url).add(b"content")
    assert says(caught.value, server.url)
    assert "\n" not in str(caught.value)


def test_a_daemon_that_does_not_pin_is_a_network_error():
    add = answer({"Name": "x", "Hash": str(cid_of(b"content")), "Size": "7"})
    for pin_ls in (answer({"Keys": {}}), answer({"Message": "path is not pinned", "Code": 0, "Type": "error"}, 500)):
        with serving(Pretender(add=add, pin_ls=pin_ls)) as server, pytest.raises(NetworkError):
            KuboStore(server.url).add(b"content")


BAD_BLOCKS = {
    "other bytes": (lambda request: request.answer(b"contend"), ContentError),
    "too many": (lambda request: request.answer(bytes(3 << 20)), ContentError),
    "without an end": (lambda request: request.answer_endlessly(), ContentError),
    "broken off": (lambda request: request.answer(b"con", length=7), NetworkError),
    "an error without an end": (lambda request: request.answer_endlessly(500), ContentError),
    "not found": (answer({"Message": "ipld: could not find x", "Code": 0, "Type": "error"}, 500), NotFoundError),
    "forbidden": (lambda request: request.answer(b"403 - Forbidden", 403), NetworkError),
    "elsewhere": (lambda request: request.redirect("http://127.0.0.1:1/"), NetworkError),
}


@pytest.mark.parametrize(("block", "error"), BAD_BLOCKS.values(), ids=BAD_BLOCKS.keys())
def test_a_daemon_that_gives_another_block_is_found_out(block, error):
    with serving(Pretender(block_get=block)) as server:
        with pytest.raises(error) as raised:
            KuboStore(server.url).read_bytes(cid_of(b"content"), 7)
        assert says(raised.value, server.url)
        assert server.log.sent < 32 << 20
