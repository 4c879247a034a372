"""`dispute respond`: how a seller answers challenges."""

from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.options import (
    LISTING,
    ORDER,
    ROUND,
    State,
    pass_state,
    sends,
    store_option,
)
from numerbay_chain.core.errors import ExitCode
from numerbay_chain.core.units import format_order_id, format_time

if TYPE_CHECKING:
    from numerbay_chain.disputes.results import Answers, DisputeScope

ROUND_OPTION = click.option("--round", "round_", type=ROUND, help="Which round; without it the newest in question.")


@click.command()
@click.argument("order", type=ORDER, required=False)
@ROUND_OPTION
@click.option("--listing", "listings", type=LISTING, multiple=True, help="About this listing alone; repeatable.")
@sends
@store_option
@pass_state
def respond(state: State, order: int | None, round_: int | None, listings: tuple[int, ...]) -> None:
    """Answer challenges with the key.

    All that are open about what you sell, the most urgent first, then about what you operate where --listing, or the
    setting `operates`, names it; or ORDER's. Where nothing is at stake, only an order that is named is answered. The
    chain and the seller secret are enough for it. The key is sealed to the buyer's one-time key: nobody else can read
    it.

    \b
    Example:
      numerbay-chain -p seller dispute respond
    """
    if round_ is not None and order is None:
        raise click.UsageError("--round goes with an order")
    if listings and order is not None:
        raise click.UsageError("give an order, or --listing")
    role = roles.seller(state)
    scope = role.looks_after(*listings) if order is None else None
    due = [
        one
        for one in role.open_challenges(*(listings if order is None else (order >> 32,)))
        if not one.answered and (one.order == order or (order is None and one.at_stake)) and round_ in (None, one.round)
    ]
    if due:
        what = ", ".join(f"round {one.round} of order {format_order_id(one.order)}" for one in due)
        many = "s" if len(due) > 1 else ""
        state.agree(f"answers the challenge{many} of {what} with the content key, sealed to the buyer")
    if order is not None and len(due) == 1:
        round_ = due[0].round
    answers = role.respond(order, round_, listings=listings)
    _show_answers(state, answers)
    if scope is not None:
        note_others(scope)
    if answers.doubt is not None:
        raise answers.doubt
    if codes := {one.code for one in answers.left if one.failed}:
        raise click.exceptions.Exit(codes.pop() if len(codes) == 1 else ExitCode.REFUSED)


def _show_answers(state: State, answers: "Answers") -> None:
    from numerbay_chain.cli.render.views import order_name, receipt_data, sent

    for answer in answers.answered:
        sent(answer.receipt, answer.resumed)
    for one in answers.left:
        name = f"round {one.round} of order {format_order_id(one.order)}"
        said = one.reason if one.reason.startswith(name) else f"{name} is not answered: {one.reason}"
        output.note(said + (f" (the deadline is {format_time(one.deadline)})" if one.deadline is not None else ""))
    data = {
        "answered": [
            {**order_name(one.order), "round": one.round, "resumed": one.resumed, **receipt_data(one.receipt)}
            for one in answers.answered
        ],
        "left": [
            {
                **order_name(one.order),
                "round": one.round,
                "code": one.error_code,
                "reason": one.reason,
                "deadline": one.deadline,
                "failed": one.failed,
            }
            for one in answers.left
        ],
        "worthless": answers.worthless,
    }
    if answers.worthless:
        many = output.count(answers.worthless, "challenge")
        output.note(f"{many} left alone, because nothing is at stake: name the order to answer one")
    count = len(answers.answered)
    done = f"answered {output.count(count, 'challenge')}" if count else "no challenge was answered"
    state.show(data, done if count or answers.left else "there is no challenge to answer")


def note_others(scope: "DisputeScope") -> None:
    """Says that others named this account as their operator: whoever did not agree to that need not care."""
    if others := scope.others:
        name = "listing of somebody else's names" if others == 1 else "listings of others name"
        output.note(
            f"{others} {name} this account as operator: look after one with --listing, or put it into the setting "
            "`operates`, if you agreed to that"
        )
