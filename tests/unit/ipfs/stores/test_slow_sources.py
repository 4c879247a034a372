"""Sources that are slow, refuse single objects or claim too much: a bounded wait, then the next one is asked."""

import gzip
import shutil
import tempfile
import time
from collections import namedtuple
from dataclasses import replace

import pytest

from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError, RefusedError, SlowSourceError
from numerbay_chain.ipfs import LEAF_SIZE, Cid, EmbeddedStore, FallbackStore, GatewayStore, KuboStore
from numerbay_chain.ipfs.stores import whole_file as whole_module
from tests.support.codes import fails_with
from tests.support.gateways import HASTY, serving
from tests.support.servers import forever, speaking
from tests.unit.ipfs.stores.test_gateway import LARGE, SMALL, formats_refused, trustless

KINDS = {"gateway": GatewayStore, "kubo": KuboStore}


ABSENT = 1.0


def waits_of(idle, block, **more):
    return replace(HASTY, idle=idle, block=block, **more)


def cid_number(number):
    return Cid.raw(number.to_bytes(32, "big"))


def silent(connection):
    time.sleep(20)


DRIP = forever(b"HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n", b"x", 0.02)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("speak", [silent, DRIP], ids=["silent", "drips"])
def test_many_absent_objects_cost_one_long_wait(kind, speak):
    with speaking(speak) as port:
        store, waits = kind(f"http://127.0.0.1:{port}", waits=waits_of(1.0, 2.0)), []
        for number in range(8):
            started = time.monotonic()
            with pytest.raises(NotFoundError) as caught:
                store.read_block(cid_number(number))
            waits.append(time.monotonic() - started)
            assert caught.value.code == "slow-source"
    assert waits[0] < 4
    assert waits[-1] < 0.5 < waits[0]
    assert sum(waits) < 3 * waits[0] + 1


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_an_object_that_did_not_come_is_not_waited_for_again(kind):
    with speaking(silent) as port:
        store = kind(f"http://127.0.0.1:{port}", waits=waits_of(0.5, 0.5, absent=ABSENT))
        for most in (3, 0.2, 0.2):
            started = time.monotonic()
            with pytest.raises(NotFoundError):
                store.read_block(cid_number(1))
            assert time.monotonic() - started < most
    time.sleep(ABSENT)
    with fails_with(NetworkError, "network"):
        store.read_block(cid_number(1))  # after a while it is asked for again: it may be there by now


def test_what_is_there_is_read_after_any_number_of_absent_objects():
    def behaviour(request):
        if request.cid in SMALL.blocks:
            time.sleep(0.05)  # slower than nothing, but here
            trustless(SMALL, request)
        else:
            time.sleep(1)

    with serving(behaviour) as server:
        store = GatewayStore(server.url, waits=waits_of(0.2, 5.0))
        for number in range(12):
            with pytest.raises(NotFoundError):
                store.read_block(cid_number(number))
        assert store.read_bytes(SMALL.cid, SMALL.size) == SMALL.content


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("speak", [silent, DRIP], ids=["silent", "drips"])
def test_the_time_that_is_left_for_a_store_ends_its_exchange(kind, speak):
    with speaking(speak) as port:
        store, started = kind(f"http://127.0.0.1:{port}", waits=HASTY), time.monotonic()
        with pytest.raises(SlowSourceError) as caught, store.within(0.5):
            store.read_block(cid_number(1))
        assert time.monotonic() - started < 3
        assert store.name in str(caught.value)
        started = time.monotonic()
        with pytest.raises(SlowSourceError), store.within(0.5):
            store.read_bytes(Cid("dag-pb", bytes(32)), 3 * LEAF_SIZE)
        assert time.monotonic() - started < 3


def test_the_time_that_is_left_ends_the_waits_between_two_tries():
    with serving(lambda request: request.answer(b"later", 503, Retry_After="60")) as server:
        store, started = GatewayStore(server.url, waits=HASTY), time.monotonic()
        with pytest.raises((SlowSourceError, NetworkError)), store.within(0.5):
            store.read_block(cid_number(1))
        assert time.monotonic() - started < 3


def test_a_file_as_a_whole_has_a_total_time_that_grows_with_its_size():
    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 400)
            return
        request.send_response(200)
        request.send_header("Content-Length", str(LARGE.size))
        request.end_headers()
        for start in range(0, LARGE.size, 1000):
            request.wfile.write(LARGE.content[start : start + 1000])
            time.sleep(0.01)

    with serving(behaviour) as server:
        started = time.monotonic()
        with pytest.raises(NotFoundError) as caught:
            GatewayStore(server.url, waits=waits_of(5, 0.5, slowest=10 * LEAF_SIZE)).read_bytes(LARGE.cid, LARGE.size)
        assert time.monotonic() - started < 5
    assert caught.value.code == "slow-source"


def test_the_next_store_is_asked_where_one_is_slow(tmp_path):
    good = EmbeddedStore(tmp_path)
    root = good.add(LARGE.content)
    for speak in (silent, DRIP):
        with speaking(speak) as port:
            url, waits = f"http://127.0.0.1:{port}", waits_of(0.3, 0.5)
            store = FallbackStore([GatewayStore(url, waits), KuboStore(url, waits=waits), good])
            assert store.read_bytes(root.cid, root.size) == LARGE.content
            store = FallbackStore([GatewayStore(url, HASTY), KuboStore(url, waits=HASTY), good])
            with store.within(3):
                assert store.read_bytes(root.cid, root.size) == LARGE.content


REFUSALS = [400, 403, 404, 405, 406, 408, 409, 410, 415, 418, 422, 451, 500, 501, 502, 504, 524, 204, 304]


@pytest.mark.parametrize("status", REFUSALS)
def test_an_object_that_is_refused_is_one_that_is_missing(status, tmp_path):
    good = EmbeddedStore(tmp_path)
    bad = good.add(b"an object that the gateway refuses")

    def behaviour(request):
        if request.cid == str(bad.cid):
            request.answer(b"" if status in (204, 304) else b"no", status)
        else:
            trustless(SMALL, request)

    with serving(behaviour) as server:
        store = GatewayStore(server.url, waits=HASTY)
        with pytest.raises(NotFoundError) as caught:
            store.read_block(bad.cid)
        assert str(status) in str(caught.value)
        assert store.read_block(SMALL.cid) == SMALL.content
        assert FallbackStore([store, good]).read_block(bad.cid) == b"an object that the gateway refuses"


@pytest.mark.parametrize("status", [401, 402, 407, 429, 503, 521])
def test_a_gateway_that_refuses_everything_is_not_taken_for_one_that_lacks_an_object(status):
    with serving(lambda request: request.answer(b"no", status)) as server, pytest.raises(NetworkError) as caught:
        GatewayStore(server.url, waits=HASTY).read_block(SMALL.cid)
    assert not isinstance(caught.value, NotFoundError)


@pytest.mark.parametrize("status", [400, 403, 404, 451, 500, 502, 504])
def test_a_daemon_that_refuses_an_object_lacks_it(status):
    with serving(lambda request: request.answer(b'{"Message":"datastore: closed"}', status)) as server:
        with pytest.raises(NotFoundError):
            KuboStore(server.url, waits=HASTY).read_block(SMALL.cid)
        with pytest.raises(NetworkError) as caught:
            KuboStore(server.url, waits=HASTY).add(b"x")
    assert not isinstance(caught.value, NotFoundError)


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"Message":' * 5_000, b'{"Message":NaN}', b'{"Keys":[]}', b"7"])
def test_a_daemon_that_answers_nonsense_is_a_source_that_fails(body):
    with serving(lambda request: request.answer(body, 500)) as server, pytest.raises(NotFoundError):
        KuboStore(server.url, waits=HASTY).read_block(SMALL.cid)
    with serving(lambda request: request.answer(body, 200)) as server, pytest.raises(NetworkError):
        KuboStore(server.url, waits=HASTY).add(b"x")


def test_one_refused_object_does_not_turn_a_gateway_into_one_of_whole_files():
    def behaviour(request):
        if request.cid == str(SMALL.cid):
            request.answer(b"no", 403)
        else:
            trustless(LARGE, request)

    with serving(behaviour) as server:
        store = GatewayStore(server.url, waits=HASTY)
        for _ in range(2):
            with pytest.raises(NotFoundError):
                store.read_block(SMALL.cid)
            store._recent.clear()
            assert store.read_bytes(LARGE.cid, LARGE.size, 0, 88) == LARGE.content[:88]
        assert not [path for path in server.log.paths if str(LARGE.cid) in path and "format=raw" not in path]


# ----------------------------------------------------------------------------------------------------- room on the disk

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def disk(monkeypatch):
    """The free bytes of the temporary folder, as a list whose first entry counts."""
    free = [whole_module.RESERVE + LARGE.size]
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1 << 40, 0, free[0]))
    return free


def test_a_file_that_the_disk_has_no_room_for_is_not_begun(disk, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "TemporaryFile", None)
    good = EmbeddedStore(tmp_path)
    root = good.add(LARGE.content)
    disk[0] -= 1
    with serving(lambda request: formats_refused(LARGE, request)) as server:
        store = GatewayStore(server.url, waits=HASTY)
        with pytest.raises(RefusedError) as caught:
            store.read_bytes(LARGE.cid, LARGE.size)
        assert caught.value.code == "too-large"
        assert caught.value.hint
        assert server.log.sent == 0
        assert not [path for path in server.log.paths if "format=raw" not in path]
        assert FallbackStore([store, good]).read_bytes(root.cid, root.size) == LARGE.content


def test_the_last_of_the_room_can_be_used(disk):
    with serving(lambda request: formats_refused(LARGE, request)) as server:
        assert GatewayStore(server.url, waits=HASTY).read_bytes(LARGE.cid, LARGE.size) == LARGE.content


def test_room_that_others_take_meanwhile_is_noticed(disk, monkeypatch):
    monkeypatch.setattr(whole_module, "_LOOK_AGAIN", 1 << 20)

    def behaviour(request):
        if not request.wants_block:
            disk[0] = whole_module.RESERVE
        formats_refused(LARGE, request)

    with serving(behaviour) as server, pytest.raises(RefusedError) as caught:
        GatewayStore(server.url, waits=HASTY).read_bytes(LARGE.cid, LARGE.size)
    assert caught.value.code == "too-large"


def test_a_claim_of_a_manifest_fills_no_disk(disk):
    """256 GiB are claimed, and a gateway that has no end plays along."""
    claimed = (256 << 30) - 64

    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 400)
        else:
            request.answer_endlessly()

    with serving(behaviour) as server, pytest.raises(RefusedError) as caught:
        GatewayStore(server.url, waits=HASTY).read_bytes(Cid("dag-pb", bytes(32)), claimed)
    assert caught.value.code == "too-large"
    assert server.log.sent == 0


def test_a_file_that_says_it_is_longer_is_not_taken_in():
    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 400)
        else:
            request.answer(b"x" * 100, length=LARGE.size + 1)

    with serving(behaviour) as server, pytest.raises(ContentError) as caught:
        GatewayStore(server.url, waits=HASTY).read_bytes(LARGE.cid, LARGE.size)
    assert caught.value.code == "too-large"


def test_a_compressed_file_that_breaks_off_is_read_anew():
    body, times = gzip.compress(LARGE.content), []

    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 400)
            return
        times.append(request.headers.get("Range"))
        if len(times) == 1:
            request.answer(body[: len(body) // 2], length=len(body), Content_Encoding="gzip")
        else:
            request.answer(body, Content_Encoding="gzip")  # ranges are not for what is compressed

    with serving(behaviour) as server:
        assert GatewayStore(server.url, waits=HASTY).read_bytes(LARGE.cid, LARGE.size) == LARGE.content
    assert len(times) == 2


def test_a_part_that_was_not_asked_for_is_not_taken():
    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 400)
        elif "Range" in request.headers:
            request.answer(LARGE.content[10:], 206, Content_Range=f"bytes 10-{LARGE.size - 1}/{LARGE.size}")
        else:
            request.answer(LARGE.content[: 2 * LEAF_SIZE], length=LARGE.size)

    with serving(behaviour) as server, pytest.raises(NetworkError):
        GatewayStore(server.url, waits=HASTY).read_bytes(LARGE.cid, LARGE.size)


def test_files_without_a_length_are_read_up_to_their_size():
    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 400)
            return
        request.send_response(200)
        request.send_header("Connection", "close")
        request.end_headers()
        request.close_connection = True
        request.wfile.write(LARGE.content)

    with serving(behaviour) as server:
        assert GatewayStore(server.url, waits=HASTY).read_bytes(LARGE.cid, LARGE.size) == LARGE.content


def test_small_chunks_of_a_long_file_are_no_flood():
    def behaviour(request):
        if request.wants_block:
            request.answer(b"unsupported", 400)
            return
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for start in range(0, LARGE.size, 100):
            piece = LARGE.content[start : start + 100]
            request.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        request.wfile.write(b"0\r\n\r\n")

    with serving(behaviour) as server:
        assert GatewayStore(server.url, waits=HASTY).read_bytes(LARGE.cid, LARGE.size) == LARGE.content
