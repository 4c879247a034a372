"""Signed transactions on their way out: their names, and what a node's refusal of one means."""

import re
from typing import Final

from numerbay_chain.chain.connection import NodeRefusedError, NodeTimeoutError
from numerbay_chain.core.errors import AccountError, NetworkError, RefusedError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.core.units import format_amount

RUN_AGAIN: Final = "run it again: it looks this transaction up first"
_SEND_COIN: Final = "send it some of the chain's coin"
_POOR = re.compile(r"insufficient (?:funds|balance)|cannot afford|enough balance|exceeds? .*balance", re.IGNORECASE)
# What nodes answer to a transaction that they have, or that was mined; whose nonce was used, by it or by another one;
# and whose nonce another one holds that was not mined yet.
_KNOWN = re.compile(r"already (?:known|imported|exists)|known transaction|alreadyknown", re.IGNORECASE)
_USED = re.compile(r"nonce (?:is )?too low|old ?nonce|nonce has already been used", re.IGNORECASE)
_HELD = re.compile(r"replace", re.IGNORECASE)


class ReplacedError(RefusedError, code="replaced"):
    """A transaction that can never be mined, because its nonce was used by another one."""


class NotTakenError(NodeRefusedError, code="not-taken"):
    """A signed transaction that the node does not take as it is, as for its fee. Its nonce is free still."""


class NonceHeldError(NetworkError, code="nonce-held"):
    """Another transaction, not mined yet, has the nonce: either of the two can be mined."""


def name_of(raw: bytes) -> str:
    """Return a signed transaction's hash."""
    return "0x" + keccak(raw).hex()


def require_name(raw: bytes, name: str) -> None:
    """Raise `ValueError` for what was written down of a signed transaction and altered since."""
    if name_of(raw) != name:
        raise ValueError("the transaction has another hash")


def is_poor(error: NodeRefusedError) -> bool:
    """Return whether the node says that the account can't pay."""
    return _POOR.search(error.answer) is not None


def is_known(error: NodeRefusedError) -> bool:
    """Return whether the node says that it has the transaction, or that its nonce was used."""
    return bool(_KNOWN.search(error.answer) or _USED.search(error.answer.replace("_", " ")))


def not_taken(error: NodeRefusedError, name: str, account: str) -> Exception:
    """Return the error for a transaction that the node refused."""
    if isinstance(error, NodeTimeoutError):
        return maybe_sent(error, name)
    if _HELD.search(error.answer):
        return NonceHeldError(
            f"another transaction of {account} is on its way under the same nonce as {name}",
            "wait until that one is mined, then run this again",
        )
    if is_poor(error):
        return AccountError(
            f"{account} has not enough money for this transaction and its gas", _SEND_COIN, code="insufficient-funds"
        )
    return NotTakenError(str(error), error.hint, answer=error.answer)


def maybe_sent(error: NetworkError, name: str) -> NetworkError:
    """Return the error for a transaction of which nobody knows whether the node has it."""
    return NetworkError(f"{error}: transaction {name} may have been sent", RUN_AGAIN, code="unconfirmed")


def replaced(name: str, nonce: int, account: str) -> ReplacedError:
    """Return the error for a transaction whose nonce was used by another one."""
    return ReplacedError(
        f"transaction {name} was replaced: {account} used its nonce {nonce} for another one",
        "use the account in one place at a time, look at what the other transaction did, then run it again",
    )


def short_of(account: str, balance: int, value: int, fee: int, coin: str) -> AccountError:
    """Return the error for an account that can't pay `value` and the gas for it; amounts in wei of the `coin`."""
    held, needed, paid, gas = (format_amount(one, coin) for one in (balance, value + fee, value, fee))
    parts = f" ({paid} to pay and up to {gas} for gas)" if fee and value else ""
    return AccountError(
        f"{account} holds {held}, but {needed} are needed{parts}", _SEND_COIN, code="insufficient-funds"
    )
