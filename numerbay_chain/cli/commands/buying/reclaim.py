"""`reclaim`: the next round of a cancelled order, and rounds that were not released in time."""

from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.commands.buying.orders import paid_words, tell
from numerbay_chain.cli.options import LISTING, ORDER, ROUND, State, pass_state, sends
from numerbay_chain.core.errors import RefusedError

if TYPE_CHECKING:
    from numerbay_chain.buyer import Buyer
    from numerbay_chain.orders.missed import MissedRounds
    from numerbay_chain.protocol.events import Done


@click.command()
@click.argument("order", type=ORDER, required=False)
@click.option("--missed", is_flag=True, help="Get rounds paid back that were skipped or never released in time.")
@click.option("--round", "round_", type=ROUND, help="With --missed: that round alone.")
@click.option("--all", "listing", type=LISTING, metavar="LISTING", help="With --missed: for all orders of a listing.")
@sends
@pass_state
def reclaim(state: State, order: int | None, missed: bool, round_: int | None, listing: int | None) -> None:
    """Take the next round of a cancelled order back too.

    Possible once the notice period after 'cancel' is over and the round is still not released. With --missed, rounds
    that the seller skipped or did not release in time are paid back; that needs no cancelling. Each order has to be
    reclaimed: with --all, anybody does it for everybody, each buyer is paid, and you pay the gas.

    \b
    Example:
      numerbay-chain -p buyer reclaim 1-0
      numerbay-chain -p buyer reclaim 1-0 --missed
      numerbay-chain -p buyer reclaim --missed --all 1
    """
    if (round_ is not None or listing is not None) and not missed:
        raise click.UsageError("--round and --all go with --missed")
    if (order is None) == (listing is None):
        raise click.UsageError("name one order, or a listing with --missed --all")
    if listing is not None and round_ is not None:
        raise click.UsageError("--round goes with one order")
    role = roles.buyer(state)
    if listing is not None:
        _reclaim_all(state, role, listing)
    elif order is not None and missed:
        _reclaim_missed(state, role, order, round_)
    elif order is not None:
        view = role.order(order)
        if view.status == "active" and view.unpaid and view.order.price:
            raise RefusedError(
                f"order {view.order} was not cancelled: its missed and overdue rounds are paid back without that",
                f"use 'reclaim {view.order} --missed'",
                code="not-cancelled",
            )
        state.agree(f"reclaims the next round of order {view.order}: it is paid back, and the order ends")
        tell(state, order, role.reclaim(order), "reclaimed")


def _reclaim_missed(state: State, role: "Buyer", order: int, round_: int | None) -> None:
    view = role.order(order)
    found = role.missed(order, round_)
    state.agree(f"gets the missed rounds of order {view.order} paid back to {view.order.buyer}", _missed_words(found))
    done = role.collect_missed(order, round_)
    if not done:
        raise RefusedError(f"order {view.order} has no missed round that was not paid back", "see it with 'orders'")
    _say_left(found)
    tell(state, order, done, "reclaimed")


def _reclaim_all(state: State, role: "Buyer", listing: int) -> None:
    from numerbay_chain.cli.render.views import order_name, receipt_data, sent, token_data

    found = role.all_missed(listing)
    done: list[Done] = []
    if found.transactions:
        orders = len({order for order, _ in found.claims})
        what = f"gets {output.count(len(found.claims), 'missed round')} of {output.count(orders, 'order')} of listing"
        state.agree(f"{what} {listing} paid back to their buyers", _missed_words(found))
        done = role.collect_all_missed(listing)
    for step in done:
        sent(step.receipt, step.resumed)
    _say_left(found)
    data = {
        "listing": listing,
        "paid": str(sum(step.paid for step in done)),
        "token": token_data(found.token),
        "skipped": list(found.overdue),
        "more": found.more,
        "rounds": [
            {**order_name(event["order"]), "round": step.round, "paid": str(step.paid)}
            for step in done
            if (event := step.receipt.event("MissedRefunded"))
        ],
        "transactions": [receipt_data(step.receipt) for step in done],
    }
    state.show(
        data, f"reclaimed, {paid_words(done)}" if done else f"nothing is owed for missed rounds of listing {listing}"
    )


def _missed_words(found: "MissedRounds") -> str:
    from numerbay_chain.cli.render.views import amount
    from numerbay_chain.core.units import format_fee

    if not found.transactions:
        return "there is nothing to pay back, as far as the logs show"
    skips = f"{output.count(len(found.overdue), 'overdue round')} skipped first, " if found.overdue else ""
    fee = f", at most {format_fee(found.fee, found.coin)}" if found.fee else ""
    worth = found.token.native and found.fee > found.amount
    return (
        f"{'NOT WORTH IT: ' if worth else ''}{amount(found.amount, found.token)} in "
        f"{output.count(found.transactions, 'transaction')}, {skips}about {found.gas:,} gas{fee}"
    )


def _say_left(found: "MissedRounds") -> None:
    if found.more:
        output.note(f"transactions that are left for another call: {found.more}")
