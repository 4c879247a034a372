"""Which disputes an account looks after, told by the logs alone and in the order in which they are urgent.

Anybody can open a worthless listing, name a stranger as its operator and challenge it a thousand times. So a listing of
somebody else's counts only where its operator named it, and no question is asked about a challenge before it is its
turn. docs/architecture.md, "Disputes".
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.core.paging import MOST, Page
from numerbay_chain.delivery.recipients import Sales
from numerbay_chain.disputes.results import DisputeScope
from numerbay_chain.index.questions import (
    DISPUTES,
    ROUNDS,
    SALES,
    read_about,
    read_disputes,
    read_listings,
    read_purchases,
    require_orders,
    require_rounds,
)
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.rounds import Pair, read_many
from numerbay_chain.protocol.facts import RoundFacts
from numerbay_chain.protocol.rules import OVER
from numerbay_chain.session import Session


def scope_of(session: Session, named: Collection[int] = (), look: Snapshot | None = None) -> DisputeScope:
    """The listings that the account sells, and those that it operates and that were named: by `named`, which leaves out
    all others, else by the setting `operates`. Raises `NetworkError` where the logs leave out listings."""
    look, wanted = look or session.contract.look(), tuple(sorted(set(named)))
    return session.once(look, ("scope", wanted), lambda: _scope_at(session, look, wanted))


def _scope_at(session: Session, look: Snapshot, named: Collection[int]) -> DisputeScope:
    account = session.account
    if named:
        found = look.listings(named)
        sold = frozenset(one.id for one in found if one.seller == account)
        return DisputeScope(sold, frozenset(one.id for one in found if one.operator == account) - sold, 0)
    listings = read_listings(session.index, last=look.block).listings
    offerings = {id: one.offering for id, one in listings.items() if one.offering is not None}
    if len(offerings) < look.listing_count():
        raise NetworkError(
            f"the logs of {session.index.name} leave out listings",
            "check from_block, or use another node",
            code="node-incomplete",
        )
    sold = frozenset(listing for listing, offering in offerings.items() if offering.seller == account)
    known = session.operates & offerings.keys() - sold  # who operates these now is asked of the contract
    operated = frozenset(one.id for one in look.listings(known) if one.operator == account)
    others = {listing for listing, offering in offerings.items() if offering.operator == account} - sold - operated
    return DisputeScope(sold, operated, len(others))


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """A challenge that has not ended, by the logs. `deadline`: the last second for the answer; `price` and `bond` in
    the smallest unit of `token`."""

    order: int
    round: int
    sold: bool
    deadline: int
    price: int
    bond: int
    token: str
    answered: bool = False

    @property
    def stake(self) -> int:
        """What is lost without an answer."""
        return self.price + self.bond

    @property
    def at_stake(self) -> bool:
        return self.stake > 0


def open_challenges(session: Session, scope: DisputeScope, look: Snapshot | None = None) -> list[OpenChallenge]:
    """Own listings first, and what must be answered soonest first; what is answered already comes last. One question
    for the logs and one for all listings that were challenged: no more for a thousand challenges."""
    if not scope.all:
        return []
    look = look or session.contract.look()
    return session.once(look, ("challenges", scope), lambda: _challenges_at(session, look, scope))


def _challenges_at(session: Session, look: Snapshot, scope: DisputeScope) -> list[OpenChallenge]:
    disputed = _disputed(session, look, scope.all)
    opened = [(pair, challenge) for pair, known in disputed if (challenge := known.open_challenge)]
    listings = {one.id: one for one in look.listings({order >> 32 for (order, _), _ in opened})}
    found: list[OpenChallenge] = []
    for (order, round), challenge in opened:
        terms, sold = listings[order >> 32].terms, order >> 32 in scope.sold
        deadline = terms.response_deadline(challenge.challenged_at)
        stake = challenge.price, challenge.bond, terms.token
        found.append(OpenChallenge(order, round, sold, deadline, *stake, challenge.responded))
    return sorted(found, key=lambda one: (one.answered, not one.sold, one.deadline, one.order, one.round))


def in_time(challenges: Iterable[OpenChallenge], now: int, each: int) -> list[OpenChallenge]:
    """Put those last for which there is no time if the first answer leaves `now` and each takes `each` seconds: what is
    least worth is given up first. Whoever challenges a hundred cheap orders must not use up the deadline of a dear
    one."""
    chosen: list[OpenChallenge] = []
    late: list[OpenChallenge] = []
    for one in challenges:
        chosen.append(one)
        if now + each * (len(chosen) - 1) > one.deadline:
            like = [other for other in chosen if other.token == one.token and other.sold == one.sold]
            least = min(like, key=lambda other: other.stake)
            chosen.remove(least)
            late.append(least)
    return chosen + sorted(late, key=lambda one: (not one.sold, -one.stake))


def buyers_cases(session: Session, *, ended: bool) -> Page[OrderRound]:
    """The account's disputes, and what faulty rounds owe it; the most urgent first. Of faulty rounds those that most
    was paid for, `MOST` of them: strangers can give away orders of rounds that they have proven faulty themselves."""
    with session.agreed():  # the time for a proof passes while one node says that there is nothing to prove
        return _buyers_cases(session, session.contract.look(), ended=ended)


def _buyers_cases(session: Session, look: Snapshot, *, ended: bool) -> Page[OrderRound]:
    block = look.block
    ids = sorted(read_purchases(session.index, session.account, last=block).orders)
    subjects = [*{id >> 32 for id in ids}, *ids]
    facts = read_about(session.index, subjects, (*SALES, *DISPUTES, "RoundFaulty"), last=block)
    require_orders(session.index, facts, ids)
    found = [((id, round), known) for id in ids for round, known in facts.order(id).rounds.items()]
    prices = {id: facts.order(id).sold.price for id in ids}
    faulty = {
        (id, round)
        for id in ids
        for round in facts.listing(id >> 32).faulty
        if prices[id] and facts.order(id).sold.covers(round)
    }
    owed = sorted(faulty - {pair for pair, _ in found}, key=lambda pair: (-prices[pair[0]], pair))
    chosen = {pair for pair, known in found if ended or known.outcome is None}
    return Page(_sorted(session, look, chosen | {*owed[:MOST]}, ended), more=len(owed[MOST:]))


def sellers_cases(session: Session, named: Collection[int], *, ended: bool) -> list[OrderRound]:
    """Disputes about the listings that the account looks after (`scope_of`); what must be answered soonest first."""
    look = session.contract.look()
    return _sorted(
        session, look, disputed_rounds(session, look, scope_of(session, named, look).all, ended=ended), ended
    )


def disputed_rounds(session: Session, look: Snapshot, listings: Collection[int], *, ended: bool) -> set[Pair]:
    """The orders of these listings, and their rounds, that are disputed by the logs; with `ended`, that ever were."""
    if not listings:
        return set()
    disputed = _disputed(session, look, listings)
    return {pair for pair, known in disputed if ended or known.outcome is None}


def _disputed(session: Session, look: Snapshot, listings: Collection[int]) -> Iterator[tuple[Pair, RoundFacts]]:
    """What was ever disputed about these listings, order by order."""
    facts = session.once(look, "disputes", lambda: read_disputes(session.index, last=look.block))
    for id, order in facts.orders.items():
        if id >> 32 in listings:
            yield from (((id, round), known) for round, known in order.rounds.items() if known.challenge)


def confirmed_challenges(session: Session, named: Collection[int] = ()) -> list[OpenChallenge]:
    """The challenges that are open about the listings that the account looks after (`scope_of`), once a second node, if
    there is one, has told the same: of the listings too, since a node that hides a listing hides its challenges, and
    one that stands still knows of no new one.

    Raises `NetworkError` where the contract knows of a challenge that the logs leave out, and as `Session.agreed`.
    """
    with session.agreed():
        look = session.contract.look()
        scope = scope_of(session, named, look)
        found = open_challenges(session, scope, look)
        listings = [listing for listing in look.listings(sorted(scope.all)) if listing.terms.adjudicated]
        looked_after = Sales.of_many(session, look, listings, ROUNDS)
        look.load(*(("pot", *place) for sales in looked_after for place in sales.challengeable()))
        for sales in looked_after:
            require_rounds(session.index, sales.facts, sales.listing)
            sales.require_all_challenges()
    return found


def _sorted(session: Session, look: Snapshot, pairs: set[Pair], ended: bool) -> list[OrderRound]:
    chosen = [case for case in read_many(session, sorted(pairs), look) if ended or case.state not in OVER]
    return sorted(chosen, key=lambda case: (case.deadline is None, case.deadline or 0, case.order.id, case.round))
