"""What became of a transaction: its receipt, checked, and why the contract refused it."""

from typing import Final

from numerbay_chain.chain.connection import Connection, NodeRefusedError, NodeTimeoutError
from numerbay_chain.chain.encoding.reverts import decode_revert, out_of_gas
from numerbay_chain.chain.finality import Finality
from numerbay_chain.chain.logs import decode_log
from numerbay_chain.chain.node.values import NodeReceipt
from numerbay_chain.chain.second import require_no_effect
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.protocol.events import Receipt

KEPT_STATES: Final = 100
"""Of how many blocks back a node that keeps no archive answers questions about state."""


def mined(connection: Connection, name: str, address: str | None) -> tuple[NodeReceipt, Receipt] | None:
    """Return a transaction's receipt as the node has it, and as we have it, with the events of the contract at
    `address`; None where the node has none. Raise `NetworkError`."""
    found = connection.receipt(name)
    if found is None:
        return None
    receipt = _checked(connection, found, name, address)
    if receipt.status == 0:
        require_no_effect(connection, name, receipt.block)
    return found, receipt


def _checked(connection: Connection, found: NodeReceipt, name: str, address: str | None) -> Receipt:
    if found.hash.hex() != name.removeprefix("0x").lower():
        raise NetworkError(f"{connection.name} answered with a receipt that is not of {name}", code="bad-answer")
    if found.status not in (0, 1):
        raise NetworkError(
            f"{connection.name} answered with an unknown status of transaction {name}", code="bad-answer"
        )
    own = [log for log in found.logs if address is not None and str(log.get("address")).lower() == address.lower()]
    return Receipt(
        transaction=name,
        block=found.block,
        gas_used=found.gas_used,
        status=found.status,
        events=tuple(decode_log(log, address or "") for log in own),
        created=found.created,
        fee=found.gas_used * found.gas_price,
    )


def why(connection: Connection, found: NodeReceipt, receipt: Receipt) -> RevertedError:
    """Return the reason of a transaction that was mined and reverted: it is played again on its own block, then on the
    one before, because what else is in the block may come before it or after it."""
    try:
        sent = connection.transaction(receipt.transaction)
    except NetworkError:
        sent = None
    if sent is None or sent.gas is None:
        return decode_revert(b"", receipt.transaction)
    if receipt.gas_used >= sent.gas:
        return out_of_gas(receipt.transaction)
    if sent.value is None or sent.data is None or found.sender is None:
        return decode_revert(b"", receipt.transaction)
    fields = {"from": found.sender, "value": sent.value, "data": sent.data, **({"to": found.to} if found.to else {})}
    for block in (receipt.block, receipt.block - 1):
        try:
            connection.call(fields, block)
        except RevertedError as error:
            return RevertedError(
                str(error), error.hint, name=error.name, arguments=error.arguments, transaction=receipt.transaction
            )
        except NetworkError:
            break  # a node that keeps no old state
    return RevertedError(
        f"transaction {receipt.transaction} was mined, and the contract refused it",
        "look at the present state, then run it again",
        transaction=receipt.transaction,
    )


def require_no_gap(connection: Connection, account: str, name: str, nonce: int) -> None:
    """Raise `NetworkError` (nonce-gap) for a transaction that can't be mined yet, since nobody knows of any with the
    account's nonces before its own: a node may have told one that was too high. None is signed in its place, because
    both would be mined once the gap is filled."""

    def ask() -> int:
        return connection.transaction_count(account, pending=True)

    following = connection.fresh.looked(ask, lambda known: known < nonce)
    if following < nonce:
        raise NetworkError(
            f"transaction {name} waits: it has the nonce {nonce} of {account}, and none with {following} was sent",
            f"send {nonce - following} others from that account, such as 0 coins to itself, then run this again",
            code="nonce-gap",
        )


def final_nonce(connection: Connection, finality: Finality, account: str) -> int:
    """Return how many nonces the account has used for good."""
    if finality.is_instant:
        return connection.transaction_count(account)
    block = max(finality.block(), 0)
    try:
        return connection.transaction_count(account, block=block)
    except NodeTimeoutError:
        raise
    except NodeRefusedError:
        # some nodes keep the state of 128 blocks, which on a chain of short blocks is less than finality takes
        block = max(connection.block_number() - KEPT_STATES, block)
        return connection.transaction_count(account, block=block)
