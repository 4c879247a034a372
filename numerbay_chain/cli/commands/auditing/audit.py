"""`audit`: does the contract hold what it owes?"""

from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.options import State, created_by_option, pass_state, reads_chain, store_option, unchecked_option
from numerbay_chain.cli.progress import progress
from numerbay_chain.core.errors import ExitCode

if TYPE_CHECKING:
    from numerbay_chain.audit.results import AuditReport

_AMOUNTS = "unreleased missed pots challenges credits owed held surplus"


@click.command()
@click.option("--content", is_flag=True, help="Read every released byte from the store too.")
@reads_chain
@created_by_option
@unchecked_option
@store_option
@pass_state
def audit(state: State, content: bool) -> None:
    """Rebuild all accounts from logs and compare.

    Adds up from the logs alone what the contract owes to whom, compares it with the contract's state and balances, and
    checks every manifest. Exit code 1 when something is off. Needs no account.

    With --content, a round whose content the store does not have is off too; a store that can't be asked is exit code
    3, where the books are in order.

    \b
    Example:
      numerbay-chain audit --rpc http://127.0.0.1:8545 \\
        --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3
    """
    with progress() as report:
        audited = roles.auditor(state).audit(content=content, progress=report)
    state.show(report_data(audited), lambda: report_text(audited))
    if code := exit_code(audited):
        raise click.exceptions.Exit(code)


def exit_code(audited: "AuditReport") -> ExitCode:
    """What an audit ends with."""
    if not audited.ok:
        return ExitCode.REFUSED
    return ExitCode.NETWORK if audited.unread else ExitCode.DONE


def report_data(audited: "AuditReport") -> dict[str, object]:
    """An audit in JSON."""
    from numerbay_chain.cli.render.views import order_name, token_data

    return {
        **output.picked(audited, "ok unread contract chain_id from_block to_block"),
        "balances": [
            {
                "token": token_data(balance.token),
                **{name: str(amount) for name, amount in output.picked(balance, _AMOUNTS).items()},
            }
            for balance in audited.balances
        ],
        "challenges": [
            {
                **order_name(one.order),
                "round": one.round,
                "price": str(one.challenge.price),
                "bond": str(one.challenge.bond),
                "token": token_data(one.token),
                "challenged_at": one.challenge.challenged_at,
                "responded_at": one.challenge.responded_at or None,
                "state": one.state,
                "deadline": one.deadline,
            }
            for one in audited.challenges
        ],
        "faulty_rounds": [
            {
                "listing": one.listing,
                "round": one.round,
                "faulty_at": one.faulty_at,
                "frozen": str(one.frozen),
                "token": token_data(one.token),
            }
            for one in audited.faulty_rounds
        ],
        "findings": [output.picked(finding, "severity subject text code") for finding in audited.findings],
        "checked": dict(audited.checked),
    }


def report_text(audited: "AuditReport") -> str:
    """An audit for people."""
    from textwrap import fill

    from numerbay_chain.cli.render.views import amount, bullets

    checked = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in audited.checked.items())
    parts = [
        output.fields(
            [
                ("contract", audited.contract),
                ("chain", audited.chain_id),
                ("blocks", f"{audited.from_block} to {audited.to_block}"),
                ("checked", fill(checked, 68) or None),
            ]
        )
    ]
    for balance in audited.balances:
        lines = [
            ("owed for rounds to come", balance.unreleased),
            ("owed for missed rounds", balance.missed),
            ("earned, in pots", balance.pots),
            ("in open challenges", balance.challenges),
            ("refused payments", balance.credits),
            ("owed in all", balance.owed),
            ("held", balance.held),
        ]
        parts.append(output.fields((name, amount(value, balance.token)) for name, value in lines))
    if disputes := _disputes(audited):
        parts.append(bullets(disputes))
    if audited.findings:
        parts.append(
            bullets([f"{finding.severity}: {finding.subject}: {finding.text}" for finding in audited.findings])
        )
    parts.append(_verdict(audited))
    return "\n\n".join(parts)


def _disputes(audited: "AuditReport") -> list[str]:
    """Open challenges and faulty rounds, a sentence each: nothing is off with them."""
    from numerbay_chain.cli.render.views import amount
    from numerbay_chain.core.units import format_order_id, format_time

    said = []
    for one in audited.challenges:
        challenge = one.challenge
        answer = f"answered {format_time(challenge.responded_at)}" if challenge.responded else "not answered yet"
        if one.state == "unanswered":
            answer = "unanswered, can be claimed"
        elif one.state in ("faulty", "unproven"):
            answer += f", can be settled to the {'buyer' if one.state == 'faulty' else 'seller'}"
        elif one.deadline is not None:
            answer += f", {'proofs' if challenge.responded else 'an answer'} until {format_time(one.deadline)}"
        said.append(
            f"open challenge: order {format_order_id(one.order)}, round {one.round}, about "
            f"{amount(challenge.stake, one.token)} with its bond, {answer}"
        )
    for faulty in audited.faulty_rounds:
        left = f"{amount(faulty.frozen, faulty.token)} to be paid back" if faulty.frozen else "nothing left to pay back"
        said.append(
            f"faulty round: round {faulty.round} of listing {faulty.listing}, "
            f"proven {format_time(faulty.faulty_at)}, {left}"
        )
    return said


def _verdict(audited: "AuditReport") -> str:
    if not audited.ok:
        return "SOMETHING IS OFF"
    unchecked = sum(finding.severity == "warning" for finding in audited.findings)
    if audited.unread:
        return "the books add up, but not all content could be read: the store did not answer"
    return "everything adds up" + (
        f", but {output.count(unchecked, 'thing')} could not be checked" if unchecked else ""
    )
