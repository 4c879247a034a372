"""The gas cases of disputes: each sets a scene and names the one transaction that is measured."""

from functools import cache
from random import Random
from typing import Any

from tests.contracts.gas.cases import Transaction, case, warm
from tests.support.evm.accounts import Account
from tests.support.evm.disputes import CHUNK, Dispute, Sealed, seal_one_of
from tests.support.evm.world import HOUR


def _dispute(content: Sealed | None = None, copies: bool = False, rounds: int = 1) -> Dispute:
    """An order for the round that is out, which can be challenged; others' money lies in the same pot."""
    world, listing = warm(copies=copies)
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
