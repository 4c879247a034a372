"""The contract's logs and mined transactions, and what they tell."""

from dataclasses import dataclass, replace
from typing import Any, Final

from numerbay_chain.core.errors import NetworkError
from numerbay_chain.protocol.types import Challenge, Order, Release, Token

BITS: Final = {
    **dict.fromkeys(("round", "first"), 24),
    **dict.fromkeys(("listing", "order"), 128),
    **dict.fromkeys(("price", "bond"), 88),
    **dict.fromkeys(("releasedAt", "challengedAt", "respondedAt", "cancelledAt", "faultyAt", "lastTurn"), 40),
    "end": 25,
    "rounds": 16,
    "bucket": 32,
}
"""Of numbers in logs, which the contract keeps in fewer bits than its events tell them in."""


@dataclass(frozen=True, slots=True)
class Event:
    """A log of the marketplace. `arguments` has Solidity's names and order; structs are `Terms` and `Offer`."""

    name: str
    arguments: dict[str, Any]
    block: int
    log_index: int
    transaction: str
    address: str

    def __getitem__(self, argument: str) -> Any:
        return self.arguments[argument]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that did not revert. `events` are the marketplace's; `created` is a deployed contract."""

    transaction: str
    block: int
    gas_used: int
    status: int
    events: tuple[Event, ...] = ()
    created: str | None = None
    fee: int = 0  # wei paid for gas

    def event(self, name: str) -> Event | None:
        """The first event of that name."""
        return next((event for event in self.events if event.name == name), None)


def challenge_after(before: Challenge | None, event: Event) -> Challenge | None:
    """A challenge as it stands after `event`, a Challenged or Responded of its order and round."""
    if event.name == "Challenged":
        return Challenge(event["disputeKey"], event["bucket"], event["price"], event["bond"], event["challengedAt"])
    if before is None:
        return None
    return replace(
        before,
        responded_at=event["respondedAt"],
        response_key=event["responseKey"],
        sealed_key=event["sealedKey"],
        key_commitment=event["keyCommitment"],
    )


def release_of(event: Event) -> Release:
    """The release that a Released event tells of."""
    return Release(
        listing=event["listing"],
        round=event["round"],
        content_hash=event["contentHash"],
        manifest=event["manifest"],
        bucket=event["bucket"],
        released_at=event["releasedAt"],
        block=event.block,
        transaction=event.transaction,
    )


def order_of(event: Event) -> Order:
    """The order that a Bought event tells of, as it was sold."""
    return Order(
        id=event["order"],
        buyer=event["buyer"],
        first=event["first"],
        rounds=event["rounds"],
        price=event["price"],
        version=event["version"],
        epoch=event["epoch"],
        bucket=event["bucket"],
        cancelled_at=0,
    )


@dataclass(frozen=True, slots=True)
class Done:
    """A transaction that went through. `paid` is what it moved to the one who is owed, in `token`'s smallest unit;
    `round` is the one that it was about, where it is about one. `resumed`: an earlier, interrupted call had sent it."""

    receipt: Receipt
    paid: int = 0
    token: Token | None = None
    round: int | None = None
    resumed: bool = False


def event_of(receipt: Receipt, name: str) -> Event:
    """The event that a transaction can't be without. Raises `NetworkError` where the node left it out."""
    event = receipt.event(name)
    if event is None:
        raise NetworkError(
            f"transaction {receipt.transaction} was mined without its event {name}",
            "use another node",
            code="bad-answer",
        )
    return event
