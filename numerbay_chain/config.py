"""Settings, and the folder in which everything of ours on disk lies."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypedDict

from numerbay_chain import textfile
from numerbay_chain.addresses import checksummed
from numerbay_chain.errors import AccountError, RefusedError, UsageError
from numerbay_chain.files import expanded, write_atomic
from numerbay_chain.locks import locked
from numerbay_chain.units import parse_amount, parse_listings, parse_size

PREFIX: Final = "NUMERBAY_CHAIN_"
SECRET_SIZE: Final = 32
_MOST_SECRET: Final = 4_096  # bytes of its file
DEFAULT_PROFILE: Final = "default"
_PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


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


@dataclass(frozen=True, slots=True)
class Settings:
    """`rpc` a node's address, `contract` the marketplace's, `account` a signer ("keystore:PATH", "env:NAME",
    "dev:N"), `store` and `read_back` content stores ("embedded:PATH", "kubo:URL", "gateway:URL"), `keep` how much of
    what was checked stays on this machine ("10GiB"; "0": nothing), `key` a key file, `from_block` the contract's first
    block, `max_tip` what a unit of gas may cost on top of the base fee, in gwei, `max_fee` what the gas of one
    transaction may cost, in wei (given so, or as text such as "0.05 ether"), `network` a name in networks.toml,
    `created_by` the transaction that created the contract. `unchecked_contract`: pay it whoever made it; that is never
    stored. `operates`: the listings of others whose disputes this account answers as their operator ("3, 5").
    `second_rpc`: another node's address, which is asked the same before a secret or money leaves."""

    home: "Home"
    profile: str | None = None
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

    def required(self, name: str) -> str:
        """A text setting that can't do without. Raises `UsageError`."""
        value = getattr(self, name)
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


_NUMBERS: Final = {"chain_id", "from_block", "max_tip"}
_AMOUNTS: Final = {"max_fee"}
_NOT_STORED: Final = {"home", "profile", "unchecked_contract"}
SETTING_NAMES: Final = tuple(entry.name for entry in fields(Settings) if entry.name not in _NOT_STORED)
_OF_A_CONTRACT: Final = ("from_block", "created_by")
OF_DEVNET: Final = "devnet"
"""The mark of a profile that a devnet wrote, and may write again."""


def load_settings(
    profile: str | None = None, overrides: Overrides | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Overrides (flags), then `NUMERBAY_CHAIN_*`, then the profile: `profile`, the one that NUMERBAY_CHAIN_PROFILE
    names, else "default" where there is one and no node was named.

    Raises `UsageError` for a profile that does not exist, a setting of another kind, or a name that is no setting.
    """
    given: Mapping[str, Any] = overrides or {}
    environ = os.environ if environment is None else environment
    home = Home.at(given.get("home"), environ)
    name = profile or environ.get(PREFIX + "PROFILE") or None
    if name is None and not (given.get("rpc") or environ.get(PREFIX + "RPC")) and DEFAULT_PROFILE in home.profiles():
        name = DEFAULT_PROFILE  # not where a node was named: its contract and chain would be another node's
    stored = home.profile(name) if name else {}
    from_environment = {one: environ.get(PREFIX + one.upper()) or None for one in SETTING_NAMES}
    sources: list[tuple[Mapping[str, Any], str]] = [
        (given, "the call"),
        (from_environment, "the environment"),
        (stored, f"profile {name}"),
    ]
    values: dict[str, Any] = {}
    for setting in SETTING_NAMES:
        for source, origin in sources:
            if (value := source.get(setting)) is not None:
                values[setting] = _typed(setting, value, origin)
                break
    ranked = [source for source, _ in sources]
    for setting in _OF_A_CONTRACT:
        if _is_of_another_contract(ranked, setting):
            del values[setting]
    _drop_other_chain(ranked, values)
    return Settings(home=home, profile=name, unchecked_contract=given.get("unchecked_contract") is True, **values)


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


def _typed(setting: str, value: Any, origin: str) -> Any:
    if setting == "operates":
        written = value if isinstance(value, list | tuple) else [value]
        text = ", ".join(str(one) for one in written)
        parse_listings(text)
        return text
    if setting == "keep" and type(value) in (int, str):
        parse_size(str(value))
        return str(value).strip()
    if setting in _NUMBERS:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value.strip(), re.ASCII):
            return int(value)
        if type(value) is int and value >= 0:
            return value
        raise UsageError(
            f"{setting} in {origin} is not a whole number", "write it in decimal digits", code="bad-setting"
        )
    if setting in _AMOUNTS:
        return _amount(setting, value, origin)
    if isinstance(value, str) and value.strip() and "\0" not in value:
        if setting == "contract" and re.fullmatch(r"0x[0-9a-fA-F]{40}", value.strip(), re.ASCII):
            checksummed(value.strip(), f"contract in {origin}")  # what is no address is told where one is wanted
        return value.strip()
    raise UsageError(
        f"{setting} in {origin} is not text", f"give {setting} as text, or leave it out", code="bad-setting"
    )


def _amount(setting: str, value: Any, origin: str) -> int:
    """An amount of the chain's coin in wei, given so or as text with a unit."""
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, str):
        try:
            return parse_amount(value)
        except UsageError as error:
            raise UsageError(f"{setting} in {origin}: {error}", error.hint, code="bad-setting") from None
    advice = 'write it with its unit, such as "0.05 ether"'
    raise UsageError(f"{setting} in {origin} is not an amount", advice, code="bad-setting")


def _is_utf_8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Home:
    """`$NUMERBAY_CHAIN_HOME`, else the platform's data folder. Folders are made when they are needed, 0700; one that is
    there already stays as open as its owner made it."""

    path: Path

    @classmethod
    def at(cls, path: str | Path | None = None, environment: Mapping[str, str] | None = None) -> "Home":
        environ = os.environ if environment is None else environment
        chosen = path or environ.get(PREFIX + "HOME")
        if chosen:
            return cls(expanded(chosen).absolute())
        from platformdirs import user_data_path

        path = user_data_path("numerbay-chain")
        if not path.is_absolute():  # no HOME, and no user of this number
            raise UsageError(
                "there is no home folder to keep things in",
                f"set {PREFIX}HOME to a folder of yours",
                code="unusable-path",
            )
        return cls(path)

    def folder(self, *names: str) -> Path:
        """A folder below the home folder, made if it is not there. Raises `RefusedError` where that can't be."""
        folder = self.path.joinpath(*names)
        try:
            for part in (self.path, *(self.path.joinpath(*names[: count + 1]) for count in range(len(names)))):
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RefusedError(
                f"can't use {folder}: {reason}", f"set {PREFIX}HOME to a folder of yours", code="unwritable"
            ) from error
        return folder

    # ------------------------------------------------------------------------------------------------------ profiles

    def profiles(self) -> dict[str, dict[str, Any]]:
        """All profiles by name, as they stand in profiles.toml. Raises `UsageError` for a file that is no such
        thing."""
        path = self.path / "profiles.toml"
        try:
            document = tomllib.loads(textfile.read(path, "file of profiles", error=UsageError))
        except UsageError as error:
            if error.code == "no-such-file":
                return {}
            raise
        except (ValueError, RecursionError) as error:  # ValueError: also a number of thousands of digits
            reason = error if isinstance(error, tomllib.TOMLDecodeError) else "it can't be read"
            raise UsageError(
                f"{path} is not TOML: {reason}", "correct it, or move it away", code="bad-profiles"
            ) from None
        for name, values in document.items():
            if not isinstance(values, dict):
                raise UsageError(
                    f"{path}: {name!r} stands outside of a profile",
                    "put it below a line like [seller]",
                    code="bad-profiles",
                )
            unknown = sorted(set(values) - {*SETTING_NAMES, OF_DEVNET})
            if unknown:
                raise UsageError(
                    f"{path}: {unknown[0]!r} in profile {name} is no setting",
                    f"use: {', '.join(SETTING_NAMES)}",
                    code="bad-profiles",
                )
        return document

    def profile(self, name: str) -> dict[str, Any]:
        """One profile's settings. Raises `UsageError`."""
        profiles = self.profiles()
        if name not in profiles:
            known = ", ".join(sorted(profiles)) or "none"
            raise UsageError(
                f"there is no profile {name!r} in {self.path / 'profiles.toml'}",
                f"profiles: {known}",
                code="no-profile",
            )
        return profiles[name]

    def save_profile(self, name: str, settings: Mapping[str, str | int | None], *, merge: bool = False) -> Path:
        """Write a profile, in place of one of that name, or with `merge` into it; the others stay. Return the file's
        path."""
        values = checked_profile(name, settings)

        def change(profiles: dict[str, dict[str, Any]]) -> None:
            profiles[name] = _merged(profiles.get(name, {}), values) if merge else values

        return self.change_profiles(change)

    def change_profiles(self, change: Callable[[dict[str, dict[str, Any]]], None]) -> Path:
        """Let `change` alter all profiles, in a file that nobody else writes meanwhile. Return the file's path."""
        import tomli_w

        folder = self.folder()
        with locked(folder / ".profiles.lock", "writing profiles"):
            profiles = self.profiles()
            change(profiles)
            write_atomic(folder / "profiles.toml", tomli_w.dumps(profiles))
        return folder / "profiles.toml"

    # ------------------------------------------------------------------------------------------------- seller secret

    @property
    def secret_path(self) -> Path:
        return self.path / "seller-secret"

    def seller_secret(self) -> tuple[bytes, bool]:
        """The 32 bytes that every content key derives from, and whether they were made just now (then tell how to
        back them up).

        Raises `AccountError` for a file that holds anything else.
        """
        self.folder()
        if not self.secret_path.exists():
            try:
                write_atomic(self.secret_path, os.urandom(SECRET_SIZE).hex() + "\n", overwrite=False)
            except RefusedError:
                if not self.secret_path.exists():  # another process may have made it meanwhile
                    raise
            else:
                return self._read_secret(), True
        return self._read_secret(), False

    def export_seller_secret(self) -> str:
        """The secret as 64 hexadecimal digits, for a backup. Raises `AccountError` if there is none yet."""
        return self._read_secret().hex()

    def import_seller_secret(self, text: str) -> bool:
        """Takes a backup in; False: that secret was there already. Raises `RefusedError` where another one is in
        use, and for text that is no secret."""
        compact = text.removeprefix("\ufeff").strip().strip("\0").removeprefix("0x")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", compact, re.ASCII):
            raise RefusedError(
                "that is not a seller secret", "give the 64 hexadecimal digits that export printed", code="not-a-secret"
            )
        self.folder()
        if self.secret_path.exists():
            if self._read_secret() == bytes.fromhex(compact):
                return False
            raise RefusedError(
                f"there is another seller secret in {self.secret_path}: what was sold with it needs it",
                "export that one and move it away first, or use another home folder",
                code="another-secret",
            )
        write_atomic(self.secret_path, compact.lower() + "\n", overwrite=False)
        return True

    def _read_secret(self) -> bytes:
        try:
            text = textfile.read(self.secret_path, "seller secret", error=AccountError, limit=_MOST_SECRET).strip()
        except AccountError as error:
            if error.code == "no-such-file":
                raise AccountError(
                    f"there is no seller secret in {self.path}",
                    "it is made with the first delivery; import a backup if you have one",
                    code="no-secret",
                ) from None
            text = ""
        if not re.fullmatch(r"[0-9a-f]{64}", text, re.ASCII):
            # nothing of what stands there is repeated
            raise AccountError(
                f"{self.secret_path} does not hold a seller secret", "restore it from its backup", code="bad-secret"
            ) from None
        if self.secret_path.stat().st_mode & 0o077:
            self.secret_path.chmod(0o600)
        return bytes.fromhex(text)


def checked_profile(name: str, settings: Mapping[str, str | int | None]) -> dict[str, Any]:
    """Return a profile's values as they are written. Raise `UsageError` (bad-setting) for what is no name, no setting,
    or can't be kept in a file."""
    if not _PROFILE_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a profile",
            "use letters, digits, dots, hyphens and underscores",
            code="bad-setting",
        )
    values = {key: _typed(key, value, "the call") for key, value in settings.items() if value is not None}
    if unknown := sorted(set(values) - set(SETTING_NAMES)):
        raise UsageError(f"{unknown[0]!r} is no setting", f"use: {', '.join(SETTING_NAMES)}", code="bad-setting")
    if any(isinstance(value, str) and not _is_utf_8(value) for value in values.values()):
        raise UsageError(
            "a setting with a name that is not UTF-8 can't be kept in a profile",
            "rename the file, or give the setting as a flag",
            code="bad-setting",
        )
    return values


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A profile that its user changes is no devnet's any more; what belongs to one contract goes with it."""
    kept = {key: value for key, value in old.items() if key != OF_DEVNET}
    if new.get("contract") not in (None, old.get("contract")):
        kept = {key: value for key, value in kept.items() if key not in _OF_A_CONTRACT}
    return {**kept, **new}


def secret_was_made(home: Home) -> str:
    """What its owner must know about a new seller secret."""
    return (
        f"a seller secret was made in {home.secret_path}: every content key derives from it, and whoever has it reads "
        "all you sell; back it up with 'numerbay-chain seller-secret export -o FILE'"
    )
