"""The roles as the flags ask for them. Nothing below is imported before it is needed."""

from typing import TYPE_CHECKING

from numerbay_chain.cli import output
from numerbay_chain.cli.options import State
from numerbay_chain.core.errors import UsageError

if TYPE_CHECKING:
    from numerbay_chain.auditor import Auditor
    from numerbay_chain.buyer import Buyer
    from numerbay_chain.core.home.config import Overrides, Settings
    from numerbay_chain.seller import Seller
    from numerbay_chain.session import Session


def seller(state: State) -> "Seller":
    """The account as a seller or operator."""
    from numerbay_chain.seller import Seller

    return Seller(session(state))


def buyer(state: State) -> "Buyer":
    """The account as a buyer."""
    from numerbay_chain.buyer import Buyer

    return Buyer(session(state))


def auditor(state: State) -> "Auditor":
    """Somebody who only reads."""
    from numerbay_chain.auditor import Auditor

    return Auditor(session(state))


def session(state: State) -> "Session":
    """The session alone, for what shows a list: a role brings all of its steps, which takes longer than most reads."""
    from numerbay_chain.opening import open_session

    opened = (state.opens or open_session)(
        state.profile, password=output.password, dry_run=state.dry_run, notify=output.note, **overrides(state)
    )
    state.require_account = opened.signer_or_refuse
    return opened


def settings(state: State) -> "Settings":
    """Flags, environment and profile together."""
    from numerbay_chain.core.home.config import load_settings

    return load_settings(state.profile, overrides(state))


def seller_secret(state: State) -> bytes:
    """The seller secret, made on first need; then how to back it up is said aloud."""
    home = settings(state).home
    secret, made = home.seller_secret()
    if made:
        from numerbay_chain.core.home.seller_secret import was_made

        output.note(was_made(home.secret_path))
    return secret


def overrides(state: State) -> "Overrides":
    """The flags that were given, as settings."""
    given = state.settings
    return {
        "rpc": given.get("rpc"),
        "contract": given.get("contract"),
        "chain_id": _number(given.get("chain_id"), "--chain-id"),
        "account": given.get("account"),
        "store": given.get("store"),
        "read_back": given.get("read_back"),
        "keep": given.get("keep"),
        "key": given.get("key"),
        "from_block": _number(given.get("from_block"), "--from-block"),
        "second_rpc": given.get("second_rpc"),
        "max_tip": _number(given.get("max_tip"), "--max-tip"),
        "max_fee": given.get("max_fee"),
        "network": given.get("network"),
        "created_by": given.get("created_by"),
        "unchecked_contract": state.unchecked_contract or None,
        "operates": given.get("operates"),
    }


_MOST_DIGITS = 20  # of a number of 64 bits


def _number(text: str | None, flag: str) -> int | None:
    if text is not None and not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise UsageError(
            f"{flag} wants a whole number, not {text[:80]!r}",
            "write it in digits alone, such as 31337",
            code="bad-setting",
        )
    return None if text is None else int(text)
