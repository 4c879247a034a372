"""Audit a marketplace: `ape run audit --network ethereum:local:foundry`."""

import sys

import click
from ape.cli import ConnectedProviderCommand

from numerbay_chain.auditor import Auditor
from numerbay_chain.cli import output
from numerbay_chain.cli.commands.auditing.audit import exit_code, report_data, report_text
from numerbay_chain.cli.progress import progress
from scripts._ape import plain_errors, session, settings_options


@click.command(cls=ConnectedProviderCommand)
@settings_options
@click.option("--content", is_flag=True, help="Read every released byte from the store too.")
def cli(provider, as_json, content, **settings):
    """Rebuild all accounts from logs and compare them with the contract."""
    with plain_errors(as_json), progress() as report:
        audited = Auditor(session(provider, **settings)).audit(content=content, progress=report)
    output.show(as_json, report_data(audited), lambda: report_text(audited))
    if code := exit_code(audited):
        sys.exit(code)
