"""Buying, once: a transaction that a repeated call finds again instead of paying twice.

Two rules keep a purchase from happening twice: what was on its way when a call died is looked up before anything is
sent (`outbox`), and a recipient who holds an order for the round already has to say that a second one is meant
(`again`).
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.verify import check
from numerbay_chain.chain import tokens
from numerbay_chain.chain.clock import Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.sending.outbox import Sent, fingerprint
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import ContentError, NetworkError, RefusedError
from numerbay_chain.core.progress import Note, Progress
from numerbay_chain.core.units import format_amount
from numerbay_chain.index.questions import read_orders, read_purchases, read_release
from numerbay_chain.listings.vouchers import SignedVoucher, digest_of
from numerbay_chain.orders.allowance import ensure_allowance, missing_approval
from numerbay_chain.orders.quote import PurchaseRequest, quote_at, refuse_young
from numerbay_chain.orders.results import Purchase, Quote
from numerbay_chain.protocol.events import Receipt, event_of
from numerbay_chain.protocol.types import Order, Permit, Release, Token
from numerbay_chain.session import Session

_PERMIT_LIFETIME: Final = 3_600  # seconds


def buy(session: Session, request: PurchaseRequest) -> Purchase:
    """Buy rounds of a listing, and pay for all of them.

    Raises `RefusedError` for an order that the recipient holds already for that round, for a young listing
    (`too-early`), for a seller, terms or checked content that changed before the purchase was signed (`terms-changed`),
    and for all that `quote` refuses.
    """
    if bought := resume_purchase(session, request):
        return bought
    with session.decision():
        look = session.contract.look()
        quote = _agree(session, look, request, request.quote)
        if not _takes_time(quote, request):
            return _pay(session, request, quote, _NOTHING)
    prepared = _prepare(session, look, quote, request)
    with session.decision():  # anew: the content took long to read, and an approval to be mined
        look = session.contract.look()
        quote = _agree(session, look, request, quote)
        _refuse_other_content(session, look, quote, prepared.checked)
        return _pay(session, request, quote, prepared)


def resume_purchase(session: Session, request: PurchaseRequest) -> Purchase | None:
    """Return what became of a purchase that an interrupted `buy` had sent; None if there is none. Sends nothing new.
    Raises `RefusedError` naming the order where something else was bought then."""
    label, asked = _asked(session, request)
    found = session.sending.resume(label)
    return _bought(session, found, None, asked, None) if found else None


def _asked(session: Session, request: PurchaseRequest) -> tuple[str, str]:
    """The outbox's label, and what of the purchase is the same however often it is asked for."""
    # not the signature: a contract's may be empty, or the same for all
    which = f"voucher {digest_of(request.voucher).hex() if request.voucher else 'none'}"
    return f"buy-{request.listing_id}-{request.receiver(session)}", f"{request.rounds} rounds, {which}"


def _agree(session: Session, look: Snapshot, request: PurchaseRequest, agreed: Quote | None) -> Quote:
    """Return what the purchase costs and binds to now. Raises `RefusedError` where that is not what was `agreed`: the
    contract binds a purchase to a listing's number, version and round, not to the seller behind that number, which a
    reorganization can change."""
    quote = quote_at(session, look, request if agreed is None else replace(request, first_round=agreed.first_round))
    if agreed is not None:
        _refuse_change(quote, agreed)
    most = None if request.max_price is None else quote.token.amount(request.max_price)
    if most is not None and quote.price > most:
        raise RefusedError(
            f"a round costs {_show(quote, quote.price)}, more than {_show(quote, most)}",
            "allow more, or leave it",
            code="price-too-high",
        )
    if not request.young_listing:
        refuse_young(session, look, quote.listing)
    if not request.again:
        _refuse_second(session, look, quote)
    return quote


def _show(quote: Quote, amount: int) -> str:
    return format_amount(amount, quote.token.symbol, quote.token.decimals)


def _refuse_change(now: Quote, agreed: Quote) -> None:
    for what, new, old in (
        ("the listing's seller", now.listing.seller, agreed.listing.seller),
        ("the listing's terms", now.listing.terms, agreed.listing.terms),
        ("the offer", (now.listing.version, now.listing.offer), (agreed.listing.version, agreed.listing.offer)),
        ("the price", (now.total, now.token), (agreed.total, agreed.token)),
        ("what was asked for", (now.rounds, now.recipient), (agreed.rounds, agreed.recipient)),
        ("the recipient's key", now.epoch, agreed.epoch),
        ("the round", now.already_out, agreed.already_out),
    ):
        if new != old:
            raise RefusedError(f"{what} changed since you agreed", "look at it again, then buy", code="terms-changed")


def _refuse_other_content(session: Session, look: Snapshot, quote: Quote, checked: Release | None) -> None:
    """Raise `RefusedError` where the round has other content by now than was `checked`: a reorganization can change
    it, and the contract does not bind a purchase to it."""
    if checked is not None and _released(session, look, quote).content_hash != checked.content_hash:
        raise RefusedError(
            f"round {quote.first_round} has other content by now than was checked",
            "nothing was paid; run this again",
            code="terms-changed",
        )


def _refuse_second(session: Session, look: Snapshot, quote: Quote) -> None:
    bought = [one.sold for one in read_purchases(session.index, quote.recipient, last=look.block).orders.values()]
    held = sorted(one.id for one in bought if one.listing == quote.listing.id and one.covers(quote.first_round))
    facts = read_orders(session.index, held, last=look.block)
    for order in (facts.order(id).sold for id in held):
        if order.covers(quote.first_round):  # it did when it was bought
            raise RefusedError(
                f"{quote.recipient} holds order {order} already, which covers round {quote.first_round}",
                "give --again if a second order is meant",
                code="already-bought",
            )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What takes time before a purchase is signed: content that was `checked`, and what lets the marketplace take a
    token's payment."""

    checked: Release | None = None
    approval: Receipt | None = None
    permit: Permit | None = None


_NOTHING: Final = _Prepared()


def _takes_time(quote: Quote, request: PurchaseRequest) -> bool:
    """Whether `_prepare` has anything to do."""
    return (quote.already_out and request.check) or (quote.total > 0 and not quote.token.native)


def _prepare(session: Session, look: Snapshot, quote: Quote, request: PurchaseRequest) -> _Prepared:
    checked = None
    if quote.already_out and request.check:
        until = _last_second(quote, request.voucher, None)
        with session.content.reading(None if until is None else session.clock.left(until)):
            checked = _check_content(session, look, quote, request.progress)
    return _Prepared(checked, *_allow(session, quote, request.permit))


def _released(session: Session, look: Snapshot, quote: Quote) -> Release:
    release = read_release(session.index, quote.listing.id, quote.first_round, last=look.block)
    if release is None:
        raise NetworkError(
            "the node left out a release", "check from_block, or use another node", code="node-incomplete"
        )
    return release


def _check_content(session: Session, look: Snapshot, quote: Quote, progress: Progress) -> Release:
    """Read every byte of the round that is out. Raises `RefusedError` where something is wrong."""
    release = _released(session, look, quote)
    with _keeping(session, look, quote, release):
        found = check(
            release.manifest,
            release.content_hash,
            session.content.reader(release.content_hash),
            lambda done, total: progress("check", done, total),
        )
    for one in found:
        if one.code.startswith("details-"):
            said = f"round {quote.first_round}: {one.message}; the file can be read without them"
            session.notify(Note(said, one.code))
    problems = [one for one in found if not one.code.startswith("details-")]
    if problems:
        raise RefusedError(
            f"round {quote.first_round} is released, but its check fails: {problems[0].message}",
            "nothing was paid; buy the next round instead, or leave the check out",
            code="bad-content",
        )
    return release


def _keeping(session: Session, look: Snapshot, quote: Quote, release: Release) -> AbstractContextManager[None]:
    """What is checked before it is bought is kept: the host may be the seller, and silent once it is paid."""
    terms = quote.listing.terms
    try:
        manifest = Manifest.decode(release.manifest)
    except ContentError:
        return nullcontext()  # the check says it
    if manifest.content_hash != release.content_hash:
        return nullcontext()
    matures_at = terms.maturity_of(terms.bucket_at(look.time))
    return session.content.keeping(manifest, release.listing, release.round, None, terms.needed_until(matures_at))


def _allow(session: Session, quote: Quote, permit: bool) -> tuple[Receipt | None, Permit | None]:
    """Lets the marketplace take a token's payment: by signature where the token can do that, else by approving the
    exact amount."""
    token, total = quote.token.address, quote.total
    if permit and session.dry_run and missing_approval(session, token, total) is not None:
        said = f"the real run signs a permit in place of an approval, where {quote.token.symbol} takes one"
        session.notify(Note(said, "permit-unplanned"))
    elif permit and missing_approval(session, token, total) is not None:
        session.require_second()  # before the contract is allowed to take anything
        signer, spender = session.sending.sender.signer, session.contract.address
        deadline = max(session.connection.now(), int(session.clock.here())) + _PERMIT_LIFETIME
        try:
            return None, tokens.sign_permit(session.connection, signer, token, spender, total, deadline)
        except RefusedError:
            said = f"{quote.token.symbol} takes no permit: the exact amount is approved first"
            session.notify(Note(said, "no-permit"))
    return ensure_allowance(session, token, total), None


def _pay(session: Session, request: PurchaseRequest, quote: Quote, prepared: _Prepared) -> Purchase:
    """Sign and send what was decided, once the second node confirmed what it rests on."""
    (label, asked), voucher, permit = _asked(session, request), request.voucher, prepared.permit
    call, until = _call(quote, voucher, permit), _last_second(quote, voucher, permit)
    session.confirm()
    # what never reached the network is sent only if it is what would be signed now
    sent = session.sending.send(label, call, f"{asked}; {fingerprint(call)}", Window(until=until))
    return _bought(session, sent, prepared.approval, asked, quote.token)


def _call(quote: Quote, voucher: SignedVoucher | None, permit: Permit | None) -> calls.Call:
    value = quote.total if quote.token.native else 0
    common: dict[str, Any] = {
        "listing": quote.listing.id,
        "version": quote.listing.version,
        "next_round": quote.listing.next_round,
        "out": quote.already_out,
        "rounds": quote.rounds,
    }
    if voucher is None and permit is None:
        return calls.buy(**common, recipient=quote.recipient, value=value)
    return calls.buy_with(
        **common,
        recipient=quote.recipient,
        value=value,
        permit=permit,
        voucher=voucher.voucher if voucher else None,
        signature=voucher.signature if voucher else None,
    )


def _last_second(quote: Quote, voucher: SignedVoucher | None, permit: Permit | None) -> int | None:
    """The last second in which the contract takes the purchase; None: there is none. It refuses an order that covers
    an overdue round, and a voucher or a permit that ran out."""
    ends = [voucher.voucher.deadline] if voucher else []
    ends += [permit.deadline] if permit else []
    due = quote.listing.terms.due(quote.listing.next_round)
    if due is not None and quote.first_round + quote.rounds > quote.listing.next_round:
        ends.append(due)
    return min(ends, default=None)


def _bought(session: Session, sent: Sent, approval: Receipt | None, asked: str, token: Token | None) -> Purchase:
    """`token`: None where an earlier call bought, which alone knew it."""
    event = event_of(sent.receipt, "Bought")
    order = Order(
        event["order"], event["buyer"], event["first"], event["rounds"], event["price"], event["version"],
        event["epoch"], event["bucket"], 0,
    )  # fmt: skip
    if not sent.identity.startswith(f"{asked};"):
        raise RefusedError(
            f"an earlier purchase was still on its way, and has gone through: it is order {order}",
            "run this again if another one is wanted, with --again for the same round",
            code="earlier-transaction",
        )
    paid = token or session.contract.token(session.contract.listing(order.listing).terms.token)
    return Purchase(order, paid, order.price * order.rounds, sent.receipt, approval, sent.resumed)
