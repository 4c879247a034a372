"""The buyer: registers a key, buys, checks, fetches, and gets money back."""

from numerbay_chain.core.paging import MOST, Page
from numerbay_chain.disputes.challenge import open_dispute, preview, resume_challenge
from numerbay_chain.disputes.judge import judge
from numerbay_chain.disputes.prove import prove, resume_proof
from numerbay_chain.disputes.recourse import RECOURSE
from numerbay_chain.disputes.settle import claim, settle
from numerbay_chain.disputes.views import list_disputes, show_dispute
from numerbay_chain.listings.results import ListingView
from numerbay_chain.listings.views import view_listing, view_listings
from numerbay_chain.orders.missed import collect_all_missed, collect_missed, missed_of_listing, missed_of_order
from numerbay_chain.orders.payouts import collect
from numerbay_chain.orders.purchase import buy, resume_purchase
from numerbay_chain.orders.quote import PurchaseRequest, make_quote
from numerbay_chain.orders.registration import register_key
from numerbay_chain.orders.views import view_bought, view_order
from numerbay_chain.orders.ways_out import cancel, decline, reclaim
from numerbay_chain.retrieval.fetch import fetch
from numerbay_chain.retrieval.verify import verify
from numerbay_chain.role import Role, method, method_with


class Buyer(Role):
    """Acts for the account of `session`. Every call that sends transactions can be run again after a crash."""

    register_key = method(register_key)

    # buying
    show = method(view_listing)
    quote = method_with(PurchaseRequest, make_quote)
    buy = method_with(PurchaseRequest, buy)
    resume_purchase = method_with(PurchaseRequest, resume_purchase)
    order = method(view_order)
    orders = method(view_bought)

    def listings(self, limit: int | None = MOST) -> Page[ListingView]:
        """Return the marketplace's newest listings, `limit` of them (None: all); `.more` counts the others."""
        return view_listings(self.session, limit=limit)

    # reading
    verify = method(verify, RECOURSE)
    fetch = method(fetch, RECOURSE)

    # money
    decline = method(decline)
    cancel = method(cancel)
    reclaim = method(reclaim)
    missed = method(missed_of_order)
    collect_missed = method(collect_missed)
    all_missed = method(missed_of_listing)
    collect_all_missed = method(collect_all_missed)
    collect = method(collect)

    # disputes
    disputable = method(preview)
    open_dispute = method(open_dispute)
    resume_dispute = method(resume_challenge)
    disputes = method(list_disputes)
    show_dispute = method(show_dispute)
    judge = method(judge)
    prove = method(prove)
    resume_proof = method(resume_proof)
    claim = method(claim)
    settle = method(settle)
