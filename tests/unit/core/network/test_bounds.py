"""An exchange ends when its time is over or its bytes are used up, whatever the other side does."""

import gzip
import resource
import socket
import time
import zlib

import pytest
import requests

from numerbay_chain.core.errors import NumerbayChainError
from numerbay_chain.core.network import bounds
from numerbay_chain.core.network.failures import OversizedError, SlowError, TransportError
from numerbay_chain.core.network.session import HttpSession
from tests.support.codes import fails_with
from tests.support.gateways import serving
from tests.support.servers import OK, forever, saying, speaking

SECONDS = 1.0
LIMIT = 100_000
HEAD = b"HTTP/1.1 200 OK\r\n"


def session(port_or_url, **more):
    url = port_or_url if isinstance(port_or_url, str) else f"http://127.0.0.1:{port_or_url}"
    return HttpSession(url, **{"limit": LIMIT, "seconds": SECONDS, **more}), url


DRIPS = {
    "nothing": lambda connection: time.sleep(20),
    "a status line that never comes": forever(b"", b"H", 0.05),
    "a status line that goes on": forever(HEAD[:-2], b" ", 0.05),
    "a header that drips": forever(HEAD, b"x", 0.05),
    "headers that drip": forever(HEAD, b"X: y\r\n", 0.05),
    "a length that is not kept": forever(HEAD + b"Content-Length: 9999\r\n\r\n", b"x", 0.05),
    "chunks that drip": forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.05),
    "a chunk size that drips": forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0", 0.05),
    "an extension that drips": forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x", 0.05),
    "trailers that drip": forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", 0.05),
    "no length at all": forever(HEAD + b"\r\n", b"x", 0.05),
    "go on": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
    "gzip that drips": forever(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"", 0.05),
}


@pytest.mark.parametrize("speak", DRIPS.values(), ids=DRIPS.keys())
def test_drips_do_not_prolong_an_exchange(speak):
    with speaking(speak) as port:
        http, url = session(port)
        started = time.monotonic()
        with pytest.raises(SlowError) as caught:
            http.post(url, data=b"{}")
    assert time.monotonic() - started < SECONDS + 2
    assert caught.value.code == "slow-source"
    assert isinstance(caught.value, requests.Timeout)


FLOODS = {
    "go on": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "headers": forever(HEAD, b"X: y\r\n" * 1000),
    "one header": forever(HEAD + b"X: ", b"y" * 10_000),
    "a body": forever(HEAD + b"\r\n", b"y" * 10_000),
    "chunks": forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
    "an extension": forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 10_000),
    "trailers": forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 1000),
    "a status line": forever(b"HTTP/1.1 200 ", b"x" * 10_000),
}


@pytest.mark.parametrize("speak", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_ends_an_exchange_long_before_its_time(speak):
    with speaking(speak) as port:
        http, url = session(port, seconds=30)
        started = time.monotonic()
        with pytest.raises(TransportError):
            http.get(url)
    assert time.monotonic() - started < 10


def packed(*wbits):
    body = bytes(300 << 20) if len(wbits) == 1 else bytes(30 << 20)
    for bits in wbits:
        body = zlib.compress(body, 9, bits)
    return body


BOMBS = {
    "gzip": ("gzip", lambda: packed(31)),
    "deflate": ("deflate", lambda: packed(15)),
    "bare deflate": ("deflate", lambda: packed(-15)),
    "gzip in gzip": ("gzip, gzip", lambda: packed(31, 31)),
    "many members": ("gzip", lambda: gzip.compress(bytes(1 << 20)) * 300),
    "plain": ("identity", lambda: bytes(LIMIT + 1)),
}


@pytest.mark.parametrize(("encoding", "make"), BOMBS.values(), ids=BOMBS.keys())
def test_a_body_is_bounded_before_and_after_it_is_unpacked(encoding, make):
    bomb = make()
    with serving(lambda request: request.answer(bomb, Content_Encoding=encoding)) as server:
        http, url = session(server.url, seconds=30)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(OversizedError) as caught:
            http.get(url)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10  # KiB
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, br", "gzip, gzip, gzip", "x" * 500])
def test_what_can_not_be_unpacked_is_refused(encoding):
    with serving(lambda request: request.answer(gzip.compress(b"x"), Content_Encoding=encoding)) as server:
        http, url = session(server.url)
        with pytest.raises(TransportError) as caught:
            http.get(url)
    assert caught.value.code == "network"


@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
def test_a_body_up_to_the_limit_comes_whole(size, encoding):
    content = (bytes(range(256)) * (LIMIT // 256 + 1))[:size]
    body = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}[encoding](content)
    with serving(lambda request: request.answer(body, Content_Encoding=encoding)) as server:
        http, url = session(server.url, seconds=30)
        response = http.get(url)
        assert response.content == content
        assert b"".join(response.iter_content(1000)) == content
        assert http.get(url).content == content  # over the same connection


def test_a_body_that_is_longer_than_it_was_said_is_cut_and_does_not_reach_the_next_answer():
    answers = iter([b"one" + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"two"])

    def behaviour(request):
        body = next(answers)
        request.answer(body, length=3)

    with serving(behaviour) as server:
        http, url = session(server.url)
        assert [http.get(url).content for _ in range(2)] == [b"one", b"two"]


def test_a_shorter_time_can_be_asked_for():
    with speaking(DRIPS["nothing"]) as port:
        http, url = session(port, seconds=60)
        started = time.monotonic()
        with pytest.raises(SlowError):
            http.post(url, timeout=0.3)
    assert time.monotonic() - started < 5


def test_all_tries_together_have_one_time():
    asked = []

    def behaviour(request):
        asked.append(1)
        request.answer(b"later", 503, Retry_After="3600")

    with serving(behaviour) as server:
        http, url = session(server.url, seconds=1.5, tries=10, busy=frozenset({503}))
        started = time.monotonic()
        assert http.get(url).status_code == 503  # the wait that it asks for is longer than what is left
        assert time.monotonic() - started < 3
    assert len(asked) == 1


@pytest.mark.parametrize("wait", ["3600", "99999999999999999999", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_wait_that_is_asked_for_is_obeyed_up_to_a_cap(wait, monkeypatch):
    monkeypatch.setattr("numerbay_chain.core.network.retry.LONGEST_PAUSE", 0.4)
    answers = iter([429, 200])
    with serving(lambda request: request.answer(b"", next(answers), Retry_After=wait)) as server:
        http, url = session(server.url, seconds=30, tries=3, busy=frozenset({429}))
        started = time.monotonic()
        assert http.get(url).status_code == 200
    assert 0.4 <= time.monotonic() - started < 3


@pytest.mark.parametrize("wait", ["", "soon", "-5", "1e9", "٣٦٠٠", "Wed, 99 Oct 2099"])
def test_a_wait_that_is_none_is_not_waited(wait):
    answers = iter([429, 200])

    def behaviour(request):
        request.answer(b"", next(answers), Retry_After=wait.encode().decode("latin-1"))

    with serving(behaviour) as server:
        http, url = session(server.url, seconds=30, tries=3, busy=frozenset({429}))
        started = time.monotonic()
        assert http.get(url).status_code == 200
    assert time.monotonic() - started < 3


def test_a_host_that_breaks_off_is_asked_again():
    answers = iter([b"", HEAD + b"Content-Length: 9\r\n\r\nok", OK])
    with speaking(lambda connection: saying(next(answers))(connection)) as port:
        http, url = session(port, seconds=30, tries=4)
        assert http.post(url, data=b"x").content == b"ok"
        assert next(answers, None) is None


def test_a_host_that_is_slow_is_not_asked_again():
    asked = []

    def speak(connection):
        asked.append(1)
        time.sleep(5)

    with speaking(speak) as port:
        http, url = session(port, seconds=3, idle=0.3, tries=4)
        with pytest.raises(SlowError):
            http.get(url)
    assert len(asked) == 1


def test_looking_a_name_up_takes_no_longer_than_connecting_may(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: time.sleep(5))
    started = time.monotonic()
    http, url = session("http://gateway.example", seconds=0.5)
    with fails_with(TransportError, "network"):
        http.get(url)
    assert time.monotonic() - started < 3


def test_an_upload_may_take_its_time_but_not_its_answer(monkeypatch):
    monkeypatch.setattr(bounds, "PIECE_SECONDS", 1.0)

    def slowly():
        for _ in range(5):
            yield b"x" * 1000
            time.sleep(0.3)

    def patient(connection):
        taken = b""
        while not taken.endswith(b"0\r\n\r\n"):
            taken += connection.recv(4096)
        connection.sendall(OK)

    with speaking(patient) as port:
        http, url = session(port, upload=True)
        assert http.post(url, data=slowly()).content == b"ok"
    with speaking(forever(b"", b"", 0.05)) as port:
        http, url = session(port, upload=True)
        started = time.monotonic()
        with pytest.raises(SlowError):
            http.post(url, data=slowly())
        assert time.monotonic() - started < 6
        with pytest.raises(TransportError):
            http.post(url, data=iter([b"x" * 1000] * 100_000))  # nobody takes it: each piece has its time
        assert time.monotonic() - started < 12


def test_errors_of_ours_pass_as_they_are():
    class OwnError(NumerbayChainError):
        pass

    def pieces():
        yield b"x"
        raise OwnError("the file can't be read")

    with speaking(DRIPS["nothing"]) as port:
        http, url = session(port, upload=True)
        with pytest.raises(OwnError):
            http.post(url, data=pieces())
