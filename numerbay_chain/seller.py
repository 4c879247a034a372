"""The seller: lists, delivers, hands out keys, is paid."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Self, Unpack

from numerbay_chain import copies as copies_steps
from numerbay_chain import delivery, offering
from numerbay_chain.addresses import checksummed
from numerbay_chain.catalog import view_listing, view_listings
from numerbay_chain.chain import calls
from numerbay_chain.chain.types import ZERO_ADDRESS, Voucher
from numerbay_chain.challenging import list_sold, settle
from numerbay_chain.choices import Choices
from numerbay_chain.description import Description
from numerbay_chain.docket import OpenChallenge, open_challenges, require_all_challenges, scope_of
from numerbay_chain.errors import RefusedError
from numerbay_chain.market import Market, Overrides, open_market, quiet
from numerbay_chain.overview import bucket_of, view_orders
from numerbay_chain.paging import MOST, Page
from numerbay_chain.payout import collect, paid_by, resume_withdrawal, withdraw, withdrawable
from numerbay_chain.progress import Progress, silent
from numerbay_chain.responding import respond
from numerbay_chain.results import (
    Created,
    Delivered,
    Done,
    ListingView,
    OrderView,
    Served,
    VoucherStatus,
    Withdrawal,
    event_of,
)
from numerbay_chain.terms import Preset, TermChanges
from numerbay_chain.verdicts import Answers, Dispute, DisputeScope, EndedDispute
from numerbay_chain.vouchers import SignedVoucher, issue, revoke, status_of


class Seller:
    """Acts for the account of `market`: a listing's seller, or the operator he named (who can't take money).

    Every call that sends transactions can be run again after a crash: what was on its way is waited for, not sent
    twice. All raise `NumerbayChainError`s, `RevertedError` and `NetworkError` among them.
    """

    def __init__(self, market: Market) -> None:
        self.market = market

    @classmethod
    def connect(
        cls,
        profile: str | None = None,
        *,
        password: Callable[[], str] | None = None,
        dry_run: bool = False,
        notify: Callable[[str], None] = quiet,
        **overrides: Unpack[Overrides],
    ) -> Self:
        """Opens chain, contract, account and store as settings say: `overrides`, then NUMERBAY_CHAIN_*, then the
        profile.

        With `dry_run` the first transaction that would be sent is raised as `Planned` instead. Raises `UsageError`
        for a setting that is missing.
        """
        return cls(open_market(profile, password=password, dry_run=dry_run, notify=notify, **overrides))

    # ------------------------------------------------------------------------------------------------------- listings

    def create_listing(
        self,
        price: int | str,
        *,
        preset: Preset | None = None,
        name: str = "",
        description: str = "",
        media_type: str = "",
        opened: bool = True,
        operator: str | None = None,
        payout: str | None = None,
        **terms: Unpack[TermChanges],
    ) -> Created:
        """Creates a listing at `price` per round: wei, or text with a unit ("0.05 ether", "12 NMR").

        `terms` change what the preset says; durations are seconds or text ("5m"). Where `name` or `description` is
        given, they are pinned to the store as the listing's public description. `payout` is the caller unless said.
        Raises `UsageError` for a term out of its bounds.
        """
        about = Description(name, description, media_type)
        return offering.create(self.market, price, preset, about, opened, operator, payout, terms)

    def explain_terms(
        self, price: int | str, *, preset: Preset | None = None, **terms: Unpack[TermChanges]
    ) -> tuple[str, ...]:
        """What a listing with these terms would mean for both sides, in plain words. Sends nothing; raises as
        `create_listing`."""
        return offering.explain_terms(self.market, price, preset, terms)

    def edit_listing(
        self,
        listing_id: int,
        *,
        price: int | str | None = None,
        opened: bool | None = None,
        name: str | None = None,
        description: str | None = None,
        media_type: str | None = None,
    ) -> Done | None:
        """Changes the offer for later orders. None: it was so already. What is not given stays."""
        about = {"name": name, "description": description, "media_type": media_type}
        return offering.edit(self.market, listing_id, price, opened, about)

    def show(self, listing_id: int) -> ListingView:
        """A listing, its description (read from the store and checked) and its terms in words."""
        return view_listing(self.market, listing_id)

    def listings(self, mine: bool = True, limit: int | None = MOST) -> Page[ListingView]:
        """The caller's listings, or everybody's: the newest `limit` of them (None: all); `.more` counts the others."""
        return view_listings(self.market, self.market.account if mine else None, limit)

    def orders(self, listing_id: int, limit: int | None = MOST) -> Page[OrderView]:
        """The orders of a listing as they stand: as `Buyer.orders`."""
        return view_orders(self.market, self.market.contract.orders_of(listing_id), limit)

    def set_operator(self, listing_id: int, operator: str | None) -> Done:
        """Names a hot key that may release, deliver, skip, refund; None: nobody."""
        call = calls.set_operator(listing=listing_id, operator=checksummed(operator) if operator else ZERO_ADDRESS)
        return Done(self.market.send(f"set-operator-{listing_id}", call).receipt)

    def set_payout(self, listing_id: int, payout: str) -> Done:
        """Sends later withdrawals elsewhere."""
        call = calls.set_payout(listing=listing_id, payout=checksummed(payout))
        return Done(self.market.send(f"set-payout-{listing_id}", call).receipt)

    # ----------------------------------------------------------------------------------------------------- deliveries

    def deliver(
        self,
        path: str | Path,
        listing_id: int,
        *,
        note: str = "",
        again: bool = False,
        confirmations: int | None = None,
        read_back: str | None = None,
        wait: bool = False,
        progress: Progress = silent,
    ) -> Delivered:
        """Seals a file or folder for the next round, pins it, releases the round, and hands out the keys when they
        may go out.

        A call that was killed is taken up by the next one with the same file: no second release, no second key.
        Where the decline window (or `confirmations`) must pass first, the answer's state is "waiting", unless
        `wait`. `again`: the same file as the round before is meant. `read_back` is a second way to the content
        ("gateway:https://…"); off a development chain it is required, and must differ from the store.
        `confirmations`: blocks on top of what keys go out to; None: until it is final as the chain says it. Raises
        `RefusedError` for an unfinished delivery of another file, for the same file as a new round without `again`,
        and for content that does not read back.
        """
        choices = Choices.make(self.market, confirmations, read_back, wait, progress)
        return delivery.deliver(self.market, Path(path), listing_id, note, again, choices)

    def serve(
        self,
        listing_id: int,
        *,
        confirmations: int | None = None,
        read_back: str | None = None,
        wait: bool = False,
        progress: Progress = silent,
    ) -> Served:
        """Hands out keys to whoever waits: buyers of a round that was out, and all after the decline window."""
        choices = Choices.make(self.market, confirmations, read_back, wait, progress)
        return delivery.serve(self.market, listing_id, choices)

    def deliver_copies(
        self,
        listing_id: int,
        copies: Mapping[int, str | Path],
        *,
        note: str = "",
        again: bool = False,
        confirmations: int | None = None,
        read_back: str | None = None,
        wait: bool = False,
        progress: Progress = silent,
    ) -> Delivered:
        """In a listing sold as copies: starts the round, and posts each order its own file (`copies`: order id →
        path)."""
        choices = Choices.make(self.market, confirmations, read_back, wait, progress)
        paths = {order: Path(path) for order, path in copies.items()}
        return copies_steps.deliver_copies(self.market, listing_id, paths, note, again, choices)

    def skip(self, listing_id: int, round: int | None = None) -> Done:
        """Misses the next round: every order that covers it can be paid back (`Buyer.collect_missed`).

        `round`: the one that is meant. Raises `RefusedError` where an interrupted call had skipped another one, and
        `RevertedError` where it is not the next.
        """
        label = f"skip-{listing_id}"
        sent = self.market.resume(label)
        if sent is None:
            meant = self.market.contract.listing(listing_id).next_round if round is None else round
            sent = self.market.send(label, calls.skip(listing=listing_id, round=meant))
        skipped: int = event_of(sent.receipt, "Skipped")["round"]
        if round not in (None, skipped):
            raise RefusedError(
                f"an earlier skip was still on its way, and has gone through: round {skipped} was skipped, and round "
                f"{round} was not",
                f"run this again if round {round} is to be skipped too",
                code="earlier-transaction",
            )
        return Done(sent.receipt, round=skipped, resumed=sent.resumed)

    # ---------------------------------------------------------------------------------------------------------- money

    def refund(self, order: int, round: int | None = None) -> Done:
        """Gives all unreleased rounds of an order back, or one released `round` whose money has not matured."""
        market = self.market
        held = market.contract.order(order)
        terms = market.contract.listing(held.listing).terms
        token, until = market.token(terms.token), None
        if round is None:
            call, name = calls.refund(order=order), "Refunded"
        else:
            release = market.contract.release(held.listing, round)
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
        return paid_by(market.send(label, call, until=until), name, token)

    def withdrawable(self, listing_id: int) -> Withdrawal:
        """What `withdraw` would take now, and what matures later. Sends nothing."""
        return withdrawable(self.market, listing_id)

    def withdraw(self, listing_id: int) -> Withdrawal:
        """Takes all matured money of a listing, found from the logs alone, to its payout address."""
        return withdraw(self.market, listing_id)

    def resume_withdrawal(self, listing_id: int) -> Withdrawal:
        """What became of a withdrawal that was interrupted; without `receipts` where there was none. Sends nothing
        new."""
        return resume_withdrawal(self.market, listing_id)

    def collect(self, token: str | None = None, to: str | None = None, *, account: str | None = None) -> Done | None:
        """Collect payments that this account refused before; None: there are none.

        `account`: collect for somebody else, a contract that can't do so itself. The money goes to that account, so
        `to` can't be given with it.
        """
        return collect(self.market, token, to, account)

    # ------------------------------------------------------------------------------------------------------- disputes

    def looks_after(self, *listings: int) -> DisputeScope:
        """The listings whose disputes the account answers: those that it sells, and those that it operates and that the
        setting `operates` names; or of `listings` alone, those that it sells or operates."""
        return scope_of(self.market, listings)

    def disputes(self, *listings: int, ended: bool = False) -> list[Dispute]:
        """Open disputes about the listings that the account looks after (`looks_after`), what must be answered soonest
        first. With `ended`, past ones too. These are what the node's logs tell of: `require_all_challenges` says
        whether there are more."""
        return list_sold(self.market, listings, ended=ended)

    def open_challenges(self, *listings: int) -> list[OpenChallenge]:
        """The challenges that `respond` would look at, in its order, by the logs alone."""
        return open_challenges(self.market, scope_of(self.market, listings))

    def require_all_challenges(self, *listings: int) -> None:
        """Raises `NetworkError` where the contract's pots know of a challenge about the listings that the account looks
        after (`looks_after`) that the node's logs leave out, or a second node tells of another one."""
        require_all_challenges(self.market, scope_of(self.market, listings).all)

    def respond(self, order: int | None = None, round: int | None = None, *, listings: Collection[int] = ()) -> Answers:
        """Answers a challenge with the content key, or all that are open about the listings that the account looks
        after (`looks_after`), own ones and urgent ones first; from the chain and the seller secret alone.

        What can't be answered (yet) is in `.left`, with the reason. A challenge with nothing at stake is answered only
        where its order is named. Without `order` it looks at last for challenges that the node leaves out, as
        `require_all_challenges` does: `.doubt` says what was found then.

        Raises `RefusedError` where an order was named and there is nothing to answer, `AccountError` where the seller
        secret is not the one it was sealed with.
        """
        return respond(self.market, order, round, listings)

    def settle(self, order: int, round: int | None = None) -> EndedDispute:
        """Ends a dispute as it stands (`Buyer.settle`): price and bond are the seller's where nothing was proven in
        time."""
        return settle(self.market, order, round)

    # ------------------------------------------------------------------------------------------------------- vouchers

    def sign_voucher(
        self,
        listing_id: int,
        *,
        price: int | str,
        buyer: str | None = None,
        max_rounds: int = 1,
        uses: int = 1,
        valid_for: int | str = "7d",
        nonce: int | None = None,
    ) -> SignedVoucher:
        """Signs a permission to buy at `price` per round (0 allowed), also from a closed listing. Sends nothing.

        `buyer` None: anyone. `valid_for` counts from the chain's time.
        """
        return issue(self.market, listing_id, price, buyer, max_rounds, uses, valid_for, nonce)

    def revoke_voucher(self, voucher: SignedVoucher | Voucher) -> Done | None:
        """Makes a voucher unusable. None: it was so already."""
        return revoke(self.market, voucher)

    def voucher_status(self, voucher: SignedVoucher) -> VoucherStatus:
        """How often it was used, and whether it can be used now."""
        return status_of(self.market, voucher)
