"""Whether a contract may be paid, asked of the chain once and remembered by chain and address.

Nothing is remembered of a development chain, whose id many chains share, nor of a block that is not final: the same
address could be created again, by other code.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.finality import Finality
from numerbay_chain.chain.identity import proxy
from numerbay_chain.chain.identity.creation import Creation, Method, UnseenCreationError, find_creation
from numerbay_chain.chain.node.blocks import DEVELOPMENT_CHAIN_IDS
from numerbay_chain.chain.second import disagreement
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files.journal import Entry
from numerbay_chain.core.hashing import keccak

_IN_THIS_PROCESS: Final[WeakKeyDictionary[Connection, dict[str, Creation]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Remembered:
    """How a contract was created that this init code made; the fields below are those of `Creation`."""

    init_code: str
    method: Method
    transaction: str | None
    block: int | None


def require_shipped(
    connection: Connection, address: str, folder: Path, *, transaction: str | None = None, first_block: int = 0
) -> Creation:
    """Return how the marketplace at `address` was created, from memory or from the chain.

    `folder` holds what is remembered, one file for each chain and address. The other arguments, and what is raised, are
    those of `find_creation`.
    """
    known = _IN_THIS_PROCESS.setdefault(connection, {})
    if address in known:
        return known[address]
    entry, lasting = Entry(folder / f"{connection.chain_id}-{address}.json", _Remembered), _is_lasting(connection)
    creation = _remembered(entry) if lasting else None
    if creation is None:
        creation = find_creation(connection, address, transaction, first_block)
        if lasting and _is_final(connection, creation):
            entry.save(_Remembered(_init_code_hash(), creation.method, creation.transaction, creation.block))
    known[address] = creation
    return creation


def require_same_creation(connection: Connection, address: str, folder: Path, known: Creation) -> None:
    """Ask the second node, if there is one, how the contract was created, once: what a buyer pays must not rest on what
    one node tells of it. `folder` holds what is remembered of its answers, apart from the first node's.

    Raise `NetworkError` (nodes-disagree) where it tells otherwise than `known`, and as `find_creation`.
    """
    if connection.second is None:
        return
    second = connection.second.connection(connection)
    what, here = f"how the contract at {address} was created", _told(known)
    try:
        other = require_shipped(second, address, folder, transaction=known.transaction, first_block=known.block or 0)
    except RefusedError as error:
        if error.code != "contract-unknown" or isinstance(error, UnseenCreationError):
            raise  # what this machine can't do says nothing about the nodes
        raise disagreement(connection, second, what, here, str(error)) from error
    if other != known:
        raise disagreement(connection, second, what, here, _told(other))


def _told(creation: Creation) -> str:
    if creation.transaction is None:
        return "by the deterministic deployment proxy"
    return f"by transaction {creation.transaction} in block {creation.block}"


def _is_lasting(connection: Connection) -> bool:
    if connection.policy.trial is not None:
        return not connection.policy.trial
    return not connection.is_development and connection.chain_id not in DEVELOPMENT_CHAIN_IDS


def _is_final(connection: Connection, creation: Creation) -> bool:
    return creation.block is None or Finality(connection).is_final(creation.block)


def _remembered(entry: Entry[_Remembered]) -> Creation | None:
    """A file that can't be read, or is of another version of the contract, counts for nothing: it is written anew."""
    with suppress(RefusedError):
        kept = entry.read()
        if kept is not None and kept.init_code == _init_code_hash():
            return Creation(kept.method, kept.transaction, kept.block)
    return None


def _init_code_hash() -> str:
    return keccak(proxy.init_code()).hex()
