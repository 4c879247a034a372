"""An audit: the books as the logs tell them (`protocol.ledger`), compared with everything that the contract says and
holds.

All of it at one block. Findings name the order, round or listing that is off.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Final

from numerbay_chain.audit import samples
from numerbay_chain.audit.contents import Contents
from numerbay_chain.audit.notes import Notes, Refusal
from numerbay_chain.audit.questions import Question, about_accounts, about_listing
from numerbay_chain.audit.results import AuditReport, Severity, TokenBalance
from numerbay_chain.audit.samples import Place
from numerbay_chain.audit.unsettled import faulty_rounds, open_challenges
from numerbay_chain.chain.contract import challenge_hash
from numerbay_chain.chain.identity.creation import UnseenCreationError
from numerbay_chain.core.errors import NetworkError, NumerbayChainError, RefusedError, UsageError
from numerbay_chain.core.progress import Progress, silent
from numerbay_chain.core.units import format_amount, format_order_id
from numerbay_chain.protocol.books import ListingBook
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.facts import OrderFacts, RoundFacts
from numerbay_chain.protocol.ledger import Ledger
from numerbay_chain.protocol.replay import replay
from numerbay_chain.protocol.rules import REVOKED
from numerbay_chain.protocol.types import ZERO_ADDRESS, ZERO_HASH, Order, Pot
from numerbay_chain.session import Session

_AT_ONCE: Final = 4096
"""Questions that are asked for before what they were asked for is compared."""


def run_audit(session: Session, *, content: bool = False, progress: Progress = silent) -> AuditReport:
    """Rebuild every listing, order and pot from the logs, compare them with the contract's state and its balances, and
    check every manifest (those of copies through the store: what is not available there is a warning).

    With `content`, also read every byte that was released through the store: what is not available there is an error,
    and `unread` says that the store could not be asked.
    """
    return _Audit(session, content, progress).run()


class _Audit(Notes):
    def __init__(self, session: Session, content: bool, progress: Progress) -> None:
        super().__init__(session.contract.look())
        self._session, self._contract = session, session.contract
        self._progress = progress
        store = session.content.store if content else session.content.store_or_none
        self._contents = Contents(self, store, content, progress)
        self._ledger = Ledger()

    def run(self) -> AuditReport:
        self._refuse_late_start()
        self._creation()
        first, last = self._session.index.first, self.look.block
        replay(self._events(first, last), self._ledger)
        for doubt in self._ledger.discrepancies:
            self.find("error", doubt.subject, doubt.text, doubt.code)
        self.compare("contract", "listingCount", self.look.listing_count(), len(self._ledger.books))
        self._listings()
        self._accounts()
        balances = tuple(found for token in self._ledger.tokens if (found := self._balance(token)) is not None)
        return AuditReport(
            contract=self._contract.address,
            chain_id=self._session.connection.chain_id,
            from_block=first,
            to_block=last,
            balances=balances,
            challenges=tuple(open_challenges(self.look, self._ledger)),
            faulty_rounds=tuple(faulty_rounds(self.look, self._ledger)),
            findings=tuple(self.findings),
            checked={"events": self._ledger.events, **self.checked},
            unread=self._contents.unread,
        )

    def _events(self, first: int, last: int) -> Iterator[Event]:
        """All events. Manifests are checked as they go by."""
        blocks = last - first + 1
        for event in self._session.index.events(last=last):
            yield event
            self._contents.check(event)
            self._progress("read logs", event.block - first, blocks, "blocks")
        self._progress("read logs", blocks, blocks, "blocks")

    def _refuse_late_start(self) -> None:
        """Logs that begin after the deployment would look like a contract that lies. Raises `UsageError`."""
        first = self._session.index.first
        if first == 0:
            return
        if first <= self.look.block:
            try:
                if not self._session.connection.code(self._contract.address, first - 1):
                    return  # it was not there yet, as it should be
            except NumerbayChainError:
                return  # the node has forgotten that time
        raise UsageError(
            f"the contract was there before block {first}, from which on its logs are to be read",
            "from_block must be the block of the deployment or an earlier one",
            code="wrong-first-block",
        )

    def _creation(self) -> None:
        """Books in order say nothing of a contract that began with other storage: its maker has credit in no log."""
        try:
            self._session.require_known_contract()
        except (UnseenCreationError, NetworkError) as error:
            self.find("warning", "contract", str(error), error.code)
        except RefusedError as error:
            severity: Severity = "error" if error.code == "contract-unknown" else "warning"
            self.find(severity, "contract", str(error), error.code)
        else:
            self.count("creations")

    # ------------------------------------------------------------------------------------------------------ the state

    def _listings(self) -> None:
        """Compare all listings, as many at once as there are questions for one request or some."""
        books, waiting, questions = self._ledger.books, list[tuple[ListingBook, list[Place]]](), list[Question]()
        for number, book in enumerate(books.values(), 1):
            waiting.append((book, places := samples.places(book)))
            questions += about_listing(book, places)
            if len(questions) < _AT_ONCE and number < len(books):
                continue
            self.look.load(*questions)
            for some, chosen in waiting:
                self._listing(some, chosen)
            self.look.forget()
            waiting, questions = [], []
            self._progress("compare listings", number, len(books), "listings")

    def _listing(self, book: ListingBook, places: Sequence[Place]) -> None:
        subject = f"listing {book.id}"
        state = self.ask(self.look.listing, book.id)
        if isinstance(state, Refusal):
            self.find("error", subject, f"the contract does not know it: {state}", "unknown-to-contract")
            return
        self.compare_fields(subject, state, book.offering, "seller", "operator", "payout", "terms", "offer", "version")
        self.compare_fields(subject, state, book, "next_round", "voided", "last_turn")
        self.compare(subject, "orders", state.orders, len(book.orders))
        self.compare(subject, "active", state.active, book.earned_by(book.next_round))
        for end, amount in book.leaving().items():
            self.compare(subject, f"leaving({end})", self.ask(self.look.leaving, book.id, end), amount)
        for round in book.over:
            missed = self.ask(self.look.is_missed, book.id, round)
            self.compare(f"round {round} of {subject}", "isMissed", missed, book.facts.is_missed(round))
            faulty_at = self.ask(self.look.faulty_at, book.id, round)
            self.compare(f"round {round} of {subject}", "faultyAt", faulty_at, book.facts.faulty.get(round, 0))
        for (round, bucket), pot in book.pots.items():
            found_pot = self.ask(self.look.pot, book.id, round, bucket)
            self.compare(f"round {round} of {subject}", f"pot({bucket})", found_pot, Pot(pot.amount, pot.released))
            self.count("pots")
        self.count("listings")
        for sale in book.orders:
            self._order(sale)
        self._order_rounds(book, places)

    def _order(self, sale: OrderFacts) -> None:
        order, subject = sale.sold, f"order {format_order_id(sale.id)}"
        state = self.ask(self.look.order, order.id)
        if isinstance(state, Refusal):
            self.find("error", subject, f"the contract does not know it: {state}", "unknown-to-contract")
            return
        if order.by_voucher and sale.voucher is None:
            self.find(
                "error", subject, "it has a voucher's price, but no voucher was used for it by the logs", "no-voucher"
            )
        self.compare_fields(subject, state, order, *(one.name for one in fields(Order) if one.name != "id"))
        self.count("orders")

    def _order_rounds(self, book: ListingBook, places: Sequence[Place]) -> None:
        """Compare what the contract holds of single rounds of single orders (`samples`)."""
        for place, round in places:
            self._order_round(book, book.orders[place], round)
        self.count_by("rounds of orders in all", sum(len(samples.rounds_out(book, sale.sold)) for sale in book.orders))

    def _order_round(self, book: ListingBook, sale: OrderFacts, round: int) -> None:
        subject, known = f"order {format_order_id(sale.id)}", sale.at(round)
        promised = known.copy if book.terms.copies else book.facts.releases.get(round)
        expected_hash = promised.content_hash if promised else ZERO_HASH
        self.compare(subject, f"hashOf({round})", self.ask(self.look.hash_of, sale.id, round), expected_hash)
        settled = self.ask(self.look.settled, sale.id, round)
        self.compare(subject, f"settled({round})", settled, known.settlement)
        if book.terms.adjudicated:
            self._dispute(subject, sale.id, round, known)
        self.count("rounds of orders")

    def _dispute(self, subject: str, order: int, round: int, known: RoundFacts) -> None:
        challenge = known.open_challenge
        expected = challenge_hash(challenge) if challenge else ZERO_HASH
        self.compare(subject, f"challengeOf({round})", self.ask(self.look.challenge_of, order, round), expected)
        faulty_at = self.ask(self.look.copy_faulty_at, order, round)
        self.compare(subject, f"copyFaultyAt({round})", faulty_at, known.marked_at)
        if challenge:
            self.count("challenges")

    def _accounts(self) -> None:
        self.look.load(*about_accounts(self._ledger))
        for (account, token), amount in self._ledger.credits.items():
            found = self.ask(self.look.credit, account, token)
            self.compare(f"account {account}", f"credit in {token}", found, amount)
        for (owner, epoch), key in self._ledger.keys.items():
            self.compare(f"account {owner}", f"key {epoch}", self.ask(self.look.key_at, owner, epoch), key)
            self.count("keys")
        for digest in self._ledger.voucher_uses.keys() | self._ledger.revoked:
            uses = self._ledger.voucher_uses.get(digest, 0)
            expected = REVOKED if digest in self._ledger.revoked else uses
            found = self.ask(self.look.voucher_uses, digest)
            self.compare(f"voucher 0x{digest.hex()}", "uses", found, expected)
            self.count("vouchers")

    def _balance(self, address: str) -> TokenBalance | None:
        """None where the token does not say what the contract holds, which is an error where something is owed."""
        ledger, token = self._ledger, self.look.token(address)
        subject, held = f"token {address}", self._held(address)
        balance = TokenBalance(
            token,
            ledger.unreleased(address),
            ledger.missed(address),
            ledger.pots(address),
            ledger.challenged(address),
            ledger.credited(address),
            0 if isinstance(held, Refusal) else held,
        )
        flow = ledger.received.get(address, 0) - ledger.paid.get(address, 0)
        if flow != balance.owed:
            self.find("error", subject, f"by the logs {flow} stayed in, but {balance.owed} are owed", "owed-differs")
        if isinstance(held, Refusal):
            severity: Severity = "error" if balance.owed else "note"
            self.find(severity, subject, f"the token does not say what the contract holds: {held}", "no-balance")
            return None
        amount = format_amount(abs(balance.surplus), token.symbol, token.decimals)
        if balance.surplus < 0:
            self.find("error", subject, f"the contract holds {amount} less than it owes", "deficit")
        elif balance.surplus > 0:
            self.find("note", subject, f"the contract holds {amount} more than it owes: sent in by mistake", "surplus")
        self.count("tokens")
        return balance

    def _held(self, address: str) -> int | Refusal:
        """What the contract holds of a token, whose code is a stranger's: it may refuse, or answer with anything."""
        try:
            return self.ask(self.look.holdings, address)
        except NetworkError as error:
            if address == ZERO_ADDRESS or error.code != "bad-answer":
                raise
            return Refusal(str(error))
