"""What can be done next, as `next_steps` in JSON, in a table and on a page: a step, the command to type, until when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numerbay_chain.cli.output import PROGRAM
from numerbay_chain.core.units import format_duration, format_order_id, format_time

if TYPE_CHECKING:
    from numerbay_chain.disputes.results import Dispute
    from numerbay_chain.listings.results import ListingView
    from numerbay_chain.orders.results import OrderView, RemedyKind, RoundView
    from numerbay_chain.retrieval.results import Verification

_DISPUTE_STEPS = {
    "challenged": "dispute show",
    "unanswered": "dispute claim",
    "answered": "dispute show",
    "faulty": "dispute settle",
    "refundable": "dispute settle",
}
_REMEDIES: "dict[RemedyKind, str]" = {
    "decline": "decline",
    "dispute": "dispute open",
    "prove": "dispute prove",
    "claim": "dispute claim",
    "settle": "dispute settle",
    "reclaim": "reclaim --missed",
}
RECLAIM_MISSED = "reclaim --missed"


@dataclass(frozen=True, slots=True)
class Step:
    """`name` is the command's, with the options that say which step is meant; `command` is the whole of it. `until`:
    the last second for it; `since`: the first one (Unix seconds; None: no bound)."""

    name: str
    command: str
    until: int | None = None
    since: int | None = None

    def text(self) -> str:
        """With its date, for a page."""
        if self.since is not None:
            return f"{self.name} from {format_time(self.since)}"
        return self.name if self.until is None else f"{self.name} until {format_time(self.until)}"

    def short(self, now: int) -> str:
        """As tables have room for it: with the time that is left, or has to pass."""
        at = self.until if self.since is None else self.since
        if at is None or at <= now:
            return self.name
        return f"{self.name} ({'in ' if self.since is not None else ''}{time_left(at - now)})"


def steps_data(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Steps in JSON."""
    return [{"step": one.name, "command": one.command, "from": one.since, "until": one.until} for one in steps]


def on_order(name: str, order: int, until: int | None = None, since: int | None = None) -> Step:
    """A step with an order: its number stands between the command's words and its options."""
    words, dashes, options = name.partition(" --")
    said = _WHOLE.get(name, words)
    file = " -o FILE" if words == "fetch" else ""
    return Step(name, f"{PROGRAM} {said} {format_order_id(order)}{dashes}{options}{file}", until, since)


_WHOLE = {"dispute": "dispute show"}
"""Steps whose name alone is no command."""


def order_steps(view: "OrderView") -> list[Step]:
    """What the buyer of an order can do, the most pressing first."""
    steps = (on_order(name, view.id, until, since) for name, until, since in _of_order(view))
    return list(dict.fromkeys(steps))


def _of_order(view: "OrderView") -> "Iterator[tuple[str, int | None, int | None]]":
    """Rounds are named where they are not the ones that the commands take by themselves: the newest without a key that
    can be challenged, the newest that is out."""
    from numerbay_chain.protocol.types import Settlement

    out = [round for round in view.rounds if round.released_at is not None and view.order.covers(round.round)]
    newest = out[-1] if out else None
    keyless = [round for round in view.rounds if round.challengeable_until is not None and not round.envelopes]
    for round in view.rounds:
        if round.declinable_until is not None:
            yield "decline", round.declinable_until, None
    if view.unpaid and view.order.price:
        yield RECLAIM_MISSED, None, None
    if view.reclaimable_from is not None:
        yield "reclaim", None, view.reclaimable_from
    for round in view.rounds:
        if round.dispute in _DISPUTE_STEPS:
            yield _DISPUTE_STEPS[round.dispute], None, None
        elif round.challengeable_until is not None and not round.envelopes:
            yield _about("dispute open", round, keyless[-1]), round.challengeable_until, None
    readable = [round for round in view.rounds if round.settlement is not Settlement.PAID_BACK]
    readable = [round for round in readable if _has_key(round)]
    if readable:
        yield _about("fetch", readable[-1], newest), None, None
    if newest is not None and newest.envelopes and newest.challengeable_until is not None:
        yield "dispute", newest.challengeable_until, None
    if view.status == "active":
        yield "cancel", None, None


def _has_key(round: "RoundView") -> bool:
    from numerbay_chain.cli.render.rounds import round_state

    return round_state(round) == "keys posted" or round.answered_at is not None


def _about(command: str, round: "RoundView", meant: "RoundView | None") -> str:
    return command if round is meant else f"{command} --round {round.round}"


def listing_steps(view: "ListingView") -> list[Step]:
    """What anybody can do for the buyers of a listing that is late."""
    if not view.overdue or not view.listing.active:
        return []
    return [Step(RECLAIM_MISSED, f"{PROGRAM} reclaim --missed --all {view.id}")]


def dispute_steps(view: "Dispute") -> list[Step]:
    """What comes next in a dispute; only reading what was answered has no deadline."""
    return [
        on_order(name, view.order, None if name.startswith("fetch") else view.deadline or view.openable_until)
        for name in view.steps
    ]


def remedy_steps(view: "Verification") -> list[Step]:
    """What the problems of a round call for."""
    remedies = [problem.remedy for problem in view.problems if problem.remedy and problem.remedy.kind in _REMEDIES]
    steps = [(_REMEDIES[remedy.kind], remedy.until) for remedy in remedies]
    named = [(f"{name} --round {view.round}" if name.startswith("dispute") else name, until) for name, until in steps]
    return list(dict.fromkeys(on_order(name, view.order, until) for name, until in named))


def time_left(seconds: int) -> str:
    """A duration as tables have room for it: its two largest units, and never more than there is."""
    smallest = next((unit for least, unit in ((86_400, 3_600), (3_600, 60)) if seconds >= least), 1)
    return format_duration(seconds - seconds % smallest)
