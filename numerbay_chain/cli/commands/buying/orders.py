"""What a buyer does with money: `buy`, `orders`, `decline`, `cancel`, `reclaim`."""

from typing import TYPE_CHECKING, Any

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.options import (
    ADDRESS,
    LISTING,
    ORDER,
    ROUND,
    State,
    limit_option,
    pass_state,
    reads_content,
    say_more,
    sends,
    signs,
)
from numerbay_chain.cli.progress import progress

if TYPE_CHECKING:
    from numerbay_chain.listings.vouchers import SignedVoucher
    from numerbay_chain.orders.results import OrderView, Purchase
    from numerbay_chain.protocol.events import Done


@click.command()
@click.argument("listing_id", metavar="LISTING", type=LISTING)
@click.option("--rounds", type=click.IntRange(1, 65_535), default=1, show_default=True, help="How many rounds.")
@click.option("--first-round", type=ROUND, help="Buy only if this is the first one you get.")
@click.option("--max-price", metavar="AMOUNT", help='Most per round, such as "0.05 ether".')
@click.option("--voucher", "voucher_path", metavar="FILE", help="A voucher that the seller signed; - is stdin.")
@click.option("--recipient", metavar="ADDRESS", type=ADDRESS, help="Buy for somebody else: key and rights are theirs.")
@click.option("--again", is_flag=True, help="A second order for the same round is meant.")
@click.option("--young-listing", is_flag=True, help="Buy from a listing that is not final yet.")
@click.option("--no-check", is_flag=True, help="Don't read a round that is already out before buying it.")
@click.option("--no-permit", is_flag=True, help="Approve tokens by a transaction, not by a signature.")
@sends
@reads_content
@pass_state
def buy(state: State, /, voucher_path: str | None, no_check: bool, no_permit: bool, **asked: Any) -> None:
    """Buy rounds of a listing.

    Says what you pay, what you get and what protects you, then asks. A change of price or terms between that and the
    purchase is refused by the contract. Register a key first: 'numerbay-chain keys register'.

    \b
    Example:
      numerbay-chain -p buyer buy 1 --rounds 4 --max-price "0.05 ether"
    """
    from numerbay_chain.cli.render.views import amount, bullets

    # the other options have the names and kinds of `PurchaseRequest`
    voucher = None if voucher_path is None else _voucher(voucher_path)
    asked |= {"voucher": voucher, "check": not no_check, "permit": not no_permit}
    role = roles.buyer(state)
    # before any quote: what was paid for may have been the last place, or the offer was closed since
    bought = state.take_up(role.resume_purchase(**asked))
    if bought is None:
        quote = role.quote(**asked)
        each = "" if quote.rounds == 1 else f" ({amount(quote.price, quote.token)} per round)"
        state.agree(
            f"buys {_rounds(quote.first_round, quote.rounds)} of listing {quote.listing.id} for "
            f"{amount(quote.total, quote.token)}{each}, for {quote.recipient}",
            bullets(quote.words),
        )
        with progress() as report:
            bought = role.buy(**asked, quote=quote, progress=report)
    _show_bought(state, bought)


def _voucher(path: str) -> "SignedVoucher":
    from numerbay_chain.cli.commands.inputs import read_voucher

    return read_voucher(path)


def _show_bought(state: State, bought: "Purchase") -> None:
    from numerbay_chain.cli.render.views import amount, order_name, receipt_data, sent, token_data

    sent(bought.approval)
    sent(bought.receipt, bought.resumed)
    order = bought.order
    state.show(
        {
            **order_name(order.id),
            "listing": order.listing,
            "buyer": order.buyer,
            "first": order.first,
            "end": order.end,
            "price": str(order.price),
            "total": str(bought.total),
            "token": token_data(bought.token),
            "resumed": bought.resumed,
            **receipt_data(bought.receipt),
        },
        f"order {order}: {_rounds(order.first, order.rounds)} of listing {order.listing}, paid "
        f"{amount(bought.total, bought.token)}",
    )


def _rounds(first: int, count: int) -> str:
    return f"round {first}" if count == 1 else f"rounds {first} to {first + count - 1}"


@click.command()
@click.argument("order", type=ORDER, required=False)
@click.option("--listing", type=LISTING, help="All orders of a listing instead of yours.")
@limit_option
@signs
@pass_state
def orders(state: State, order: int | None, listing: int | None, limit: int) -> None:
    """List orders and what can be done with each.

    With ORDER, that one alone with all its rounds that are over, and the next one. A list has those that were paid for
    first: anybody can give you free ones.

    \b
    Example:
      numerbay-chain -p buyer orders
      numerbay-chain -p buyer orders 1-0
    """
    from numerbay_chain.cli.render.views import order_data, order_text
    from numerbay_chain.orders.views import view_bought, view_order, view_sold

    session, most = roles.session(state), limit or None
    if order is not None:
        view = view_order(session, order)
        state.show(order_data(view), lambda: order_text(view))
        return
    views = view_bought(session, most) if listing is None else view_sold(session, listing, most)
    data = {"orders": [order_data(view) for view in views], "more": views.more}
    state.show(data, lambda: _order_table(views, session.clock.now(), listing is None))
    say_more(views.more)


def _order_table(views: "list[OrderView]", now: int, mine: bool) -> str:
    from numerbay_chain.cli.render.rounds import round_state
    from numerbay_chain.cli.render.steps import order_steps
    from numerbay_chain.cli.render.views import amount

    if not views:
        mine_only = "you have bought nothing; `orders --listing NUMBER` shows a listing's orders"
        output.note(mine_only if mine else "there are no orders")
        return ""
    rows = []
    for view in views:
        order = view.order
        rounds = f"{order.first}-{order.end - 1}" if order.rounds > 1 else str(order.first) if order.rounds else "-"
        newest = next((item for item in reversed(view.rounds) if round_state(item) != "to come"), None)
        latest = f"{newest.round}: {round_state(newest)}" if newest else "nothing yet"
        steps = ", ".join(step.short(now) for step in order_steps(view)) or "-"
        buyer = () if mine else (output.short(order.buyer),)
        rows.append((str(order), *buyer, rounds, amount(order.price, view.token), view.status, latest, steps))
    buyer = () if mine else ("buyer",)
    return output.table(["order", *buyer, "rounds", "price", "state", "latest", "next" if mine else "buyer can"], rows)


@click.command()
@click.argument("order", type=ORDER)
@click.option("--round", "round_", type=ROUND, help="The round you mean; the latest one is the only one possible.")
@sends
@pass_state
def decline(state: State, order: int, round_: int | None) -> None:
    """Refuse the latest round and end the order.

    Within the decline window after a release. The round and all later ones are paid back; no key is sent to you.

    \b
    Example:
      numerbay-chain -p buyer decline 1-0
    """
    role = roles.buyer(state)
    view = role.order(order)
    state.agree(
        f"declines the latest round of order {view.order}: it is paid back with all later rounds, and the order ends"
    )
    tell(state, order, role.decline(order, round_), "declined")


@click.command()
@click.argument("order", type=ORDER)
@sends
@pass_state
def cancel(state: State, order: int) -> None:
    """End an order after the next round.

    All rounds after the next one are paid back at once. The next round stays owed until it is released, skipped, or
    reclaimed after the notice period.

    \b
    Example:
      numerbay-chain -p buyer cancel 1-0
    """
    role = roles.buyer(state)
    view = role.order(order)
    state.agree(
        f"cancels order {view.order}: it ends after the next round, everything later is paid back at once, and the "
        "next round itself can be reclaimed after the notice period if it is not released by then"
    )
    tell(state, order, role.cancel(order), "cancelled")


def tell(state: State, order: int, done: "Done | list[Done]", word: str) -> None:
    """Says what one order was paid back."""
    from numerbay_chain.cli.render.views import order_name, receipt_data, sent

    steps = done if isinstance(done, list) else [done]
    for step in steps:
        sent(step.receipt, step.resumed)
    paid = sum(step.paid for step in steps)
    data: dict[str, Any] = {
        **order_name(order),
        "paid": str(paid),
        "transactions": [receipt_data(step.receipt) for step in steps],
    }
    state.show(data, f"{word}, {paid_words(steps)}")


def paid_words(steps: "list[Done]") -> str:
    """`0.1 ETH paid back`."""
    from numerbay_chain.cli.render.views import amount

    token = next((step.token for step in steps if step.token is not None), None)
    paid = sum(step.paid for step in steps)
    return f"{amount(paid, token)} paid back" if token is not None and paid else "nothing had to be paid back"
