"""Gas, asked of a node: what a transaction takes, and what a unit costs. Older nodes know fewer questions."""

from collections.abc import Mapping
from typing import Any, Final

from numerbay_chain.chain.node.errors import NodeRefusedError, NodeTimeoutError
from numerbay_chain.chain.node.node import Node
from numerbay_chain.chain.node.values import quantity

_USUAL_TIP: Final = 10**9
"""Wei for a unit of gas, where a node knows none of the questions."""
_AT_TIP: Final = "an estimate at the tip"
_AT_LATEST: Final = "an estimate at the latest block"
_TIP: Final = "a tip"


def estimate(node: Node, transaction: Mapping[str, Any]) -> int:
    """Return the units of gas that the transaction takes. Raises `RevertedError`.

    It is asked at the block of all other questions; of nodes that refuse that, at the latest block, and of those that
    know no second argument, without any.
    """
    asked = "estimating gas", lambda found: quantity(found, 64)

    def at_tip() -> int:
        try:
            return node.state_of(*asked, node.tip, "eth_estimateGas", transaction)
        except NodeRefusedError as error:
            if node.tip != "pending" or "pending" not in error.answer:
                raise
            node.without_pending(error)
            return node.state_of(*asked, node.tip, "eth_estimateGas", transaction)

    def latest() -> int:
        return node.ask(*asked, "eth_estimateGas", transaction, "latest")

    def alone() -> int:
        return node.ask(*asked, "eth_estimateGas", transaction)

    ways = {_AT_TIP: at_tip, _AT_LATEST: latest, "alone": alone}
    refused: dict[str, NodeRefusedError] = {}
    for name in [name for name in ways if name not in node.lacks]:
        try:
            gas = ways[name]()
        except NodeRefusedError as error:
            if isinstance(error, NodeTimeoutError):
                raise
            refused[name] = error
        else:
            node.lacks.update(refused)
            return gas
    raise next(iter(refused.values()))


def is_at_tip(node: Node) -> bool:
    """Return whether estimates are made on the block of all other questions, as far as is known by now."""
    return _AT_TIP not in node.lacks


def asked(node: Node, base: int | None) -> int:
    """Return the tip that the node asks for on top of the `base` fee, or its gas price where there is no base fee. All
    in wei for a unit of gas."""
    return _quantity(node, "eth_gasPrice") if base is None else _tip(node, base)


def _tip(node: Node, base: int) -> int:
    if _TIP not in node.lacks:
        try:
            return _quantity(node, "eth_maxPriorityFeePerGas")
        except NodeRefusedError as error:
            if isinstance(error, NodeTimeoutError):
                raise
            node.lacks.add(_TIP)
    try:
        return max(_quantity(node, "eth_gasPrice") - base, 0)  # a node's price is the base fee and its tip
    except NodeRefusedError:
        return _USUAL_TIP


def _quantity(node: Node, method: str) -> int:
    found = node.ask("asking for the gas price", lambda found: None if found is None else quantity(found, 128), method)
    if found is None:
        raise NodeRefusedError(f"{node.name} answers nothing to {method}", answer="nothing")
    return found
