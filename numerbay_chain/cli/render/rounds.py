"""How a round of an order stands, in a word or two."""

from typing import TYPE_CHECKING

from numerbay_chain.core.units import format_time

if TYPE_CHECKING:
    from numerbay_chain.orders.results import RoundView


def round_state(view: "RoundView") -> str:
    """How a round of an order stands, in a word or two."""
    from numerbay_chain.protocol.types import Ground, Settlement

    if view.settlement == Settlement.PAID_BACK:
        return "paid back (faulty)" if view.ground == Ground.WRONG_CONTENT else "paid back"
    if view.settlement == Settlement.PAID_TO_SELLER:
        return "paid to the seller"
    if view.settlement == Settlement.CHALLENGED:
        return view.dispute
    if view.refundable:
        return "faulty"
    if view.missed:
        return "missed"
    if view.overdue:
        return "overdue"
    if view.released_at is None:
        return "to come"
    if view.envelopes:
        return "keys posted"
    return "no key in time" if view.too_late else "released"


def round_dates(view: "RoundView") -> str:
    """The date that matters most about a round now."""
    if view.declinable_until is not None:
        return f"can be declined until {format_time(view.declinable_until)}"
    if view.challenged_at is not None and view.ground is None:
        if view.dispute_until is not None:
            return f"{'proof' if view.answered_at else 'answer'} until {format_time(view.dispute_until)}"
        return f"challenged {format_time(view.challenged_at)}"
    if view.challengeable_until is not None:
        return f"can be disputed until {format_time(view.challengeable_until)}"
    if view.too_late and view.matures_at is not None:
        return f"could be disputed until {format_time(view.matures_at - 1)}"
    if view.released_at is not None:
        return f"released {format_time(view.released_at)}"
    if view.due is None:
        return ""
    return f"{'was due' if view.overdue else 'due'} by {format_time(view.due)}"
