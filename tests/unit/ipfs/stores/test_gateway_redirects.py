"""Where a gateway leads: a few times on, and never off to somewhere else."""

import pytest

from numerbay_chain.core.errors import NetworkError
from numerbay_chain.ipfs import GatewayStore
from tests.support.codes import fails_with
from tests.support.gateways import HASTY, SMALL, serving, trustless


def test_redirects_are_followed_a_few_times():
    def behaviour(request):
        if request.path.startswith("/ipfs/"):
            request.redirect("/moved" + request.path)
        else:
            request.path = request.path.removeprefix("/moved")
            trustless(SMALL, request)

    with serving(behaviour) as server:
        assert GatewayStore(server.url, HASTY).read_bytes(SMALL.cid, SMALL.size) == SMALL.content


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/x", "file:///etc/hostname", "http://[", "javascript:1"])
def test_a_redirect_to_something_else_is_refused(target):
    with serving(lambda request: request.redirect(target)) as server, fails_with(NetworkError, "bad-redirect"):
        GatewayStore(server.url, HASTY).read_bytes(SMALL.cid, SMALL.size)


def test_the_body_of_a_redirect_is_not_read():
    def behaviour(request):
        if request.path.startswith("/ipfs/"):
            request.answer_endlessly(302, Location="/moved" + request.path)
        else:
            request.path = request.path.removeprefix("/moved")
            trustless(SMALL, request)

    with serving(behaviour) as server:
        assert GatewayStore(server.url, HASTY).read_bytes(SMALL.cid, SMALL.size) == SMALL.content


def test_redirects_without_an_end_are_left():
    with serving(lambda request: request.redirect(request.path)) as server:
        with fails_with(NetworkError, "bad-redirect", 5):
            GatewayStore(server.url, HASTY).read_bytes(SMALL.cid, SMALL.size)
        assert len(server.log.paths) <= 3 * 6


@pytest.mark.parametrize("target", ["http://gateway.example/x", "http://127.0.0.1:5001/x", "https://localhost/x"])
def test_a_remote_gateway_leads_neither_off_https_nor_into_this_machine(target):
    # Only how it is decided: a certificate that this machine trusts is not available for a test.
    with fails_with(NetworkError, "unsafe-address"):
        GatewayStore("https://gateway.example", HASTY)._redirect("https://gateway.example/ipfs/x", target)
