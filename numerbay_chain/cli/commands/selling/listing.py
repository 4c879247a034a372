"""`listing`: what is for sale, and on which terms."""

from typing import TYPE_CHECKING, Any

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.lazy import LazyGroup, commands_of
from numerbay_chain.cli.options import (
    ADDRESS,
    ADDRESS_OR_NONE,
    LISTING,
    State,
    limit_option,
    pass_state,
    reads_chain,
    say_more,
    sends,
    signs,
    store_option,
)

if TYPE_CHECKING:
    from numerbay_chain.listings.results import ListingView
    from numerbay_chain.listings.terms import TermChanges
    from numerbay_chain.protocol.events import Done


@click.group(
    cls=LazyGroup,
    entries=commands_of(
        __name__,
        create="Create a listing.",
        show="Show a listing and what its terms mean.",
        list_="List what is for sale.",
        edit="Change what may change of a listing.",
    ),
)
def listing() -> None:
    """Create, show, list and edit listings.

    \b
    Example:
      numerbay-chain -p seller listing create --price "0.05 ether" --preset weekly
    """


def _moment(text: str) -> int | str:
    """A duration from now ("3d"), Unix seconds, or a date with a time zone."""
    from datetime import datetime

    from numerbay_chain.core.errors import UsageError
    from numerbay_chain.core.units import parse_duration

    if text.isascii() and text.isdigit() and 9 <= len(text) <= 20:
        return int(text)
    if "-" in text:
        try:
            date = datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageError(
                f"{text!r} is not a date", "write it as 2030-01-31T18:00:00+00:00", code="bad-date"
            ) from error
        if date.tzinfo is None:
            raise UsageError(
                f"the date {text!r} has no time zone", "write it as 2030-01-31T18:00:00+00:00", code="bad-date"
            )
        return int(date.timestamp())
    parse_duration(text)
    return text


def _terms_options(function: Any) -> Any:
    from numerbay_chain.cli.options import Checked

    options = [
        click.option(
            "--token", metavar="ADDRESS", type=ADDRESS, help="ERC-20 token it is paid in; without it the chain's coin."
        ),
        click.option("--supply", type=click.IntRange(0, 2**24 - 1), help="Most orders sold; 0 is no cap."),
        click.option("--max-rounds", type=click.IntRange(1, 65_535), help="Most rounds an order may cover."),
        click.option("--instant/--no-instant", default=None, help="May the round that is out be bought?"),
        click.option("--copies/--no-copies", default=None, help="Does every order get a copy of its own?"),
        click.option(
            "--first-due",
            metavar="WHEN",
            type=Checked("moment", _moment),
            help="When round 0 is due: 3d from now, or a date.",
        ),
        click.option("--period", metavar="DURATION", help="From one due time to the next; 0 is no schedule."),
        click.option("--min-interval", metavar="DURATION", help="At least this between two releases."),
        click.option(
            "--decline-window", metavar="DURATION", help="How long a release can be declined; 0: keys come with it."
        ),
        click.option("--notice-period", metavar="DURATION", help="From cancel to reclaim."),
        click.option("--dispute-window", metavar="DURATION", help="How long proofs count; 0 is not adjudicated."),
        click.option("--response-window", metavar="DURATION", help="How long the seller has to answer a challenge."),
        click.option("--challenge-bond", metavar="AMOUNT", help="Bond of a challenge, a tenth of the price at most."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@listing.command()
@click.option("--price", metavar="AMOUNT", required=True, help='Per round, such as "0.05 ether" or "12 NMR".')
@click.option(
    "--preset",
    type=click.Choice(["weekly", "daily", "dataset", "test"]),
    help="Terms to start from; flags below change them.",
)
@click.option("--name", default="", metavar="TEXT", help="Public name.")
@click.option("--description", default="", metavar="TEXT", help="Public description.")
@click.option("--media-type", default="", metavar="TYPE", help="Of what is delivered, such as text/csv.")
@click.option("--closed", is_flag=True, help="Only vouchers buy, until it is opened.")
@click.option("--operator", metavar="ADDRESS", type=ADDRESS, help="A hot key that may deliver but not take money.")
@click.option("--payout", metavar="ADDRESS", type=ADDRESS, help="Where the money goes; without it your account.")
@_terms_options
@sends
@store_option
@pass_state
def create(state: State, /, price: str, preset: Any, closed: bool, **given: Any) -> None:
    """Create a listing.

    Says in plain words what the terms mean for you and for your buyers, then asks. Terms are fixed for good; price,
    open or closed, and the description can change for later orders.

    Presets: weekly and daily (a file on a schedule, with a window to decline it), dataset (one file, sold also after it
    is out), test (short windows, to try things out).

    \b
    Example:
      numerbay-chain -p seller listing create --price "0.05 ether" --preset weekly
      numerbay-chain -p seller listing create --price "0.05 ether" \\
        --dispute-window 5m
    """
    from numerbay_chain.cli.render.views import bullets, listing_data, receipt_data, sent

    about = {name: given.pop(name) for name in ("name", "description", "media_type", "operator", "payout")}
    changes: TermChanges = given  # type: ignore[assignment]  # the options above have the names and kinds of TermChanges
    role = roles.seller(state)
    words = role.explain_terms(price, preset=preset, **changes)
    state.agree("creates a listing with these terms; all but the price are fixed for good:", bullets(words))
    created = role.create_listing(price, preset=preset, opened=not closed, **about, **changes)
    sent(created.receipt)
    view = role.show(created.id)
    state.show(
        {**listing_data(view), "details_cid": created.details_cid, **receipt_data(created.receipt)},
        f"listing {created.id}",
    )


@listing.command()
@click.argument("number", metavar="LISTING", type=LISTING)
@reads_chain
@store_option
@pass_state
def show(state: State, number: int) -> None:
    """Show a listing and what its terms mean.

    \b
    Example:
      numerbay-chain -p buyer listing show 1
    """
    from numerbay_chain.cli.render.views import listing_data, listing_text
    from numerbay_chain.listings.views import view_listing

    view = view_listing(roles.session(state), number)
    if view.trouble:
        output.note(f"its description can't be shown: {view.trouble}")
    state.show(listing_data(view), lambda: listing_text(view))


@listing.command("list")
@click.option("--mine", is_flag=True, help="Your own listings only.")
@limit_option
@signs
@store_option
@pass_state
def list_(state: State, mine: bool, limit: int) -> None:
    """List what is for sale.

    The newest listings, as many as --limit says.

    \b
    Example:
      numerbay-chain -p buyer listing list
    """
    from numerbay_chain.cli.render.views import listing_data
    from numerbay_chain.listings.views import view_listings

    session = roles.session(state)
    views = view_listings(session, session.account if mine else None, limit or None)
    state.show({"listings": [listing_data(view) for view in views], "more": views.more}, lambda: _table(views))
    say_more(views.more)


def _table(views: "list[ListingView]") -> str:
    from numerbay_chain.cli.render.views import amount, state_of, window

    if not views:
        output.note("there are no listings")
        return ""
    rows = []
    for view in views:
        item = view.listing
        name = view.description.name if view.description and view.description.name else output.short(item.seller)
        kind = "copies" if item.terms.copies else window(item.terms.period) if item.terms.scheduled else "any time"
        rows.append(
            (
                item.id,
                name[:24],
                amount(item.offer.price, view.token),
                kind,
                item.next_round,
                item.orders,
                state_of(view).partition(" (")[0],
            )
        )
    return output.table(["listing", "name", "price", "every", "round", "orders", "state"], rows)


@listing.command()
@click.argument("number", metavar="LISTING", type=LISTING)
@click.option("--price", metavar="AMOUNT", help="Price per round of later orders.")
@click.option("--open/--close", "opened", default=None, help="Sell to everybody, or to vouchers only.")
@click.option("--name", metavar="TEXT", help="Public name.")
@click.option("--description", metavar="TEXT", help="Public description.")
@click.option("--media-type", metavar="TYPE", help="Of what is delivered, such as text/csv.")
@click.option(
    "--operator",
    metavar="ADDRESS",
    type=ADDRESS_OR_NONE,
    help="A hot key that may deliver but not take money; 'none' for nobody.",
)
@click.option("--payout", metavar="ADDRESS", type=ADDRESS, help="Where later withdrawals go.")
@sends
@store_option
@pass_state
def edit(state: State, /, number: int, operator: str | None, payout: str | None, **offer: Any) -> None:
    """Change what may change of a listing.

    Orders that were sold keep their price.

    \b
    Example:
      numerbay-chain -p seller listing edit 1 --price "0.04 ether"
      numerbay-chain -p seller listing edit 1 --close
    """
    from numerbay_chain.cli.render.views import listing_data, receipt_data, sent

    asked = {**offer, "operator": operator, "payout": payout}
    changes = [f"{what}: {_said(asked[name])}" for name, what in _CHANGES.items() if asked[name] is not None]
    if not changes:
        raise click.UsageError("say what is to change")
    role = roles.seller(state)
    state.agree(f"changes listing {number}, for later orders: {', '.join(changes)}")
    done: list[Done | None] = []
    if any(value is not None for value in offer.values()):
        done.append(role.edit_listing(number, **offer))
    if operator is not None:
        done.append(role.set_operator(number, None if operator == "none" else operator))
    if payout is not None:
        done.append(role.set_payout(number, payout))
    receipts = [step.receipt for step in done if step is not None]
    for receipt in receipts:
        sent(receipt)
    view = role.show(number)
    state.show(
        {**listing_data(view), "transactions": [receipt_data(receipt) for receipt in receipts]},
        f"listing {number} was changed" if receipts else f"listing {number}: no changes",
    )


_CHANGES = {
    "price": "price", "opened": "open", "name": "name", "description": "description", "media_type": "media type",
    "operator": "operator", "payout": "payout",
}  # fmt: skip
"""Arguments of `edit`, as they are told before it asks."""


def _said(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
