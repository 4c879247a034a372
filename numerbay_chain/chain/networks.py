"""The networks that the program knows by name: networks.toml, typed. It holds no nodes."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.text import one_line
from numerbay_chain.core.units import parse_amount


@dataclass(frozen=True, slots=True)
class Network:
    """What is known of a public network.

    `key` is what --network takes. `block_time` and `finality` are in seconds, `max_tip` in gwei for a unit of gas,
    `max_fee` in wei for one transaction. `confirmations` is the depth at which a block counts as final where the node
    does not say what is final.
    """

    key: str
    name: str
    chain_id: int
    block_time: float
    confirmations: int
    finality: int
    symbol: str
    explorer: str
    max_tip: int
    max_fee: int


def network(chain_id: int) -> Network | None:
    """Return the network with this chain id, None for one that is not known."""
    return next((one for one in known().values() if one.chain_id == chain_id), None)


def by_name(name: str) -> Network:
    """Return the network of that name: "base-sepolia", "Base Sepolia". Raise `UsageError` for any other."""
    key = re.sub(r"[\s_-]+", "-", name.strip()).lower()
    found = known().get(key)
    if found is None:
        raise UsageError(
            f"{one_line(name, 60)!r} is not a network that is known here",
            f"use one of: {', '.join(known())}; for any other, leave it out and give --rpc and --chain-id",
            code="unknown-network",
        )
    return found


@cache
def known() -> Mapping[str, Network]:
    """Return all networks by key, in the order of networks.toml."""
    text = resources.files("numerbay_chain.chain").joinpath("networks.toml").read_text("utf-8")
    return {key: _network(key, fields) for key, fields in tomllib.loads(text).items()}


def _network(key: str, fields: Mapping[str, Any]) -> Network:
    max_fee = parse_amount(fields["max_fee"], symbol=fields["symbol"], coin=True)
    return Network(key=key, **{**fields, "max_fee": max_fee})
