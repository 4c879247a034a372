"""Deploy a marketplace: `ape run deploy --network ethereum:local:foundry --account TEST::0`."""

import click
from ape.cli import ConnectedProviderCommand, account_option

from numerbay_chain.chain import deployment
from numerbay_chain.chain.transactions import Sender
from numerbay_chain.cli import output
from numerbay_chain.config import load_settings
from numerbay_chain.deploying import deploy_once
from scripts._ape import ApeSigner, connection, plain_errors


@click.command(cls=ConnectedProviderCommand)
@account_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cli(account, provider, as_json):
    """Deploy a marketplace with Ape's account on Ape's network."""
    with plain_errors(as_json):
        sender = Sender(connection(provider), ApeSigner(account, provider))
        if provider.name == "test":  # that chain ends with this process
            deployed = deployment.deploy(sender)
        else:
            done = deploy_once(load_settings().home, sender)
            output.note(f"remembered in {done.path}")
            deployed = done.deployment
    output.show(
        as_json,
        {
            "contract": deployed.address,
            "chain_id": deployed.chain_id,
            "block": deployed.block,
            "transaction": deployed.transaction,
        },
        output.fields([("contract", deployed.address), ("chain", deployed.chain_id), ("block", deployed.block)]),
    )
