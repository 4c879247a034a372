"""`devnet`: a local chain with everything on it that trying things out needs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.lazy import LazyGroup, commands_of
from numerbay_chain.cli.options import DURATION, State, json_option, pass_state, profile_option, rpc_option, yes_option
from numerbay_chain.core.errors import ExitCode, RefusedError
from numerbay_chain.core.units import format_time

if TYPE_CHECKING:
    from numerbay_chain.chain.identity.deployment import Deployment
    from numerbay_chain.chain.local.devnet import Devnet
    from numerbay_chain.core.home.home import Home

ROLES = {"seller": 1, "buyer": 2, "auditor": None}
"""Role → test account; an auditor needs none."""


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    entries=commands_of(
        __name__,
        advance="Move the clock of a running devnet.",
        clean="Remove what devnets left on this machine.",
    ),
)
@click.option("--port", type=click.IntRange(0, 65_535), default=8545, show_default=True, help="0 takes a free one.")
@click.option("--block-time", type=click.IntRange(min=1), metavar="SECONDS", help="A block every so often.")
@json_option
@pass_state
@click.pass_context
def devnet(context: click.Context, state: State, port: int, block_time: int | None) -> None:
    """Run a local chain with contracts, accounts and profiles.

    Starts anvil on this machine, deploys a marketplace, and writes the profiles seller, buyer and auditor, which are
    ready to use. Where one of them is yours it stays, and the devnet writes devnet-seller (-buyer, -auditor) instead.
    Where you have no profile default, it writes that too, without an account: it counts where none is named.

    It runs until Ctrl-C, and nothing of the chain is kept. `devnet clean` removes the rest.

    \b
    Example:
      numerbay-chain devnet
      numerbay-chain devnet advance 10m
    """
    if context.invoked_subcommand is not None:
        return
    from numerbay_chain.chain.local.devnet import Devnet
    from numerbay_chain.chain.local.devnet_files import keep_running, remember
    from numerbay_chain.core.home.home import Home

    home = Home.at()
    ready = False
    try:
        with Devnet(port=port, block_time=block_time) as running, keep_running(home, running.port):
            deployed = _deploy(running)
            remember(home, deployed)
            names = _write_profiles(home, running, deployed)
            shown = _shown(running, deployed, names, home.profiles())
            ready = True
            state.show(*shown)
            output.note("stop it with Ctrl-C")
            status = running.wait()
    except KeyboardInterrupt:
        if not ready:
            raise  # it ends like any command that was interrupted before its result
        output.note("the devnet was stopped")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED) from None
    raise RefusedError(f"anvil ended by itself, with status {status}", "start the devnet again", code="anvil-failed")


def _deploy(running: "Devnet") -> "Deployment":
    """From an account that nobody else has, so that the marketplace has another address every time: what was journaled
    about an earlier devnet is never taken for this one's."""
    import os

    from numerbay_chain.chain.identity import deployment
    from numerbay_chain.chain.local.devnet import request
    from numerbay_chain.chain.sending.sender import Sender
    from numerbay_chain.chain.signers.signer import LocalSigner

    deployer = LocalSigner.from_key(os.urandom(32))
    request(running.connection, "anvil_setBalance", deployer.address, hex(10**18))
    return deployment.deploy(Sender(running.connection, deployer))


def _write_profiles(home: "Home", running: "Devnet", deployed: "Deployment") -> dict[str, str]:
    from numerbay_chain.chain.local.devnet_files import store_folder, write_profiles

    shared: dict[str, str | int | None] = {
        "rpc": running.rpc,
        "contract": deployed.address,
        "chain_id": deployed.chain_id,
        "from_block": deployed.block,
        "created_by": deployed.transaction,
        "store": f"embedded:{store_folder(home)}",
    }
    roles = {
        name: {**shared, "account": f"dev:{account}" if account is not None else None}
        for name, account in ROLES.items()
    }
    names = write_profiles(home, roles, shared)
    for role, name in names.items():
        if name != role:
            output.note(f"your own profile {role} stays as it is: use -p {name}")
    return names


def _shown(
    running: "Devnet", deployed: "Deployment", names: dict[str, str], profiles: dict[str, dict[str, Any]]
) -> tuple[dict[str, Any], Callable[[], str]]:
    """What is known of a devnet once it runs, for programs and for people."""
    accounts = {role: running.signer(index).address for role, index in ROLES.items() if index is not None}
    written = [*names.values(), *(name for name in ("default",) if profiles.get(name, {}).get("devnet") is True)]
    return (
        {
            "rpc": running.rpc,
            "chain_id": deployed.chain_id,
            "contract": deployed.address,
            "block": deployed.block,
            "accounts": accounts,
            "roles": names,
            "profiles": {name: profiles[name] for name in written},
            "pid": running.pid,
        },
        lambda: output.fields(
            [
                ("node", running.rpc),
                ("chain", deployed.chain_id),
                ("contract", deployed.address),
                *((role, address) for role, address in accounts.items()),
                ("profiles", ", ".join(written)),
            ]
        ),
    )


@devnet.command()
@json_option
@yes_option
@pass_state
def clean(state: State) -> None:
    """Remove what devnets left on this machine.

    Their profiles, their store, and what was journaled or kept about their contracts, below $NUMERBAY_CHAIN_HOME.
    Profiles that you wrote or changed stay.

    \b
    Example:
      numerbay-chain devnet clean
    """
    from numerbay_chain.chain.local import devnet_files
    from numerbay_chain.core.home.home import Home

    home = Home.at()
    devnet_files.require_stopped(home)
    found = devnet_files.find_leftovers(home)
    if found.profiles or found.paths:
        things = [*(f"profile {name}" for name in found.profiles), *(str(path) for path in found.paths)]
        state.agree("removes " + ", ".join(things))
        found = devnet_files.clean(home)
    state.show(
        {"profiles": list(found.profiles), "removed": [str(path) for path in found.paths]},
        lambda: f"removed {output.count(len(found.profiles), 'profile')} and {output.count(len(found.paths), 'path')}",
    )


@devnet.command()
@click.argument("duration", type=DURATION)
@profile_option
@rpc_option
@json_option
@pass_state
def advance(state: State, duration: int) -> None:
    """Move the clock of a running devnet.

    \b
    Example:
      numerbay-chain devnet advance 10m
    """
    from numerbay_chain.chain.connection import connect
    from numerbay_chain.chain.local.devnet import advance as move

    connection = connect(roles.settings(state).rpc or "http://127.0.0.1:8545")
    move(connection, duration)
    now = connection.now()
    state.show({"now": now, "block": connection.block_number()}, f"it is {format_time(now)} on chain")
