"""What somebody honest lost in a run: a price for nothing, a key for nothing, or a payment that was not meant."""

from collections.abc import Iterator
from contextlib import suppress

from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.encoding import abi
from numerbay_chain.core.errors import NumerbayChainError
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE, open_envelope
from numerbay_chain.ipfs import Cid
from numerbay_chain.protocol.types import Settlement
from numerbay_chain.retrieval.key_sources import find_key
from tests.hostile.honest import HonestBuyer, HonestSeller
from tests.hostile.world import RIVAL, World
from tests.support.told import Told


def of_buyer(world: World, buyer: HonestBuyer) -> Iterator[str]:
    """A price paid for a round that the buyer neither has nor got back; an order that was not meant."""
    contract = world.contract
    held = [order.id for order in Told(contract).orders_by(world.address_of(buyer.number))]
    if extra := set(held) - set(buyer.bought):
        yield f"paid for orders that were not meant: {len(extra)}"
    for id in held:
        order = contract.order(id)
        next_round = contract.listing(order.listing).next_round
        for round in range(order.first, min(order.end, next_round)):
            if (id, round) in buyer.files:
                continue
            if contract.settled(id, round) is not Settlement.PAID_BACK and order.price:
                yield f"the price of round {round} of order {order}: no file and no money"


def of_seller(world: World, seller: HonestSeller) -> Iterator[str]:
    """A key that was shown to somebody who then had the money back; a price lost although all was done in time."""
    contract = world.contract
    answers = set(keys_shown(world, seller.number, "respond"))
    shown = answers | set(keys_shown(world, seller.number, "deliver", "releaseAndDeliver"))
    for listing_id in seller.listings:
        listing = contract.listing(listing_id)
        for event in Told(contract).events(["Bought"]):
            id, first = event["order"], event["first"]
            if id >> 32 != listing_id:
                continue
            order = contract.order(id)
            for round in range(first, min(first + event["rounds"], listing.next_round)):
                lost_money = not order.covers(round) or contract.settled(id, round) is Settlement.PAID_BACK
                missed = contract.is_missed(listing_id, round)
                if not (lost_money or missed):
                    continue
                # silence is a careless seller's own doing: what was handed out in good time is paid back by it
                if (id, round) in (answers if seller.careless and not missed else shown):
                    yield f"the key of round {round} of order {order} was shown, and its price paid back"
                elif not missed and not seller.careless and contract.settled(id, round) is Settlement.PAID_BACK:
                    yield f"the price of round {round} of order {order} was paid back over a challenge"


def sealed_to_the_wrong_one(world: World, seller: HonestSeller) -> Iterator[str]:
    """A key that the rival can open, of an order that is not the rival's."""
    pair = find_key(world.session(RIVAL, world.pinned), world.contract.current_key(world.address_of(RIVAL))[1])
    for listing in seller.listings:
        for delivery in [one for round in range(4) for one in Told(world.contract).deliveries(listing, round)]:
            release = Told(world.contract).release(listing, delivery.round)
            if release is None or not release.manifest:
                continue
            commitment = Manifest.decode(release.manifest).key_commitment
            size = delivery.count * ENVELOPE_SIZE
            records = world.pinned.read_bytes(Cid.of(delivery.digest, size), size)
            for start in range(0, size, ENVELOPE_SIZE):
                record = records[start : start + ENVELOPE_SIZE]
                order = world.contract.order(int.from_bytes(record[:8], "big"))
                if order.buyer == world.address_of(RIVAL):
                    continue
                context = seller.session().context(listing, delivery.round)
                with suppress(NumerbayChainError):
                    open_envelope(record, pair.reveal_private_key(), context, order.id, commitment)
                    yield f"the key of order {order} was sealed to the rival"


def keys_shown(world: World, number: int, *functions: str) -> Iterator[tuple[int, int]]:
    """The orders, with rounds, whose key stands in such calls that this person's node was given to broadcast."""
    named = {abi.selector(item): (name, item["inputs"]) for name, item in abi.functions().items()}
    for broadcast in world.broadcasts:
        if broadcast.sender != number:
            continue
        data = bytes(TypedTransaction.from_bytes(HexBytes(broadcast.raw)).as_dict()["data"])
        name, inputs = named.get(data[:4], ("", []))
        if name not in functions:
            continue
        names = [one["name"] for one in inputs]
        values = dict(zip(names, abi.decode(inputs, data[4:], "calldata"), strict=True))
        if name == "respond":
            yield values["order"], values["round"]
        else:
            for order in _sealed_to(world, values["digest"], values["count"]):
                yield order, values["round"]


def _sealed_to(world: World, digest: bytes, count: int) -> list[int]:
    size = count * ENVELOPE_SIZE
    try:
        records = world.pinned.read_bytes(Cid.of(digest, size), size)
    except NumerbayChainError:
        return []
    return [int.from_bytes(records[start : start + 8], "big") for start in range(0, size, ENVELOPE_SIZE)]
