"""Rounds that an order is not given: the buyer declines, cancels or reclaims them, the seller skips or refunds them."""

from numerbay_chain.chain.clock import Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.sending.steps import Prepared
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.index.questions import read_release
from numerbay_chain.orders.payouts import paid_by
from numerbay_chain.protocol.events import Done, event_of
from numerbay_chain.protocol.rules import bucket_of
from numerbay_chain.protocol.types import Order, Token
from numerbay_chain.session import Session


def decline(session: Session, order: int, round: int | None = None) -> Done:
    """End the order before the round that was just released, within its decline window, and get all of that paid back.

    `round`: the one that is meant; None: the latest. Raises `RefusedError` where there is no such round or window.
    """
    held, token = _held(session, order)

    def prepare() -> Prepared:
        listing = session.contract.listing(held.listing)
        window, latest = listing.terms.decline_window, listing.next_round - 1
        if window == 0:
            raise RefusedError(
                f"listing {listing.id} has no decline window",
                "cancel the order, or ask the seller for a refund",
                code="no-decline-window",
            )
        meant = latest if round is None else round
        if meant < 0:
            raise RefusedError(
                f"no round of listing {held.listing} is out", "cancel the order instead", code="not-released"
            )
        until = listing.last_turn + window - 1 if meant == latest else None
        call = calls.decline(order=order, round=meant)
        return Prepared(call, Window(until=until, stake=session.sending.at_stake(token.address, held.price)))

    return paid_by(session.sending.resume_or_send(f"decline-{order}", prepare), "Declined", token)


def cancel(session: Session, order: int) -> Done:
    """End the order after the next round; later rounds are paid back at once."""
    _, token = _held(session, order)
    return paid_by(session.sending.send(f"cancel-{order}", calls.cancel(order=order)), "Cancelled", token)


def reclaim(session: Session, order: int) -> Done:
    """Take the next round back too, the notice period after `cancel`."""
    _, token = _held(session, order)
    return paid_by(session.sending.send(f"reclaim-{order}", calls.reclaim(order=order)), "Reclaimed", token)


def refund(session: Session, order: int, round: int | None = None) -> Done:
    """Give all unreleased rounds of an order back, or one released `round` whose money has not matured. Raises
    `RefusedError` where that round was not released."""
    held = session.contract.order(order)
    terms = session.contract.listing(held.listing).terms
    token, until = session.contract.token(terms.token), None
    if round is None:
        call, name = calls.refund(order=order), "Refunded"
    else:
        release = read_release(session.index, held.listing, round)
        if release is None:
            raise RefusedError(
                f"round {round} was not released",
                "leave the round out to give all unreleased rounds back",
                code="not-released",
            )
        bucket = bucket_of(held, release)
        call, name = calls.refund_round(order=order, round=round, bucket=bucket), "RoundRefunded"
        until = terms.maturity_of(bucket) - 1
    label = f"refund-{order}-{'all' if round is None else round}"
    return paid_by(session.sending.send(label, call, window=Window(until=until)), name, token)


def skip(session: Session, listing_id: int, round: int | None = None) -> Done:
    """Skip the next round: every order that covers it can be paid back (`Buyer.collect_missed`).

    `round`: the one that is meant. Raises `RefusedError` where an interrupted call had skipped another one, and
    `RevertedError` where it is not the next.
    """

    def prepare() -> Prepared:
        meant = session.contract.listing(listing_id).next_round if round is None else round
        return Prepared(calls.skip(listing=listing_id, round=meant))

    sent = session.sending.resume_or_send(f"skip-{listing_id}", prepare)
    skipped: int = event_of(sent.receipt, "Skipped")["round"]
    if round not in (None, skipped):
        raise RefusedError(
            f"an earlier skip was still on its way, and has gone through: round {skipped} was skipped, and round "
            f"{round} was not",
            f"run this again if round {round} is to be skipped too",
            code="earlier-transaction",
        )
    return Done(sent.receipt, round=skipped, resumed=sent.resumed)


def _held(session: Session, order: int) -> tuple[Order, Token]:
    held = session.contract.order(order)
    return held, session.contract.token(session.contract.listing(held.listing).terms.token)
