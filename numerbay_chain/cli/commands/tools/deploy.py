"""`deploy`: the marketplace on a chain that lacks it."""

from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.options import (
    State,
    account_option,
    chain_id_option,
    dry_run_option,
    json_option,
    max_fee_option,
    max_tip_option,
    network_option,
    pass_state,
    profile_option,
    rpc_option,
    yes_option,
)

if TYPE_CHECKING:
    from numerbay_chain.chain.identity.deploying import Deployed
    from numerbay_chain.chain.identity.deployment import Deployment
    from numerbay_chain.chain.sending.sender import Sender


@click.command()
@click.option("--direct", is_flag=True, help="From the account itself, at a new address.")
@profile_option
@rpc_option
@network_option
@chain_id_option
@account_option
@max_tip_option
@max_fee_option
@json_option
@yes_option
@dry_run_option
@pass_state
def deploy(state: State, direct: bool) -> None:
    """Deploy the marketplace where a chain lacks it.

    It goes through the deterministic deployment proxy, so that this version has one address on every chain. Where it
    is deployed already, nothing is sent. It has no owner: whoever deploys it can do no more than anybody else.

    With --direct it is one of your own, also on a chain without that proxy.

    Its address and block are remembered below $NUMERBAY_CHAIN_HOME. A deployment that was interrupted is taken up by
    the next call.

    \b
    Example:
      numerbay-chain deploy --rpc http://127.0.0.1:8545 \\
        --account keystore:deployer.json
    """
    from numerbay_chain.chain.identity.deploying import deploy_once, find_existing
    from numerbay_chain.chain.identity.location import open_connection
    from numerbay_chain.chain.sending.sender import Sender
    from numerbay_chain.chain.signers.signer import Signer

    settings = roles.settings(state)
    connection = open_connection(settings)
    signer = Signer.from_spec(settings.required("account"), output.password)
    sender = Sender(connection, signer)
    existing = None if direct else find_existing(connection)
    if existing is None:
        way = "of its own, from" if direct else f"at {proxy_address()}, paid by"
        state.agree(
            f"deploys a marketplace {way} {signer.address}, on chain {connection.chain_id} at {connection.name}"
        )
    if state.dry_run:
        _plan(state, sender, direct, existing)
        return
    show(state.as_json, deploy_once(settings.home, sender, direct=direct))


def proxy_address() -> str:
    """Where this version is deployed on every chain that has the proxy."""
    from numerbay_chain.chain.identity import proxy

    return proxy.known_address()


def show(as_json: bool, done: "Deployed") -> None:
    """Say where the marketplace is, and whether it was there already."""
    from numerbay_chain.cli.render.views import receipt_data, sent

    deployed = done.deployment
    sent(done.receipt, done.resumed)
    if done.existing:
        output.note("this version of the marketplace is deployed on that chain already: nothing was sent")
    output.note(f"remembered in {done.path}")
    mined = receipt_data(done.receipt) if done.receipt else {"transaction": None, "gas_used": None}
    output.show(
        as_json,
        {
            "contract": deployed.address,
            "chain_id": deployed.chain_id,
            "method": deployed.method,
            "existing": done.existing,
            "resumed": done.resumed,
            **mined,
            "block": deployed.block or None,
        },
        output.fields(
            [
                ("contract", deployed.address),
                ("chain", deployed.chain_id),
                ("block", deployed.block or None),
                ("method", deployed.method),
            ]
        ),
    )


def _plan(state: State, sender: "Sender", direct: bool, existing: "Deployment | None") -> None:
    from numerbay_chain.chain.identity.deployment import plan_deployment

    if existing is not None:
        output.note("this version of the marketplace is deployed on that chain already: nothing would be sent")
    gas = 0 if existing else plan_deployment(sender, "direct" if direct else "proxy")
    show_plan(
        state.as_json,
        "deploy",
        {"contract": None if direct else proxy_address()},
        0,
        gas,
        sender.connection.limits.symbol,
    )


def show_plan(
    as_json: bool, function: str, arguments: dict[str, object], value: int, gas: int, coin: str = "ETH"
) -> None:
    """What --dry-run answers with: the decoded call, its value in wei of the `coin` and its gas. Nothing was sent."""
    from dataclasses import asdict, is_dataclass

    from numerbay_chain.core.units import format_amount

    plain = {
        name: (
            {inner: _exact(inner, item) for inner, item in asdict(argument).items()}
            if is_dataclass(argument) and not isinstance(argument, type)
            else _exact(name, argument)
        )
        for name, argument in arguments.items()
    }
    data = {"dry_run": True, "function": function, "arguments": plain, "value": str(value), "gas": gas}

    def text() -> str:
        lines: list[tuple[str, object]] = [(f"  {name}", _shown(argument)) for name, argument in _flat(plain)]
        return "\n".join(
            [
                f"would call {function}",
                *([output.fields(lines)] if lines else []),
                f"value {format_amount(value, coin)}, gas {gas:,}",
            ]
        )

    output.show(as_json, data, text)


_EXACT = {"amount", "bond", "challengebond", "disputekey", "keycommitment", "nonce", "price", "responsekey", "value"}


def _exact(name: str, value: object) -> object:
    """Amounts and 256-bit numbers as decimal strings: many a reader of JSON rounds them."""
    return str(value) if isinstance(value, int) and name.replace("_", "").lower() in _EXACT else value


def _shown(value: object) -> object:
    """Bytes that are longer than a hash or a key by their ends: nobody reads a manifest."""
    if isinstance(value, bytes) and len(value) > 32:
        return f"0x{value[:8].hex()}…{value[-8:].hex()} ({len(value)} bytes)"
    return output.plain(value)


def _flat(arguments: dict[str, object]) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for name, value in arguments.items():
        if isinstance(value, dict):
            pairs += [(f"{name}.{inner}", item) for inner, item in value.items()]
        else:
            pairs.append((name, value))
    return pairs
