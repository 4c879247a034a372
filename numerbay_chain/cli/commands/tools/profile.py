"""`profile`: the settings that -p names."""

import re
from collections.abc import Callable, Mapping

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.lazy import LazyGroup, commands_of
from numerbay_chain.cli.options import State, json_option, pass_state, profile_option, settings_options
from numerbay_chain.core.errors import UsageError


@click.group(
    cls=LazyGroup,
    entries=commands_of(
        __name__,
        list_="List all profiles.",
        show="Show the settings that a command would use.",
        set_="Write settings into a profile.",
    ),
)
def profile() -> None:
    """Show and write profiles.

    A profile is a set of settings with a name, in profiles.toml below $NUMERBAY_CHAIN_HOME.

    \b
    Example:
      numerbay-chain profile list
    """


@profile.command("list")
@json_option
@pass_state
def list_(state: State) -> None:
    """List all profiles.

    \b
    Example:
      numerbay-chain profile list
    """
    from numerbay_chain.core.home.home import Home

    home = Home.at()
    profiles = home.profiles()
    if not profiles:
        output.note(f"there are no profiles in {home.path}: 'devnet' writes some, 'profile set' writes yours")
    data = {
        name: {"rpc": None, **{setting: shown(setting, value) for setting, value in values.items()}}
        for name, values in profiles.items()
    }
    rows = [(name, values["rpc"] or "-", values.get("account", "-")) for name, values in data.items()]
    state.show(
        {"home": str(home.path), "profiles": data},
        lambda: output.table(["profile", "node", "account"], rows) if rows else "",
    )


@profile.command()
@profile_option
@settings_options
@pass_state
def show(state: State) -> None:
    """Show the settings that a command would use.

    Flags, then the environment, then the profile. Addresses of nodes and stores are shown without what may be a
    password or an access key in them.

    \b
    Example:
      numerbay-chain -p seller profile show
    """
    from numerbay_chain.core.home.settings import SETTING_NAMES
    from numerbay_chain.core.units import format_amount

    settings = roles.settings(state)
    values: dict[str, object] = {name: shown(name, getattr(settings, name)) for name in SETTING_NAMES}
    values = {"home": str(settings.home.path), "profile": settings.profile, **values}
    words = {**values, "max_fee": None if settings.max_fee is None else format_amount(settings.max_fee, "ether")}
    state.show(
        values,
        lambda: output.fields(
            (name.replace("_", "-"), "-" if value is None else value) for name, value in words.items()
        ),
    )


@profile.command("set")
@click.argument("name")
@settings_options
@pass_state
def set_(state: State, name: str) -> None:
    """Write settings into a profile.

    What is not given stays as it is.

    \b
    Example:
      numerbay-chain profile set seller --rpc http://127.0.0.1:8545 \\
        --account keystore:seller.json
    """
    from numerbay_chain.core.home.home import Home

    home = Home.at()
    given = {setting: value for setting, value in roles.overrides(state).items() if value is not None}
    if not given:
        raise click.UsageError("there is no setting to write")
    _check(given)
    values = {setting: value for setting, value in given.items() if isinstance(value, str | int)}
    path = home.save_profile(name, values, merge=True)
    state.changed = True
    state.show({"profile": name, "path": str(path)}, f"profile {name} is in {path}")


def _check(given: Mapping[str, object]) -> None:
    """The forms alone: a node may be down and a file not there yet. Raises `UsageError`."""
    for setting, value in given.items():
        if setting in _CHECKS and isinstance(value, str):
            _CHECKS[setting](value, f"--{setting.replace('_', '-')}")


def _check_address(value: str, flag: str) -> None:
    from numerbay_chain.core.addresses import checksummed

    checksummed(value.strip(), f"address for {flag}")


def _check_node(value: str, _: str) -> None:
    from numerbay_chain.chain.node.endpoint import parse_endpoint

    parse_endpoint(value, running=False)


def _check_network(value: str, _: str) -> None:
    from numerbay_chain.chain.networks import by_name

    by_name(value)


def _check_stores(value: str, flag: str) -> None:
    from numerbay_chain.ipfs import open_store

    open_store(*(part.strip() for part in value.split(",")))  # opens and asks nothing yet


def _check_form(form: str, advice: str) -> Callable[[str, str], None]:
    def check(value: str, flag: str) -> None:
        if not re.fullmatch(form, value.strip(), re.ASCII):
            # not repeated: a node's address may hold an access key, an account may be a private key
            raise UsageError(f"what was given for {flag} can't be used", advice, code="bad-setting")

    return check


_CHECKS: Mapping[str, Callable[[str, str], None]] = {
    "rpc": _check_node,
    "network": _check_network,
    "second_rpc": _check_node,
    "contract": _check_address,
    "created_by": _check_form(r"0x[0-9a-fA-F]{64}", "a transaction is 0x and 64 hexadecimal digits"),
    "account": _check_form(
        r"keystore:.+|env:[A-Za-z_][A-Za-z0-9_]*|dev:[0-9]{1,4}", "give keystore:PATH, env:NAME or dev:NUMBER"
    ),
    "store": _check_stores,
    "read_back": _check_stores,
}


def shown(setting: str, value: object) -> object:
    """Return a setting without what may be secret in it: keys and passwords in addresses, a key in place of an
    account. An amount is a string, as in all JSON."""
    from numerbay_chain.core import network

    if setting == "max_fee" and type(value) is int:
        return str(value)
    if not isinstance(value, str):
        return value
    if setting.endswith("rpc"):
        return network.shown(value)
    if setting in {"store", "read_back"}:
        return ",".join(network.shown_store(part.strip()) for part in value.split(","))
    if setting == "account" and not re.match(r"(keystore|env|dev):", value):
        return "(not an account)"
    return value
