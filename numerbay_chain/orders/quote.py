"""What a purchase is asked for, what it would cost and bring, or why nobody should make it."""

from dataclasses import KW_ONLY, dataclass, replace

from numerbay_chain.chain.connection import checksummed
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import AccountError, NetworkError, RefusedError, UsageError
from numerbay_chain.core.progress import Note, Progress, silent
from numerbay_chain.core.units import format_duration
from numerbay_chain.listings.vouchers import SignedVoucher, status_of
from numerbay_chain.listings.words import explain
from numerbay_chain.orders.results import Quote
from numerbay_chain.protocol.types import ZERO_ADDRESS, Listing
from numerbay_chain.session import Session


@dataclass(frozen=True, slots=True)
class PurchaseRequest:
    """`listing_id`: what is bought; `rounds`: how many, all paid for at once.
    `voucher`: a permission of the seller's to buy at another price, or from a closed listing.
    `recipient`: whose the rights are, and to whose registered key the rounds are sealed; None: the caller's.
    `first_round`: the one that is meant; None: the round that is out where the listing is instant, else the next one.
    `max_price`: the most that a round may cost, in the token's smallest unit or as text with a unit.
    `quote`: what the user agreed to; anything that changed since is refused.
    `again`: a second order for the same round is meant.
    `young_listing`: buy from a listing that is not final yet, whose number could still become another seller's.
    `check`: read and check a round that is out already, before it is bought.
    `permit`: allow a token's transfer by signature where the token can do that; else approve the exact amount first.
    `progress`: told how far the check is.
    """

    listing_id: int
    rounds: int = 1
    _: KW_ONLY
    voucher: SignedVoucher | None = None
    recipient: str | None = None
    first_round: int | None = None
    max_price: int | str | None = None
    quote: Quote | None = None
    again: bool = False
    young_listing: bool = False
    check: bool = True
    permit: bool = True
    progress: Progress = silent

    def receiver(self, session: Session) -> str:
        """The recipient's address. Raises `UsageError` for one with a wrong checksum, and for address 0."""
        receiver = checksummed(self.recipient) if self.recipient else session.account
        if receiver == ZERO_ADDRESS:
            raise UsageError(
                "the recipient can't be address 0: nobody holds its key",
                "name the account whose order it is to be",
                code="not-an-address",
            )
        return receiver


def make_quote(session: Session, request: PurchaseRequest) -> Quote:
    """Return what a purchase would cost and bind to. Sends nothing, and reads no content.

    Raises `RefusedError` for what can't be bought (closed, sold out, overdue, too young, voucher of no use), and
    `AccountError` for a recipient without a registered key.
    """
    look = session.contract.look()
    quote = quote_at(session, look, request)
    if not request.young_listing:
        refuse_young(session, look, quote.listing)
    return quote


def quote_at(session: Session, look: Snapshot, request: PurchaseRequest) -> Quote:
    """`make_quote`, as of one look, whether the listing is young or not."""
    receiver, rounds = request.receiver(session), request.rounds
    look.load(("listing", request.listing_id), ("current_key", receiver))
    listing = look.listing(request.listing_id)
    token = session.contract.token(listing.terms.token)
    _refuse_count(listing, rounds)
    first = _first_round(session, look, listing, request.first_round)
    _refuse_overdue(look, listing, first, rounds)
    if listing.places_left == 0:
        raise RefusedError(
            f"listing {listing.id} is sold out", "wait until somebody's order ends before it began", code="sold-out"
        )
    price, most = _price(session, look, listing, request)
    gas_price, coin = session.connection.gas_price(), session.connection.coin
    words = explain(replace(listing.terms, max_rounds=most), price, token, gas_price, coin)
    return Quote(
        listing=listing,
        token=token,
        price=price,
        rounds=rounds,
        first_round=first,
        already_out=first < listing.next_round,
        total=price * rounds,
        recipient=receiver,
        epoch=_epoch(session, look, receiver),
        words=tuple(words),
    )


def _refuse_count(listing: Listing, rounds: int) -> None:
    most = listing.terms.max_rounds
    if not 1 <= rounds <= most:
        covers = f"1 to {most} rounds" if most > 1 else "1 round"
        raise RefusedError(
            f"an order of listing {listing.id} covers {covers}, not {rounds}",
            "ask for that many",
            code="rounds-out-of-bounds",
        )


def _price(session: Session, look: Snapshot, listing: Listing, request: PurchaseRequest) -> tuple[int, int]:
    """The price of a round, and the most rounds of an order: by the voucher, else by the offer, if it is open."""
    voucher = request.voucher
    if voucher is None:
        if not listing.offer.open:
            raise RefusedError(
                f"listing {listing.id} is closed: only a voucher buys", "ask the seller for one", code="closed"
            )
        return listing.offer.price, listing.terms.max_rounds
    if voucher.voucher.listing != listing.id:
        raise RefusedError(
            f"the voucher is for listing {voucher.voucher.listing}",
            "buy that one with it",
            code="voucher-for-other-listing",
        )
    if problem := status_of(session, look, voucher, request.rounds, session.account).problem:
        raise RefusedError(problem, "ask the seller for another one", code="voucher-unusable")
    return voucher.voucher.price, min(listing.terms.max_rounds, voucher.voucher.max_rounds)


def _epoch(session: Session, look: Snapshot, receiver: str) -> int:
    key = look.current_key(receiver)
    if key is None:
        whose = "you have" if receiver == session.account else f"{receiver} has"
        raise AccountError(
            f"{whose} no registered key: nothing could be sealed to it", "run `keys register` first", code="no-key"
        )
    return key[0]


def _first_round(session: Session, look: Snapshot, listing: Listing, asked: int | None) -> int:
    latest = listing.next_round - 1
    out = listing.terms.instant and latest >= 0
    if out:
        look.load(("is_missed", listing.id, latest), ("faulty_at", listing.id, latest))
        out = not look.is_missed(listing.id, latest)
    if out and look.faulty_at(listing.id, latest):
        if asked == latest:
            raise RefusedError(
                f"round {latest} of listing {listing.id} was proven faulty: it can't be bought",
                f"buy from round {listing.next_round} on, or leave it",
                code="faulty",
            )
        if asked is None:
            said = f"round {latest}, which is out, was proven faulty: what is on offer begins with the next one"
            session.notify(Note(said, "faulty"))
        out = False
    if asked is None:
        return latest if out else listing.next_round
    if asked == listing.next_round or (out and asked == latest):
        return asked
    choice = f"{latest} or {listing.next_round}" if out else f"{listing.next_round}"
    raise RefusedError(
        f"an order of listing {listing.id} can begin with round {choice}, not {asked}",
        "ask for that one",
        code="round-moved",
    )


def _refuse_overdue(look: Snapshot, listing: Listing, first: int, rounds: int) -> None:
    due, now = listing.terms.due(listing.next_round), look.time
    if due is not None and now > due and first + rounds > listing.next_round:
        raise RefusedError(
            f"round {listing.next_round} of listing {listing.id} is {format_duration(now - due)} overdue",
            f"skip it with 'skip {listing.id}', as anybody may, then buy the next one",
            code="overdue",
        )


def refuse_young(session: Session, look: Snapshot, listing: Listing) -> None:
    """A listing that is not final could be another one's by the time the purchase is mined. Raises `RefusedError`."""
    finality = session.finality()
    if finality.is_instant:
        return
    created = session.once(
        look,
        ("created", listing.id),
        lambda: [*session.index.events(["ListingCreated"], last=look.block, listing=listing.id)],
    )
    if len(created) != 1:
        raise NetworkError(
            f"{session.index.name} left out the creation of listing {listing.id}",
            "check from_block, or use another node",
            code="node-incomplete",
        )
    if created[0]["seller"] != listing.seller or created[0]["terms"] != listing.terms:
        raise NetworkError(
            f"the logs of {session.index.name} and the contract do not agree on the seller of listing {listing.id}",
            "use another node",
            code="node-incomplete",
        )
    if wait := finality.seconds_left(created[0].block):
        raise RefusedError(
            f"listing {listing.id} is too young: its block could still vanish, and another seller's listing get its "
            f"number; it is final in about {format_duration(wait)}",
            "buy it then, or give --young-listing if you trust what may come in its place",
            code="too-early",
        )
