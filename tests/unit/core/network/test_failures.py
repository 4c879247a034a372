"""A host that can't be reached: why, in words, and never with what may be a secret in its address."""

import logging
import socket
import traceback

import pytest

from numerbay_chain.chain.connection import connect
from numerbay_chain.core.errors import NetworkError, NumerbayChainError, UsageError
from numerbay_chain.core.network import shown, shown_store, tls
from numerbay_chain.core.network.failures import TransportError
from numerbay_chain.core.network.session import HttpSession
from numerbay_chain.core.policy import Policy
from numerbay_chain.ipfs import Cid, GatewayStore, open_store
from tests.support.codes import fails_with, says
from tests.support.gateways import HASTY
from tests.support.servers import OK, Authority, saying, speaking

SECRET = "S3CRETKEY"
CA_VARIABLES = ["NUMERBAY_CHAIN_CA_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
PROXY_VARIABLES = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in [*CA_VARIABLES, *PROXY_VARIABLES, "SSL_CERT_DIR"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def ask(url, **more):
    return HttpSession(url, **{"limit": 1000, "seconds": 5, **more}).get(url)


def reason(url):
    with pytest.raises(TransportError) as caught:
        ask(url)
    return str(caught.value)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_each_reason_has_a_sentence_of_its_own(authority):
    with speaking(saying(OK), authority.server("IP:127.0.0.1")) as port:
        unknown = reason(f"https://127.0.0.1:{port}")
        plain_on_tls = reason(f"http://127.0.0.1:{port}")
    with speaking(lambda connection: connection.recv(1) and connection.sendall(OK)) as port:
        tls_on_plain = reason(f"https://127.0.0.1:{port}")
    with speaking(saying(b"")) as port:
        closed = reason(f"http://127.0.0.1:{port}")
    refused = reason(f"http://127.0.0.1:{free_port()}")
    no_name = reason("http://no-such-name.invalid")
    assert "authority that is unknown" in unknown
    assert "closed" in plain_on_tls or "TLS" in plain_on_tls
    assert "does not speak TLS" in tls_on_plain
    assert "closed without an answer" in closed
    assert "refused" in refused
    assert "looked up" in no_name
    assert len({unknown, tls_on_plain, closed, refused, no_name}) == 5


def test_a_certificate_is_wrong_for_a_reason(authority, monkeypatch):
    monkeypatch.setenv("NUMERBAY_CHAIN_CA_FILE", str(authority.certificate))
    expired = authority.server("IP:127.0.0.1", valid=("20200101000000Z", "20210101000000Z"))
    early = authority.server("IP:127.0.0.1", valid=("20990101000000Z", "21000101000000Z"))
    for context, words in (
        (expired, "has expired"),
        (early, "not valid yet"),
        (authority.server("DNS:other.example"), "for another host"),
    ):
        with speaking(saying(OK), context) as port:
            assert words in reason(f"https://127.0.0.1:{port}")


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_an_authority_of_ones_own_is_named_by_the_environment(authority, monkeypatch, variable):
    with speaking(saying(OK), authority.server("IP:127.0.0.1")) as port:
        url = f"https://127.0.0.1:{port}"
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # not for this machine
        monkeypatch.setenv(variable, str(authority.certificate))
        assert ask(url).content == b"ok"


def test_an_authority_of_ones_own_is_used_by_nodes_and_stores(authority, monkeypatch):
    answer = b"HTTP/1.1 404 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with speaking(saying(answer), authority.server("IP:127.0.0.1")) as port:
        for use in (
            lambda: connect(f"https://127.0.0.1:{port}"),
            lambda: open_store(f"gateway:https://127.0.0.1:{port}").read_block(Cid.raw(bytes(32))),
            lambda: open_store(f"kubo:https://127.0.0.1:{port}").read_block(Cid.raw(bytes(32))),
            lambda: open_store(f"kubo:https://127.0.0.1:{port}").add(b"x"),
        ):
            monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
            with fails_with(NetworkError, "network"):
                use()
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
            with pytest.raises(NetworkError) as raised:
                use()
            assert says(raised.value, 404) or raised.value.code == "not-found"


@pytest.mark.parametrize("variable", [*CA_VARIABLES, "SSL_CERT_DIR"])
@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
def test_a_file_of_authorities_that_can_not_be_used_is_named_with_its_variable(
    tmp_path, monkeypatch, variable, content
):
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
    for use in (
        lambda: ask("https://127.0.0.1:9"),
        lambda: connect("https://127.0.0.1:9"),
        lambda: open_store("gateway:https://127.0.0.1:9").read_block(Cid.raw(bytes(32))),
        lambda: open_store("kubo:https://127.0.0.1:9").add(b"x"),
    ):
        with fails_with(UsageError, "bad-setting", variable):
            use()
    with pytest.raises(TransportError):
        ask("http://127.0.0.1:9")  # no certificate is needed


def test_a_folder_of_authorities_can_be_named(authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_DIR", str(authority.folder))
    assert tls.context().verify_mode.name == "CERT_REQUIRED"


# ------------------------------------------------------------------------------------------------------------- proxies


def test_a_proxy_is_used_for_others_but_not_for_this_machine(monkeypatch):
    with speaking(saying(OK)) as proxy, speaking(saying(OK.replace(b"ok", b"me"))) as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        assert ask("http://node.example:8545").content == b"ok"
        for host in ("127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "0.0.0.0", "2130706433"):  # noqa: S104  # nothing is bound
            assert ask(f"http://{host}:{port}").content == b"me"


@pytest.mark.parametrize("proxy", ["http://user:{}@127.0.0.1:9/{}", "socks5://user:{}@127.0.0.1:9", "{}", "http://[{}"])
def test_a_proxy_that_fails_is_named_without_its_password(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(SECRET, SECRET))
    with pytest.raises(TransportError) as caught:
        ask("https://node.example/x")
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "ALL_PROXY" in str(caught.value.hint), "the proxy is blamed, not the host"


def test_a_proxy_that_refuses_a_tunnel_is_blamed_and_its_drips_are_bounded(monkeypatch):
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    with speaking(saying(refusal)) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{SECRET}@127.0.0.1:{port}")
        words = reason("https://node.example")
    assert "proxy" in words
    assert SECRET not in words


# ------------------------------------------------------------------------------------------------------------ secrets


@pytest.mark.parametrize(
    ("url", "fit"),
    [
        ("https://node.example", "https://node.example"),
        ("https://node.example/", "https://node.example"),
        ("https://node.example:8545/v3/S3CRETKEY", "https://node.example:8545/…"),
        ("https://me:S3CRETKEY@node.example?key=S3CRETKEY", "https://node.example/…"),
        ("http://[::1]:8545", "http://[::1]:8545"),
        ("/run/node.ipc", "/run/node.ipc"),
        ("http://user:p#S3CRETKEY@127.0.0.1:9/", "(an address that can't be read)"),
        ("http://user:S3CRETKEY/x@127.0.0.1:9/", "(an address that can't be read)"),
        ("node.example/v3/S3CRETKEY", "(an address that can't be read)"),
        ('"https://node.example/v3/S3CRETKEY"', "(an address that can't be read)"),
        ("http://[::1/S3CRETKEY", "(an address that can't be read)"),
        ("http://127.0.0.1:abc/S3CRETKEY", "(an address that can't be read)"),
        ("S3CRETKEY", "(an address that can't be read)"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_secret(url, fit):
    assert shown(url) == fit


@pytest.mark.parametrize(
    ("spec", "fit"),
    [
        ("embedded:/some/where", "embedded:/some/where"),
        ("embedded:/with,comma", "embedded:/with,comma"),
        ("kubo:http://u:S3CRETKEY@127.0.0.1:5001", "kubo:http://127.0.0.1:5001"),
        ("kubo:/ip4/127.0.0.1/tcp/5001", "kubo:/ip4/127.0.0.1/tcp/5001"),
        ("gateway:https://u:S3CRETKEY@host.example", "gateway:https://host.example"),
        ("gateway:https://host.example/S3CRETKEY", "gateway:https://host.example/…"),
        ("embedded:here,gateway:https://u:S3CRETKEY@h.example", "embedded:here,gateway:https://h.example"),
        ("https://u:S3CRETKEY@h.example", "(an address that can't be read)"),
        ("S3CRETKEY", "(an address that can't be read)"),
    ],
)
def test_a_store_is_shown_without_what_may_be_a_secret(spec, fit):
    assert shown_store(spec) == fit


def uses(port):
    """Each way to a host, with a key in the address where there can be one."""
    base = f"http://me:{SECRET}@127.0.0.1:{port}/{SECRET}"
    return [
        lambda: connect(base, policy=Policy(broken=0.01)),
        lambda: connect(f"{base}?key={SECRET}", policy=Policy(broken=0.01)),
        lambda: GatewayStore(base, HASTY).read_block(Cid.raw(bytes(32))),
        lambda: GatewayStore(base, HASTY).read_bytes(Cid("dag-pb", bytes(32)), 3 << 20),
        lambda: open_store(f"kubo:{base}").read_block(Cid.raw(bytes(32))),
        lambda: open_store(f"kubo:{base}").add(b"x"),
    ]


MISFORTUNES = {
    "nobody": None,
    "hangs up": lambda connection: None,
    "no HTTP": saying(b"\x15\x03\x03\x00\x02\x02\x16"),
    "bad headers": saying(
        b"HTTP/1.1 200 OK\r\nno colon\r\n: empty\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nxxx"
    ),
    "busy": saying(b"HTTP/1.1 429 no\r\nContent-Length: 0\r\n\r\n"),
    "forbidden": saying(b"HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n"),
    "cut off": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nx"),
    "elsewhere": saying(b"HTTP/1.1 302 no\r\nLocation: http://10.0.0.1/x\r\nContent-Length: 0\r\n\r\n"),
    "no address": saying(b"HTTP/1.1 302 no\r\nLocation: http://[::1/x\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("speak", MISFORTUNES.values(), ids=MISFORTUNES.keys())
def test_no_message_log_or_traceback_holds_a_key(speak, caplog):
    for name in [None, "urllib3", "urllib3.connectionpool", "requests", "web3", "web3.providers.HTTPProvider"]:
        caplog.set_level(logging.DEBUG, logger=name)
    with speaking(speak or (lambda connection: None)) as port:
        for use in uses(free_port() if speak is None else port):
            with pytest.raises(NumerbayChainError) as caught:
                use()
            told = [str(caught.value), caught.value.hint or "", "".join(traceback.format_exception(caught.value))]
            assert SECRET not in "".join(told).replace(f'SECRET = "{SECRET}"', "")
            assert f"127.0.0.1:{port if speak else ''}".rstrip(":") in told[0]
    assert SECRET not in caplog.text
    for record in caplog.records:
        assert SECRET not in str(record.__dict__)


def test_what_others_do_with_the_libraries_is_still_logged(caplog):
    import requests

    caplog.set_level(logging.DEBUG)
    with speaking(saying(OK)) as port:
        requests.get(f"http://127.0.0.1:{port}/theirs", timeout=5)
    assert "/theirs" in caplog.text
