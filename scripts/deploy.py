"""Deploy a marketplace: `ape run deploy --network ethereum:local:foundry --account TEST::0`."""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import click
from ape.cli import ConnectedProviderCommand, account_option

from numerbay_chain.chain.identity.deploying import deploy_once
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.cli.commands.tools.deploy import show
from numerbay_chain.core.home.config import load_settings
from numerbay_chain.core.home.home import Home
from scripts._ape import ApeSigner, connection, plain_errors


@click.command(cls=ConnectedProviderCommand)
@account_option()
@click.option("--direct", is_flag=True, help="From the account itself, at a new address.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cli(account, provider, direct, as_json):
    """Deploy the marketplace with Ape's account on Ape's network, where it is not deployed already."""
    passing = provider.name == "test"  # a chain that ends with this process, and lacks the proxy
    with plain_errors(as_json), home(passing) as folder:
        sender = Sender(connection(provider), ApeSigner(account, provider))
        show(as_json, deploy_once(folder, sender, direct=direct or passing))


@contextmanager
def home(passing):
    """The home folder; one that goes away again for a chain that does."""
    if not passing:
        yield load_settings().home
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Home(Path(folder))
