"""What may happen to a round, and until when: the contract's rules as views, audits and disputes share them."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, Literal

from numerbay_chain.core.errors import RefusedError
from numerbay_chain.protocol.types import Challenge, Listing, Order, Release, Settlement, Terms

DisputeState = Literal[
    "none",  # no challenge
    "challenged",  # the seller has to answer
    "unanswered",  # the seller did not, in time: price and bond can be claimed
    "answered",  # the buyer can prove that the answer, or the content, is wrong
    "unproven",  # the buyer did not, in time: price and bond are the seller's
    "faulty",  # challenged, and the content was proven wrong: price and bond are the buyer's
    "refundable",  # not challenged, and the content was proven wrong in time: the price is the buyer's
    "paid-to-buyer",  # the buyer was paid
    "paid-to-seller",  # the seller was paid
    "paid-back",  # without a dispute
]
Turn = Literal["buyer", "seller", "anyone"]
Step = Literal["respond", "prove", "claim", "settle"]
WAITING: Final[dict[Step, tuple[DisputeState, ...]]] = {
    "respond": ("challenged",),
    "prove": ("answered",),
    "claim": ("unanswered",),
    "settle": ("faulty", "refundable", "unanswered", "unproven"),
}
"""The states in which a dispute waits for a step."""


OVER: Final = ("none", "paid-to-buyer", "paid-to-seller", "paid-back")
"""The states of a dispute that there is not, or is no more."""


def is_in(numbers: Sequence[int], number: int) -> bool:
    """Return whether `number` is one of `numbers`, which are in order."""
    place = bisect_left(numbers, number)
    return place < len(numbers) and numbers[place] == number


def dispute_state(
    terms: Terms,
    now: int,
    settlement: Settlement,
    opened: Challenge | None,
    ended: bool,
    faulty_at: int,
    matures_at: int,
) -> DisputeState:
    """How a round stands for one order. `ended`: by a log; `matures_at`: 0 for a round that is not out."""
    if settlement is Settlement.PAID_TO_SELLER:
        return "paid-to-seller"
    if ended:
        return "paid-to-buyer"
    if settlement is Settlement.PAID_BACK:
        return "paid-back"
    if settlement is Settlement.NONE or opened is None:
        return "refundable" if 0 < faulty_at < matures_at else "none"
    if faulty_at and (not opened.responded or faulty_at <= terms.proof_deadline(opened)):
        return "faulty"
    if not opened.responded:
        return "challenged" if now <= terms.response_deadline(opened.challenged_at) else "unanswered"
    return "answered" if now <= terms.proof_deadline(opened) else "unproven"


def dispute_deadline(terms: Terms, state: DisputeState, opened: Challenge | None) -> int | None:
    """The last second for what comes next; None where there is nothing, or no hurry."""
    if opened is not None and state == "challenged":
        return terms.response_deadline(opened.challenged_at)
    if opened is not None and state == "answered":
        return terms.proof_deadline(opened)
    return None


def challengeable_from(listing: Listing, release: Release) -> int:
    """The first second for a challenge: only the latest round can be within its decline window."""
    latest = release.round == listing.next_round - 1
    return listing.terms.challenge_from(release.released_at) if latest else release.released_at


def is_operated(listing: Listing, account: str) -> bool:
    """Return whether the account is the listing's seller, or the operator they named: who may release, deliver and
    respond."""
    return account in (listing.seller, listing.operator)


def require_seller(listing: Listing, account: str) -> None:
    """Raise `RefusedError` (`not-seller`) unless the account is the listing's seller."""
    if account != listing.seller:
        raise RefusedError(
            f"listing {listing.id} belongs to {listing.seller}, not to {account}",
            "use the seller's account",
            code="not-seller",
        )


def require_operator(listing: Listing, account: str) -> None:
    """Raise `RefusedError` (`not-operator`) unless the account may release, deliver and respond (`is_operated`)."""
    if not is_operated(listing, account):
        raise RefusedError(
            f"listing {listing.id} belongs to {listing.seller}, and {account} is not its operator",
            "use the seller's account, or have the seller name this one as operator",
            code="not-operator",
        )


def bought_when_out(order: Order, round: int) -> bool:
    """Whether the round was out when the order was bought: such a one can't be declined."""
    return order.bucket != 0 and round == order.first


def bucket_of(order: Order, release: Release) -> int:
    """Where the order's money for a released round lies."""
    return order.bucket if bought_when_out(order, release.round) else release.bucket


def declinable_until(listing: Listing, order: Order, release: Release | None, now: int) -> int | None:
    """The last second in which the order's buyer can decline the round; None where that can't be (any more)."""
    if release is None or release.round != listing.next_round - 1 or not order.covers(release.round):
        return None
    end = release.released_at + listing.terms.decline_window
    return end - 1 if now < end and not bought_when_out(order, release.round) else None


REVOKED: Final = 2**256 - 1
"""How often a revoked voucher was used, as the contract has it."""
