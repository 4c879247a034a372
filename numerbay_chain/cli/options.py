"""The options that commands share, and the state they fill: accepted before the sub-command and after it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from numerbay_chain.cli import output
from numerbay_chain.core.errors import NumerbayChainError, RefusedError, UsageError
from numerbay_chain.core.text import one_line

if TYPE_CHECKING:
    from numerbay_chain.session import Session

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


@dataclass
class State:
    """What the flags said. `settings` go before the environment and the profile."""

    profile: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    as_json: bool = False
    asks_json: bool = False  # the flag is there, and may not have been read yet
    yes: bool = False
    dry_run: bool = False
    unchecked_contract: bool = False
    agreed: bool = False  # from here on something may have been sent
    changed: bool = False  # something on this machine was made or replaced
    require_account: Callable[[], object] | None = None  # set by commands that act for an account
    opens: "Callable[..., Session] | None" = None  # a session, as `opening.open_session` does

    @property
    def wants_json(self) -> bool:
        """Whether an error is told as an object too."""
        return self.as_json or self.asks_json

    @property
    def acted(self) -> bool:
        """Whether there may be more to tell than what was read."""
        return self.agreed or self.changed

    def take_up(self, found: T) -> T:
        """Return `found`, what became of a transaction that an earlier call had sent: there is something to tell."""
        self.changed = self.changed or bool(found)
        return found

    def show(self, data: dict[str, Any], text: Callable[[], str] | str) -> None:
        """One result on stdout."""
        output.show(self.as_json, data, text)

    def agree(self, *sentences: str) -> None:
        """Says what is about to be done and asks, unless --yes or --dry-run was given. A no is a `RefusedError`. Nobody
        is asked for what can't be done for lack of an account: `AccountError`."""
        if self.require_account is not None:
            self.require_account()
        for sentence in sentences:
            output.note(sentence)
        if not (self.yes or self.dry_run) and not output.confirm("go ahead?"):
            raise RefusedError("stopped before anything was sent", code="not-agreed")
        self.agreed = not self.dry_run


pass_state = click.make_pass_decorator(State, ensure=True)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def callback(context: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.ensure_object(State).settings[name] = value

    return callback


def _profile(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(State).profile = value


def _flag(flags: str, name: str, text: str, *, envvar: str | None = None) -> Callable[[F], F]:
    def callback(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            setattr(context.ensure_object(State), name, True)

    names = flags.split()
    return click.option(*names, is_flag=True, expose_value=False, envvar=envvar, callback=callback, help=text)


def _setting(flag: str, metavar: str, text: str) -> Callable[[F], F]:
    name = flag.removeprefix("--").replace("-", "_")
    return click.option(flag, metavar=metavar, expose_value=False, callback=_keep(name), help=text)


profile_option = click.option(
    "-p", "--profile", metavar="NAME", expose_value=False, callback=_profile, help="Settings from this profile."
)
json_option = _flag("--json", "as_json", "Print one JSON object.")
yes_option = _flag("--yes -y", "yes", "Don't ask, go ahead.", envvar="NUMERBAY_CHAIN_YES")
dry_run_option = _flag("--dry-run", "dry_run", "Show the call, its value and gas; send nothing.")
rpc_option = _setting("--rpc", "URL", "Ethereum node.")
network_option = _setting("--network", "NAME", "Refuse a node of any other network: ethereum, base, ...")
created_by_option = _setting("--created-by", "TX", "The transaction that created the marketplace.")
unchecked_option = _flag("--unchecked-contract", "unchecked_contract", "Sign for a contract that nothing is known of.")
contract_option = _setting("--contract", "ADDRESS", "The marketplace.")
chain_id_option = _setting("--chain-id", "NUMBER", "Refuse a node of any other chain.")
from_block_option = _setting("--from-block", "NUMBER", "The block in which the marketplace was deployed.")
max_tip_option = _setting(
    "--max-tip", "GWEI", "The most that gas may cost on top of the base fee [default: the network's, else 50]."
)
max_fee_option = _setting(
    "--max-fee", "AMOUNT", "The most that one transaction's gas may cost [default: the network's, else 0.05 ether]."
)
account_option = _setting("--account", "SPEC", "Who signs: keystore:PATH, env:NAME or dev:NUMBER.")
store_option = _setting("--store", "SPEC", "embedded:PATH, kubo:URL or gateway:URL.")
keep_option = _setting("--keep", "SIZE", "How much of what was checked stays here; 0: nothing [default: 10GiB].")
read_back_option = _setting("--read-back", "SPEC", "A second way to the content, such as gateway:URL.")
operates_option = _setting("--operates", "LISTINGS", "Listings of others that you answer for, such as 3,5.")
second_rpc_option = _setting("--second-rpc", "URL", "Another node, asked the same before a secret or money leaves.")
key_option = _setting("--key", "KEYFILE", "Your encryption key, a numerbay.json.")


def all_of(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Return a decorator that stands for several, in the same order."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


run_options = all_of(profile_option, rpc_option, store_option, json_option, yes_option)
_place = all_of(profile_option, rpc_option, network_option, contract_option, chain_id_option, from_block_option)
reads_chain = all_of(_place, json_option)
signs = all_of(
    _place,
    created_by_option,
    unchecked_option,
    second_rpc_option,
    account_option,
    max_tip_option,
    max_fee_option,
    json_option,
)
delivers = all_of(signs, yes_option)
"""For what sends transactions that can't be shown before their content was sealed."""
sends = all_of(delivers, dry_run_option)
"""For all others that send transactions."""
reads_content = all_of(store_option, keep_option, key_option)
"""For what reads a round's content, or its key."""
settings_options = all_of(
    rpc_option, network_option, contract_option, chain_id_option, from_block_option, created_by_option, account_option,
    store_option, read_back_option, keep_option, key_option, max_tip_option, max_fee_option, operates_option,
    second_rpc_option, json_option,
)  # fmt: skip
"""All that a profile can hold."""


class RefusedValue(click.BadParameter):
    """A value that one of the package's own parsers refused: its sentence with the option's name, its hint and code."""

    def __init__(self, error: NumerbayChainError, param: click.Parameter | None, ctx: click.Context | None) -> None:
        super().__init__(str(error), ctx, param)
        self.advice, self.code = error.hint, error.code


limit_option = click.option(
    "--limit", type=click.IntRange(min=0), default=100, show_default=True, help="How many at most; 0 for all."
)
"""For lists: strangers can make them long."""


def say_more(more: int) -> None:
    """Say that a list was cut off."""
    if more:
        output.note(f"{more:,} more are not shown: see all with --limit 0")


class Checked(click.ParamType):
    """A value that one of the package's own parsers reads: its `UsageError` becomes click's, with the option's name."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except NumerbayChainError as error:
            raise RefusedValue(error, param, ctx) from None


def _lazily(name: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        from numerbay_chain.core import units

        return getattr(units, name)(text)

    return parse


def _address(text: str) -> str:
    from numerbay_chain.core.addresses import checksummed

    return checksummed(text)


def _content_hash(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise UsageError(f"{text!r} is not a content hash", "it has 64 hexadecimal digits", code="bad-hash")
    return digest


def _order(text: str) -> int:
    from numerbay_chain.core.units import parse_order_id

    order = parse_order_id(text)
    if order < 2**32:  # of no listing: they begin with 1
        raise UsageError(
            f"{text!r} is not an order", f"write it as LISTING-INDEX, such as {order or 1}-0", code="not-an-order"
        )
    return order


def _listing(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 1 <= int(text) < 2**32):
        what = f"{one_line(text, 80)!r} is not a listing"
        raise UsageError(what, "give its number, as `listing list` shows it", code="not-a-listing")
    return int(text)


DURATION = Checked("duration", _lazily("parse_duration"))
ORDER = Checked("order", _order)
ADDRESS = Checked("address", _address)
ADDRESS_OR_NONE = Checked("address", lambda text: text if text == "none" else _address(text))
CONTENT_HASH = Checked("content hash", _content_hash)
LISTING = Checked("listing", _listing)
ROUND = click.IntRange(min=0, max=2**24 - 1)
