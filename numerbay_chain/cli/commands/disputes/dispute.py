"""`dispute`: what a buyer does who got no key, a wrong one or wrong content, and how a seller answers."""

from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.commands.disputes.respond import ROUND_OPTION, note_others
from numerbay_chain.cli.lazy import LazyGroup, commands_of
from numerbay_chain.cli.options import (
    LISTING,
    ORDER,
    State,
    all_of,
    pass_state,
    reads_chain,
    reads_content,
    sends,
    signs,
)
from numerbay_chain.cli.progress import progress
from numerbay_chain.core.errors import UnseenKeyError
from numerbay_chain.core.units import format_duration, format_order_id

if TYPE_CHECKING:
    from numerbay_chain.disputes.results import Dispute, EndedDispute

_HURRY = 3_600  # seconds
_of_a_round = all_of(click.argument("order", type=ORDER), ROUND_OPTION)
_ends = all_of(_of_a_round, sends, pass_state)


@click.group(
    cls=LazyGroup,
    entries={
        **commands_of(
            __name__,
            "Buyer",
            open_="Challenge a round: the seller has to give its key.",
            prove="Prove a wrong key or wrong content.",
            claim="Get paid back where no answer came in time.",
        ),
        **commands_of(
            "numerbay_chain.cli.commands.disputes.respond", "Seller", respond="Answer challenges with the key."
        ),
        **commands_of(
            __name__,
            "Both",
            list_="List open disputes, the most urgent first.",
            show="Show how a dispute stands, and what comes next.",
            settle="End a dispute as it stands.",
        ),
    },
)
def dispute() -> None:
    """Challenge, answer, prove and settle what went wrong.

    The contract judges: a buyer who got no key, or a wrong one, challenges the round; the seller answers with the key,
    or the buyer is paid back. Wrong content is proven without a challenge.

    \b
    Example:
      numerbay-chain -p buyer dispute open 1-0
      numerbay-chain -p seller dispute respond
    """


@dispute.command("open")
@_of_a_round
@sends
@reads_content
@pass_state
def open_(state: State, order: int, round_: int | None) -> None:
    """Challenge a round: the seller has to give its key.

    Once for each round, after its decline window and before the money for it matures. The bond comes back with the
    price where the seller does not answer in time, or answers wrong. Refused where the right key was handed out; where
    the store can't be asked for it, or lacks what was posted, that is said, and asked once more.

    \b
    Example:
      numerbay-chain -p buyer dispute open 1-0
    """
    from numerbay_chain.cli.render.disputes import cost, dispute_data
    from numerbay_chain.cli.render.views import amount, receipt_data, sent

    role = roles.buyer(state)
    opened = state.take_up(role.resume_dispute(order, round_))
    if opened is None:
        doubt = None
        try:
            view = role.disputable(order, round_)
        except UnseenKeyError as error:
            doubt = str(error)
            view = role.disputable(order, round_, unseen=True)
        if view.gas:
            bond = f", with a bond of {amount(view.bond, view.token)}" if view.bond else ""
            back, lost = ("price and bond come", "the bond is lost, and ") if view.bond else ("the price comes", "")
            state.agree(
                f"challenges round {view.round} of order {format_order_id(order)}{bond}: the seller has to answer with "
                f"the right key, or {back} back; with the right key, {lost}the price is the seller's; the gas is spent "
                "either way",
                cost("a dispute", view.gas, view.fee, view.coin, view.price, view.bond, view.token),
            )
        if doubt:
            state.agree(doubt)
        opened = role.open_dispute(order, view.round, unseen=doubt is not None)
    sent(opened.approval)
    sent(opened.receipt, opened.resumed)
    receipt = receipt_data(opened.receipt) if opened.receipt else {}
    data = {**dispute_data(opened.dispute), "resumed": opened.resumed or opened.receipt is None, **receipt}
    again = "" if opened.receipt else "it is challenged already, nothing was sent: "
    state.show(data, again + opened.dispute.words)


@dispute.command("list")
@click.option("--seller", is_flag=True, help="Disputes about what you sell or operate, instead of what you bought.")
@click.option(
    "--listing", "listings", type=LISTING, multiple=True, help="With --seller: of this one alone; repeatable."
)
@click.option("--all", "ended", is_flag=True, help="Past ones too.")
@signs
@pass_state
def list_(state: State, seller: bool, listings: tuple[int, ...], ended: bool) -> None:
    """List open disputes, the most urgent first.

    With --seller, what must be answered, and by when: about what you sell, and about what you operate where --listing,
    or the setting `operates`, names it. Faulty rounds that are not paid back yet are among a buyer's.

    \b
    Example:
      numerbay-chain -p seller dispute list --seller
    """
    from numerbay_chain.cli.render.disputes import dispute_data, dispute_table
    from numerbay_chain.seller import Seller

    if listings and not seller:
        raise click.UsageError("--listing goes with --seller")
    role = roles.seller(state) if seller else roles.buyer(state)
    scope = role.looks_after(*listings) if isinstance(role, Seller) else None
    found: list[Dispute] = role.disputes(*listings, ended=ended)
    now = role.session.connection.now()
    waiting = [one for one in found if one.turn == "seller"] if seller else []
    for one in waiting:
        if one.deadline is not None and one.deadline - now < _HURRY:
            left = format_duration(max(one.deadline - now, 0))
            output.note(f"HURRY: answer round {one.round} of order {format_order_id(one.order)} within {left}")
    if not found and not state.as_json:
        output.note(_none_found(seller, ended))
    rows = [dispute_data(one) for one in found]
    more = getattr(found, "more", 0)
    state.show({"disputes": rows, "more": more}, lambda: dispute_table(found, now, seller) if found else "")
    if more:
        output.note(f"faulty rounds that are not shown: {more}")
    if isinstance(role, Seller) and scope:
        note_others(scope)
        role.require_all_challenges(*listings)


def _none_found(seller: bool, ended: bool) -> str:
    """Say whose disputes were looked for, so that a seller who forgot `--seller` notices."""
    none = f"no {'' if ended else 'open '}disputes about {'your listings' if seller else 'what you bought'}"
    past, theirs = "`--all` shows past ones", "`--seller` shows those about your listings"
    more = ([] if ended else [past]) + ([] if seller else [theirs])
    return "; ".join([none, *more])


@dispute.command()
@_of_a_round
@reads_chain
@pass_state
def show(state: State, order: int, round_: int | None) -> None:
    """Show how a dispute stands, and what comes next.

    Without --round, the newest one that is open, else a round without a key that can be challenged, else the newest
    dispute there was.

    \b
    Example:
      numerbay-chain -p buyer dispute show 1-0
    """
    from numerbay_chain.cli.render.disputes import dispute_data, dispute_text

    role = roles.buyer(state)
    view, signer = role.show_dispute(order, round_), role.session.signer
    state.show(dispute_data(view), lambda: dispute_text(view, signer.address if signer else None))


@dispute.command()
@_of_a_round
@sends
@reads_content
@pass_state
def prove(state: State, order: int, round_: int | None) -> None:
    """Prove a wrong key or wrong content.

    Finds out on this machine what can be proven, and asks nobody: a proof that would lose is never sent. Proven wrong
    content makes the content key public, and so the file: that is said before. It needs no challenge, and pays back
    every buyer whose money has not matured; a wrong copy is paid back to its own buyer alone.

    \b
    Example:
      numerbay-chain -p buyer dispute prove 1-0
    """
    from numerbay_chain.cli.render.disputes import cost
    from numerbay_chain.cli.render.views import amount, order_name, receipt_data, sent
    from numerbay_chain.protocol.gas import DISPUTE_GAS

    role = roles.buyer(state)
    proven = state.take_up(role.resume_proof(order, round_))
    if proven is None:
        with progress() as report:
            judged = role.judge(order, round_, progress=report)
        proof = DISPUTE_GAS[judged.call.function]
        worth = cost("a proof", judged.gas, judged.fee, judged.coin, judged.returns, 0, judged.token, proof)
        state.agree(f"proves {judged.kind}: {judged.words}", worth)
        proven = role.prove(order, judged.round, publish_key=True, judgement=judged)
    for number, receipt in enumerate(proven.receipts):
        sent(receipt, proven.resumed and number == 0)
    data = {
        **order_name(order),
        "round": proven.round,
        "proof": proven.kind,
        "chunk": proven.chunk,
        "paid": str(proven.paid),
        "resumed": proven.resumed,
        "transactions": [receipt_data(receipt) for receipt in proven.receipts],
    }
    back = f"{amount(proven.paid, proven.token)} paid back"
    state.show(data, f"proven ({proven.kind}), {back if proven.paid else 'and to be paid back by `dispute settle`'}")


@dispute.command()
@_ends
def claim(state: State, order: int, round_: int | None) -> None:
    """Get paid back where no answer came in time.

    Price and bond go to the order's buyer, whoever claims them.

    \b
    Example:
      numerbay-chain -p buyer dispute claim 1-0
    """
    role = roles.buyer(state)
    view = role.show_dispute(order, round_, step="claim")
    if view.state == "unanswered":
        state.agree(f"claims {_stake(view)} for the buyer of order {format_order_id(order)}: the seller did not answer")
    _show_end(state, role.claim(order, view.round))


@dispute.command()
@_ends
def settle(state: State, order: int, round_: int | None) -> None:
    """End a dispute as it stands.

    Whoever settles, the money goes where the contract says: to the buyer where no answer came in time, or the content
    was proven wrong (also without a challenge); to the seller's payout address where nothing was proven in time.

    \b
    Example:
      numerbay-chain -p seller dispute settle 1-0
    """
    role = roles.buyer(state)
    view = role.show_dispute(order, round_, step="settle")
    if view.state == "unanswered":
        state.agree(f"settles it: the seller did not answer in time, {_stake(view)} go back to the buyer")
    elif view.turn == "anyone":
        state.agree(f"settles it: {view.words}")
    _show_end(state, role.settle(order, view.round))


def _stake(view: "Dispute") -> str:
    from numerbay_chain.cli.render.views import amount

    return amount(view.price + view.bond, view.token)


def _show_end(state: State, ended: "EndedDispute") -> None:
    from numerbay_chain.cli.render.views import amount, order_name, receipt_data, sent, token_data

    sent(ended.receipt, ended.resumed)
    data = {
        **order_name(ended.order),
        "round": ended.round,
        "ground": ended.ground.name.lower().replace("_", "-"),
        "paid": str(ended.paid),
        "token": token_data(ended.token),
        "receiver": ended.receiver,
        "resumed": ended.resumed,
        **receipt_data(ended.receipt),
    }
    state.show(data, f"{amount(ended.paid, ended.token)} went to {ended.receiver}")
