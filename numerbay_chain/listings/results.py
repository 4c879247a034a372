"""What is answered about listings: frozen, typed, in integers (wei, seconds); hashes are 32 `bytes`."""

from dataclasses import dataclass

from numerbay_chain.core.progress import Note
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.listings.description import Description
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.types import Listing, Token, Voucher


@dataclass(frozen=True, slots=True)
class ListingView:
    """A listing with what is said about it. `description` is None where it is not available: `trouble` says why."""

    listing: Listing
    token: Token
    description: Description | None
    trouble: str | None
    words: tuple[str, ...]  # the terms in plain words, for both sides
    due: int | None = None  # the last second for the next round; None: there is no schedule
    overdue: range = range(0)  # rounds that are late: anybody can skip them, so that they are paid back

    @property
    def id(self) -> int:
        return self.listing.id


@dataclass(frozen=True, slots=True)
class Created:
    """A new listing. `id` is its number."""

    listing: Listing
    words: tuple[str, ...]
    details_cid: Cid | None
    receipt: Receipt

    @property
    def id(self) -> int:
        return self.listing.id


@dataclass(frozen=True, slots=True)
class VoucherStatus:
    """Whether a voucher can be used. `problem` is None if it can."""

    digest: bytes
    voucher: Voucher
    signer: str  # who signed it
    used: int
    revoked: bool
    problem: Note | None
