"""One object that a gateway refuses to serve keeps nobody from the rest: older envelopes, and the key on chain."""

from collections.abc import Iterator

import pytest

from numerbay_chain.buyer import Buyer
from numerbay_chain.core.errors import NotFoundError, RefusedError
from numerbay_chain.ipfs import Cid, GatewayStore
from tests.support.adversary import CONTENT, Cheat, sold
from tests.support.codes import fails_with
from tests.support.gateways import HASTY, Request, serving
from tests.support.noise import noise
from tests.support.places import Place


class Gateway:
    """The place's store as a gateway that refuses some objects, in its own way."""

    def __init__(self, place: Place, status: int) -> None:
        self.place, self.status, self.refused = place, status, set[bytes]()

    def __call__(self, request: Request) -> None:
        cid = Cid.parse(request.cid)
        if cid.digest in self.refused:
            request.answer(b"no", self.status)
            return
        try:
            block = self.place.store.read_block(cid) if cid.codec == "raw" else b""
        except NotFoundError:
            request.answer(b"no", 404)
        else:
            request.answer(block, Content_Type="application/vnd.ipld.raw")


@pytest.fixture(params=[403, 451, 500, 502], ids=str)
def gateway(request: pytest.FixtureRequest, place: Place) -> Iterator[tuple[Gateway, str]]:
    behaviour = Gateway(place, request.param)
    with serving(behaviour) as server:
        yield behaviour, server.url


def test_the_older_envelope_opens_and_wrong_content_is_proven(
    place: Place, gateway: tuple[Gateway, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour, url = gateway

    def buyer() -> Buyer:
        return Buyer(place.session("buyer-1", 1, store=GatewayStore(url, HASTY)))

    cheat = Cheat(place.seller.session)
    listing, (order,) = sold(place)
    _, key = cheat.release_junk(listing, CONTENT, chunk=2)
    cheat.hand_out(key, [order])
    refused = noise(32)
    behaviour.refused.add(refused)
    cheat.post(listing, refused)
    with fails_with(RefusedError, "nothing-to-prove"):
        buyer().open_dispute(order)  # it sees the right key, in the older envelopes
    assert (buyer().judge(order).kind, buyer().judge(order).chunk) == ("wrong-content", 2)
    assert buyer().prove(order, publish_key=True).paid > 0
