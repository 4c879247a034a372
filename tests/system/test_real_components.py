"""The same journey over a real anvil and a real Kubo daemon with its gateway, and processes that really die."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.local.devnet import Devnet
from numerbay_chain.core.errors import NotFoundError, RefusedError
from numerbay_chain.ipfs import EmbeddedStore, GatewayStore, KuboStore
from numerbay_chain.seller import Seller
from tests.support.dying import KilledError, death
from tests.support.noise import noise
from tests.support.places import PRICE, Place
from tests.support.plugins.toolchain import ROOT, Kubo, anvil_binary, kubo, require
from tests.support.told import Told

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet(binary=str(require("anvil", anvil_binary()))) as running:
        yield running


@pytest.fixture(scope="module")
def daemon() -> Iterator[Kubo]:
    with kubo() as running:
        yield running


@pytest.mark.kubo
def test_a_file_goes_through_kubo_and_comes_back_through_its_gateway(
    devnet: Devnet, daemon: Kubo, tmp_path: Path
) -> None:
    place = Place.found(tmp_path, devnet, KuboStore(daemon.rpc_url))
    content = noise(3 << 20)
    listing = place.seller.create_listing(PRICE, name="three blocks")
    order = place.buyer().buy(listing.id).order
    elsewhere = Place(tmp_path, devnet, place.contract, EmbeddedStore(tmp_path / "empty"))
    path = place.file(content=content)
    with pytest.raises(RefusedError) as refused:
        place.seller.deliver(path, listing.id, read_back=f"embedded:{tmp_path / 'empty'}")
    assert refused.value.code == "not-read-back"
    delivered = place.seller.deliver(path, listing.id, read_back=f"gateway:{daemon.gateway_url}")
    assert delivered.resumed
    with pytest.raises(NotFoundError):
        elsewhere.buyer().fetch(order.id, path=place.output())
    reader = Buyer(place.session("buyer-1", 1, GatewayStore(daemon.gateway_url)))
    assert reader.verify(order.id).problems == ()
    assert reader.fetch(order.id, path=place.output()).sha256 == delivered.sha256
    assert place.output().read_bytes() == content
    pins = daemon.run("pin", "ls", "--type=recursive").decode()
    assert str(delivered.cid) in pins
    assert str(delivered.ciphertext_cid) in pins
    devnet.advance(3 * 86_400)
    assert place.seller.withdraw(listing.id).amount == PRICE
    assert place.auditor.audit(content=True).ok


def test_a_payment_that_is_not_mined_yet_is_waited_for_and_not_repeated(tmp_path: Path) -> None:
    with Devnet(binary=str(require("anvil", anvil_binary())), block_time=2) as slow:
        place = Place.found(tmp_path, slow, EmbeddedStore(tmp_path / "store"))
        listing = place.seller.create_listing(PRICE)
        buyer = place.buyer()
        with pytest.raises(KilledError), death([(Connection, "send_raw")], 1, after=True):
            buyer.buy(listing.id, rounds=2)
        assert place.contract.listing(listing.id).orders == 0, "it is on its way"
        purchase = buyer.buy(listing.id, rounds=2)
        assert purchase.resumed
        assert [view.id for view in buyer.orders()] == [purchase.id]
        assert place.contract.holdings("0x" + 40 * "0") == 2 * PRICE


PROGRAM = """
import os, sys
from pathlib import Path
from numerbay_chain.chain import connection
from numerbay_chain.core.files import journal
from numerbay_chain.seller import Seller
from numerbay_chain.buyer import Buyer

where, when, role, subject = sys.argv[1:5]
owner, name = {"save": (journal.Entry, "save"), "remove": (journal.Entry, "remove"),
               "send": (connection.Connection, "send_raw")}[where]
original, passed = getattr(owner, name), 0

def dying(*arguments, **named):
    global passed
    passed += 1
    result = None
    if when.startswith("after"):
        result = original(*arguments, **named)
    if passed == int(when.split("-")[1]):
        os._exit(9)
    return original(*arguments, **named) if not when.startswith("after") else result

setattr(owner, name, dying)
if role == "seller":
    Seller.connect("seller").deliver(subject, 1)
else:
    Buyer.connect("buyer").buy(1, rounds=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "when"),
    [("save", "before-1"), ("save", "after-3"), ("send", "before-1"), ("send", "after-1"), ("remove", "before-1")],
)
def test_a_process_that_dies_leaves_nothing_undone_and_nothing_done_twice(
    devnet: Devnet, tmp_path: Path, where: str, when: str
) -> None:
    place = Place.found(tmp_path, devnet, EmbeddedStore(tmp_path / "store"))
    home = place.buyer().session.home
    for name, account in (("seller", "dev:0"), ("buyer", "dev:1")):
        settings = {"rpc": devnet.rpc, "contract": place.contract.address, "account": account}
        home.save_profile(name, {**settings, "store": f"embedded:{tmp_path / 'store'}"})
    place.seller.create_listing(PRICE)
    path = place.file()
    environment = {**os.environ, "NUMERBAY_CHAIN_HOME": str(home.path), "PYTHONPATH": str(ROOT)}

    def run(role: str) -> int:
        command = [sys.executable, "-c", PROGRAM, where, when, role, str(path)]
        return subprocess.run(command, env=environment, timeout=120, check=False, capture_output=True).returncode

    buyer_when = when if where != "save" else "before-1"
    if when == buyer_when:
        assert run("buyer") == 9
    again = Buyer.connect("buyer", home=home.path)
    again.buy(1, rounds=2)
    assert len(again.orders()) == 1
    assert place.contract.holdings("0x" + 40 * "0") == 2 * PRICE
    assert run("seller") == 9
    seller = Seller.connect("seller", home=home.path)
    outcome = seller.deliver(path, 1)
    assert outcome.state == "delivered"
    names = [event.name for event in Told(place.contract).events(["Released", "Delivered"])]
    assert names == ["Released", "Delivered"]
    assert again.fetch(again.orders()[0].id, path=place.output()).sha256 == outcome.sha256
