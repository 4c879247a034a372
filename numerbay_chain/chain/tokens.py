"""ERC-20 tokens, which may be hostile: what they claim about themselves is made fit to be read by people.

Sources: ERC-20, ERC-2612 (permit), EIP-5267 (eip712Domain).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numerbay_chain.chain.batches import Read
from numerbay_chain.chain.connection import Connection, checksummed
from numerbay_chain.chain.encoding import abi, accounts, typed_data
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.core.errors import AccountError, NetworkError, RefusedError, RevertedError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.core.text import escaped
from numerbay_chain.protocol.types import NATIVE_TOKEN, ZERO_ADDRESS, Permit, Token

SYMBOL_LENGTH = 40  # characters, before any is escaped
MOST_DECIMALS = 36
_ANSWER_LENGTH = 4096  # bytes
_TAKEN = {"eth", "ether", "gwei", "wei", "units"}  # a token of that name would pass for the chain's own coin
_DOMAIN_FIELDS = ("name", "version", "chainId", "verifyingContract", "salt")


def read_token(connection: Connection, address: str) -> Token:
    """The token at `address` (`read_tokens`)."""
    return read_tokens(connection, [address])[0]


def read_tokens(connection: Connection, addresses: Sequence[str]) -> list[Token]:
    """The tokens at these addresses, the native coin for address 0, in one request.

    Letters of a symbol that not everybody can read or type are escaped, so that it passes for no other one. A symbol
    that is missing, endless or the coin's own becomes `token-0x…`; decimals that are missing or absurd become 0, so
    that amounts are shown in the smallest unit.
    """
    coins = [address for address in addresses if address != ZERO_ADDRESS]
    asked = [Read(address, _selector(name)) for address in coins for name in ("symbol()", "decimals()")]
    told = [_short(answer) for answer in connection.read_many(asked)]
    found = {
        address: _token(connection, address, symbol, decimals)
        for address, symbol, decimals in zip(coins, told[::2], told[1::2], strict=True)
    }
    native = replace(NATIVE_TOKEN, symbol=connection.limits.symbol)
    return [native if address == ZERO_ADDRESS else found[address] for address in addresses]


def _token(connection: Connection, address: str, symbol: bytes, decimals: bytes) -> Token:
    number = int.from_bytes(decimals) if len(decimals) == 32 else 0
    return Token(address, _fit(_text(symbol), address, connection), number if number <= MOST_DECIMALS else 0)


def _fit(symbol: str, address: str, connection: Connection) -> str:
    shown = escaped(symbol)
    taken = shown.lower() in _TAKEN or shown.lower() == connection.limits.symbol.lower()
    return shown if 0 < len(symbol) <= SYMBOL_LENGTH and not taken else f"token-{address[:8]}"


def _ask(connection: Connection, address: str, signature: str) -> bytes:
    """The answer to a question without arguments, empty where the contract does not know it."""
    return _short(connection.read_many([Read(address, _selector(signature))])[0])


def _selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def _short(answer: bytes | RevertedError) -> bytes:
    return b"" if isinstance(answer, RevertedError) or len(answer) > _ANSWER_LENGTH else answer


def _text(answer: bytes) -> str:
    """A `string`, or what older tokens answer: 32 bytes filled up with zeros."""
    if len(answer) == 32:
        return answer.rstrip(b"\0").decode(errors="surrogateescape")
    start = int.from_bytes(answer[:32]) + 32
    size = int.from_bytes(answer[start - 32 : start])
    text = answer[start : start + size]
    return text.decode(errors="surrogateescape") if 0 < size == len(text) else ""


def balance_of(connection: Connection, token: str, account: str, block: int | None = None) -> int:
    """In the token's smallest unit; of the native coin, for address 0, in wei."""
    if token == ZERO_ADDRESS:
        return connection.balance(account, block)
    return int(_read(connection, token, "balanceOf", [account], block)[0])


def allowance(connection: Connection, token: str, owner: str, spender: str) -> int:
    """What `spender` may take of the owner's tokens."""
    return int(_read(connection, token, "allowance", [owner, spender])[0])


def allowed_of(connection: Connection, token: str, account: str, spender: str, amount: int) -> int:
    """What `spender` may take of the account's tokens, asked in one request with what the account holds. Raises
    `AccountError` where that is less than `amount`."""
    asked = {"balanceOf": [account], "allowance": [account, spender]}
    told = connection.read_many([Read(checksummed(token), _data(name, given)) for name, given in asked.items()])
    held, allowed = (_decoded(token, name, answer)[0] for name, answer in zip(asked, told, strict=True))
    if held < amount:
        shown = read_token(connection, token)
        raise AccountError(
            f"{account} holds {held} units of {shown.symbol}, but {amount} are needed",
            f"get more {shown.symbol} first",
            code="insufficient-funds",
        )
    return int(allowed)


def permit_domain(connection: Connection, token: str) -> dict[str, Any]:
    """The token's EIP-712 domain, checked against its DOMAIN_SEPARATOR and to be of this token on this chain.

    Raises `RefusedError` where the token knows no permit.
    """
    refusal = RefusedError(f"the token {token} takes no permits", "approve the price instead", code="no-permits")
    try:
        separator = _read(connection, token, "DOMAIN_SEPARATOR", [])[0]
        domain = _announced_domain(connection, token) or _usual_domain(connection, token)
    except (RevertedError, NetworkError):
        raise refusal from None
    message = typed_data.permit(domain, owner=token, spender=token, value=0, nonce=0, deadline=0)
    own = domain.get("chainId") == connection.chain_id and domain.get("verifyingContract") == token
    if not own or typed_data.separator(message) != separator:
        raise refusal
    return domain


def sign_permit(connection: Connection, signer: Signer, token: str, spender: str, value: int, deadline: int) -> Permit:
    """An ERC-2612 permit of the signer for `spender`, usable until `deadline` (Unix seconds).

    Raises `RefusedError` where the token takes none, which it is asked with the permit itself: some have all that
    belongs to one, and a `permit` of another kind (DAI's).
    """
    refusal = RefusedError(f"the token {token} takes no permits", "approve the price instead", code="no-permits")
    domain = permit_domain(connection, token)
    try:
        nonce = int(_read(connection, token, "nonces", [signer.address])[0])
    except RevertedError:
        raise refusal from None
    message = typed_data.permit(
        domain, owner=signer.address, spender=spender, value=value, nonce=nonce, deadline=deadline
    )
    signature = accounts.canonical(signer.sign_typed_data(message))
    permit = Permit(value, deadline, signature[64], signature[:32], signature[32:64])
    arguments = [signer.address, spender, value, deadline, permit.v, permit.r, permit.s]
    try:
        connection.call(
            {"from": signer.address, "to": checksummed(token), "data": "0x" + _data("permit", arguments).hex()},
            connection.tip,
        )
    except RevertedError:
        raise refusal from None
    return permit


def _announced_domain(connection: Connection, token: str) -> dict[str, Any] | None:
    try:
        bits, *values, _extensions = _read(connection, token, "eip712Domain", [])
    except (RevertedError, NetworkError):
        return None
    return {
        name: value
        for place, (name, value) in enumerate(zip(_DOMAIN_FIELDS, values, strict=True))
        if bits[0] >> place & 1
    }


def _usual_domain(connection: Connection, token: str) -> dict[str, Any]:
    return {
        "name": _text(_ask(connection, token, "name()")),
        "version": _text(_ask(connection, token, "version()")) or "1",
        "chainId": connection.chain_id,
        "verifyingContract": token,
    }


def _read(
    connection: Connection, token: str, function: str, arguments: Sequence[Any], block: int | None = None
) -> list[Any]:
    return _decoded(token, function, connection.read(token, _data(function, arguments), block))


def _decoded(token: str, function: str, answer: bytes | RevertedError) -> list[Any]:
    if isinstance(answer, RevertedError):
        raise answer
    outputs = abi.functions("erc20")[function]["outputs"]
    return abi.decode(outputs, answer, f"the answer of the token {token} to {function}")


def _data(function: str, arguments: Sequence[Any]) -> bytes:
    item = abi.functions("erc20")[function]
    return abi.selector(item) + abi.encode(item["inputs"], list(arguments))
