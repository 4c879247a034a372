"""The chain takes blocks back: agents wait for finality, and go on with the same transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.local.devnet import Devnet, advance, request
from numerbay_chain.core.errors import NumerbayChainError, RefusedError
from numerbay_chain.core.progress import silent
from numerbay_chain.delivery import deliver as delivery
from numerbay_chain.delivery.options import Choices, DeliveryRequest, ServeRequest
from numerbay_chain.delivery.results import Delivered
from numerbay_chain.ipfs import EmbeddedStore
from tests.support.codes import fails_with
from tests.support.places import PRICE, Place
from tests.support.plugins.toolchain import anvil_binary, require
from tests.support.rehearsals import Visit
from tests.support.told import Told

WINDOW = 600
FINAL = 70  # blocks that make one before them final: anvil calls the one so that is 64 blocks deep


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet(binary=str(require("anvil", anvil_binary()))) as running:
        yield running


@pytest.mark.anvil
class TestBlocksThatAreTakenBack:
    """A real node really takes them back, on a chain where a block is final after twelve more."""

    @pytest.fixture
    def public(self, devnet: Devnet, tmp_path: Path) -> Place:
        place = Place.found(tmp_path, Visit(devnet.rpc, public=True), EmbeddedStore(tmp_path / "store"))
        place.buyer(1), place.buyer(2)
        mine(devnet)
        return place

    def test_a_purchase_that_vanished_is_made_again_with_the_same_transaction(
        self, devnet: Devnet, public: Place
    ) -> None:
        listing = public.seller.create_listing(PRICE)
        buyer = public.buyer()
        with taken_back(devnet):
            bought = buyer.buy(listing.id, young_listing=True)
        assert Told(public.contract).orders_by(buyer.session.account) == []

        again = buyer.buy(listing.id, young_listing=True)
        assert (again.order.id, again.resumed) == (bought.order.id, True)
        assert again.receipt.transaction == bought.receipt.transaction
        assert public.contract.holdings(again.token.address) == PRICE
        with fails_with(RefusedError, "already-bought"):
            buyer.buy(listing.id, young_listing=True)
        assert len(Told(public.contract).orders_by(buyer.session.account)) == 1

    def test_a_release_that_vanished_is_the_same_release_again_and_its_key_waits(
        self, devnet: Devnet, public: Place
    ) -> None:
        listing = public.seller.create_listing(PRICE, decline_window=WINDOW)
        order = public.buyer().buy(listing.id, young_listing=True).order
        mine(devnet)
        with taken_back(devnet):
            first = deliver(public, listing.id)
        assert public.contract.listing(listing.id).next_round == 0

        again = deliver(public, listing.id)
        assert (again.resumed, again.content_hash) == (True, first.content_hash)
        assert first.release is not None
        assert [release.transaction for release in Told(public.contract).releases(listing.id)] == [
            first.release.transaction
        ]
        advance(devnet.connection, WINDOW + 1)
        waiting = deliver(public, listing.id)
        assert (waiting.state, waiting.newly_posted) == ("waiting", ())
        assert waiting.waiting_for is not None
        assert waiting.waiting_for.code == "not-final"
        assert Told(public.contract).deliveries(listing.id, 0) == [], "a release that can vanish gives no key away"

        mine(devnet)
        assert deliver(public, listing.id).newly_posted == (order.id,)
        assert len(Told(public.contract).deliveries(listing.id, 0)) == 1
        assert public.buyer().verify(order.id).problems == ()

    def test_envelopes_that_vanished_are_posted_again_and_hold_no_other_key(
        self, devnet: Devnet, public: Place
    ) -> None:
        listing = public.seller.create_listing(PRICE, decline_window=WINDOW)
        order = public.buyer().buy(listing.id, young_listing=True).order
        mine(devnet)
        deliver(public, listing.id)
        advance(devnet.connection, WINDOW + 1)
        mine(devnet)
        with taken_back(devnet):
            serve(public, listing.id)
            (before,) = Told(public.contract).deliveries(listing.id, 0)
        assert Told(public.contract).deliveries(listing.id, 0) == []

        serve(public, listing.id)
        (after,) = Told(public.contract).deliveries(listing.id, 0)
        assert (after.digest, after.count) == (before.digest, 1)
        assert public.buyer().verify(order.id).problems == ()

    def test_an_order_that_vanished_never_had_a_key(self, devnet: Devnet, public: Place) -> None:
        listing = public.seller.create_listing(PRICE)
        kept, cheat = public.buyer(1).buy(listing.id, young_listing=True).order, public.buyer(2)
        mine(devnet)
        with taken_back(devnet):
            young = cheat.buy(listing.id, young_listing=True).order
            delivered = deliver(public, listing.id)
            assert delivered.newly_posted == (kept.id,)
            assert [left.order for left in delivered.left] == [young.id]
            assert delivered.left[0].code == "too-early"
            (shown,) = Told(public.contract).deliveries(listing.id, 0)
        # their nonce is used for something else
        cheat.session.sending.sender.send(calls.register(public_key=b"\x33" * 32))

        assert public.contract.listing(listing.id).next_round == 0
        with fails_with(RefusedError, "same-file", 0):
            deliver(public, listing.id)
        assert [release.round for release in Told(public.contract).releases(listing.id)] == [0], "it is out again"
        mine(devnet)
        serve(public, listing.id)
        (posted,) = Told(public.contract).deliveries(listing.id, 0)
        assert (posted.digest, posted.count) == (shown.digest, 1)
        assert [order.id for order in Told(public.contract).orders_of(listing.id)] == [kept.id]
        with pytest.raises(NumerbayChainError):
            cheat.fetch(young.id, path=public.output())
        assert public.buyer(1).verify(kept.id).problems == ()


@contextmanager
def taken_back(devnet: Devnet) -> Iterator[None]:
    """The blocks that are made meanwhile leave the chain, and the node forgets their transactions. As many empty ones
    take their place: a chain that won is not shorter."""
    before = request(devnet.connection, "evm_snapshot")
    yield
    height = devnet.connection.block_number()
    assert request(devnet.connection, "evm_revert", before) is True
    mine(devnet, height - devnet.connection.block_number())


def mine(devnet: Devnet, blocks: int = FINAL) -> None:
    request(devnet.connection, "anvil_mine", hex(blocks))


def choices(place: Place) -> Choices:
    """Those of a public chain, but for the second way: that is a gateway on another machine."""
    return Choices(place.seller.session.finality(), None, False, silent)


def deliver(place: Place, listing: int) -> Delivered:
    path = place.folder / "predictions.csv"
    if not path.exists():
        place.file()
    return delivery.deliver(place.seller.session, DeliveryRequest(path, listing), choices(place))


def serve(place: Place, listing: int) -> None:
    delivery.serve(place.seller.session, ServeRequest(listing), choices(place))
