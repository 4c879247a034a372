"""What a contract said when it refused, out of whatever a node wraps it in."""

import re
from collections.abc import Mapping
from typing import Any

from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.encoding.sentences import sentence
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.core.text import from_hex, one_line

_PANICS = {
    0x01: "an assertion failed",
    0x11: "an amount or number is too large or too small",
    0x12: "a division by zero",
    0x21: "a value that its enumeration does not have",
    0x22: "a broken byte array",
    0x31: "nothing left to take from a list",
    0x32: "an index beyond a list's end",
    0x41: "too much memory",
    0x51: "a function that was never set",
}
_REASON = re.compile(r"""execution reverted: (?!0x|b['"])(.*\S)""", re.DOTALL)
_SAYS_REVERT = re.compile(
    r"(?:execution|transaction|call|contract|vm|error)\W{1,3}(?:was |is )?revert|^(?:HTTP status \d+, )?revert",
    re.IGNORECASE,
)
# what a node says of code that fails without a word of its own
_FAILED = re.compile(
    r"invalid (?:opcode|jump|instruction|fe ?opcode)|bad (?:instruction|jump)|stack (?:under|over)flow|stack limit"
    r"|stack(?:under|over)flow|invalidfeopcode|write protection|opcode .* not defined|out ?of ?bounds|call ?depth",
    re.IGNORECASE,
)
_MOST_WORDS = 4096  # characters in which a reason is looked for: patterns may take quadratic time
_LONGEST = 1 << 16  # bytes of revert data that are looked at: memory for more costs a contract nothing in a call
_OUT_OF_GAS = re.compile(r"out of gas|gas required exceeds|OutOfGas", re.IGNORECASE)
_DEPTH = 6
_KEYS = ("error", "data", "originalError", "result", "output", "return")


def decode_revert(data: bytes, transaction: str | None = None) -> RevertedError:
    """The error in a call's revert data: a custom error, `Error(string)`, `Panic(uint256)` or nothing at all."""
    if len(data) > _LONGEST:
        message = f"the contract refused with {len(data):,} bytes, which nobody will read"
        return RevertedError(message, "do not use this contract", transaction=transaction)
    if not data:
        message = "the contract refused, and said nothing more"
        return RevertedError(message, _no_reason_hint(), transaction=transaction)
    item = abi.errors().get(data[:4])
    try:
        if item is None:
            raise NetworkError("unknown error")
        values = abi.decode(item["inputs"], data[4:], "the contract's error")
    except NetworkError:
        message = f"the contract refused with an error that is not known here: 0x{data[:4].hex()}"
        return RevertedError(message, _no_reason_hint(), transaction=transaction)
    arguments = {parameter["name"]: value for parameter, value in zip(item["inputs"], values, strict=True)}
    name = item["name"]
    if name == "Panic":
        code = arguments["code"]
        problem = _PANICS.get(code, "an error of the compiler's own")
        message, hint = f"the contract refused: {problem} (panic 0x{code:02x})", "check the numbers that were given"
    elif name == "Error":
        return _in_words(arguments["reason"], transaction)
    else:
        message, hint = sentence(name, arguments)
    return RevertedError(message, hint or None, name=name, arguments=arguments, transaction=transaction)


def endless() -> RevertedError:
    """For a contract that answers or refuses with more than is read of any."""
    return RevertedError("the contract answered with more bytes than anybody will read", "do not use this contract")


def _in_words(reason: str, transaction: str | None) -> RevertedError:
    return RevertedError(
        f"the contract refused: {one_line(reason)}", name="Error", arguments={"reason": reason}, transaction=transaction
    )


def reverted(words: str, data: bytes | None = None, *, certain: bool = False) -> RevertedError | None:
    """Return the error for what a node refused in these words, with this revert data if there is some; None where it
    is no revert, unless the caller is `certain`."""
    if data:
        return decode_revert(data)
    text = words[:_MOST_WORDS]
    if _OUT_OF_GAS.search(text):
        return out_of_gas()
    if reason := _REASON.search(text):
        # some nodes keep the bytes of Error(string) to themselves
        return _in_words(reason.group(1), None)
    return decode_revert(b"") if certain or _SAYS_REVERT.search(text) or _FAILED.search(text) else None


def out_of_gas(transaction: str | None = None) -> RevertedError:
    """For a transaction that used all the gas it was given."""
    return RevertedError(
        "the transaction ran out of gas",
        "do less in one transaction, or run it again",
        name="OutOfGas",
        transaction=transaction,
    )


def find_data(value: Any, depth: int = 0) -> bytes | None:
    """Return the bytes of a revert in what a node or a library gave, None where there are none.

    Nodes put them at error.data (geth, anvil), error.data.data, error.data.result, error.data.HASH.return (ganache), or
    behind the word "Reverted".
    """
    if depth > _DEPTH:
        return None
    if isinstance(value, str):
        text = value.strip().removeprefix("Reverted").strip().removeprefix("execution reverted:").strip()
        return from_hex(text) if len(text) >= 10 else None
    if isinstance(value, Mapping):
        values = [value[key] for key in _KEYS if key in value]
        values += [one for key, one in value.items() if key not in _KEYS and isinstance(one, Mapping)]
        return next((found for one in values if (found := find_data(one, depth + 1))), None)
    return None


def _no_reason_hint() -> str:
    return "check that the address is the marketplace's, and that this version of the program belongs to it"
