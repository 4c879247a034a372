"""One run: drawn from a seed, played, and judged."""

import heapq
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from numerbay_chain.ipfs import Cid
from tests.hostile import losses, nodes
from tests.hostile.faults import put_back
from tests.hostile.honest import Honest, HonestBuyer, HonestSeller
from tests.hostile.rogues import Cheating, Rivals, RogueSeller
from tests.hostile.stores import IDLE, Gateway, Host, Manner, Pinning, reading_only
from tests.hostile.world import BUYER, OTHER, RIVAL, SELLER, World, simulated_time

HOUR, DAY, MINUTE = 3_600, 86_400, 60
FINAL = 25 * MINUTE  # until a block stays


@dataclass
class Outcome:
    """`losses` is empty where nobody honest lost anything."""

    index: int
    kind: str
    losses: list[str] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)  # what makes this run what it is
    said: list[str] = field(default_factory=list)
    minutes: int = 0  # of the chain's time


class Agenda:
    """What happens when, and by whom. While somebody's command waits for something, the turns of others come."""

    def __init__(self, world: World) -> None:
        self._world, self._order = world, count()
        self._queue = list[tuple[int, int, object, Callable[[], Any]]]()
        self._busy: list[object] = []
        world.interrupt = self._meanwhile

    def at(self, time: int, step: Callable[[], Any], who: object = None) -> None:
        heapq.heappush(self._queue, (time, next(self._order), who or step, step))

    def every(self, seconds: int, first: int, last: int, step: Callable[[], Any], who: object) -> None:
        for time in range(first, last, seconds):
            self.at(time, step, who)

    def play(self) -> None:
        while self._queue:
            self._world.sleep(self._queue[0][0] - self._world.now)
            self._act()

    def _act(self) -> None:
        _, _, who, step = heapq.heappop(self._queue)
        self._busy.append(who)
        self._world.interrupting = len(self._busy) > 1
        try:
            step()
        finally:
            self._busy.pop()
            self._world.interrupting = len(self._busy) > 1

    def _meanwhile(self) -> None:
        while self._queue and self._queue[0][0] <= self._world.now:
            if any(self._queue[0][2] is one for one in self._busy):
                return
            self._act()


def play(seed: int, index: int, fault: str | None = None) -> Outcome:
    """Play run `index` of a seed; with `fault`, one that was mended is there again."""
    rng = random.Random(f"{seed}-{index}")
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        world = World(folder, rng)
        with simulated_time(world), put_back(fault):
            kind = rng.choice(("seller", "buyer"))
            outcome = Outcome(index, kind)
            begin = world.now
            (_seller_among_rivals if kind == "seller" else _buyers_of_a_rogue)(world, outcome)
            outcome.minutes = (world.now - begin) // 60
            return outcome
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ------------------------------------------------------------------------------------------------- an honest seller


def _seller_among_rivals(world: World, outcome: Outcome) -> None:
    rng = world.rng
    now = world.now + FINAL
    response = rng.choice((40, 60)) * MINUTE
    dispute = rng.choice((2, 4)) * HOUR + response
    scheduled = rng.random() < 0.5
    terms: dict[str, Any] = {"dispute_window": dispute, "response_window": response, "min_interval": 20 * MINUTE}
    if scheduled:
        first_due = now + HOUR + rng.randrange(5, 40) * MINUTE
        terms |= {"first_due": first_due, "period": DAY, "decline_window": 0, "notice_period": DAY}
    else:
        first_due = 0
        terms |= {"decline_window": rng.choice((0, 10 * MINUTE)), "notice_period": rng.choice((HOUR, DAY))}
        terms |= {"instant": rng.random() < 0.5}
    hangs = rng.random() < 0.7  # until just before the round is due, once it pins envelopes

    def pause(label: str) -> int:
        if world.released:
            return 0
        if hangs and label.startswith("envelopes"):
            return max(first_due - rng.choice((3, 6, 12)) - world.now, 0)
        return rng.choice((0, 0, 0, 2 * MINUTE))

    absent = rng.choice((IDLE, 299))
    store = OwnDaemon(world, pause, absent)
    host = Host(lambda cid, size: rng.choice(("gives", "gives", "gives", "late", "lacks")))
    second = Gateway(world, "second", host)
    seller = HonestSeller(world, SELLER, store, second=second)
    rivals, buyer = Rivals(world), HonestBuyer(world, BUYER, buyers_view(world, None, Cheating()))
    rivals.register()
    buyer.register()
    listing = seller.list(1, **terms)
    world.sleep(FINAL)  # nobody buys from a listing whose block could vanish
    rivals.buy(listing)
    buyer.buy(listing)
    _lie_to(world, outcome, [seller, buyer])

    start = first_due - HOUR - rng.randrange(10) * MINUTE if scheduled else world.now + rng.randrange(10) * MINUTE
    start = max(start, world.now + 1)
    agenda = Agenda(world)
    for attempt in range(3):
        agenda.at(start + attempt * 6 * MINUTE, host.change)
        agenda.at(start + attempt * 6 * MINUTE, lambda: seller.release(listing), seller)
    end = start + dispute + 2 * HOUR
    seller.careless = rng.random() < 0.4
    if seller.careless:
        world.hesitation = (0, 300, 600)
    look = response * 45 // 100 if seller.careless else response // 6
    agenda.every(look, start + 20 * MINUTE, end, seller.answer, seller)
    agenda.every(response // 2, start + 20 * MINUTE, end, seller.serve, seller)
    agenda.every(dispute // 5, start + 3 * MINUTE, end, buyer.look, buyer)
    challenge = start + rng.randrange(20, 60) * MINUTE
    if rng.random() < 0.7:
        many = rng.choice((2, 4, 8))
        agenda.at(challenge - 3 * MINUTE, lambda: rivals.distract(many, dispute, response - rng.randrange(60)), rivals)
    agenda.at(challenge, lambda: _challenge_newest(world, rivals), rivals)
    for _ in range(6):
        agenda.at(start + rng.randrange(dispute), rivals.act, rivals)
    agenda.at(challenge + response + 61, rivals.claim_all, rivals)
    agenda.at(end + dispute, rivals.claim_all, rivals)
    agenda.at(end + dispute + 1, seller.collect, seller)
    agenda.at(end + dispute + 2, buyer.look, buyer)
    agenda.play()
    outcome.losses += [
        *losses.of_seller(world, seller),
        *losses.sealed_to_the_wrong_one(world, seller),
        *losses.of_buyer(world, buyer),
    ]
    outcome.said += seller.said + buyer.said


def _lie_to(world: World, outcome: Outcome, people: Sequence[Honest]) -> None:
    """One of them may have a node that lies."""
    rng = world.rng
    if rng.random() < 0.6:
        return
    person = rng.choice(people)
    (_, theirs), (_, mine) = (
        world.contract.current_key(world.address_of(number)) or (0, b"") for number in (BUYER, RIVAL)
    )
    person.lying = nodes.drawn(world.node, rng, world.address_of(person.number), theirs, mine)
    outcome.drawn.append(f"the node of {type(person).__name__} {person.lying.name}")


def _challenge_newest(world: World, rivals: Rivals) -> None:
    for id in rivals.orders:
        order = world.contract.order(id)
        newest = world.contract.listing(order.listing).next_round - 1
        if order.covers(newest):
            rivals.challenge(order, newest)


class OwnDaemon(Pinning):
    """A daemon looks for what it lacks all over the network, for a while."""

    def __init__(self, world: World, pause: Callable[[str], int], absent: int) -> None:
        super().__init__(world, pause)
        self._gateway = Gateway(world, "daemon", Host(lambda cid, size: "gives"))
        self._gateway.idle = absent
        self.within = self._gateway.within

    def read_block(self, cid: Cid) -> bytes:
        return self._gateway.read_block(cid)


# ------------------------------------------------------------------------------------------------- a hostile seller


def _buyers_of_a_rogue(world: World, outcome: Outcome) -> None:
    rng = world.rng
    manner = Cheating.drawn(rng)
    keeps = rng.random() < 0.7
    if not keeps:  # that is their choice: a host that goes silent has their money then
        manner = replace(manner, vanishes=False)
    outcome.drawn.append(str(manner))
    response = rng.choice((40, 60)) * MINUTE
    dispute = rng.choice((2, 4)) * HOUR + response
    decline = 20 * MINUTE
    instant = rng.random() < 0.4
    terms: dict[str, Any] = {
        "dispute_window": dispute, "response_window": response, "min_interval": decline, "decline_window": decline,
        "notice_period": DAY, "instant": instant,
    }  # fmt: skip
    rogue, rivals = RogueSeller(world, manner), Rivals(world)
    rivals.register()
    view = buyers_view(world, rogue, manner)
    buyers = [HonestBuyer(world, number, view) for number in (BUYER, OTHER)[: rng.choice((1, 2))]]
    for buyer in buyers:
        buyer.keep = buyer.keep if keeps else 0
    for buyer in buyers:
        buyer.register()
    rogue.list(**terms)
    world.sleep(FINAL)
    _lie_to(world, outcome, buyers)
    agenda, now = Agenda(world), world.now
    begin = now + 5 * MINUTE
    size = rng.choice((5_000, 20_000))
    if instant:
        agenda.at(begin, lambda: rogue.release(size), rogue)
        for buyer in buyers:
            agenda.at(begin + decline + MINUTE, lambda buyer=buyer: buyer.buy(rogue.listing), buyer)
        begin += decline + MINUTE
    else:
        for buyer in buyers:
            agenda.at(now + MINUTE, lambda buyer=buyer: buyer.buy(rogue.listing), buyer)
        agenda.at(begin, lambda: rogue.release(size), rogue)
    keys = begin + decline + MINUTE
    if manner.vanishes:
        agenda.at(keys - 30, lambda: _vanish(rogue))
    agenda.at(keys, rogue.hand_out, rogue)
    end = begin + decline + dispute + HOUR
    for buyer in buyers:
        agenda.at(begin + MINUTE, buyer.look, buyer)
        agenda.every(dispute // 6, keys + MINUTE, end, buyer.look, buyer)
    for time in range(keys, end, response // 2):
        agenda.at(time + rng.randrange(response // 2), rogue.answer, rogue)
        agenda.at(time + rng.randrange(response // 2), rogue.take_money, rogue)
    agenda.at(end + dispute, rogue.take_money, rogue)
    for buyer in buyers:
        agenda.at(end + dispute + 1, buyer.look, buyer)
    agenda.play()
    for buyer in buyers:
        outcome.losses += losses.of_buyer(world, buyer)
        outcome.said += buyer.said


def _vanish(rogue: RogueSeller) -> None:
    rogue.worthless |= rogue.parts
    rogue.changed()


def buyers_view(world: World, rogue: RogueSeller | None, manner: Cheating) -> Any:
    """Two gateways: one does as it likes, one gives what somebody pins: of a rogue's content, what the rogue wants."""
    rng = world.rng
    likes = rng.choice((("gives", "late", "lacks", "refuses", "alters", "breaks"), ("gives",), ("gives", "late")))
    poison: Manner = rng.choice(("lacks", "refuses"))

    def honest(cid: Cid, size: int | None) -> Manner:
        if rogue is None:
            return rng.choice(("gives", "gives", "late"))
        if cid in rogue.worthless:
            return poison
        return "drips" if manner.drips and cid in rogue.parts else "gives"

    hosts = [Host(lambda cid, size: rng.choice(likes)), Host(honest)]
    if rogue is not None:
        rogue.changed = lambda: [host.change() for host in hosts]
        first = hosts[0].manner
        hosts[0].manner = lambda cid, size: poison if cid in rogue.worthless else first(cid, size)
    return reading_only(*(Gateway(world, f"gateway-{number}", host) for number, host in enumerate(hosts)))
