"""What a seller does with money and rounds: `skip`, `refund`, `withdraw`; and `collect`, for everybody."""

from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.options import ADDRESS, LISTING, ORDER, ROUND, State, pass_state, sends
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.units import format_order_id, format_time

if TYPE_CHECKING:
    from numerbay_chain.orders.results import Withdrawal


@click.command()
@click.argument("listing", type=LISTING)
@sends
@pass_state
def skip(state: State, listing: int) -> None:
    """Skip the next round: its buyers can reclaim it.

    The money is not sent by itself: each order must be reclaimed ('reclaim ORDER --missed', or 'reclaim --missed --all
    LISTING' for all of them, by anyone). Nobody but the seller can skip a round that is not overdue.

    \b
    Example:
      numerbay-chain -p seller skip 1
    """
    from numerbay_chain.cli.render.steps import RECLAIM_MISSED, Step, steps_data
    from numerbay_chain.cli.render.views import receipt_data, sent

    role = roles.seller(state)
    round_ = role.session.contract.listing(listing).next_round
    again = f"'reclaim --missed --all {listing}'"
    state.agree(
        f"skips round {round_} of listing {listing}: it is not paid for; each order that covers it must be reclaimed, "
        f"by its buyer or for all of them with {again}"
    )
    done = role.skip(listing, round_)
    sent(done.receipt, done.resumed)
    state.show(
        {
            "listing": listing,
            "round": done.round,
            "resumed": done.resumed,
            **receipt_data(done.receipt),
            "next_steps": steps_data([Step(RECLAIM_MISSED, f"{output.PROGRAM} reclaim --missed --all {listing}")]),
        },
        f"round {done.round} was skipped: each order must be reclaimed, all of them with {again}",
    )


@click.command()
@click.argument("order", type=ORDER)
@click.option("--round", "round_", type=ROUND, help="One released round instead of all that are still to come.")
@sends
@pass_state
def refund(state: State, order: int, round_: int | None) -> None:
    """Give a buyer money back.

    All rounds of an order that are not released yet, which ends it; with --round, one released round whose money has
    not matured.

    \b
    Example:
      numerbay-chain -p seller refund 1-0
    """
    from numerbay_chain.cli.commands.buying.orders import paid_words
    from numerbay_chain.cli.render.views import order_name, receipt_data, sent

    role = roles.seller(state)
    what = "all rounds that are not released yet, which ends it" if round_ is None else f"round {round_}"
    state.agree(f"gives the buyer of order {format_order_id(order)} the money back for {what}")
    done = role.refund(order, round_)
    sent(done.receipt, done.resumed)
    state.show(
        {**order_name(order), "round": round_, "paid": str(done.paid), **receipt_data(done.receipt)}, paid_words([done])
    )


@click.command()
@click.argument("listing", type=LISTING)
@sends
@pass_state
def withdraw(state: State, listing: int) -> None:
    """Pay out what has matured.

    All rounds of a listing whose windows are over, to its payout address, however many buyers there were.

    \b
    Example:
      numerbay-chain -p seller withdraw 1
    """
    from numerbay_chain.cli.render.views import amount

    role = roles.seller(state)
    ready = role.withdrawable(listing)
    if ready.amount:
        state.agree(f"withdraws {amount(ready.amount, ready.token)} of listing {listing} to {ready.payout}")
        ready = role.withdraw(listing)
    else:
        ready = role.resume_withdrawal(listing)  # what an interrupted call took is told, though nothing is left
        state.take_up(ready.receipts)
    _show_withdrawal(state, listing, ready)


def _show_withdrawal(state: State, listing: int, withdrawal: "Withdrawal") -> None:
    from numerbay_chain.cli.render.views import amount, receipt_data, sent, token_data

    for number, receipt in enumerate(withdrawal.receipts):
        sent(receipt, withdrawal.resumed and number == 0)
    for pot in withdrawal.waiting:
        output.note(
            f"{amount(pot.amount, withdrawal.token)} of round {pot.round} can be withdrawn from "
            f"{format_time(pot.matures_at)} on"
        )
    for pot in withdrawal.frozen:
        output.note(
            f"{amount(pot.amount, withdrawal.token)} of round {pot.round} can't be withdrawn: the round was proven "
            "faulty, and its buyers are paid back"
        )
    data = {
        "listing": listing,
        "amount": str(withdrawal.amount),
        "token": token_data(withdrawal.token),
        "payout": withdrawal.payout,
        "rounds": [{"round": pot.round, "bucket": pot.bucket, "amount": str(pot.amount)} for pot in withdrawal.pots],
        "waiting": [
            {"round": pot.round, "bucket": pot.bucket, "amount": str(pot.amount), "matures_at": pot.matures_at}
            for pot in withdrawal.waiting
        ],
        "frozen": [{"round": pot.round, "bucket": pot.bucket, "amount": str(pot.amount)} for pot in withdrawal.frozen],
        "resumed": withdrawal.resumed,
        "transactions": [receipt_data(receipt) for receipt in withdrawal.receipts],
    }
    paid = f"{amount(withdrawal.amount, withdrawal.token)} went to {withdrawal.payout}"
    nothing = "nothing has matured yet" if withdrawal.waiting else "there is nothing to withdraw"
    state.show(data, paid if withdrawal.receipts else nothing)


@click.command()
@click.option("--token", metavar="ADDRESS", type=ADDRESS, help="An ERC-20 token; without it the chain's own coin.")
@click.option("--to", metavar="ADDRESS", type=ADDRESS, help="Where it goes; without it your account.")
@click.option("--for", "receiver", metavar="ADDRESS", type=ADDRESS, help="Pay this account its own credit.")
@sends
@pass_state
def collect(state: State, token: str | None, to: str | None, receiver: str | None) -> None:
    """Collect a payment that could not be sent.

    A payment that its receiver refused waits in the contract as their credit. Name another receiver with --to. With
    --for, anybody pays an account its credit: a contract that refused a payment may have no way to collect it. That
    money goes to the account itself, so --to can't be given with it.

    \b
    Example:
      numerbay-chain -p buyer collect \\
        --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
    """
    from numerbay_chain.cli.render.views import amount, receipt_data, sent

    if receiver and to:
        raise UsageError("somebody else's credit goes to their account only", "leave out --to")
    role = roles.buyer(state)
    whose = receiver or "your account"
    state.agree(f"collects what waits for {whose}, {f'to {to}' if to else 'to the account itself'}")
    done = role.collect(token, to, account=receiver)
    if done is None:
        state.show({"amount": "0", "resumed": False, "transactions": []}, f"nothing waits for {whose}")
        return
    sent(done.receipt, done.resumed)
    words = amount(done.paid, done.token) if done.token else str(done.paid)
    data = {"amount": str(done.paid), "resumed": done.resumed, "transactions": [receipt_data(done.receipt)]}
    state.show(data, f"collected {words}")
