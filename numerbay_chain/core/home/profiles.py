"""Profiles: settings with a name, in profiles.toml."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.files import textfile
from numerbay_chain.core.home.settings import CALL, OF_A_CONTRACT, SETTING_NAMES, typed

DEFAULT_PROFILE: Final = "default"
OF_DEVNET: Final = "devnet"
"""The mark of a profile that a devnet wrote, and may write again."""
_PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Return all profiles by name, as they stand in the file at `path`. Raise `UsageError` for a file that is no such
    thing."""
    return _parse(_text(path), path)


def change(path: Path, alter: Callable[[dict[str, dict[str, Any]]], None]) -> str:
    """Return the text of the file at `path` after `alter` changed its profiles. Comments and layout stay.

    Raise `UsageError` (bad-profiles) for a file that is no such thing, and for one whose other lines would change.
    """
    from numerbay_chain.core.files import tomltext

    text = _text(path)
    profiles = _parse(text, path)
    alter(profiles)
    changed = tomltext.updated(text, profiles)
    if changed is None:
        raise UsageError(
            f"{path} can't be changed without changing other lines of it", "change it by hand", code="bad-profiles"
        )
    return changed


def _text(path: Path) -> str:
    try:
        return textfile.read(path, "file of profiles", error=UsageError)
    except UsageError as error:
        if error.code == "no-such-file":
            return ""
        raise


def _parse(text: str, path: Path) -> dict[str, dict[str, Any]]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of thousands of digits
        reason = error if isinstance(error, tomllib.TOMLDecodeError) else "it can't be read"
        raise UsageError(f"{path} is not TOML: {reason}", "correct it, or move it away", code="bad-profiles") from None
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


def checked_profile(name: str, settings: Mapping[str, str | int | None]) -> dict[str, Any]:
    """Return a profile's values as they are written. Raise `UsageError` (bad-setting) for what is no name, no setting,
    or can't be kept in a file."""
    if not _PROFILE_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a profile",
            "use letters, digits, dots, hyphens and underscores",
            code="bad-setting",
        )
    values = {key: typed(key, value, CALL) for key, value in settings.items() if value is not None}
    if unknown := sorted(set(values) - set(SETTING_NAMES)):
        raise UsageError(f"{unknown[0]!r} is no setting", f"use: {', '.join(SETTING_NAMES)}", code="bad-setting")
    if any(isinstance(value, str) and not _is_utf_8(value) for value in values.values()):
        raise UsageError(
            "a setting with a name that is not UTF-8 can't be kept in a profile",
            "rename the file, or give the setting as a flag",
            code="bad-setting",
        )
    return values


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A profile that its user changes is no devnet's any more; what belongs to one contract goes with it."""
    kept = {key: value for key, value in old.items() if key != OF_DEVNET}
    if new.get("contract") not in (None, old.get("contract")):
        kept = {key: value for key, value in kept.items() if key not in OF_A_CONTRACT}
    return {**kept, **new}


def _is_utf_8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
