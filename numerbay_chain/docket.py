"""Which disputes an account looks after, told by the logs alone and in the order in which they are urgent.

Anybody can open a worthless listing, name a stranger as its operator and challenge it a thousand times. So a listing of
somebody else's counts only where its operator named it, and no question is asked about a challenge before it is its
turn. docs/architecture.md, "Disputes".
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from numerbay_chain.chain.events import MOST_TOPICS
from numerbay_chain.chain.types import Event, Terms
from numerbay_chain.disputes import OVER, Case, read_case
from numerbay_chain.errors import NetworkError
from numerbay_chain.market import Market
from numerbay_chain.paging import MOST, Page
from numerbay_chain.sales import Sales
from numerbay_chain.verdicts import DisputeScope

Places = set[tuple[int, int]]
"""Orders with a round each."""


def scope_of(market: Market, named: Collection[int] = ()) -> DisputeScope:
    """The listings that the account sells, and those that it operates and that were named: by `named`, which leaves out
    all others, else by the setting `operates`. Raises `NetworkError` where the logs leave out listings."""
    contract, account = market.contract, market.account
    if named:
        found = [contract.listing(listing) for listing in sorted(set(named))]
        sold = frozenset(one.id for one in found if one.seller == account)
        return DisputeScope(sold, frozenset(one.id for one in found if one.operator == account) - sold, 0)
    operators: dict[int, str] = {}
    sellers: dict[int, str] = {}
    for event in contract.events(["ListingCreated", "OperatorChanged"]):
        if event.name == "ListingCreated":
            sellers[event["listing"]] = event["seller"]
        operators[event["listing"]] = event["operator"]
    if len(sellers) < contract.listing_count():
        raise NetworkError(
            f"the logs of {contract.connection.name} leave out listings",
            "check from_block, or use another node",
            code="node-incomplete",
        )
    sold = frozenset(listing for listing, seller in sellers.items() if seller == account)
    known = market.operates & sellers.keys() - sold  # who operates these now is asked of the contract
    operated = frozenset(listing for listing in known if contract.listing(listing).operator == account)
    others = {listing for listing, operator in operators.items() if operator == account} - sold - operated
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


def open_challenges(market: Market, scope: DisputeScope) -> list[OpenChallenge]:
    """Own listings first, and what must be answered soonest first; what is answered already comes last. One question
    for the logs and one for each listing that was challenged: no more for a thousand challenges."""
    contract, found = market.contract, dict[tuple[int, int], OpenChallenge]()
    known: dict[int, Terms] = {}
    if not scope.all:
        return []
    for event in contract.events(["Challenged", "Responded", "ChallengeEnded"]):
        place, listing = (event["order"], event["round"]), event["order"] >> 32
        if listing not in scope.all:
            continue
        if event.name == "Challenged":
            if listing not in known:
                known[listing] = contract.listing(listing).terms
            terms, sold = known[listing], listing in scope.sold
            deadline = terms.response_deadline(event["challengedAt"])
            found[place] = OpenChallenge(*place, sold, deadline, event["price"], event["bond"], terms.token)
        elif event.name == "Responded" and place in found:
            found[place] = replace(found[place], answered=True)
        else:
            found.pop(place, None)
    return sorted(found.values(), key=lambda one: (one.answered, not one.sold, one.deadline, one.order, one.round))


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


def buyers_cases(market: Market, *, ended: bool) -> Page[Case]:
    """The account's disputes, and what faulty rounds owe it; the most urgent first. Of faulty rounds those that most
    was paid for, `MOST` of them: strangers can give away orders of rounds that they have proven faulty themselves."""
    orders = market.contract.orders_by(market.account)
    faulty: Places = set()
    prices = {order.id: order.price for order in orders}
    paid = [order for order in orders if order.price]
    for listings in _chunks(sorted({order.listing for order in paid})):
        for event in market.contract.events(["RoundFaulty"], listing=listings):
            listing, round = event["listing"], event["round"]
            faulty |= {(order.id, round) for order in paid if order.listing == listing and order.covers(round)}
    places: Places = set()
    over: Places = set()
    for ids in _chunks([order.id for order in orders]):
        disputed, done = _disputed(
            market.contract.events(["Challenged", "ChallengeEnded", "FaultyRefunded"], order=ids)
        )
        places |= disputed
        over |= done
    owed = sorted(faulty - places - over, key=lambda place: (-prices[place[0]], place))
    chosen = places if ended else places - over
    return Page(_sorted(market, chosen | {*owed[:MOST]}, ended), more=len(owed[MOST:]))


def sellers_cases(market: Market, named: Collection[int], *, ended: bool) -> list[Case]:
    """Disputes about the listings that the account looks after (`scope_of`); what must be answered soonest first."""
    return _sorted(market, disputed_places(market, scope_of(market, named).all, ended=ended), ended)


def disputed_places(market: Market, listings: Collection[int], *, ended: bool) -> Places:
    """The orders of these listings, and their rounds, that are disputed by the logs; with `ended`, that ever were."""
    if not listings:
        return set()
    disputed, over = _disputed(market.contract.events(["Challenged", "ChallengeEnded"]))
    return {place for place in (disputed if ended else disputed - over) if place[0] >> 32 in listings}


def require_all_challenges(market: Market, listings: Collection[int]) -> None:
    """Raises `NetworkError` where the contract knows of a challenge about these listings that the node's logs leave
    out, and where a second node, if there is one, tells of others: a node that stands still knows of no new one."""
    contract = market.contract
    with market.decision():
        disputed_places(market, listings, ended=False)
        for listing in sorted(listings):
            if contract.listing(listing).terms.adjudicated:
                Sales.read(contract, listing).require_all_challenges(contract)
        if contract.connection.second is not None:
            market.confirm()


def _disputed(events: Iterable[Event]) -> tuple[Places, Places]:
    """All that was ever disputed, or refunded as faulty, and what of it is over."""
    found: Places = set()
    over: Places = set()
    for event in events:
        place = event["order"], event["round"]
        if event.name in ("Challenged", "FaultyRefunded"):
            found.add(place)
        if event.name in ("ChallengeEnded", "FaultyRefunded"):
            over.add(place)
    return found, over


def _chunks(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + MOST_TOPICS] for start in range(0, len(ids), MOST_TOPICS))


def _sorted(market: Market, places: Places, ended: bool) -> list[Case]:
    cases = [read_case(market, order, round) for order, round in sorted(places)]
    chosen = [case for case in cases if ended or case.state not in OVER]
    return sorted(chosen, key=lambda case: (case.deadline is None, case.deadline or 0, case.order.id, case.round))
