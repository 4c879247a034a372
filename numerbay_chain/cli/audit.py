"""`audit`: does the contract hold what it owes?"""

from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.options import State, pass_state, reads_chain, store_option
from numerbay_chain.cli.progress import progress
from numerbay_chain.errors import ExitCode

if TYPE_CHECKING:
    from numerbay_chain.results import AuditReport


@click.command()
@click.option("--content", is_flag=True, help="Read every released byte from the store too.")
@reads_chain
@store_option
@pass_state
def audit(state: State, content: bool) -> None:
    """Rebuild all accounts from logs and compare.

    Adds up from the logs alone what the contract owes to whom, compares it with the contract's state and balances, and
    checks every manifest. Exit code 1 when something is off. Needs no account.

    \b
    Example:
      numerbay-chain audit --rpc http://127.0.0.1:8545 --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3
    """
    with progress() as report:
        audited = roles.auditor(state).audit(content=content, progress=report)
    state.show(report_data(audited), lambda: report_text(audited))
    if not audited.ok:
        raise click.exceptions.Exit(ExitCode.REFUSED)


def report_data(audited: "AuditReport") -> dict[str, object]:
    """An audit in JSON."""
    from numerbay_chain.cli.views import token_data

    return {
        "ok": audited.ok,
        "contract": audited.contract,
        "chain_id": audited.chain_id,
        "from_block": audited.from_block,
        "to_block": audited.to_block,
        "balances": [
            {
                "token": token_data(balance.token),
                "unreleased": str(balance.unreleased),
                "missed": str(balance.missed),
                "pots": str(balance.pots),
                "credits": str(balance.credits),
                "owed": str(balance.owed),
                "held": str(balance.held),
                "surplus": str(balance.surplus),
            }
            for balance in audited.balances
        ],
        "findings": [
            {"severity": finding.severity, "subject": finding.subject, "text": finding.text}
            for finding in audited.findings
        ],
        "checked": dict(audited.checked),
    }


def report_text(audited: "AuditReport") -> str:
    """An audit for people."""
    from textwrap import fill

    from numerbay_chain.cli.views import amount, bullets

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
            ("refused payments", balance.credits),
            ("owed in all", balance.owed),
            ("held", balance.held),
        ]
        parts.append(output.fields((name, amount(value, balance.token)) for name, value in lines))
    if audited.findings:
        parts.append(
            bullets([f"{finding.severity}: {finding.subject}: {finding.text}" for finding in audited.findings])
        )
    parts.append(_verdict(audited))
    return "\n\n".join(parts)


def _verdict(audited: "AuditReport") -> str:
    if not audited.ok:
        return "SOMETHING IS OFF"
    unchecked = sum(finding.severity == "warning" for finding in audited.findings)
    return "everything adds up" + (
        f", but {output.count(unchecked, 'thing')} could not be checked" if unchecked else ""
    )
