"""The gas cases: each sets a scene and names the one transaction that is measured.

In every scene the listing is warm (another order is live, a round was released), the buyer has a key, receivers have
been paid before. Where an order ends early, another one ends at the same round: nothing is cleared, the dearest way.
"""

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, NamedTuple

from eth_utils import keccak

from tests.evm.accounts import Account
from tests.evm.contracts import Contract
from tests.evm.digests import VOUCHER_FIELDS, voucher_digest
from tests.evm.disputes import CHUNK, Dispute, Sealed, seal_one_of
from tests.evm.world import DETAILS, ETHER, HOUR, NO_PERMIT, NO_VOUCHER, TERMS_OF_USE, World, manifest
from tests.model.terms import TERMS

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


def _warm(orders: int = 1, **terms: Any) -> tuple[World, int]:
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
    return _buy(*_warm())


@case
def buy_eth_rounds_first() -> Transaction:
    return _buy(*_warm(), rounds=4)


@case
def buy_eth_rounds_next() -> Transaction:
    world, listing = _warm()
    world.buy(listing, by=world.friend, rounds=4)
    return _buy(world, listing, rounds=4)


@case
def buy_instant() -> Transaction:
    world, listing = _warm(instant=True)
    world.buy(listing, by=world.friend, out=True)
    return _buy(world, listing, out=True)


@case
def buy_voucher() -> Transaction:
    world, listing = _warm()
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
    return _warm(orders=1000)


def _release_deliver(world: World, listing: int) -> Transaction:
    return Transaction(world, world.seller, "releaseAndDeliver", (listing, 1, manifest(1), ENVELOPES, 1000))


@case
def release_deliver_1() -> Transaction:
    return _release_deliver(*_warm())


@case
def release_deliver_1000() -> Transaction:
    return _release_deliver(*_crowd())


@case
def release() -> Transaction:
    world, listing = _warm()
    return Transaction(world, world.seller, "release", (listing, 1, manifest(1)))


@case
def deliver() -> Transaction:
    world, listing = _warm()
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
    world, listing = _warm()
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
    world, listing = _warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    return Transaction(world, world.buyer, "cancel", (order,))


@case
def reclaim() -> Transaction:
    world, listing = _warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    world.market.cancel(order, sender=world.buyer)
    world.chain.advance(HOUR)
    return Transaction(world, world.buyer, "reclaim", (order,))


@case
def decline() -> Transaction:
    world, listing = _warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    world.release(listing)
    return Transaction(world, world.buyer, "decline", (order, 1))


@case
def refund() -> Transaction:
    world, listing = _warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    return Transaction(world, world.seller, "refund", (order,))


@case
def refund_round() -> Transaction:
    world, listing = _warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    world.release(listing)
    return Transaction(world, world.seller, "refundRound", (order, 1, world.bucket(listing)))


@case
def refund_missed() -> Transaction:
    world, listing = _warm()
    world.buy(listing, by=world.friend, rounds=4)
    order = world.buy(listing, rounds=4)
    world.market.skip(listing, 1, sender=world.seller)
    return Transaction(world, world.stranger, "refundMissed", (order, 1))


@case
def collect() -> Transaction:
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
    return Transaction(world, world.buyer, "collect", (token, world.buyer))


# ----------------------------------------------------------------------------------------------------------- disputes


def _dispute(content: Sealed | None = None, copies: bool = False, rounds: int = 1) -> Dispute:
    """An order for the round that is out, which can be challenged; others' money lies in the same pot."""
    world, listing = _warm(copies=copies)
    order = world.buy(listing, rounds=rounds)
    world.release(listing, content=content.manifest if content and not copies else None)
    if copies and content:
        world.market.deliverCopies(listing, 1, [order], [content.content_hash], sender=world.seller)
    world.chain.advance(HOUR)
    return Dispute(world, order, 1, content)


def _challenged(dispute: Dispute) -> Dispute:
    """Whatever goes into the challenge has a second of its own, so that another machine meets it in the same one."""
    dispute.challenge()
    dispute.world.chain.advance(60)
    return dispute


def _of_challenge(dispute: Dispute, sender: Account, function: str, *more: Any) -> Transaction:
    arguments = (dispute.order, dispute.round, dispute.state, *more)
    return Transaction(dispute.world, sender, function, arguments)


@cache
def _one_of_4_gib() -> Sealed:
    """A chunk of an artifact of 2^20 chunks: random bytes, as compressed files have, and not what was committed to."""
    random = Random(4)
    promised, published = random.randbytes(CHUNK), random.randbytes(CHUNK)
    return seal_one_of(2**20, 0b10110011100011110000, promised, 1, instead=published)


@case
def challenge() -> Transaction:
    dispute = _dispute()
    arguments = (dispute.order, dispute.round, dispute.bucket, dispute.key.x)
    return Transaction(dispute.world, dispute.world.buyer, "challenge", arguments)


@case
def respond() -> Transaction:
    dispute = _challenged(_dispute())
    return _of_challenge(dispute, dispute.world.seller, "respond", dispute.content.manifest, *dispute.sealed())


@case
def claim_timeout() -> Transaction:
    dispute = _challenged(_dispute())
    dispute.world.reach(dispute.answer_until + 1)
    return _of_challenge(dispute, dispute.world.buyer, "claimTimeout")


@case
def prove_wrong_key() -> Transaction:
    dispute = _challenged(_dispute())
    dispute.respond_wrongly()
    return _of_challenge(dispute, dispute.world.buyer, "proveWrongKey", dispute.key.secret)


@case
def settle_challenge() -> Transaction:
    dispute = _challenged(_dispute())
    dispute.respond()
    dispute.world.reach(dispute.proof_until + 1)
    return _of_challenge(dispute, dispute.world.seller, "settleChallenge")


@case
def prove_wrong_content_4kib() -> Transaction:
    dispute = _dispute(_one_of_4_gib())
    (index,) = dispute.content.chunks
    arguments = (dispute.listing, dispute.round, dispute.content.manifest, dispute.content.proof(index))
    return Transaction(dispute.world, dispute.world.buyer, "proveWrongContent", arguments)


@case
def prove_wrong_copy() -> Transaction:
    dispute = _dispute(_one_of_4_gib(), copies=True)
    (index,) = dispute.content.chunks
    proof = dispute.content.proof(index)
    arguments = (dispute.order, dispute.round, dispute.bucket, dispute.content.manifest, proof)
    return Transaction(dispute.world, dispute.world.buyer, "proveWrongCopy", arguments)


def _refund_faulty(rounds: int) -> Transaction:
    dispute = _dispute(_one_of_4_gib(), rounds=rounds)
    (index,) = dispute.content.chunks
    dispute.prove_content(index)
    arguments = (dispute.order, dispute.round, dispute.bucket)
    return Transaction(dispute.world, dispute.world.buyer, "refundFaulty", arguments)


@case
def refund_faulty() -> Transaction:
    return _refund_faulty(rounds=1)


@case
def refund_faulty_rounds() -> Transaction:
    return _refund_faulty(rounds=2)


# ----------------------------------------------------------------------------------------------------- terms and keys


@case
def create_listing() -> Transaction:
    world, _ = _warm()
    terms = TERMS_OF_USE | {"supply": 100, "firstDue": world.chain.now + 7 * 24 * HOUR, "period": 7 * 24 * HOUR}
    offer = (ETHER, True, DETAILS)
    arguments = (tuple(terms[term] for term in TERMS), offer, world.operator, world.payout)
    return Transaction(world, world.seller, "createListing", arguments)


@case
def change_offer() -> Transaction:
    world, listing = _warm()
    return Transaction(world, world.seller, "changeOffer", (listing, (2 * ETHER, True, DETAILS)))


@case
def register_key() -> Transaction:
    world, _ = _warm()
    return Transaction(world, world.stranger, "register", (keccak(text="a new key"), BACKUP))
