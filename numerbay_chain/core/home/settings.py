"""The settings there are: their names and kinds. `config` says where their values come from."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypedDict

from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.units import parse_amount, parse_listings, parse_size

PREFIX: Final = "NUMERBAY_CHAIN_"


class Overrides(TypedDict, total=False):
    """Settings given in a call or by flags: they win over the environment, which wins over the profile. None counts
    as not given."""

    rpc: str | None
    contract: str | None
    chain_id: int | None
    account: str | None
    store: str | None
    read_back: str | None
    keep: str | int | None
    key: str | None
    from_block: int | None
    max_tip: int | None
    max_fee: int | str | None
    network: str | None
    created_by: str | None
    unchecked_contract: bool | None
    operates: str | None
    second_rpc: str | None
    home: str | Path | None


CALL: Final = "the call"
"""The origin of what a program or a flag gave."""
_NUMBERS: Final = {"chain_id", "from_block", "max_tip"}
_AMOUNTS: Final = {"max_fee"}
_NOT_STORED: Final = {"home", "profile", "unchecked_contract"}
SETTING_NAMES: Final = tuple(name for name in Overrides.__annotations__ if name not in _NOT_STORED)
OF_A_CONTRACT: Final = ("from_block", "created_by")
"""Settings that belong to one contract, and mean nothing for another one."""


def typed(setting: str, value: Any, origin: str) -> Any:
    """Return a setting's value as it is kept. Raise `UsageError` for one of another kind, which stands in `origin`."""
    if setting == "operates":
        written = value if isinstance(value, list | tuple) else [value]
        text = ", ".join(str(one) for one in written)
        _parsed(parse_listings, text, setting, origin)
        return text
    if setting == "keep" and type(value) in (int, str):
        _parsed(parse_size, str(value), setting, origin)
        return str(value).strip()
    if setting in _NUMBERS:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value.strip(), re.ASCII):
            return int(value)
        if type(value) is int and value >= 0:
            return value
        raise UsageError(
            f"{_where(setting, origin)} is not a whole number", "write it in decimal digits", code="bad-setting"
        )
    if setting in _AMOUNTS:
        return _amount(setting, value, origin)
    if isinstance(value, str) and value.strip() and "\0" not in value:
        if setting == "contract" and re.fullmatch(r"0x[0-9a-fA-F]{40}", value.strip(), re.ASCII):
            checksummed(value.strip(), _where(setting, origin))  # what is no address is told where one is wanted
        return value.strip()
    raise UsageError(
        f"{_where(setting, origin)} is not text", f"give {setting} as text, or leave it out", code="bad-setting"
    )


def _where(setting: str, origin: str) -> str:
    return setting if origin == CALL else f"{setting} in {origin}"


def _parsed(parse: Callable[[str], object], text: str, setting: str, origin: str) -> object:
    """What `parse` makes of a setting's text. Raises its `UsageError` with the setting's name."""
    try:
        return parse(text)
    except UsageError as error:
        raise UsageError(f"{_where(setting, origin)}: {error}", error.hint, code=error.code) from None


def _amount(setting: str, value: Any, origin: str) -> int:
    """An amount of the chain's coin in wei, given so or as text with a unit."""
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, str):
        try:
            return parse_amount(value)
        except UsageError as error:
            raise UsageError(
                f"{_where(setting, origin)}: {error}",
                'write it as "0.05 ether", whatever the coin of the chain is called',
                code="bad-setting",
            ) from None
    advice = 'write it with its unit, such as "0.05 ether"'
    raise UsageError(f"{_where(setting, origin)} is not an amount", advice, code="bad-setting")
