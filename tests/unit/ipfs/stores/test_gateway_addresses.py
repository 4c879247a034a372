"""A gateway leads to the public internet alone, or stays where the user put it; it gets nobody else's password."""

import base64
import hashlib
import socket

import pytest

from numerbay_chain.core.errors import NetworkError
from numerbay_chain.core.network.retry import LONGEST_PAUSE
from numerbay_chain.ipfs import Cid, GatewayStore
from tests.support.gateways import HASTY, serving

BLOCK = b"block"
CID = Cid.raw(hashlib.sha256(BLOCK).digest())

SPELLINGS = [
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "x.localhost", "0.0.0.0", "0", "127.1", "2130706433",  # noqa: S104  # nothing is bound
    "0x7f000001", "0177.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "[::127.0.0.1]", "%31%32%37.0.0.1",
]  # fmt: skip
PRIVATE = [
    "10.0.0.1", "192.168.0.1", "172.16.3.4", "169.254.169.254", "0xa9fea9fe", "100.64.1.1", "224.0.0.1", "240.0.0.1",
    "[fe80::1]", "[fd00:ec2::254]", "[ff02::1]", "[64:ff9b::a00:1]", "168.63.129.16", "255.255.255.255",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


class Internet:
    """Names that stand for servers of this machine, as if they were elsewhere: name → what it leads to, in turn."""

    def __init__(self, monkeypatch, **names):
        self.names = {name.replace("_", "."): list(addresses) for name, addresses in names.items()}
        self.asked = []
        self._resolve = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.resolve)
        self._connect = socket.socket.connect
        internet = self

        def connect(sock, place):
            internet.asked.append(place[0])
            # what is public here is a server of the test's
            return internet._connect(sock, ("127.0.0.1", place[1]) if place[0].startswith("93.") else place)

        monkeypatch.setattr("numerbay_chain.core.network.bounds.BoundedSocket.connect", connect, raising=False)

    def resolve(self, host, port, *more, **named):
        if host in self.names:
            addresses = self.names[host]
            host = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return self._resolve(host, port, *more, **named)


def answering(request):
    request.answer(BLOCK, Content_Type="application/vnd.ipld.raw")


@pytest.mark.parametrize("host", [*SPELLINGS, *PRIVATE])
def test_a_gateway_elsewhere_leads_neither_into_this_machine_nor_into_a_private_network(host, monkeypatch):
    with serving(answering) as inner:
        target = f"http://{host}:{inner.url.rpartition(':')[2]}/admin"
        with serving(lambda request: request.redirect(target)) as outer:
            internet = Internet(monkeypatch, gateway_example=["93.184.216.34"])
            store = GatewayStore(f"http://gateway.example:{outer.url.rpartition(':')[2]}", HASTY)
            with pytest.raises(NetworkError) as caught:
                store.read_block(CID)
            assert outer.log.paths
            assert inner.log.paths == []
            assert set(internet.asked) == {"93.184.216.34"}
    if "%" not in host:  # which is a name, and leads nowhere
        assert caught.value.code == "unsafe-address"


@pytest.mark.parametrize("leads_to", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_a_name_that_leads_into_this_machine_is_refused_at_the_address_that_would_be_connected_to(
    leads_to, monkeypatch
):
    with serving(answering) as inner:
        target = f"http://inner.example:{inner.url.rpartition(':')[2]}/admin"
        with serving(lambda request: request.redirect(target)) as outer:
            internet = Internet(monkeypatch, gateway_example=["93.184.216.34"], inner_example=[leads_to])
            store = GatewayStore(f"http://gateway.example:{outer.url.rpartition(':')[2]}", HASTY)
            with pytest.raises(NetworkError) as caught:
                store.read_block(CID)
            assert inner.log.paths == []
            assert leads_to not in internet.asked
    assert caught.value.code == "unsafe-address"


def test_a_name_that_is_bound_anew_between_two_connections_is_refused(monkeypatch):
    """First it leads to the gateway, then into this machine: each connection goes to the address that was looked at."""

    def behaviour(request):
        request.close_connection = True
        answering(request)

    with serving(behaviour) as server:
        internet = Internet(monkeypatch, gateway_example=["93.184.216.34", "127.0.0.1"])
        store = GatewayStore(f"http://gateway.example:{server.url.rpartition(':')[2]}", HASTY)
        store._remembered = 0
        assert store.read_block(CID) == BLOCK
        assert len(server.log.paths) == 1
        store._recent.clear()
        store._session.close()
        with pytest.raises(NetworkError) as caught:
            store.read_block(CID)
        assert caught.value.code == "unsafe-address"
        assert len(server.log.paths) == 1
    assert internet.asked == ["93.184.216.34"]


def test_a_redirect_to_another_public_host_is_followed_without_the_password(monkeypatch):
    seen = []

    def behaviour(request):
        seen.append((request.headers["Host"].partition(":")[0], request.headers.get("Authorization")))
        if seen[-1][0] == "other.example":
            request.answer(BLOCK, Content_Type="application/vnd.ipld.raw", Set_Cookie="a=b")
        elif len(seen) == 1:
            request.redirect(f"http://GATEWAY.example:{port}/moved")
        else:
            request.redirect(f"http://intruder:pw@other.example:{port}/moved")

    with serving(behaviour) as server:
        port = server.url.rpartition(":")[2]
        Internet(monkeypatch, gateway_example=["93.184.216.34"], other_example=["93.184.216.35"])
        store = GatewayStore(f"http://me:secret@gateway.example:{port}", HASTY)
        assert store.read_block(CID) == BLOCK
    own = "Basic " + base64.b64encode(b"me:secret").decode()
    assert seen == [("gateway.example", own), ("gateway.example", own), ("other.example", None)]
    assert len(store._session.cookies) == 0


def test_no_password_is_taken_from_a_file_of_the_users(tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    seen = []

    def behaviour(request):
        seen.append((request.headers.get("Authorization"), request.headers.get("Cookie")))
        request.answer(BLOCK, Content_Type="application/vnd.ipld.raw", Set_Cookie="a=b")

    with serving(behaviour) as server:
        store = GatewayStore(server.url, HASTY)
        for _ in range(2):
            store._recent.clear()
            assert store.read_block(CID) == BLOCK
    assert seen == [(None, None)] * 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "127.1", "0.0.0.0"])  # noqa: S104  # nothing is bound
def test_a_gateway_on_this_machine_that_the_user_named_is_asked_but_leads_nowhere_else(host):
    with serving(answering) as inner:

        def behaviour(request):
            if request.path.startswith("/ipfs/") and "moved" not in request.path:
                request.redirect(request.path + "&moved")
            elif "leave" in request.path:
                request.redirect(f"{inner.url}/admin")
            else:
                answering(request)

        with serving(behaviour) as outer:
            port = outer.url.rpartition(":")[2]
            assert GatewayStore(f"http://{host}:{port}", HASTY).read_block(CID) == BLOCK
            with pytest.raises(NetworkError) as caught:
                GatewayStore(f"http://{host}:{port}/leave", HASTY).read_block(CID)
        assert caught.value.code == "unsafe-address"
        assert inner.log.paths == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "inner.example", "[::ffff:10.0.0.1]"])
def test_a_proxy_is_not_asked_for_an_address_that_is_refused(host, monkeypatch):
    asked = []

    def proxy(request):
        asked.append(request.path)
        request.redirect(f"http://{host}:8080/admin")

    with serving(proxy) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        Internet(monkeypatch, inner_example=["192.168.1.1"])
        with pytest.raises(NetworkError) as caught:
            GatewayStore("http://gateway.example", HASTY).read_block(CID)
    assert caught.value.code == "unsafe-address"
    assert len(asked) == 1
    assert asked[0].startswith("http://gateway.example/ipfs/")


def test_the_longest_pause_is_short():
    assert LONGEST_PAUSE <= 10
