"""Money out: matured pots to the seller's payout address, and credits to whoever has them."""

from typing import Final

from numerbay_chain.chain.clock import Window
from numerbay_chain.chain.connection import checksummed
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.sending.outbox import Sent
from numerbay_chain.chain.sending.steps import Prepared
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import RefusedError, UsageError
from numerbay_chain.index.questions import read_listing
from numerbay_chain.orders.results import PotView, Withdrawal
from numerbay_chain.protocol.events import Done, Receipt, event_of
from numerbay_chain.protocol.types import ZERO_ADDRESS, Listing, Token
from numerbay_chain.session import Session

_POTS_A_TRANSACTION: Final = 100


def find_pots(session: Session, look: Snapshot, listing: Listing) -> tuple[list[PotView], tuple[PotView, ...]]:
    """All pots of a listing that hold money, the first to mature first: the seller's; and those of rounds that were
    proven faulty before they matured, whose money is the buyers'. Where they are, the logs tell."""
    facts = read_listing(session.index, listing, ("Released", "RoundFaulty", "Withdrawn"), last=look.block)
    past, orders = facts.listing(listing.id), [facts.order(id).sold for id in listing.order_ids()]
    places = {(release.round, release.bucket) for release in past.releases.values()}
    places |= {(order.first, order.bucket) for order in orders if order.bucket}
    pots, frozen = list[PotView](), list[PotView]()
    asked = [*places - past.withdrawn]  # what has matured gets no more money
    for (round, bucket), held in zip(asked, look.pots((listing.id, *place) for place in asked), strict=True):
        if held.amount:
            pot = PotView(round, bucket, held.amount, listing.terms.maturity_of(bucket))
            is_frozen = round in past.faulty and past.faulty[round] < pot.matures_at
            (frozen if is_frozen else pots).append(pot)

    def ripeness(pot: PotView) -> tuple[int, int, int]:
        return pot.matures_at, pot.round, pot.bucket

    return sorted(pots, key=ripeness), tuple(sorted(frozen, key=ripeness))


def withdrawable(session: Session, listing_id: int) -> Withdrawal:
    """Return what `withdraw` would take now, and what matures later. Sends nothing."""
    look = session.contract.look()
    listing, now = look.listing(listing_id), look.time
    pots, frozen = find_pots(session, look, listing)
    matured = tuple(pot for pot in pots if pot.matures_at <= now)
    return Withdrawal(
        amount=sum(pot.amount for pot in matured),
        token=session.contract.token(listing.terms.token),
        payout=listing.payout,
        pots=matured,
        waiting=tuple(pot for pot in pots if pot.matures_at > now),
        receipts=(),
        frozen=frozen,
    )


def withdraw(session: Session, listing_id: int) -> Withdrawal:
    """Take all matured money of a listing, found from the logs alone, to its payout address."""
    return _withdraw(session, listing_id, more=True)


def resume_withdrawal(session: Session, listing_id: int) -> Withdrawal:
    """Return what became of a withdrawal that was interrupted; without `receipts` where there was none. Sends nothing
    new."""
    return _withdraw(session, listing_id, more=False)


def _withdraw(session: Session, listing_id: int, *, more: bool) -> Withdrawal:
    """What an earlier call had sent and, with `more`, all that has matured."""
    label = f"withdraw-{listing_id}"
    found = session.sending.resume(label)
    receipts = [found.receipt] if found else list[Receipt]()
    look = session.contract.look()
    listing, now = look.listing(listing_id), look.time
    pots, frozen = find_pots(session, look, listing)
    matured = [pot for pot in pots if more and pot.matures_at <= now]
    for start in range(0, len(matured), _POTS_A_TRANSACTION):
        some = matured[start : start + _POTS_A_TRANSACTION]
        rounds, buckets = [pot.round for pot in some], [pot.bucket for pot in some]
        call = calls.withdraw(listing=listing_id, rounds=rounds, buckets=buckets)
        receipts.append(session.sending.send(label, call, window=Window(max(pot.matures_at for pot in some))).receipt)
    taken = [event for receipt in receipts for event in receipt.events if event.name == "Withdrawn"]
    return Withdrawal(
        amount=sum(event["amount"] for event in taken),
        token=session.contract.token(listing.terms.token),
        payout=taken[-1]["payout"] if taken else listing.payout,
        pots=tuple(
            PotView(event["round"], event["bucket"], event["amount"], listing.terms.maturity_of(event["bucket"]))
            for event in taken
        ),
        waiting=tuple(pot for pot in pots if pot.matures_at > now),
        receipts=tuple(receipts),
        resumed=found is not None,
        frozen=frozen,
    )


def collect(
    session: Session, token: str | None = None, to: str | None = None, *, account: str | None = None
) -> Done | None:
    """Collect payments that this account refused before. Return None where there are none.

    `token` None: the chain's coin. `account`: collect for somebody else, a contract that can't do so itself. The money
    goes to that account, so `to` can't be given with it.
    """
    if account and to:
        raise UsageError("somebody else's credit goes to their account only", "leave out the receiver")
    address = checksummed(token) if token else ZERO_ADDRESS
    owner = checksummed(account) if account else session.account
    receiver = checksummed(to) if to else owner
    if account:
        label, call = f"collect-for-{owner}-{address}", calls.collect_for(account=owner, token=address)
    else:
        label, call = f"collect-{address}", calls.collect(token=address, to=receiver)

    def prepare() -> Prepared | None:
        return Prepared(call) if session.contract.credit(owner, address) else None

    sent = session.sending.resume_or_send(label, prepare)
    if sent is None:
        return None
    event = event_of(sent.receipt, "Collected")
    if event["to"] != receiver:
        raise RefusedError(
            f"an earlier collect was still on its way, and has gone through: it paid {event['to']}",
            "run this again if more waits by now",
            code="earlier-transaction",
        )
    return Done(sent.receipt, event["amount"], session.contract.token(address), resumed=sent.resumed)


def paid_by(sent: Sent, event: str, token: Token) -> Done:
    """What a transaction paid to a buyer, as its event says. Raises `NetworkError` where that is left out."""
    found = event_of(sent.receipt, event)
    return Done(sent.receipt, found["paid"], token, found.arguments.get("round"), sent.resumed)
