"""Disputes as `dispute` shows them: a table, a page, and JSON."""

from typing import TYPE_CHECKING, Any

from numerbay_chain.cli import output
from numerbay_chain.cli.render.steps import dispute_steps, steps_data, time_left
from numerbay_chain.cli.render.views import amount, bullets, order_name, token_data
from numerbay_chain.core.units import format_fee, format_order_id, format_time

if TYPE_CHECKING:
    from numerbay_chain.disputes.results import Dispute
    from numerbay_chain.protocol.types import Token

_SELLERS = ("challenged", "unproven")  # what comes next is the seller's doing, or pays him


def cost(what: str, gas: int, fee: int, coin: str, brings: int, held: int, token: "Token", proof: int = 0) -> str:
    """What a step takes of its buyer, and whether that is more than it brings. `held`: a bond that comes back too;
    `proof`: how much of the gas a proof takes."""
    from numerbay_chain.disputes.advice import cost_words

    if token.native and fee > brings:
        return f"NOT WORTH IT: {what} may take {format_fee(fee, coin)} of gas, and brings {amount(brings, token)}"
    return f"{what} takes {cost_words(gas, fee, coin, proof)}; at stake is {amount(brings + held, token)}"


def dispute_table(found: "list[Dispute]", now: int, seller: bool) -> str:
    """A line for each, for one of the two sides."""
    rows = [
        (
            format_order_id(one.order),
            one.round,
            _state(one),
            amount(one.price + (one.bond if one.opened_at else 0), one.token),
            one.turn or "-",
            time_left(max(one.deadline - now, 0)) if one.deadline else "-",
            (", ".join(one.steps) if seller == (one.state in _SELLERS) else "") or "-",
        )
        for one in found
    ]
    return output.table(["order", "round", "state", "at stake", "turn", "left", "next"], rows)


def _state(view: "Dispute") -> str:
    return {"paid-to-buyer": "paid back"}.get(view.state, view.state.replace("-", " "))


def dispute_text(view: "Dispute", account: str | None) -> str:
    """A dispute for people. `account`: who asks, and is told whose the next step is where it is not his."""
    seller = view.state in _SELLERS
    mine = account == (view.seller if seller else view.buyer)
    whose = "" if mine else "the seller's: " if seller else "the buyer's: "
    head = output.fields(
        [
            ("order", format_order_id(view.order)),
            ("round", view.round),
            ("state", _state(view)),
            ("price", amount(view.price, view.token)),
            ("bond", amount(view.bond, view.token) if view.bond and (view.opened_at or view.gas) else None),
            ("challenged", format_time(view.opened_at) if view.opened_at else None),
            ("answered", format_time(view.answered_at) if view.answered_at else None),
            ("faulty", format_time(view.faulty_at) if view.faulty_at else None),
            ("turn", view.turn),
            ("until", format_time(view.deadline) if view.deadline else None),
            ("next", whose + ", ".join(view.steps) if view.steps else None),
            ("paid to", view.receiver),
        ]
    )
    return f"{head}\n\n{bullets([view.words])}"


def dispute_data(view: "Dispute") -> dict[str, Any]:
    """A dispute in JSON."""
    return {
        **order_name(view.order),
        **output.picked(view, "round buyer seller state turn deadline"),
        "next_steps": steps_data(dispute_steps(view)),
        "words": view.words,
        "price": str(view.price),
        "bond": str(view.bond),
        "token": token_data(view.token),
        **output.picked(view, "opened_at answered_at faulty_at"),
        "ground": view.ground.name.lower().replace("_", "-") if view.ground is not None else None,
        "paid": str(view.paid),
        "receiver": view.receiver,
        "gas": view.gas,
        "fee": str(view.fee),
    }
