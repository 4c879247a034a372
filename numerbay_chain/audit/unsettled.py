"""What an audit's books say is still open: challenges, and rounds that were proven faulty."""

from collections.abc import Iterator

from numerbay_chain.audit.results import FaultyRound, OpenChallenge
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.protocol.ledger import Ledger
from numerbay_chain.protocol.rules import dispute_deadline, dispute_state
from numerbay_chain.protocol.types import Settlement


def open_challenges(look: Snapshot, ledger: Ledger) -> Iterator[OpenChallenge]:
    """Yield every open challenge, by order and round."""
    for book in ledger.books.values():
        terms, token = book.terms, look.token(book.terms.token)
        for sale in book.orders:
            for round, known in sorted(sale.rounds.items()):
                if (challenge := known.open_challenge) is None:
                    continue
                faulty_at = book.facts.faulty.get(round) or known.marked_at
                state = dispute_state(terms, look.time, Settlement.CHALLENGED, challenge, False, faulty_at, 0)
                yield OpenChallenge(sale.id, round, challenge, token, state, dispute_deadline(terms, state, challenge))


def faulty_rounds(look: Snapshot, ledger: Ledger) -> Iterator[FaultyRound]:
    """Yield every round that was proven faulty, with the money that goes back to its buyers."""
    for book in ledger.books.values():
        frozen = dict.fromkeys(book.facts.faulty, 0)
        for (round, bucket), pot in book.pots.items():
            if book.is_frozen(round, bucket):
                frozen[round] += pot.amount
        for round, faulty_at in sorted(book.facts.faulty.items()):
            yield FaultyRound(book.id, round, faulty_at, frozen[round], look.token(book.terms.token))
