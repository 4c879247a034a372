"""What an audit's books say is still open: challenges, and rounds that were proven faulty."""

from collections.abc import Iterator

from numerbay_chain.audit.results import FaultyRound, OpenChallenge
from numerbay_chain.protocol.replay import Ledger
from numerbay_chain.protocol.rules import dispute_deadline, dispute_state
from numerbay_chain.protocol.types import Settlement
from numerbay_chain.session import Market


def open_challenges(market: Market, ledger: Ledger) -> Iterator[OpenChallenge]:
    """Yield every open challenge, by order and round."""
    now = market.connection.now()
    for listing in ledger.listings.values():
        terms, token = listing.terms, market.token(listing.terms.token)
        for order in listing.orders:
            for round, challenge in sorted(order.challenges.items()):
                faulty_at = listing.faulty.get(round) or order.copy_faulty.get(round, 0)
                state = dispute_state(terms, now, Settlement.CHALLENGED, challenge, False, faulty_at, 0)
                yield OpenChallenge(order.id, round, challenge, token, state, dispute_deadline(terms, state, challenge))


def faulty_rounds(market: Market, ledger: Ledger) -> Iterator[FaultyRound]:
    """Yield every round that was proven faulty, with the money that goes back to its buyers."""
    for listing in ledger.listings.values():
        frozen = dict.fromkeys(listing.faulty, 0)
        for (round, bucket), pot in listing.pots.items():
            if listing.is_frozen(round, bucket):
                frozen[round] += pot.amount
        for round, faulty_at in sorted(listing.faulty.items()):
            yield FaultyRound(listing.id, round, faulty_at, frozen[round], market.token(listing.terms.token))
