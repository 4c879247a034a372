"""Off a development chain, a purchase is bound to the seller and the terms: a reorganization can give a listing's
number to another one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from numerbay_chain import Buyer, Seller
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.local.devnet import Devnet, request
from numerbay_chain.ipfs import EmbeddedStore
from tests.support.chains.disagreeing import left_out, word_altered
from tests.support.chains.proxy import Answer, Mischief, Proxy, Request, honest
from tests.support.codes import failure
from tests.support.places import PRICE, Place
from tests.support.rehearsals import Visit

pytestmark = pytest.mark.anvil
FINAL = 70  # blocks: anvil calls the one final that is 64 blocks deep


@pytest.fixture
def node(devnet: Devnet) -> Iterator[Proxy]:
    with Proxy(devnet.rpc).running() as proxy:
        yield proxy


@pytest.fixture
def public(devnet: Devnet, node: Proxy, tmp_path: Path) -> Place:
    place = Place.found(tmp_path, Visit(node.url, public=True), EmbeddedStore(tmp_path / "store"))
    place.buyer(1), place.buyer(2)
    request(devnet.connection, "anvil_mine", hex(FINAL))
    return place


def from_the(number: int, mischief: Mischief) -> Mischief:
    """The first questions of that kind are answered truly."""
    seen = 0

    def late(asked: Request, node: Callable[[Request], Answer]) -> Answer:
        nonlocal seen
        answer, altered = node(asked), mischief(asked, node)
        seen += answer != altered
        return altered if seen >= number else answer

    return late


def test_a_young_listing_is_bought_only_by_who_says_so(devnet: Devnet, public: Place) -> None:
    listing = public.seller.create_listing(PRICE).id
    buyer = public.buyer(1)
    assert "about 20m" in str(failure(lambda: buyer.quote(listing), "too-early"))
    failure(lambda: buyer.buy(listing), "too-early")
    assert public.contract.listing(listing).orders == 0
    assert buyer.buy(listing, young_listing=True).order.listing == listing
    request(devnet.connection, "anvil_mine", hex(FINAL))
    assert public.buyer(2).buy(listing).order.listing == listing


def test_another_seller_under_the_same_number_is_not_paid(devnet: Devnet, public: Place) -> None:
    """The chain turned around between the question and the purchase."""
    before = request(devnet.connection, "evm_snapshot")
    listing = public.seller.create_listing(PRICE).id
    buyer = public.buyer(1)
    quote = buyer.quote(listing, young_listing=True)
    assert request(devnet.connection, "evm_revert", before) is True
    request(devnet.connection, "anvil_mine", hex(3))  # the longer chain wins
    other = Seller(public.session("other", 3))
    assert other.create_listing(PRICE).id == listing
    held = public.balance(1)
    message = failure(lambda: buyer.buy(listing, quote=quote, young_listing=True), "terms-changed")
    assert "seller changed" in str(message)
    assert public.balance(1) == held


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize("word", [0, 3, 5])
def test_what_changes_right_before_the_purchase_is_signed_stops_it(
    devnet: Devnet, public: Place, node: Proxy, word: int, checked: bool
) -> None:
    """Seller, a field of the terms, another: as of the last look, which is the second one where content was checked
    between the two."""
    listing = public.seller.create_listing(PRICE, instant=True).id
    if checked:
        contract = MarketplaceContract(devnet.connection, public.contract.address)
        replace(public, chain=devnet, contract=contract).seller.deliver(public.file(), listing)
    request(devnet.connection, "anvil_mine", hex(FINAL))
    buyer = public.buyer(1)
    quote = buyer.quote(listing)
    held = public.balance(1)
    node.mischief = from_the(2 if checked else 1, word_altered("getListing", word))
    try:
        failure(lambda: buyer.buy(listing, quote=quote), "terms-changed")
    finally:
        node.mischief = honest
    assert public.balance(1) == held
    assert buyer.buy(listing, quote=quote).order.listing == listing


@pytest.mark.parametrize("mischief", [left_out("ListingCreated"), word_altered("getListing")])
def test_a_node_whose_logs_tell_of_no_such_seller_is_not_believed(
    devnet: Devnet, public: Place, node: Proxy, mischief: Mischief
) -> None:
    listing = public.seller.create_listing(PRICE).id
    request(devnet.connection, "anvil_mine", hex(FINAL))
    buyer = public.buyer(1)
    node.mischief = mischief
    try:
        failure(lambda: buyer.quote(listing), "node-incomplete")
    finally:
        node.mischief = honest


def test_with_one_node_it_is_said_once_that_it_is_believed(devnet: Devnet, public: Place) -> None:
    listing = public.seller.create_listing(PRICE).id
    request(devnet.connection, "anvil_mine", hex(FINAL))
    buyer: Buyer = public.buyer(1)
    public.told.clear()
    buyer.buy(listing)
    buyer.buy(listing, again=True)
    assert public.noted.count("one-node") == 1
