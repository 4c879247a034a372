"""`voucher`: permissions to buy at another price, or from a closed listing."""

from typing import Any

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.commands.inputs import read_voucher
from numerbay_chain.cli.lazy import LazyGroup, commands_of
from numerbay_chain.cli.options import ADDRESS, DURATION, LISTING, State, pass_state, sends, signs
from numerbay_chain.core.units import format_time


@click.group(
    cls=LazyGroup,
    entries=commands_of(
        __name__,
        sign="Sign a voucher for a listing of yours.",
        show="Show a voucher, and whether it can be used.",
        revoke="Make a voucher unusable.",
    ),
)
def voucher() -> None:
    """Sign, show and revoke vouchers.

    \b
    Example:
      numerbay-chain -p seller voucher sign 1 --price "0.01 ether" -o voucher.json
    """


@voucher.command()
@click.argument("listing", type=LISTING)
@click.option("--price", metavar="AMOUNT", required=True, help='Per round, such as "0.01 ether"; 0 is a gift.')
@click.option("--buyer", metavar="ADDRESS", type=ADDRESS, help="Who may use it; without it whoever has it.")
@click.option(
    "--max-rounds", type=click.IntRange(1, 65_535), default=1, show_default=True, help="Most rounds of an order."
)
@click.option(
    "--uses", type=click.IntRange(1, 2**32 - 2), default=1, show_default=True, help="Most orders bought with it."
)
@click.option("--valid-for", type=DURATION, default="7d", show_default=True, help="How long it can be used.")
@click.option("-o", "--output", "path", metavar="PATH", default="-", help="New file; without it stdout.")
@signs
@pass_state
def sign(state: State, /, listing: int, path: str, **terms: Any) -> None:
    """Sign a voucher for a listing of yours.

    Nothing is sent to the chain. A voucher is as good as money: hand it to its buyer alone.

    \b
    Example:
      numerbay-chain -p seller voucher sign 1 --price 0 --uses 3 -o voucher.json
    """
    signed = roles.seller(state).sign_voucher(listing, **terms)
    if output.is_stdout(path):
        output.write(signed.to_json())
        return
    from numerbay_chain.core.files.atomic import write_atomic

    write_atomic(path, signed.to_json() + "\n", overwrite=False, stream=True)
    state.changed = True
    state.show({"path": path, "listing": listing, "deadline": signed.voucher.deadline}, f"the voucher is in {path}")


@voucher.command()
@click.argument("path")
@signs
@pass_state
def show(state: State, path: str) -> None:
    """Show a voucher, and whether it can be used.

    PATH is what 'voucher sign' wrote; - is standard input.

    \b
    Example:
      numerbay-chain -p buyer voucher show voucher.json
    """
    from numerbay_chain.cli.render.views import amount
    from numerbay_chain.protocol.types import ZERO_ADDRESS

    signed = read_voucher(path)
    role = roles.seller(state)
    status = role.voucher_status(signed)
    listing = role.session.contract.listing(signed.voucher.listing)
    token = role.session.contract.token(listing.terms.token)
    terms = signed.voucher
    data = {
        "digest": status.digest,
        "listing": terms.listing,
        "buyer": None if terms.buyer == ZERO_ADDRESS else terms.buyer,
        "price": str(terms.price),
        "max_rounds": terms.max_rounds,
        "uses": terms.uses,
        "used": status.used,
        "deadline": terms.deadline,
        "signer": status.signer,
        "revoked": status.revoked,
        "usable": status.problem is None,
        "problem": status.problem,
    }
    state.show(
        data,
        lambda: output.fields(
            [
                ("listing", terms.listing),
                ("price", f"{amount(terms.price, token)} per round"),
                ("for", "anybody" if terms.buyer == ZERO_ADDRESS else terms.buyer),
                ("rounds", f"at most {terms.max_rounds} an order"),
                ("used", f"{status.used} of {output.count(terms.uses, 'time')}"),
                ("until", format_time(terms.deadline)),
                ("signed by", status.signer),
                ("state", status.problem or "can be used"),
            ]
        ),
    )


@voucher.command()
@click.argument("path")
@sends
@pass_state
def revoke(state: State, path: str) -> None:
    """Make a voucher unusable.

    PATH is what 'voucher sign' wrote; - is standard input. What was bought with it stays bought.

    \b
    Example:
      numerbay-chain -p seller voucher revoke voucher.json
    """
    from numerbay_chain.cli.render.views import receipt_data, sent

    signed = read_voucher(path)
    role = roles.seller(state)
    state.agree(f"revokes a voucher of listing {signed.voucher.listing}: nobody can buy with it any more")
    done = role.revoke_voucher(signed)
    if done is None:
        state.show({"listing": signed.voucher.listing, "revoked": True}, "the voucher was revoked before")
        return
    sent(done.receipt, done.resumed)
    data = {"listing": signed.voucher.listing, "revoked": True, **receipt_data(done.receipt)}
    state.show(data, "the voucher was revoked")
