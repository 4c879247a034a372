"""Deliver a round: `ape run deliver predictions.csv --listing 1 --network ethereum:local:foundry --account TEST::1`."""

from pathlib import Path

import click
from ape.cli import ConnectedProviderCommand, account_option

from numerbay_chain.cli import output
from numerbay_chain.cli.commands.selling.deliver import delivered_data, delivered_text, say_delivered
from numerbay_chain.cli.progress import progress
from numerbay_chain.seller import Seller
from scripts._ape import plain_errors, session, settings_options


@click.command(cls=ConnectedProviderCommand)
@account_option()
@settings_options
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--listing", type=int, required=True, help="The listing that the round belongs to.")
@click.option("--note", default="", help="A note that the buyers can read.")
@click.option("--again", is_flag=True, help="The same file as the round before is meant.")
@click.option("--wait", is_flag=True, help="Stay until the keys can go out.")
@click.option("--second-rpc", metavar="URL", help="Another node, asked the same before a key leaves.")
@click.option("--read-back", metavar="SPEC", help="A second way to the content, such as gateway:URL.")
def cli(account, provider, as_json, file, listing, note, again, wait, read_back, **settings):
    """Seal FILE, pin it, release it, hand out the keys; without FILE, keys for whoever is waiting."""
    with plain_errors(as_json), progress() as report:
        seller = Seller(session(provider, account, read_back=read_back, **settings))
        if file is None:
            delivered = seller.serve(listing, wait=wait, progress=report).rounds
        else:
            delivered = (seller.deliver(file, listing, note=note, again=again, wait=wait, progress=report),)
    for each in delivered:
        say_delivered(each)
    output.show(
        as_json,
        {"listing": listing, "rounds": [delivered_data(each) for each in delivered]},
        lambda: "\n\n".join(delivered_text(each) for each in delivered) or "nobody is waiting for a key",
    )
