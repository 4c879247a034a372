"""The buyer: registers a key, buys, checks, fetches, and gets money back."""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Self, Unpack

from numerbay_chain.chain.encoding import calls
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.home.settings import Overrides
from numerbay_chain.core.paging import MOST, Page
from numerbay_chain.core.progress import Progress, quiet, silent
from numerbay_chain.disputes.challenge import open_dispute, preview, resume_challenge
from numerbay_chain.disputes.judge import judge
from numerbay_chain.disputes.prove import prove, resume_proof
from numerbay_chain.disputes.recourse import RECOURSE
from numerbay_chain.disputes.results import Dispute, EndedDispute, Judgement, OpenedDispute, Proven
from numerbay_chain.disputes.settle import claim, settle
from numerbay_chain.disputes.views import list_disputes, show_dispute
from numerbay_chain.listings.results import ListingView
from numerbay_chain.listings.views import view_listing, view_listings
from numerbay_chain.listings.vouchers import SignedVoucher
from numerbay_chain.opening import open_market
from numerbay_chain.orders.missed import (
    MissedRounds,
    collect_all_missed,
    collect_missed,
    missed_of_listing,
    missed_of_order,
)
from numerbay_chain.orders.payouts import collect, paid_by
from numerbay_chain.orders.purchase import buy, resume_purchase
from numerbay_chain.orders.quote import make_quote
from numerbay_chain.orders.registration import register_key
from numerbay_chain.orders.results import OrderView, Purchase, Quote, RegisteredKey
from numerbay_chain.orders.views import view_orders
from numerbay_chain.protocol.events import Done
from numerbay_chain.protocol.rules import Step
from numerbay_chain.protocol.types import Order, Token
from numerbay_chain.retrieval.fetch import fetch
from numerbay_chain.retrieval.results import Fetched, Verification
from numerbay_chain.retrieval.verify import verify
from numerbay_chain.session import Market


class Buyer:
    """Acts for the account of `market`. Every call that sends transactions can be run again after a crash."""

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
        """Opens chain, contract, account, key file and store as settings say (see `Seller.connect`)."""
        return cls(open_market(profile, password=password, dry_run=dry_run, notify=notify, **overrides))

    # ------------------------------------------------------------------------------------------------------------ key

    def register_key(self, path: str | Path | None = None) -> RegisteredKey:
        """Registers the X25519 key in a key file; makes the file first if there is none (0600, never overwritten).

        `path` None: the setting `key`, else the account's own file in the home folder. Sends nothing if that key is
        the account's newest already.
        """
        return register_key(self.market, path)

    # --------------------------------------------------------------------------------------------------------- buying

    def show(self, listing_id: int) -> ListingView:
        """A listing, its description (read from the store and checked) and its terms in words."""
        return view_listing(self.market, listing_id)

    def listings(self, limit: int | None = MOST) -> Page[ListingView]:
        """The marketplace's newest listings, `limit` of them (None: all); `.more` counts the others."""
        return view_listings(self.market, limit=limit)

    def quote(
        self,
        listing_id: int,
        rounds: int = 1,
        *,
        voucher: SignedVoucher | None = None,
        recipient: str | None = None,
        first_round: int | None = None,
        young_listing: bool = False,
    ) -> Quote:
        """What a purchase would cost and bind to. `first_round` None: the round that is out where the listing is
        instant, else the next one. `young_listing`: see `buy`. Raises `RefusedError` for what can't be bought
        (closed, sold out, overdue, too young, voucher of no use), and `AccountError` for a recipient without a
        registered key."""
        return make_quote(self.market, listing_id, rounds, voucher, recipient, first_round, young_listing)

    def buy(
        self,
        listing_id: int,
        rounds: int = 1,
        *,
        voucher: SignedVoucher | None = None,
        recipient: str | None = None,
        first_round: int | None = None,
        max_price: int | str | None = None,
        quote: Quote | None = None,
        again: bool = False,
        young_listing: bool = False,
        check: bool = True,
        permit: bool = True,
        progress: Progress = silent,
    ) -> Purchase:
        """Buys `rounds` rounds and pays for all of them; the rights are the recipient's (None: the caller).

        `quote`: what the user agreed to; anything changed since is refused. `max_price` per round. A round that is
        out already is read and checked before it is bought, unless `check` is False. `permit`: allow a token's
        transfer by signature where the token can do that, else the exact amount is approved first. `again`: a
        second order for the same round is meant. `young_listing`: buy from a listing that is not final yet, whose
        number could still become another seller's. Raises `RefusedError` for an order that the recipient holds
        already for that round, for a young listing (`too-early`), for a seller, terms or checked content that changed
        before the purchase was signed (`terms-changed`), and for all that `quote` refuses.
        """
        return buy(
            self.market,
            listing_id,
            rounds,
            voucher=voucher,
            recipient=recipient,
            first_round=first_round,
            max_price=max_price,
            agreed=quote,
            again=again,
            young_listing=young_listing,
            check=check,
            permit=permit,
            progress=progress,
        )

    def resume_purchase(
        self,
        listing_id: int,
        rounds: int = 1,
        *,
        voucher: SignedVoucher | None = None,
        recipient: str | None = None,
    ) -> Purchase | None:
        """What became of a purchase that an interrupted `buy` had sent; None if there is none. Sends nothing new.
        Raises `RefusedError` naming the order where something else was bought then."""
        return resume_purchase(self.market, listing_id, rounds, voucher, recipient)

    def orders(self, limit: int | None = MOST) -> Page[OrderView]:
        """The account's orders as they stand: `limit` of them, those that were paid for first, the newest of each, with
        their newest rounds; `.more` counts the others. None: all orders, with all rounds that are over."""
        return view_orders(self.market, self.market.contract.orders_by(self.market.account), limit)

    def order(self, order: int) -> OrderView:
        """One order, anybody's, with all rounds that are over."""
        return view_orders(self.market, [self.market.contract.order(order)])[0]

    # -------------------------------------------------------------------------------------------------------- reading

    def verify(
        self, order: int, round: int | None = None, *, content: bool = True, progress: Progress = silent
    ) -> Verification:
        """Checks all of a round that can be checked without writing the artifact: manifest, every byte of
        ciphertext and commitments (unless `content` is False), envelope, key. `round` None: the newest one released
        that the order covers. What is wrong is in `.problems`; it raises only where nothing could be looked at
        (`NetworkError` of the chain)."""
        return verify(self.market, order, round, content, progress, RECOURSE)

    def fetch(
        self,
        order: int,
        round: int | None = None,
        *,
        path: str | Path | IO[bytes],
        overwrite: bool = False,
        progress: Progress = silent,
    ) -> Fetched:
        """Fetches, checks and decrypts a round. The output appears only when it is complete and checked; a stream
        gets each chunk once it was checked.

        Raises `RefusedError` (not released, not covered, no key yet), `NotFoundError` (content not available),
        `AccountError` (no key file, or the wrong one), `ContentError` and `DecryptionError` (not what was
        promised).
        """
        return fetch(self.market, order, round, path, overwrite, progress, RECOURSE)

    # ---------------------------------------------------------------------------------------------------------- money

    def decline(self, order: int, round: int | None = None) -> Done:
        """Ends the order before the round that was just released, within its decline window, and gets all of that
        paid back."""
        held, token = self._held(order)
        label = f"decline-{order}"
        sent = self.market.resume(label)
        if sent is None:
            listing = self.market.contract.listing(held.listing)
            if listing.terms.decline_window == 0:
                raise RefusedError(
                    f"listing {listing.id} has no decline window",
                    "cancel the order, or ask the seller for a refund",
                    code="no-decline-window",
                )
            if round is None:
                round = listing.next_round - 1
                if round < 0:
                    raise RefusedError(
                        f"no round of listing {held.listing} is out", "cancel the order instead", code="not-released"
                    )
            last = listing.last_turn + listing.terms.decline_window - 1 if round == listing.next_round - 1 else None
            stake = self.market.at_stake(token.address, held.price)
            sent = self.market.send(label, calls.decline(order=order, round=round), until=last, stake=stake)
        return paid_by(sent, "Declined", token)

    def cancel(self, order: int) -> Done:
        """Ends the order after the next round; later rounds are paid back at once."""
        _, token = self._held(order)
        return paid_by(self.market.send(f"cancel-{order}", calls.cancel(order=order)), "Cancelled", token)

    def reclaim(self, order: int) -> Done:
        """Takes the next round back too, the notice period after `cancel`."""
        _, token = self._held(order)
        return paid_by(self.market.send(f"reclaim-{order}", calls.reclaim(order=order)), "Reclaimed", token)

    def collect_missed(self, order: int, round: int | None = None) -> list[Done]:
        """Gets missed rounds paid back (all, or one); skips the overdue ones among them first. By anyone, for the
        order's buyer. Sends at most 200 transactions: what is left (`missed`) takes another call."""
        return collect_missed(self.market, order, round)

    def missed(self, order: int, round: int | None = None) -> MissedRounds:
        """What `collect_missed` would pay back, in how many transactions, for how much gas. Sends nothing."""
        return missed_of_order(self.market, order, round)

    def collect_all_missed(self, listing_id: int) -> list[Done]:
        """The same for every order of a listing that was paid for, to each order's buyer. By anyone."""
        return collect_all_missed(self.market, listing_id)

    def all_missed(self, listing_id: int) -> MissedRounds:
        """What `collect_all_missed` would pay back. Sends nothing."""
        return missed_of_listing(self.market, listing_id)

    def collect(self, token: str | None = None, to: str | None = None, *, account: str | None = None) -> Done | None:
        """Collect payments that this account refused before; None: there are none.

        `account`: collect for somebody else, a contract that can't do so itself. The money goes to that account, so
        `to` can't be given with it.
        """
        return collect(self.market, token, to, account)

    # ------------------------------------------------------------------------------------------------------- disputes

    def open_dispute(self, order: int, round: int | None = None, *, unseen: bool = False) -> OpenedDispute:
        """Challenges a released round: the seller has to answer with the content key, or price and bond come back. Pays
        the bond. `round` None: the newest one without a key that can be challenged, else the newest one released.

        Raises `RefusedError` where the round can't be challenged (not adjudicated, declinable, matured, settled), and
        where the right key was handed out; `UnseenKeyError` where the store can't be asked whether it was, or lacks
        what was posted, unless `unseen` agrees to that; `AccountError` without the key file that the order was bought
        with. A challenge that is open already is the answer, without a receipt.
        """
        return open_dispute(self.market, order, round, unseen)

    def resume_dispute(self, order: int, round: int | None = None) -> OpenedDispute | None:
        """What became of a challenge that an interrupted `open_dispute` had sent; None if there is none."""
        return resume_challenge(self.market, order, round)

    def disputable(self, order: int, round: int | None = None, *, unseen: bool = False) -> Dispute:
        """How the round stands that `open_dispute` would challenge. Sends nothing, and raises what that would raise,
        missing money too."""
        return preview(self.market, order, round, unseen)

    def disputes(self, *, ended: bool = False) -> Page[Dispute]:
        """The account's disputes and what faulty rounds owe it, the most urgent first; with `ended`, past ones too. Of
        faulty rounds 100, those that most was paid for; `.more` counts the others."""
        return list_disputes(self.market, ended=ended)

    def show_dispute(self, order: int, round: int | None = None, *, step: Step | None = None) -> Dispute:
        """How a dispute stands, anybody's: whose turn it is, until when, what can be done. `round` None: the newest one
        that waits for `step`, else whose dispute is open, else that has no key and can be challenged (without `step`),
        else that had one, else that was released."""
        return show_dispute(self.market, order, round, step)

    def judge(self, order: int, round: int | None = None, *, progress: Progress = silent) -> Judgement:
        """What could be proven against the seller, decided on this machine. Sends nothing and asks no node.

        Raises `RefusedError` where a proof would lose, or bring nothing; `AccountError` without the key file.
        """
        return judge(self.market, order, round, progress)

    def resume_proof(self, order: int, round: int | None = None) -> Proven | None:
        """What became of a proof that an interrupted `prove` had sent; None if there is none. Judges nothing anew."""
        return resume_proof(self.market, order, round)

    def prove(
        self,
        order: int,
        round: int | None = None,
        *,
        publish_key: bool = False,
        judgement: Judgement | None = None,
        progress: Progress = silent,
    ) -> Proven:
        """Proves a wrong key or wrong content, and gets price (and bond) back.

        `publish_key`: a proof of wrong content makes the content key public, and that is agreed to. `judgement`: what
        `judge` said a moment ago. Raises as `judge`, before anything left this machine.
        """
        return prove(self.market, order, round, publish_key, judgement, progress)

    def claim(self, order: int, round: int | None = None) -> EndedDispute:
        """Gets price and bond back where the seller did not answer in time. Raises `RefusedError` where that is not
        so (yet)."""
        return claim(self.market, order, round)

    def settle(self, order: int, round: int | None = None) -> EndedDispute:
        """Ends a dispute as it stands, for whomever that is: an unanswered challenge or a faulty round to the buyer, an
        answer against which nothing was proven to the seller. By anyone."""
        return settle(self.market, order, round)

    def _held(self, order: int) -> tuple[Order, Token]:
        held = self.market.contract.order(order)
        return held, self.market.token(self.market.contract.listing(held.listing).terms.token)
