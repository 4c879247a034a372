"""The seller: lists, delivers, hands out keys, is paid."""

from numerbay_chain.core.paging import MOST, Page
from numerbay_chain.delivery.copies import deliver_copies
from numerbay_chain.delivery.deliver import deliver, serve
from numerbay_chain.delivery.options import CopiesRequest, DeliveryRequest, ServeRequest
from numerbay_chain.disputes.docket import OpenChallenge, confirmed_challenges, open_challenges, scope_of
from numerbay_chain.disputes.respond import respond
from numerbay_chain.disputes.results import DisputeScope
from numerbay_chain.disputes.settle import settle
from numerbay_chain.disputes.views import list_sold
from numerbay_chain.listings.offering import create_listing, edit_listing, explain_terms, set_operator, set_payout
from numerbay_chain.listings.results import ListingView
from numerbay_chain.listings.views import view_listing, view_listings
from numerbay_chain.listings.vouchers import issue, revoke, voucher_status
from numerbay_chain.orders.payouts import collect, resume_withdrawal, withdraw, withdrawable
from numerbay_chain.orders.views import view_sold
from numerbay_chain.orders.ways_out import refund, skip
from numerbay_chain.role import Role, method, method_with


class Seller(Role):
    """Acts for the account of `session`: a listing's seller, or the operator they named (who can't take money).

    Every call that sends transactions can be run again after a crash: what was on its way is waited for, not sent
    twice. All raise `NumerbayChainError`s, `RevertedError` and `NetworkError` among them.
    """

    # listings
    create_listing = method(create_listing)
    explain_terms = method(explain_terms)
    edit_listing = method(edit_listing)
    set_operator = method(set_operator)
    set_payout = method(set_payout)
    show = method(view_listing)
    orders = method(view_sold)

    def listings(self, mine: bool = True, limit: int | None = MOST) -> Page[ListingView]:
        """Return the caller's listings, or everybody's: the newest `limit` of them (None: all); `.more` counts the
        others."""
        return view_listings(self.session, self.session.account if mine else None, limit)

    # vouchers
    sign_voucher = method(issue)
    revoke_voucher = method(revoke)
    voucher_status = method(voucher_status)

    # deliveries
    deliver = method_with(DeliveryRequest, deliver)
    deliver_copies = method_with(CopiesRequest, deliver_copies)
    serve = method_with(ServeRequest, serve)
    skip = method(skip)

    # money
    refund = method(refund)
    withdrawable = method(withdrawable)
    withdraw = method(withdraw)
    resume_withdrawal = method(resume_withdrawal)
    collect = method(collect)

    # disputes
    disputes = method(list_sold)
    respond = method(respond)
    settle = method(settle)

    def looks_after(self, *listings: int) -> DisputeScope:
        """Return the listings whose disputes the account answers: those that it sells, and those that it operates and
        that the setting `operates` names; or of `listings` alone, those that it sells or operates."""
        return scope_of(self.session, listings)

    def open_challenges(self, *listings: int) -> list[OpenChallenge]:
        """Return the challenges that `respond` would look at, in its order, by the logs alone."""
        look = self.session.contract.look()
        return open_challenges(self.session, scope_of(self.session, listings, look), look)

    def require_all_challenges(self, *listings: int) -> None:
        """Raise `NetworkError` where the contract's pots know of a challenge about the listings that the account looks
        after (`looks_after`) that the node's logs leave out, or a second node tells of other challenges or listings."""
        confirmed_challenges(self.session, listings)
