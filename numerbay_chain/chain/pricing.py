"""Gas, asked of a node: what a transaction takes, and what a unit costs. Older nodes know fewer questions."""

from typing import TYPE_CHECKING, Final

from web3.types import BlockIdentifier, RPCEndpoint, TxParams

from numerbay_chain.chain.nodeerrors import NodeRefusedError, NodeTimeoutError, number

if TYPE_CHECKING:
    from numerbay_chain.chain.connection import Connection

_USUAL_TIP: Final = 10**9
"""Wei for a unit of gas, where a node knows none of the questions."""
_ESTIMATES_AT: Final = "an estimate on a block"
_TIP: Final = "a tip"


def estimate(connection: "Connection", transaction: TxParams) -> int:
    """Return the units of gas that the transaction takes. Raises `RevertedError`."""

    def ask(at: BlockIdentifier | None) -> int:
        return number(connection.w3.eth.estimate_gas(transaction, at), 64)

    if _ESTIMATES_AT not in connection.lacks:
        try:
            return connection.state("estimating gas", connection.tip, ask)
        except NodeRefusedError as error:
            if isinstance(error, NodeTimeoutError):
                raise
    with connection.guard("estimating gas"):
        gas = ask(None)
    connection.lacks.add(_ESTIMATES_AT)
    return gas


def asked(connection: "Connection") -> tuple[int | None, int]:
    """Return the base fee and the tip that the node asks for; on a chain without a base fee None and the gas price.
    All in wei for a unit of gas."""
    with connection.guard("asking for the gas price"):
        found = connection.w3.eth.get_block("latest").get("baseFeePerGas")
        base = None if found is None else number(found, 128)
    return base, _quantity(connection, "eth_gasPrice") if base is None else _tip(connection, base)


def _tip(connection: "Connection", base: int) -> int:
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


def _quantity(connection: "Connection", method: str) -> int:
    with connection.guard("asking for the gas price"):
        found = connection.w3.manager.request_blocking(RPCEndpoint(method), [])
        return number(int(found, 16) if isinstance(found, str) else found, 128)
