"""Fetch a round: `ape run fetch 1-0 -o predictions.csv --network ethereum:local:foundry --account TEST::2`."""

from pathlib import Path

import click
from ape.cli import ConnectedProviderCommand, account_option

from numerbay_chain.buyer import Buyer
from numerbay_chain.cli import output
from numerbay_chain.cli.commands.buying.fetch import fetched_data, fetched_text
from numerbay_chain.cli.options import ORDER
from numerbay_chain.cli.progress import progress
from scripts._ape import plain_errors, session, settings_options


@click.command(cls=ConnectedProviderCommand)
@account_option()
@settings_options
@click.argument("order", type=ORDER)
@click.option("--round", "round_", type=int, help="Which round; without it the newest that the order covers.")
@click.option("-o", "--output", "path", required=True, type=click.Path(path_type=Path), help="Where the file goes.")
@click.option("--key", metavar="KEYFILE", help="Your encryption key, a numerbay.json.")
def cli(account, provider, as_json, order, round_, path, key, **settings):
    """Fetch, check and decrypt a round of ORDER."""
    with plain_errors(as_json), progress() as report:
        buyer = Buyer(session(provider, account, key=key, **settings))
        fetched = buyer.fetch(order, round_, path=path, progress=report)
    output.show(as_json, fetched_data(fetched), lambda: fetched_text(fetched))
