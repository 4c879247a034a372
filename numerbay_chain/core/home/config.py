"""Where settings come from, and the folder in which everything of ours on disk lies."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from numerbay_chain.core.errors import AccountError, UsageError
from numerbay_chain.core.home.home import Home
from numerbay_chain.core.home.profiles import DEFAULT_PROFILE
from numerbay_chain.core.home.settings import CALL, OF_A_CONTRACT, PREFIX, SETTING_NAMES, Overrides, typed

__all__ = ["Home", "Overrides", "Settings", "load_settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """`from_profile` names the settings that the profile gave.

    `rpc` a node's address, `contract` the marketplace's, `account` a signer ("keystore:PATH", "env:NAME",
    "dev:N"), `store` and `read_back` content stores ("embedded:PATH", "kubo:URL", "gateway:URL"), `keep` how much of
    what was checked stays on this machine ("10GiB"; "0": nothing), `key` a key file, `from_block` the contract's first
    block, `max_tip` what a unit of gas may cost on top of the base fee, in gwei, `max_fee` what the gas of one
    transaction may cost, in wei (given so, or as text such as "0.05 ether"), `network` a name in networks.toml,
    `created_by` the transaction that created the contract. `unchecked_contract`: pay it whoever made it; that is never
    stored. `operates`: the listings of others whose disputes this account answers as their operator ("3, 5").
    `second_rpc`: another node's address, which is asked the same before a secret or money leaves."""

    home: Home
    profile: str | None = None
    from_profile: frozenset[str] = frozenset()
    rpc: str | None = field(default=None, repr=False)  # its address may hold an access key
    contract: str | None = None
    chain_id: int | None = None
    account: str | None = field(default=None, repr=False)  # somebody may have put a key here
    store: str | None = field(default=None, repr=False)  # as the node's
    read_back: str | None = field(default=None, repr=False)
    keep: str | None = None
    key: str | None = None
    from_block: int | None = None
    max_tip: int | None = None
    max_fee: int | None = None
    network: str | None = None
    created_by: str | None = None
    unchecked_contract: bool = False
    operates: str | None = None
    second_rpc: str | None = field(default=None, repr=False)

    @contextmanager
    def named(self, *names: str) -> Iterator[None]:
        """Let the hint of a `UsageError` about these settings say which of them a profile gave."""
        try:
            yield
        except UsageError as error:
            stored = [name for name in names if name in self.from_profile]
            if not stored or error.hint is None:
                raise
            hint = f"{error.hint}; {' and '.join(stored)} stand in profile {self.profile}"
            raise UsageError(str(error), hint, code=error.code) from None

    def required(self, name: str) -> str:
        """A text setting that can't do without. Raises `UsageError`, and `AccountError` for the account."""
        value = getattr(self, name)
        if value is None and name == "account":
            raise no_account()
        if value is None and name == "rpc" and self.network is not None:
            raise UsageError(
                f"no node of {self.network} is given: networks.toml holds no nodes",
                f"give one that you trust with --rpc, or set {PREFIX}RPC",
                code="no-node",
            )
        if value is None:
            raise UsageError(
                f"no {name} is set",
                f"give --{name.replace('_', '-')}, set {PREFIX}{name.upper()}, or name a profile that has it",
                code="missing-setting",
            )
        return str(value)


def no_account() -> AccountError:
    """Return the error for what can't be done without an account."""
    return AccountError(
        "no account is set",
        "give --account keystore:PATH, env:NAME or dev:NUMBER, or a profile that has one",
        code="no-account",
    )


def load_settings(
    profile: str | None = None,
    overrides: Overrides | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    connected: bool = False,
) -> Settings:
    """Overrides (flags), then `NUMERBAY_CHAIN_*`, then the profile: `profile`, the one that NUMERBAY_CHAIN_PROFILE
    names, else "default" where there is one and no node was named. `connected`: a node was chosen some other way.

    Raises `UsageError` for a profile that does not exist, a setting of another kind, or a name that is no setting.
    """
    given: Mapping[str, Any] = overrides or {}
    environ = os.environ if environment is None else environment
    home = Home.at(given.get("home"), environ)
    name = profile or environ.get(PREFIX + "PROFILE") or None
    elsewhere = connected or given.get("rpc") or environ.get(PREFIX + "RPC")
    if name is None and not elsewhere and DEFAULT_PROFILE in home.profiles():
        name = DEFAULT_PROFILE  # not where a node was named: its contract and chain would be another node's
    stored = home.profile(name) if name else {}
    from_environment = {one: environ.get(PREFIX + one.upper()) or None for one in SETTING_NAMES}
    sources: list[tuple[Mapping[str, Any], str]] = [
        (given, CALL),
        (from_environment, "the environment"),
        (stored, f"profile {name}"),
    ]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in SETTING_NAMES:
        for source, origin in sources:
            if (value := source.get(setting)) is not None:
                values[setting], origins[setting] = typed(setting, value, origin), origin
                break
    ranked = [source for source, _ in sources]
    for setting in OF_A_CONTRACT:
        if _is_of_another_contract(ranked, setting):
            del values[setting]
    _drop_other_chain(ranked, values)
    stored_names = frozenset(setting for setting in values if origins[setting] == f"profile {name}")
    unchecked = given.get("unchecked_contract") is True
    return Settings(home=home, profile=name, from_profile=stored_names, unchecked_contract=unchecked, **values)


def _drop_other_chain(sources: Sequence[Mapping[str, Any]], values: dict[str, Any]) -> None:
    """Of `network` and `chain_id`, which say the same in two ways, the one of the lower source does not count."""
    ranks = {
        setting: next(rank for rank, source in enumerate(sources) if source.get(setting) is not None)
        for setting in ("network", "chain_id")
        if setting in values
    }
    if len(set(ranks.values())) == 2:
        del values[max(ranks, key=lambda setting: ranks[setting])]


def _is_of_another_contract(sources: Sequence[Mapping[str, Any]], setting: str) -> bool:
    """Whether a setting that belongs to one contract is given by a lower source together with another contract than the
    chosen one: by its first block, logs would be cut without a word."""
    contracts = [str(source["contract"]).strip().lower() if source.get("contract") else None for source in sources]
    place = next((place for place, source in enumerate(sources) if source.get(setting) is not None), len(sources))
    chosen, own = (next((one for one in some if one), None) for some in (contracts, contracts[place:]))
    return own is not None and own != chosen
