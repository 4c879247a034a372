"""Results as JSON objects and as text. In JSON, amounts are decimal strings, orders integers with a readable `name`."""

from typing import TYPE_CHECKING, Any

from numerbay_chain.cli import output
from numerbay_chain.cli.render.rounds import round_dates, round_state
from numerbay_chain.cli.render.steps import listing_steps, order_steps, steps_data
from numerbay_chain.core.text import printable
from numerbay_chain.core.units import format_amount, format_duration, format_order_id, format_time

if TYPE_CHECKING:
    from numerbay_chain.listings.results import ListingView
    from numerbay_chain.orders.results import OrderView, Remedy, RoundView
    from numerbay_chain.protocol.events import Receipt
    from numerbay_chain.protocol.types import Terms, Token


def amount(value: int, token: "Token") -> str:
    """An amount for people."""
    return format_amount(value, printable(token.symbol), token.decimals)


def token_data(token: "Token") -> dict[str, Any]:
    """What amounts beside it are counted in."""
    return {"address": token.address, "symbol": token.symbol, "decimals": token.decimals}


def order_name(order: int) -> dict[str, Any]:
    """An order in JSON."""
    return {"order": order, "name": format_order_id(order)}


def receipt_data(receipt: "Receipt") -> dict[str, Any]:
    """A mined transaction in JSON."""
    return {"transaction": receipt.transaction, "block": receipt.block, "gas_used": receipt.gas_used}


def sent(receipt: "Receipt | None", resumed: bool = False) -> None:
    """Says which transaction was mined, what it took, and whether it is not this call's own."""
    if receipt is not None:
        earlier = ", sent by an earlier call that was interrupted" if resumed else ""
        output.note(f"transaction {receipt.transaction}")
        output.note(f"  {receipt.gas_used:,} gas{earlier}")


def terms_data(terms: "Terms") -> dict[str, Any]:
    """Terms in JSON, with Solidity's names in snake_case."""
    from dataclasses import asdict

    return {**asdict(terms), "challenge_bond": str(terms.challenge_bond)}


def listing_data(view: "ListingView") -> dict[str, Any]:
    """A listing in JSON."""
    from dataclasses import asdict

    listing = view.listing
    return {
        "listing": listing.id,
        **output.picked(listing, "seller operator payout"),
        "token": token_data(view.token),
        "price": str(listing.offer.price),
        "open": listing.offer.open,
        "details": listing.offer.details,
        "state": state_of(view).partition(" (")[0].replace(" ", "-"),
        "version": listing.version,
        "next_round": listing.next_round,
        "due": view.due,
        "overdue": range_data(view.overdue),
        "next_steps": steps_data(listing_steps(view)),
        "orders": listing.orders,
        "places_left": listing.places_left,
        "last_turn": listing.last_turn or None,
        "active": str(listing.active),
        "terms": terms_data(listing.terms),
        "description": asdict(view.description) if view.description else None,
        "trouble": view.trouble,
        "words": list(view.words),
    }


def listing_text(view: "ListingView") -> str:
    """A listing for people."""
    listing = view.listing
    operator = None if int(listing.operator, 16) == 0 else listing.operator
    described = view.description
    head = output.fields(
        [
            ("listing", listing.id),
            ("name", described.name if described and described.name else None),
            ("about", described.description if described and described.description else None),
            ("seller", listing.seller),
            ("operator", operator),
            ("payout", listing.payout if listing.payout != listing.seller else None),
            ("price", f"{amount(listing.offer.price, view.token)} per round"),
            ("state", state_of(view)),
            ("next round", _next_round(view)),
            ("orders sold", listing.orders),
            ("anybody can", "\n".join(step.command for step in listing_steps(view)) or None),
        ]
    )
    return f"{head}\n\n{bullets(view.words)}"


def _next_round(view: "ListingView") -> str:
    late = view.overdue
    if late and view.due is not None:
        more = f", and {len(late) - 1} after it" if len(late) > 1 else ""
        return f"{late.start}, overdue since {format_time(view.due)}{more}"
    return f"{view.listing.next_round}" + (f", due by {format_time(view.due)}" if view.due is not None else "")


def state_of(view: "ListingView") -> str:
    """Whether somebody can buy; while a round is overdue, nobody can."""
    if view.overdue:
        return "overdue"
    if not view.listing.offer.open:
        return "closed (vouchers only)"
    return "sold out" if view.listing.places_left == 0 else "open"


def bullets(words: tuple[str, ...] | list[str]) -> str:
    """Sentences as a list that fits 80 columns."""
    from textwrap import fill

    return "\n".join(
        fill(printable(line), 80, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False) for line in words
    )


def order_data(view: "OrderView") -> dict[str, Any]:
    """An order in JSON."""
    order = view.order
    return {
        **order_name(order.id),
        **output.picked(order, "listing buyer first end"),
        "price": str(order.price),
        "token": token_data(view.token),
        "status": view.status,
        "cancelled_at": order.cancelled_at or None,
        "reclaimable_from": view.reclaimable_from,
        "by_voucher": order.by_voucher,
        "next_steps": steps_data(order_steps(view)),
        "overdue": range_data(view.overdue),
        "to_come": range_data(view.to_come),
        "unpaid_missed_rounds": view.unpaid,
        "earlier_rounds": view.earlier,
        "rounds": [round_data(round) for round in view.rounds],
    }


def range_data(rounds: range) -> dict[str, int] | None:
    """Rounds `first` to `end - 1` in JSON; None where there are none."""
    return {"first": rounds.start, "end": rounds.stop} if rounds else None


def round_data(view: "RoundView") -> dict[str, Any]:
    """One round of an order in JSON."""
    return {
        "round": view.round,
        "state": round_state(view),
        **output.picked(
            view,
            "due released_at content_hash envelopes declinable_until matures_at challenged_at answered_at faulty_at "
            "refundable dispute dispute_until challengeable_until too_late",
        ),
    }


def order_text(view: "OrderView") -> str:
    """An order for people, a line for each round."""
    order, total = view.order, view.order.price * view.order.rounds
    head = output.fields(
        [
            ("order", format_order_id(order.id)),
            ("listing", order.listing),
            ("buyer", order.buyer),
            ("price", f"{amount(order.price, view.token)} per round, {amount(total, view.token)} in all"),
            ("state", view.status),
            ("overdue", _range_text(view.overdue)),
            ("to come", _range_text(view.to_come)),
            ("its buyer can", "\n".join(step.text() for step in order_steps(view)) or None),
        ]
    )
    rows = [(round.round, round_state(round), round_dates(round)) for round in view.rounds]
    return f"{head}\n\n{output.table(['round', 'state', 'dates'], rows)}" if rows else head


def _range_text(rounds: range) -> str | None:
    """Several rounds in few words; one stands in the table."""
    return f"rounds {rounds.start} to {rounds.stop - 1}" if len(rounds) > 1 else None


def remedy_data(remedy: "Remedy | None") -> dict[str, Any] | None:
    """What can be done about a problem, in JSON."""
    if remedy is None:
        return None
    return {
        "kind": remedy.kind,
        "until": remedy.until,
        "gas": remedy.gas,
        "fee": str(remedy.fee),
        "bond": str(remedy.bond),
        "returns": str(remedy.returns),
    }


def window(seconds: int) -> str:
    """A duration, `-` for none."""
    return format_duration(seconds) if seconds else "-"
