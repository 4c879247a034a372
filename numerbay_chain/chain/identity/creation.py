"""How a marketplace came to be: the one thing that tells the shipped contract from one with the same code.

Code alone says too little. Init code that writes storage before it returns the shipped code leaves a contract that
looks the same, and whose maker can collect what buyers pay. So the init code is compared, in one of two ways:

- the address is the one that CREATE2 gives the shipped init code under the deterministic deployment proxy, or
- the transaction that created the contract is known, and its input is the shipped init code.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn

from numerbay_chain.chain.connection import Connection, NodeRefusedError, NodeTimeoutError
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.identity import proxy
from numerbay_chain.chain.identity.code import is_shipped_code
from numerbay_chain.chain.node import values
from numerbay_chain.chain.node.values import NodeReceipt, NodeTransaction
from numerbay_chain.core.errors import NetworkError, RefusedError, UsageError
from numerbay_chain.core.text import one_line

Method = Literal["proxy", "direct"]
"""Through the deterministic deployment proxy, at an address that is known beforehand; or from an account."""


@dataclass(frozen=True, slots=True)
class Creation:
    """How the shipped contract was created. `transaction` and `block` are None where the proxy made it: its address
    says it all."""

    method: Method
    transaction: str | None = None
    block: int | None = None


class UnseenCreationError(RefusedError, code="contract-unknown"):
    """The node can't say how a contract was created: it may be the shipped one all the same."""


def find_creation(
    connection: Connection, address: str, transaction: str | None = None, first_block: int = 0
) -> Creation:
    """Return how the marketplace at `address` was created.

    `transaction` is the one that is said to have created it, `first_block` the block in which its logs are said to
    begin. Neither is believed: without them, the first block with code at the address is searched for, which takes a
    node that keeps old state.

    Raise `RefusedError` (contract-unknown) for a contract that the shipped init code did not create, or of which the
    node can't say how it was created; `NetworkError` for a node that does not answer.
    """
    if address == proxy.known_address():
        return _made_by_proxy(connection, address)
    if transaction is not None:
        sent = connection.transaction(_checked_name(transaction))
        if sent is not None:  # else the node forgot where it is
            return _made_by(connection, address, transaction.lower(), sent)
    if first_block and (found := _made_in(connection, address, first_block)):
        return found
    block = first_block_with_code(connection, address)
    found = None if block in (None, first_block) else _made_in(connection, address, block)
    if found is None:
        why = (
            "there is no contract"
            if block is None
            else f"no transaction of block {block} creates it with the code of this version"
        )
        _refuse(connection, address, why)
    return found


def first_block_with_code(connection: Connection, address: str) -> int | None:
    """Return the first block after which there is code at the address; None where there is none.

    Raise `RefusedError` (contract-unknown) where the node keeps no old state.
    """
    before, after = -1, connection.block_number()
    if not connection.code(address, after):
        return None
    while after - before > 1:
        middle = (before + after) // 2
        try:
            there = connection.code(address, middle)
        except NodeTimeoutError:
            raise
        except NetworkError as error:
            if not isinstance(error, NodeRefusedError) and error.code != "node-behind":
                raise
            # some say that they lack the block, not its state
            raise UnseenCreationError(*_words(connection, address, f"{connection.name} keeps no old state")) from None
        before, after = (before, middle) if there else (middle, after)
    return after


def _checked_name(transaction: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", transaction, re.ASCII):
        raise UsageError(
            f"{one_line(transaction, 80)!r} is not the hash of a transaction",
            "it is 0x and 64 hexadecimal digits",
            code="bad-hash",
        )
    return transaction


def _made_by_proxy(connection: Connection, address: str) -> Creation:
    if not is_shipped_code(connection.code(address), abi.artifact()):
        _refuse(connection, address, "the code there is not what the proxy makes of this version")
    proxy.require(connection)
    return Creation("proxy")


def _made_by(connection: Connection, address: str, name: str, sent: NodeTransaction) -> Creation:
    """Judge one transaction by what was sent and by its receipt."""
    if sent.hash != _digest(name):
        raise NetworkError(
            f"{connection.name} answered with a transaction that is not {name}", "use another node", code="bad-answer"
        )
    if sent.to is not None or sent.data != proxy.init_code():
        _refuse(connection, address, f"transaction {name} is not the deployment of this version")
    receipt = connection.receipt(name) or _receipt_in_block(connection, sent)
    if receipt is None:
        _refuse(connection, address, f"transaction {name} is not mined, as {connection.name} has it")
    sound = receipt.status == 1 and receipt.hash == sent.hash and receipt.block_hash == sent.block_hash is not None
    if not sound or receipt.created != address:
        _refuse(connection, address, f"transaction {name} did not create it")
    return Creation("direct", name, receipt.block)


def _made_in(connection: Connection, address: str, block: int) -> Creation | None:
    """Return the creation that the block's own transactions tell of. Few blocks have more than one candidate: each
    takes millions of gas."""
    for sent in _transactions(connection, block):
        if sent.to is None and sent.data == proxy.init_code():
            try:
                return _made_by(connection, address, "0x" + sent.hash.hex(), sent)
            except RefusedError:
                continue  # of another marketplace
    return None


def _transactions(connection: Connection, block: int) -> Iterator[NodeTransaction]:
    for one in connection.transactions_in(block) or ():
        with connection.guard(f"asking for block {block}"):
            # some nodes give hashes alone, and the in-process chain has other names in a block than alone
            is_whole = isinstance(one, Mapping) and "input" in one
            sent = values.transaction(one) if is_whole else None
            name = values.digest(one["hash"] if isinstance(one, Mapping) else one)
        found = sent or connection.transaction("0x" + name.hex())
        if found is not None:
            yield found


def _receipt_in_block(connection: Connection, sent: NodeTransaction) -> NodeReceipt | None:
    """Return the receipt from its block's: nodes forget where old transactions are long before they forget blocks."""
    if sent.block is None:
        return None
    try:
        return next((one for one in connection.receipts_in(sent.block) if one.hash == sent.hash), None)
    except NodeRefusedError:
        return None  # a node without that method


def _digest(name: str) -> bytes:
    return bytes.fromhex(name.removeprefix("0x"))


def _refuse(connection: Connection, address: str, why: str) -> NoReturn:
    raise RefusedError(*_words(connection, address, why), code="contract-unknown")


def _words(connection: Connection, address: str, why: str) -> tuple[str, str]:
    return (
        f"the contract at {address} on chain {connection.chain_id} is not known to be the marketplace of this "
        f"version: {why}",
        "check the address; name the transaction that created it with --created-by, or give --unchecked-contract if "
        "you know who made it and what it is",
    )
