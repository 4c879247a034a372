"""The folder in which everything of ours on disk lies."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerbay_chain.core.errors import RefusedError, UsageError
from numerbay_chain.core.files.atomic import expanded, write_atomic
from numerbay_chain.core.files.locks import locked
from numerbay_chain.core.home import profiles, seller_secret
from numerbay_chain.core.home.profiles import checked_profile, merged
from numerbay_chain.core.home.settings import PREFIX


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
        """Let `change` alter all profiles, in a file that nobody else writes meanwhile; its comments stay. Return the
        file's path."""
        folder = self.folder()
        with locked(folder / ".profiles.lock", "writing profiles"):
            write_atomic(folder / "profiles.toml", profiles.change(folder / "profiles.toml", change))
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
