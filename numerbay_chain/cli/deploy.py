"""`deploy`: a marketplace of one's own."""

from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.options import (
    State,
    account_option,
    chain_id_option,
    dry_run_option,
    json_option,
    pass_state,
    profile_option,
    rpc_option,
    yes_option,
)

if TYPE_CHECKING:
    from numerbay_chain.chain.connection import Connection


@click.command()
@profile_option
@rpc_option
@chain_id_option
@account_option
@json_option
@yes_option
@dry_run_option
@pass_state
def deploy(state: State) -> None:
    """Deploy a marketplace of your own.

    It has no owner: whoever deploys it can do no more than anybody else. Its address and block are remembered below
    $NUMERBAY_CHAIN_HOME. A deployment that was interrupted is taken up by the next call.

    \b
    Example:
      numerbay-chain deploy --rpc http://127.0.0.1:8545 \\
        --account keystore:deployer.json
    """
    from numerbay_chain.chain.connection import connect
    from numerbay_chain.chain.signer import Signer
    from numerbay_chain.chain.transactions import Sender
    from numerbay_chain.cli.views import receipt_data, sent
    from numerbay_chain.deploying import deploy_once

    settings = roles.settings(state)
    connection = connect(settings.required("rpc"), settings.chain_id, settings.max_tip, settings.max_fee)
    signer = Signer.from_spec(settings.required("account"), output.password)
    sender = Sender(connection, signer)
    state.agree(f"deploys a marketplace on chain {connection.chain_id} at {connection.name}, from {signer.address}")
    if state.dry_run:
        _plan(state, connection, signer.address)
        return
    done = deploy_once(settings.home, sender)
    sent(done.receipt, done.resumed)
    output.note(f"remembered in {done.path}")
    deployed = done.deployment
    state.show(
        {
            "contract": deployed.address,
            "chain_id": deployed.chain_id,
            "resumed": done.resumed,
            **receipt_data(done.receipt),
        },
        output.fields([("contract", deployed.address), ("chain", deployed.chain_id), ("block", deployed.block)]),
    )


def _plan(state: State, connection: "Connection", account: str) -> None:
    from numerbay_chain.chain import abi

    gas = connection.estimate_gas({"from": account, "value": 0, "data": abi.artifact()["bytecode"]})
    show_plan(state.as_json, "deploy", {}, 0, gas)


def show_plan(as_json: bool, function: str, arguments: dict[str, object], value: int, gas: int) -> None:
    """What --dry-run answers with: the decoded call, its value in wei and its gas. Nothing was sent."""
    from dataclasses import asdict, is_dataclass

    from numerbay_chain.units import format_amount

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
                f"value {format_amount(value)}, gas {gas:,}",
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
