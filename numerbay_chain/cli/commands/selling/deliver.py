"""`deliver`: seal, pin, release, hand out keys; run it again and it goes on where it was."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.options import LISTING, State, delivers, pass_state, read_back_option, store_option
from numerbay_chain.cli.progress import progress
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.units import format_time

if TYPE_CHECKING:
    from numerbay_chain.delivery.results import Delivered
    from numerbay_chain.seller import Seller


@click.command()
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--listing", type=LISTING, help="The listing that the round belongs to.")
@click.option("--copy", "copies", metavar="ORDER=FILE", multiple=True, help="A copy for one order alone; repeat it.")
@click.option("--note", default="", metavar="TEXT", help="A note that the buyers can read.")
@click.option("--again", is_flag=True, help="The same file as the round before is meant.")
@click.option("--wait", is_flag=True, help="Stay until the keys can go out.")
@click.option("--confirmations", type=click.IntRange(min=0), help="Blocks that must follow before keys go out.")
@delivers
@store_option
@read_back_option
@pass_state
def deliver(
    state: State,
    /,
    file: Path | None,
    listing: int | None,
    copies: tuple[str, ...],
    note: str,
    again: bool,
    **keys: Any,
) -> None:
    """Seal, pin and release a round, and hand out its keys.

    With FILE, for the next round of the listing. Keys go out once the decline window is over, at once if there is none;
    run it without FILE then, it hands keys to whoever is waiting. In a listing sold as copies, name a file for each
    order. Killed at any point and run again with the same file it goes on where it was.

    Off a development chain it wants --store, and a --read-back through which it checks that the content is available
    before it posts anything.

    \b
    Example:
      numerbay-chain -p seller deliver predictions.csv --listing 1
      numerbay-chain -p seller deliver --listing 1
      numerbay-chain -p seller deliver --copy 2-0=alice.csv --copy 2-1=bob.csv
    """
    by_order = _copies(copies)
    number = _listing(listing, by_order)
    if file is not None and by_order:
        raise click.UsageError("give FILE or --copy, not both")
    role = roles.seller(state)
    if file is None and not by_order:
        _serve(state, role, number, keys)
        return
    next_round = role.session.contract.listing(number).next_round
    what, these = (output.count(len(by_order), "copy"), "them") if by_order else (str(file), "it")
    release = f"round {next_round} of listing {number}, which it releases for good"
    if by_order and next_round > 0 and not again:
        release = f"round {next_round - 1} if these orders have a right to it and no copy yet, else for {release}"
    state.agree(
        f"seals {what} for {release}, pins {these}, and hands out the keys when they may go out (or goes on with what "
        "was interrupted)"
    )
    with progress() as report:
        if file is not None:
            delivered = role.deliver(file, number, note=note, again=again, progress=report, **keys)
        else:
            delivered = role.deliver_copies(number, by_order, note=note, again=again, progress=report, **keys)
    say_delivered(delivered)
    state.show(delivered_data(delivered), lambda: delivered_text(delivered))


def _serve(state: State, role: "Seller", listing: int, keys: dict[str, Any]) -> None:
    state.agree(f"hands out the keys of listing {listing} to whoever is waiting")
    with progress() as report:
        served = role.serve(listing, progress=report, **keys)
    for delivered in served.rounds:
        say_delivered(delivered)
    state.show(
        {"listing": listing, "rounds": [delivered_data(delivered) for delivered in served.rounds]},
        lambda: "\n\n".join(delivered_text(delivered) for delivered in served.rounds) or "nobody is waiting for a key",
    )


def _copies(copies: tuple[str, ...]) -> dict[int, str | Path]:
    from numerbay_chain.core.units import format_order_id, parse_order_id

    by_order: dict[int, str | Path] = {}
    for text in copies:
        name, equals, path = text.partition("=")
        if not (equals and path):
            raise UsageError(
                f"{text!r} names no order and file", "write --copy ORDER=FILE, such as --copy 2-0=alice.csv"
            )
        order = parse_order_id(name)
        if order in by_order:
            raise UsageError(f"order {format_order_id(order)} is named twice", "give one file for each order")
        by_order[order] = Path(path)
    return by_order


def _listing(listing: int | None, by_order: dict[int, str | Path]) -> int:
    named = {order >> 32 for order in by_order} | ({listing} if listing is not None else set())
    if not named:
        raise click.UsageError("say which listing with --listing")
    if len(named) > 1:
        raise UsageError("orders of more than one listing are named", "deliver one listing at a time")
    return named.pop()


def say_delivered(delivered: "Delivered") -> None:
    """What its owner should hear of a delivery, on stderr."""
    from numerbay_chain.cli.render.views import sent
    from numerbay_chain.core.units import format_order_id

    if delivered.resumed:
        output.note("an interrupted delivery was taken up")
    sent(delivered.release)
    if delivered.delivery is not None and delivered.delivery != delivered.release:
        sent(delivered.delivery)
    for left in delivered.left:
        output.note(f"no key for order {format_order_id(left.order)}: {left.reason}")
    if delivered.state == "waiting":
        when = f" from {format_time(delivered.waiting_until)} on" if delivered.waiting_until is not None else ""
        why = f" ({delivered.waiting_for})" if delivered.waiting_for else ""
        output.note(f"keys can go out{when}{why}: run '{output.PROGRAM} deliver --listing {delivered.listing}' then")


def delivered_data(delivered: "Delivered") -> dict[str, object]:
    """A delivery in JSON."""
    from numerbay_chain.cli.render.views import order_name, receipt_data

    return {
        **output.picked(delivered, "listing round state content_hash cid ciphertext_cid size"),
        "sha256": delivered.sha256.hex() if delivered.sha256 is not None else None,
        "release": receipt_data(delivered.release) if delivered.release else None,
        "delivery": receipt_data(delivered.delivery) if delivered.delivery else None,
        "envelopes": delivered.envelopes,
        "newly_posted": [order_name(order) for order in delivered.newly_posted],
        "left": [{**order_name(left.order), "code": left.code, "reason": left.reason} for left in delivered.left],
        **output.picked(delivered, "waiting_until waiting_for resumed"),
    }


def delivered_text(delivered: "Delivered") -> str:
    """A delivery for people."""
    keys = output.count(len(delivered.newly_posted), "order")
    return output.fields(
        [
            ("listing", delivered.listing),
            ("round", delivered.round),
            ("content hash", "0x" + delivered.content_hash.hex() if delivered.content_hash else None),
            ("cid", delivered.cid),
            ("ciphertext", delivered.ciphertext_cid),
            ("size", output.size(delivered.size) if delivered.size is not None else None),
            ("sha256", delivered.sha256.hex() if delivered.sha256 is not None else None),
            ("keys", "waiting" if delivered.state == "waiting" else f"handed to {keys} now"),
        ]
    )
