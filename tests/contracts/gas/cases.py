"""The gas cases: each sets a scene and names the one transaction that is measured.

In every scene the listing is warm (another order is live, a round was released), the buyer has a key, receivers have
been paid before. Where an order ends early, another one ends at the same round: nothing is cleared, the dearest way.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from eth_utils import keccak

from tests.support.evm.accounts import Account
from tests.support.evm.contracts import Contract
from tests.support.evm.digests import VOUCHER_FIELDS, voucher_digest
from tests.support.evm.world import DETAILS, ETHER, HOUR, NO_PERMIT, NO_VOUCHER, TERMS_OF_USE, World, manifest
from tests.support.model.terms import TERMS

BACKUP = keccak(text="an encrypted private key") * 2 + bytes(8)  # nonce, 32 bytes, tag
ENVELOPES = keccak(text="envelopes")


class Transaction(NamedTuple):
    """A call that has not been sent yet, in its scene."""

    world: World
    sender: Account
    function: str
    arguments: tuple[Any, ...]
    value: int = 0

    def data(self) -> bytes:
        return self.world.market.kind.functions[self.function].encode(*self.arguments)

    def gas(self) -> int:
        """gasUsed, on a chain that meets all storage cold."""
        world = self.world.settled()
        return int(getattr(world.market, self.function)(*self.arguments, sender=self.sender, value=self.value).gas_used)


CASES: dict[str, Callable[[], Transaction]] = {}


def case(scene: Callable[[], Transaction]) -> Callable[[], Transaction]:
    CASES[scene.__name__] = scene
    return scene


def measure(names: list[str] | None = None) -> dict[str, int]:
    """Case → gas."""
    return {name: CASES[name]().gas() for name in names or CASES}


def warm(orders: int = 1, **terms: Any) -> tuple[World, int]:
    """A listing whose round 0 is out, with one order for many rounds, and `orders` - 1 more for the next two."""
    world = World()
    listing = world.list(**terms)
    world.buy(listing, by=world.other, rounds=20)
    world.release(listing)
    world.chain.advance(2 * HOUR)
    for _ in range(orders - 1):
        world.buy(listing, by=world.friend, rounds=2)
    return world, listing


def _buy(world: World, listing: int, rounds: int = 1, out: bool = False) -> Transaction:
    return Transaction(world, world.buyer, "buy", (listing, 0, 1, out, rounds, world.buyer), ETHER * rounds)


# ------------------------------------------------------------------------------------------------------------- buying


@case
def buy_eth() -> Transaction:
    return _buy(*warm())


@case
def buy_eth_rounds_first() -> Transaction:
    return _buy(*warm(), rounds=4)


@case
def buy_eth_rounds_next() -> Transaction:
    world, listing = warm()
    world.buy(listing, by=world.friend, rounds=4)
    return _buy(world, listing, rounds=4)


@case
def buy_instant() -> Transaction:
    world, listing = warm(instant=True)
    world.buy(listing, by=world.friend, out=True)
    return _buy(world, listing, out=True)


@case
def buy_voucher() -> Transaction:
    world, listing = warm()
    voucher = world.voucher(listing, buyer=world.buyer.address)
    signature = world.seller.sign(voucher_digest(world.market, voucher))
    values = tuple(voucher[field] for field in VOUCHER_FIELDS)
    arguments = (listing, 0, 1, False, 1, world.buyer, NO_PERMIT, values, signature)
    return Transaction(world, world.buyer, "buyWith", arguments, voucher["price"])


def _token_listing() -> tuple[World, Contract, int]:
    world = World()
    token = world.deploy("StandardToken")
    listing = world.list(token=token)
    world.give(token, world.other)
    world.buy(listing, by=world.other, rounds=20)
    world.release(listing)
    world.chain.advance(2 * HOUR)
    token.mint(world.buyer, 100 * ETHER, sender=world.stranger)
    return world, token, listing


@case
def buy_erc20() -> Transaction:
    world, token, listing = _token_listing()
    token.approve(world.market, 50 * ETHER, sender=world.buyer)
    return Transaction(world, world.buyer, "buy", (listing, 0, 1, False, 1, world.buyer))


@case
def buy_permit() -> Transaction:
    world, token, listing = _token_listing()
    permit = world.permit(token, world.buyer, 50 * ETHER)
    arguments = (listing, 0, 1, False, 1, world.buyer, permit, NO_VOUCHER, b"")
    return Transaction(world, world.buyer, "buyWith", arguments)


# ----------------------------------------------------------------------------------------------------------- releases


@cache
def _crowd() -> tuple[World, int]:
    return warm(orders=1000)


def _release_deliver(world: World, listing: int) -> Transaction:
    return Transaction(world, world.seller, "releaseAndDeliver", (listing, 1, manifest(1), ENVELOPES, 1000))


@case
def release_deliver_1() -> Transaction:
    return _release_deliver(*warm())


@case
def release_deliver_1000() -> Transaction:
    return _release_deliver(*_crowd())


@case
def release() -> Transaction:
    world, listing = warm()
    return Transaction(world, world.seller, "release", (listing, 1, manifest(1)))


@case
def deliver() -> Transaction:
    world, listing = warm()
    return Transaction(world, world.seller, "deliver", (listing, 0, ENVELOPES, 1000))


@case
def deliver_copies_10() -> Transaction:
    world = World()
    listing = world.list(copies=True)
    orders = [world.buy(listing) for _ in range(10)]
    world.release(listing)
    hashes = [keccak(text=f"copy {order}") for order in orders]
    return Transaction(world, world.seller, "deliverCopies", (listing, 0, orders, hashes))


@case
def skip() -> Transaction:
    world, listing = warm()
    return Transaction(world, world.seller, "skip", (listing, 1))


# --------------------------------------------------------------------------------------------------------- settlement


def _withdraw(orders: int) -> Transaction:
    world = World()
    listing = world.list()
    for _ in range(orders):
        world.buy(listing, by=world.other, rounds=2)
    world.release(listing)
    bucket = world.bucket(listing)
    world.reach(world.market.maturityOf(listing, bucket))
    return Transaction(world, world.seller, "withdraw", (listing, [0], [bucket]))


@case
def withdraw_1() -> Transaction:
    return _withdraw(1)


@case
def withdraw_1000() -> Transaction:
    return _withdraw(1000)


@case
def cancel() -> Transaction:
    world, listing = warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    return Transaction(world, world.buyer, "cancel", (order,))


@case
def reclaim() -> Transaction:
    world, listing = warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    world.market.cancel(order, sender=world.buyer)
    world.chain.advance(HOUR)
    return Transaction(world, world.buyer, "reclaim", (order,))


@case
def decline() -> Transaction:
    world, listing = warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    world.release(listing)
    return Transaction(world, world.buyer, "decline", (order, 1))


@case
def refund() -> Transaction:
    world, listing = warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    return Transaction(world, world.seller, "refund", (order,))


@case
def refund_round() -> Transaction:
    world, listing = warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    world.release(listing)
    return Transaction(world, world.seller, "refundRound", (order, 1, world.bucket(listing)))


@case
def refund_missed() -> Transaction:
    world, listing = warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    world.market.skip(listing, 1, sender=world.seller)
    return Transaction(world, world.stranger, "refundMissed", (order, 1))


def _credited() -> tuple[World, Contract]:
    """`buyer` has a credit in a token that refused them before."""
    world = World()
    token = world.deploy("BlockingToken")
    listing = world.list(token=token)
    world.give(token, world.other)
    world.give(token, world.buyer)
    world.buy(listing, by=world.other, rounds=20)
    order = world.buy(listing, rounds=4)
    token.setRefusal(world.buyer, 1, sender=world.stranger)
    world.market.refund(order, sender=world.seller)
    token.setRefusal(world.buyer, 0, sender=world.stranger)
    return world, token


@case
def collect() -> Transaction:
    world, token = _credited()
    return Transaction(world, world.buyer, "collect", (token, world.buyer))


@case
def collect_for() -> Transaction:
    world, token = _credited()
    return Transaction(world, world.stranger, "collectFor", (world.buyer, token))


# ----------------------------------------------------------------------------------------------------- terms and keys


@case
def create_listing() -> Transaction:
    world, _ = warm()
    terms = TERMS_OF_USE | {"supply": 100, "firstDue": world.chain.now + 7 * 24 * HOUR, "period": 7 * 24 * HOUR}
    offer = (ETHER, True, DETAILS)
    arguments = (tuple(terms[term] for term in TERMS), offer, world.operator, world.payout)
    return Transaction(world, world.seller, "createListing", arguments)


@case
def change_offer() -> Transaction:
    world, listing = warm()
    return Transaction(world, world.seller, "changeOffer", (listing, (2 * ETHER, True, DETAILS)))


@case
def register_key() -> Transaction:
    world, _ = warm()
    return Transaction(world, world.stranger, "register", (keccak(text="a new key"), BACKUP))
