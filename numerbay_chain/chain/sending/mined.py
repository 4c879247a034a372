"""What became of a transaction: its receipt, checked, and why the contract refused it."""

from collections.abc import Mapping
from typing import Any, Final

from numerbay_chain.chain.connection import Connection, NodeRefusedError, NodeTimeoutError, checksummed
from numerbay_chain.chain.encoding.reverts import decode_revert, out_of_gas
from numerbay_chain.chain.finality import Finality
from numerbay_chain.chain.logs import decode_log
from numerbay_chain.chain.second import require_no_effect
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.protocol.events import Receipt

KEPT_STATES: Final = 100
"""Of how many blocks back a node that keeps no archive answers questions about state."""


def mined(connection: Connection, name: str, address: str | None) -> tuple[Mapping[str, Any], Receipt] | None:
    """Return a transaction's receipt as the node has it, and as we have it, with the events of the contract at
    `address`; None where the node has none. Raise `NetworkError`."""
    found = connection.receipt(name)
    if found is None or found.get("blockNumber", 0) is None:
        return None  # some nodes have receipts of pending transactions
    receipt = _checked(connection, found, name, address)
    if receipt.status == 0:
        require_no_effect(connection, name, receipt.block)
    return found, receipt


def _checked(connection: Connection, found: Mapping[str, Any], name: str, address: str | None) -> Receipt:
    with connection.guard("asking for a receipt"):
        if bytes(found["transactionHash"]).hex() != name.removeprefix("0x").lower():
            raise NetworkError(f"{connection.name} answered with a receipt that is not of {name}", code="bad-answer")
        created = found.get("contractAddress")
        own = [log for log in found["logs"] if address is not None and log["address"] == address]
        status = int(found["status"])
        if status not in (0, 1):
            raise NetworkError(
                f"{connection.name} answered with an unknown status of transaction {name}", code="bad-answer"
            )
        return Receipt(
            transaction=name,
            block=int(found["blockNumber"]),
            gas_used=int(found["gasUsed"]),
            status=status,
            events=tuple(decode_log(log, log["address"]) for log in own),
            created=None if created is None else checksummed(str(created)),
            fee=int(found["gasUsed"]) * int(found.get("effectiveGasPrice") or 0),
        )


def why(connection: Connection, found: Mapping[str, Any], receipt: Receipt) -> RevertedError:
    """Return the reason of a transaction that was mined and reverted: it is played again on its own block, then on the
    one before, because what else is in the block may come before it or after it."""
    sent = connection.transaction(receipt.transaction)
    if sent is None:
        return decode_revert(b"", receipt.transaction)
    try:
        with connection.guard("asking for a transaction"):
            if receipt.gas_used >= int(sent["gas"]):
                return out_of_gas(receipt.transaction)
            fields = {"from": found["from"], "value": sent["value"], "data": sent.get("input", sent.get("data"))}
            if found.get("to") is not None:
                fields["to"] = found["to"]
    except NetworkError:
        return decode_revert(b"", receipt.transaction)
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
