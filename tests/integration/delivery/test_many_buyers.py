"""What it takes a seller to serve a crowd: few requests, one transaction, and everybody has a key."""

from pathlib import Path

from numerbay_chain.chain.encoding import abi, calls
from numerbay_chain.core.hashing import keccak
from numerbay_chain.core.home import keyfile
from numerbay_chain.ipfs import EmbeddedStore
from tests.support.evm.inside import InsideChain
from tests.support.places import PRICE, Place
from tests.unit.chain.test_batches import CountingTransport, connected

CROWD = 1_000


class CountedChain(InsideChain):
    """A chain whose node counts what it is asked."""

    transport: CountingTransport

    def __init__(self) -> None:
        super().__init__()
        self.connection, self.transport = connected(self.node.request)


def buy_for(place: Place, chain: CountedChain, listing: int, count: int) -> None:
    """Accounts with a key each, that buy the next round."""
    for number in range(count):
        owner = "0x" + keccak(f"member {number} of the crowd".encode())[12:].hex()
        chain.node.fund(owner, 2 * PRICE)  # gas is paid
        register = calls.register(public_key=keyfile.generate().public_key, backup=b"")
        chain.node.pretend(owner, place.contract.address, abi.encode_call(register))
        buy = calls.buy(
            listing=listing, version=0, next_round=0, out=False, rounds=1, recipient=owner, value=PRICE
        )  # fmt: skip
        chain.node.pretend(owner, place.contract.address, abi.encode_call(buy), PRICE)


def test_keys_for_a_thousand_buyers_take_sixty_requests_and_one_transaction(tmp_path: Path) -> None:
    chain = CountedChain()
    place = Place.found(tmp_path, chain, EmbeddedStore(tmp_path / "store"))
    listing = place.seller.create_listing(PRICE, decline_window=600).id
    buy_for(place, chain, listing, CROWD - 1)
    order = place.buyer().buy(listing).order.id
    assert place.seller.deliver(place.file(), listing).state == "waiting"
    chain.advance(601)

    chain.transport.seen.clear()
    (served,) = place.seller.serve(listing).rounds

    asked = [one for one in chain.transport.seen if one != "eth_getTransactionReceipt"]
    assert (len(served.newly_posted), served.envelopes) == (CROWD, CROWD)
    assert asked.count("eth_sendRawTransaction") == 1
    assert chain.transport.batches == []
    assert len(asked) <= 60, asked
    assert place.buyer().fetch(order, path=place.output()).size == 24
    chain.transport.seen.clear()
    assert place.seller.serve(listing).rounds == ()
    assert len(chain.transport.seen) <= 10
