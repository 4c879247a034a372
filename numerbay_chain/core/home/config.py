"""Where settings come from, and the folder in which everything of ours on disk lies."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerbay_chain.core.errors import RefusedError, UsageError
from numerbay_chain.core.files.atomic import expanded, write_atomic
from numerbay_chain.core.files.locks import locked
from numerbay_chain.core.home import profiles, seller_secret
from numerbay_chain.core.home.profiles import DEFAULT_PROFILE, checked_profile, merged
from numerbay_chain.core.home.settings import CALL, OF_A_CONTRACT, PREFIX, SETTING_NAMES, Overrides, Settings, typed

__all__ = ["Home", "Overrides", "Settings", "load_settings"]


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
        (given, CALL),
        (from_environment, "the environment"),
        (stored, f"profile {name}"),
    ]
    values: dict[str, Any] = {}
    for setting in SETTING_NAMES:
        for source, origin in sources:
            if (value := source.get(setting)) is not None:
                values[setting] = typed(setting, value, origin)
                break
    ranked = [source for source, _ in sources]
    for setting in OF_A_CONTRACT:
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
        return profiles.read(self.path / "profiles.toml")

    def profile(self, name: str) -> dict[str, Any]:
        """One profile's settings. Raises `UsageError`."""
        standing = self.profiles()
        if name not in standing:
            known = ", ".join(sorted(standing)) or "none"
            raise UsageError(
                f"there is no profile {name!r} in {self.path / 'profiles.toml'}",
                f"profiles: {known}",
                code="no-profile",
            )
        return standing[name]

    def save_profile(self, name: str, settings: Mapping[str, str | int | None], *, merge: bool = False) -> Path:
        """Write a profile, in place of one of that name, or with `merge` into it; the others stay. Return the file's
        path."""
        values = checked_profile(name, settings)

        def change(standing: dict[str, dict[str, Any]]) -> None:
            standing[name] = merged(standing.get(name, {}), values) if merge else values

        return self.change_profiles(change)

    def change_profiles(self, change: Callable[[dict[str, dict[str, Any]]], None]) -> Path:
        """Let `change` alter all profiles, in a file that nobody else writes meanwhile. Return the file's path."""
        import tomli_w

        folder = self.folder()
        with locked(folder / ".profiles.lock", "writing profiles"):
            standing = self.profiles()
            change(standing)
            write_atomic(folder / "profiles.toml", tomli_w.dumps(standing))
        return folder / "profiles.toml"

    # ------------------------------------------------------------------------------------------------- seller secret

    @property
    def secret_path(self) -> Path:
        return self.path / "seller-secret"

    def seller_secret(self) -> tuple[bytes, bool]:
        """The 32 bytes that every content key derives from, and whether they were made just now (then tell how to
        back them up). Raises `AccountError` for a file that holds anything else."""
        self.folder()
        return seller_secret.load_or_make(self.secret_path)

    def export_seller_secret(self) -> str:
        """The secret as 64 hexadecimal digits, for a backup. Raises `AccountError` if there is none yet."""
        return seller_secret.export(self.secret_path)

    def import_seller_secret(self, text: str) -> bool:
        """Takes a backup in; False: that secret was there already. Raises `RefusedError` where another one is in
        use, and for text that is no secret."""
        secret = seller_secret.parse(text)
        self.folder()
        return seller_secret.restore(self.secret_path, secret)
