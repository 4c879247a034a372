"""Gas, asked of a node: what a transaction takes, and what a unit costs. Older nodes know fewer questions."""

from typing import Any, Final

from web3.types import BlockIdentifier, RPCEndpoint, TxParams

from numerbay_chain.chain.node.errors import NodeRefusedError, NodeTimeoutError, number
from numerbay_chain.chain.node.node import Node

_USUAL_TIP: Final = 10**9
"""Wei for a unit of gas, where a node knows none of the questions."""
_AT_TIP: Final = "an estimate at the tip"
_AT_LATEST: Final = "an estimate at the latest block"
_TIP: Final = "a tip"


def estimate(connection: Node, transaction: TxParams) -> int:
    """Return the units of gas that the transaction takes. Raises `RevertedError`.

    It is asked at the block of all other questions; of nodes that refuse that, at the latest block, and of those that
    know no second argument, without any.
    """

    def at_block(block: BlockIdentifier) -> int:
        return number(connection.w3.eth.estimate_gas(transaction, block), 64)

    def at_tip() -> int:
        return connection.state("estimating gas", connection.tip, at_block)

    def latest() -> int:
        with connection.guard("estimating gas"):
            return at_block("latest")

    def alone() -> int:
        with connection.guard("estimating gas"):
            wire = {name: hex(value) if isinstance(value, int) else value for name, value in transaction.items()}
            return _whole(connection.w3.manager.request_blocking(RPCEndpoint("eth_estimateGas"), [wire]), 64)

    ways = {_AT_TIP: at_tip, _AT_LATEST: latest, "alone": alone}
    refused: dict[str, NodeRefusedError] = {}
    for name in [name for name in ways if name not in connection.lacks]:
        try:
            gas = ways[name]()
        except NodeRefusedError as error:
            if isinstance(error, NodeTimeoutError):
                raise
            refused[name] = error
        else:
            connection.lacks.update(refused)
            return gas
    raise next(iter(refused.values()))


def asked(connection: Node) -> tuple[int | None, int]:
    """Return the base fee and the tip that the node asks for; on a chain without a base fee None and the gas price.
    All in wei for a unit of gas."""
    with connection.guard("asking for the gas price"):
        found = connection.w3.eth.get_block("latest").get("baseFeePerGas")
        base = None if found is None else number(found, 128)
    return base, _quantity(connection, "eth_gasPrice") if base is None else _tip(connection, base)


def _tip(connection: Node, base: int) -> int:
    if _TIP not in connection.lacks:
        try:
            return _quantity(connection, "eth_maxPriorityFeePerGas")
        except NodeRefusedError as error:
            if isinstance(error, NodeTimeoutError):
                raise
            connection.lacks.add(_TIP)
    try:
        return max(_quantity(connection, "eth_gasPrice") - base, 0)  # a node's price is the base fee and its tip
    except NodeRefusedError:
        return _USUAL_TIP


def _quantity(connection: Node, method: str) -> int:
    with connection.guard("asking for the gas price"):
        found = connection.w3.manager.request_blocking(RPCEndpoint(method), [])
        if found is None:
            raise NodeRefusedError(f"{connection.name} answers nothing to {method}", answer="nothing")
        return _whole(found, 128)


def _whole(found: Any, bits: int) -> int:
    return number(int(found, 16) if isinstance(found, str) else found, bits)
