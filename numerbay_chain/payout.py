"""Money out: matured pots to the seller's payout address, and credits to whoever has them."""

from typing import Final

from numerbay_chain.chain import calls
from numerbay_chain.chain.connection import checksummed
from numerbay_chain.chain.types import ZERO_ADDRESS, Receipt, Settlement
from numerbay_chain.market import Market
from numerbay_chain.results import Done, PotView, Withdrawal

_POTS_A_TRANSACTION: Final = 100


def find_pots(market: Market, listing_id: int) -> list[PotView]:
    """All pots of a listing that hold money, the first to mature first. Where they are, the logs tell."""
    contract, terms = market.contract, market.contract.listing(listing_id).terms
    places = {(release.round, release.bucket) for release in contract.releases(listing_id)}
    places |= {(order.first, order.bucket) for order in contract.orders_of(listing_id) if order.bucket}
    withdrawn = {(event["round"], event["bucket"]) for event in contract.events(["Withdrawn"], listing=listing_id)}
    pots = [
        PotView(round, bucket, contract.pot(listing_id, round, bucket).amount, terms.maturity_of(bucket))
        for round, bucket in places - withdrawn  # what has matured gets no more money
    ]
    return sorted((pot for pot in pots if pot.amount), key=lambda pot: (pot.matures_at, pot.round, pot.bucket))


def withdrawable(market: Market, listing_id: int) -> Withdrawal:
    """See `Seller.withdrawable`."""
    listing, now = market.contract.listing(listing_id), market.connection.now()
    pots = find_pots(market, listing_id)
    matured = tuple(pot for pot in pots if pot.matures_at <= now)
    return Withdrawal(
        amount=sum(pot.amount for pot in matured),
        token=market.token(listing.terms.token),
        payout=listing.payout,
        pots=matured,
        waiting=tuple(pot for pot in pots if pot.matures_at > now),
        receipts=(),
    )


def withdraw(market: Market, listing_id: int) -> Withdrawal:
    """See `Seller.withdraw`."""
    label, receipts = f"withdraw-{listing_id}", list[Receipt]()
    if found := market.resume(label):
        receipts.append(found.receipt)
    listing, now = market.contract.listing(listing_id), market.connection.now()
    pots = find_pots(market, listing_id)
    matured = [pot for pot in pots if pot.matures_at <= now]
    for start in range(0, len(matured), _POTS_A_TRANSACTION):
        some = matured[start : start + _POTS_A_TRANSACTION]
        rounds, buckets = [pot.round for pot in some], [pot.bucket for pot in some]
        receipts.append(market.send(label, calls.withdraw(listing=listing_id, rounds=rounds, buckets=buckets)).receipt)
    taken = [event for receipt in receipts for event in receipt.events if event.name == "Withdrawn"]
    return Withdrawal(
        amount=sum(event["amount"] for event in taken),
        token=market.token(listing.terms.token),
        payout=taken[-1]["payout"] if taken else listing.payout,
        pots=tuple(
            PotView(event["round"], event["bucket"], event["amount"], listing.terms.maturity_of(event["bucket"]))
            for event in taken
        ),
        waiting=tuple(pot for pot in pots if pot.matures_at > now),
        receipts=tuple(receipts),
    )


def collect(market: Market, token: str | None, to: str | None) -> Done | None:
    """See `Seller.collect`."""
    address = checksummed(token) if token else ZERO_ADDRESS
    label = f"collect-{address}"
    receipt = found.receipt if (found := market.resume(label)) else None
    if receipt is None:
        if not market.contract.credit(market.account, address):
            return None
        call = calls.collect(token=address, to=checksummed(to) if to else market.account)
        receipt = market.send(label, call).receipt
    collected = receipt.event("Collected")
    return Done(receipt, collected["amount"] if collected else 0, market.token(address))


def collect_missed(market: Market, order_id: int, round: int | None) -> list[Done]:
    """See `Buyer.collect_missed`."""
    contract, order = market.contract, market.contract.order(order_id)
    listing = contract.listing(order.listing)
    token, due = market.token(listing.terms.token), listing.terms.due(listing.next_round)
    if due is not None and market.connection.now() > due and order.covers(listing.next_round):
        # what nobody released in time, anybody may miss
        market.send(f"skip-{listing.id}", calls.skip(listing=listing.id, round=listing.next_round))
        listing = contract.listing(order.listing)
    asked = range(order.first, min(order.end, listing.next_round)) if round is None else [round]
    paid: list[Done] = []
    for one in asked:
        label = f"missed-{order_id}-{one}"
        found = market.resume(label)
        if found is None and round is None and not _owed_for_missed(market, listing.id, order_id, one):
            continue
        receipt = (found or market.send(label, calls.refund_missed(order=order_id, round=one))).receipt
        event = receipt.event("MissedRefunded")
        paid.append(Done(receipt, event["paid"] if event else 0, token))
    return paid


def _owed_for_missed(market: Market, listing_id: int, order_id: int, round: int) -> bool:
    contract = market.contract
    return contract.is_missed(listing_id, round) and contract.settled(order_id, round) is Settlement.NONE
