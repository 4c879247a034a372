"""What an audit asks the contract: known before it asks, so that many questions go in one request."""

from collections.abc import Iterator, Sequence
from typing import Any

from numerbay_chain.audit.samples import Place
from numerbay_chain.protocol.books import ListingBook
from numerbay_chain.protocol.ledger import Ledger

Question = tuple[Any, ...]
"""As `Snapshot.load` takes it."""


def about_listing(book: ListingBook, places: Sequence[Place]) -> Iterator[Question]:
    """Yield what is asked about a listing, its rounds, its pots, its orders, and some rounds of these (`places`)."""
    yield "listing", book.id
    yield from (("leaving", book.id, end) for end in book.leaving())
    for round in book.over:
        yield from ((name, book.id, round) for name in ("is_missed", "faulty_at"))
    yield from (("pot", book.id, round, bucket) for round, bucket in book.pots)
    yield from (("order", sale.id) for sale in book.orders)
    names = ("hash_of", "settled", *(("challenge_of", "copy_faulty_at") if book.terms.adjudicated else ()))
    for place, round in places:
        yield from ((name, book.orders[place].id, round) for name in names)


def about_accounts(ledger: Ledger) -> Iterator[Question]:
    """Yield what is asked about accounts' credits and keys, and about vouchers."""
    yield from (("credit", account, token) for account, token in ledger.credits)
    yield from (("key_at", owner, epoch) for owner, epoch in ledger.keys)
    yield from (("voucher_uses", digest) for digest in ledger.voucher_uses.keys() | ledger.revoked)
