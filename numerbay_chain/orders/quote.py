"""What a purchase would cost and bring, or why nobody should make it."""

from dataclasses import replace

from numerbay_chain.chain.connection import checksummed
from numerbay_chain.core.errors import AccountError, NetworkError, RefusedError
from numerbay_chain.core.units import format_duration
from numerbay_chain.listings.vouchers import SignedVoucher, status_of
from numerbay_chain.listings.words import explain
from numerbay_chain.orders.results import Quote
from numerbay_chain.protocol.types import Listing
from numerbay_chain.session import Market


def make_quote(
    market: Market,
    listing_id: int,
    rounds: int,
    voucher: SignedVoucher | None,
    recipient: str | None,
    first_round: int | None,
    young_listing: bool,
) -> Quote:
    """See `Buyer.quote`."""
    listing = market.contract.listing(listing_id)
    token = market.token(listing.terms.token)
    receiver = checksummed(recipient) if recipient else market.account
    _refuse_count(listing, rounds)
    first = _first_round(market, listing, first_round)
    _refuse_overdue(market, listing, first, rounds)
    if listing.places_left == 0:
        raise RefusedError(
            f"listing {listing_id} is sold out", "wait until somebody's order ends before it began", code="sold-out"
        )
    if not young_listing:
        refuse_young(market, listing)
    price, most = _price(market, listing, rounds, voucher)
    words = explain(replace(listing.terms, max_rounds=most), price, token, market.gas_price(), market.coin)
    return Quote(
        listing=listing,
        token=token,
        price=price,
        rounds=rounds,
        first_round=first,
        already_out=first < listing.next_round,
        total=price * rounds,
        recipient=receiver,
        epoch=_epoch(market, receiver),
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


def _price(market: Market, listing: Listing, rounds: int, voucher: SignedVoucher | None) -> tuple[int, int]:
    """The price of a round, and the most rounds of an order: by the voucher, else by the offer, if it is open."""
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
    if problem := status_of(market, voucher, rounds, market.account).problem:
        raise RefusedError(problem, "ask the seller for another one", code="voucher-unusable")
    return voucher.voucher.price, min(listing.terms.max_rounds, voucher.voucher.max_rounds)


def _epoch(market: Market, receiver: str) -> int:
    key = market.contract.current_key(receiver)
    if key is None:
        whose = "you have" if receiver == market.account else f"{receiver} has"
        raise AccountError(
            f"{whose} no registered key: nothing could be sealed to it", "run `keys register` first", code="no-key"
        )
    return key[0]


def _first_round(market: Market, listing: Listing, asked: int | None) -> int:
    latest = listing.next_round - 1
    out = listing.terms.instant and latest >= 0 and not market.contract.is_missed(listing.id, latest)
    if out and market.contract.faulty_at(listing.id, latest):
        if asked == latest:
            raise RefusedError(
                f"round {latest} of listing {listing.id} was proven faulty: it can't be bought",
                f"buy from round {listing.next_round} on, or leave it",
                code="faulty",
            )
        market.notify(f"round {latest}, which is out, was proven faulty: what is on offer begins with the next one")
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


def _refuse_overdue(market: Market, listing: Listing, first: int, rounds: int) -> None:
    due, now = listing.terms.due(listing.next_round), market.connection.now()
    if due is not None and now > due and first + rounds > listing.next_round:
        raise RefusedError(
            f"round {listing.next_round} of listing {listing.id} is {format_duration(now - due)} overdue",
            f"skip it with 'skip {listing.id}', as anybody may, then buy the next one",
            code="overdue",
        )


def refuse_young(market: Market, listing: Listing) -> None:
    """A listing that is not final could be another one's by the time the purchase is mined. Raises `RefusedError`."""
    finality = market.finality()
    if finality.is_instant:
        return
    created = [*market.contract.events(["ListingCreated"], listing=listing.id)]
    if len(created) != 1:
        raise NetworkError(
            f"{market.connection.name} left out the creation of listing {listing.id}",
            "check from_block, or use another node",
            code="node-incomplete",
        )
    if created[0]["seller"] != listing.seller or created[0]["terms"] != listing.terms:
        raise NetworkError(
            f"the logs of {market.connection.name} and the contract do not agree on the seller of listing {listing.id}",
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
