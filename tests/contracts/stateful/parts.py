"""Facts of a part of a history are those of the whole, whatever was asked for and however it came."""

from dataclasses import replace
from random import Random

from numerbay_chain.index.questions import (
    DISPUTES,
    ROUNDS,
    SALES,
    envelopes_in,
    read_about,
    read_disputes,
    read_keys,
    read_listings,
    read_orders,
    read_purchases,
    read_release,
    read_rounds,
)
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.facts import Facts, OrderFacts
from numerbay_chain.protocol.ledger import Ledger
from numerbay_chain.protocol.replay import replay
from tests.support.recorded import Recorded

OF_ROUNDS = (*ROUNDS, "RoundFaulty", "Delivered", "Withdrawn")
OF_ORDERS_ROUNDS = (*DISPUTES, "CopyDelivered", "CopyFaulty", "RoundRefunded", "MissedRefunded")
OF_LISTINGS = (*OF_ROUNDS, "ListingCreated", "OfferChanged", "OperatorChanged", "PayoutChanged")
OF_ORDERS = (*SALES, *OF_ORDERS_ROUNDS)
TABLES = ("listings", "orders", "keys", "voucher_uses", "revoked")


def check_parts(history: list[Event], whole: Ledger, keys_before: dict[tuple[str, int], bytes], chance: Random) -> None:
    """`keys_before`: those that were registered before the history begins."""
    _check_batches(history, whole, keys_before, chance)
    source = Recorded(history)
    listings = chance.sample(sorted(whole.books), min(2, len(whole.books)))
    orders = chance.sample(sorted(whole.orders), min(3, len(whole.orders)))
    _check_subjects(source, whole, listings, orders)
    _check_rounds(source, whole, orders, chance)
    _check_people(source, whole, orders, keys_before)


def _check_batches(history: list[Event], whole: Ledger, before: dict[tuple[str, int], bytes], chance: Random) -> None:
    """One by one, as `whole` was told, at once, and in two pieces."""
    cut = chance.randint(0, len(history))
    for batches in ([history], [history[:cut], history[cut:]]):
        facts, ledger = Facts(keys=dict(before)), Ledger(keys=dict(before))
        for batch in batches:
            replay(batch, facts)
            replay(batch, ledger)
        assert all(getattr(facts, table) == getattr(whole, table) for table in TABLES)
        sums = [{**vars(one), "by_token": None} for one in (ledger, whole)]
        for one in sums:
            one["books"] = {id: (book.next_round, book.last_turn, book.pots) for id, book in one["books"].items()}
        assert sums[0] == sums[1]


def _check_subjects(source: Recorded, whole: Ledger, listings: list[int], orders: list[int]) -> None:
    """Listings and orders, asked for in one question each, together, and one by one."""
    subjects, names = [*listings, *orders], (*OF_LISTINGS, *OF_ORDERS)
    together = read_about(source, subjects, names)
    assert len(source.asked) == 1 or not subjects
    for id in listings:
        assert together.listings[id] == whole.listings[id] == read_about(source, [id], OF_LISTINGS).listing(id)
    for id in orders:
        expected = replace(whole.orders[id], voucher=None)  # vouchers are asked for by their digest
        assert together.orders[id] == expected == read_about(source, [id], OF_ORDERS).order(id)
    assert together.listings.keys() == {*listings}
    assert together.orders.keys() == {*orders}
    standing = read_orders(source, orders)
    assert [standing.order(id).sold for id in orders] == [whole.orders[id].sold for id in orders]


def _check_rounds(source: Recorded, whole: Ledger, orders: list[int], chance: Random) -> None:
    for id in orders:
        listing, sale = whole.listings[id >> 32], whole.orders[id]
        round = chance.choice([*sale.rounds, *listing.releases, 0])
        facts = read_about(source, [listing.id, id], (*OF_ORDERS_ROUNDS, *OF_ROUNDS), round=round)
        assert facts.order(id).at(round) == sale.at(round)
        assert facts.listing(listing.id).releases.get(round) == listing.releases.get(round)
        assert facts.listing(listing.id).is_missed(round) == listing.is_missed(round)
        assert read_release(source, listing.id, round) == listing.releases.get(round)
        posted = [one for one in listing.postings.get(round, ()) if one.block >= sale.block]
        told = read_rounds(source, [(sale.sold, round)])
        assert envelopes_in(told, sale.sold, round) == posted
        assert told.listing(listing.id).releases.get(round) == listing.releases.get(round)
        known, whole_one = told.order(id).at(round), sale.at(round)
        assert (known.challenge, known.opened, known.answered, known.outcome, known.copy) == (
            whole_one.challenge, whole_one.opened, whole_one.answered, whole_one.outcome, whole_one.copy,
        )  # fmt: skip


def _check_people(source: Recorded, whole: Ledger, orders: list[int], before: dict[tuple[str, int], bytes]) -> None:
    for buyer in {whole.orders[id].sold.buyer for id in orders}:
        bought = read_purchases(source, buyer).orders
        assert bought.keys() == {id for id, sale in whole.orders.items() if sale.sold.buyer == buyer}
        keys = Facts(keys={place: key for place, key in before.items() if place[0] == buyer})
        read_keys(source, [buyer], keys)
        assert keys.keys == {place: key for place, key in whole.keys.items() if place[0] == buyer}
    disputes = read_disputes(source).orders
    assert disputes.keys() == {
        id for id, sale in whole.orders.items() if any(one.opened for one in sale.rounds.values())
    }
    assert [_open(sale) for id, sale in disputes.items()] == [_open(whole.orders[id]) for id in disputes]
    assert _operators(read_listings(source)) == _operators(whole)


def _open(sale: OrderFacts) -> set[int]:
    return {round for round, known in sale.rounds.items() if known.open_challenge}


def _operators(facts: Facts) -> dict[int, str]:
    return {id: one.offering.operator for id, one in facts.listings.items() if one.offering}
