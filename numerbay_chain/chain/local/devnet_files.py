"""What devnets leave in a home folder: profiles that are marked as theirs, a store, and what was journaled or kept
about their contracts. Nothing that a user wrote is touched."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from numerbay_chain.chain.identity.deployment import Deployment, load, save
from numerbay_chain.core.errors import RefusedError, UsageError
from numerbay_chain.core.files import jsontext, textfile
from numerbay_chain.core.files.atomic import storage_error
from numerbay_chain.core.files.locks import locked
from numerbay_chain.core.home.home import Home
from numerbay_chain.core.home.profiles import DEFAULT_PROFILE, OF_DEVNET, checked_profile

FOLDER: Final = "devnet"
_BY_CONTRACT: Final = ("journal", "outbox", "deployments", "checked")
"""Folders whose entries begin with chain and contract."""

Values = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Leftovers:
    """`profiles` by name; `paths` of files and folders."""

    profiles: tuple[str, ...]
    paths: tuple[Path, ...]


def store_folder(home: Home) -> Path:
    """Return the folder of the store that the profiles of devnets share."""
    return home.folder(FOLDER) / "store"


def keep_running(home: Home, port: int) -> AbstractContextManager[None]:
    """Hold, while the block runs, what says that a devnet is running. Raise `RefusedError` (busy) where another one
    does at that port."""
    return locked(home.folder(FOLDER) / f"{port}.lock", f"running a devnet on port {port}", 0)


def remember(home: Home, deployment: Deployment) -> None:
    """Write down that the contract is a devnet's, for `clean`."""
    save(deployment, home.folder(FOLDER, "contracts"))


def write_profiles(home: Home, roles: Mapping[str, Values], default: Values) -> dict[str, str]:
    """Write a profile for each role; return the name that each got.

    It is the role's own name where that is free or an earlier devnet's, else devnet-ROLE: what a user wrote stays.
    Likewise `default`, which is left out where the user has one.
    """
    names: dict[str, str] = {}

    def change(profiles: dict[str, dict[str, Any]]) -> None:
        for role, values in roles.items():
            name = names[role] = _free(role, profiles)
            profiles[name] = {**checked_profile(name, values), OF_DEVNET: True}
        if _may_write(profiles.get(DEFAULT_PROFILE)):
            profiles[DEFAULT_PROFILE] = {**checked_profile(DEFAULT_PROFILE, default), OF_DEVNET: True}

    home.change_profiles(change)
    return names


def _free(role: str, profiles: Mapping[str, Mapping[str, Any]]) -> str:
    candidates = (role, f"devnet-{role}", *(f"devnet-{role}-{number}" for number in range(2, len(profiles) + 3)))
    return next(name for name in candidates if _may_write(profiles.get(name)))


def _may_write(standing: Mapping[str, Any] | None) -> bool:
    return standing is None or standing.get(OF_DEVNET) is True


def find_leftovers(home: Home) -> Leftovers:
    """Return what `clean` would remove."""
    marked = [name for name, values in home.profiles().items() if values.get(OF_DEVNET) is True]
    folder = home.path / FOLDER
    paths = [] if not folder.exists() else [folder]
    contracts = set()
    for contract in sorted((folder / "contracts").glob("*.json")):
        try:
            deployment = load(contract)
        except UsageError:
            continue
        contracts.add((deployment.chain_id, deployment.address))
        beginning = f"{deployment.chain_id}-{deployment.address}"
        paths += [path for kind in _BY_CONTRACT for path in sorted((home.path / kind).glob(f"{beginning}[-.]*"))]
    for entry in sorted((home.path / "kept").glob("*/entry")):
        if _contract_of(entry) in contracts:
            lock = entry.parent.with_suffix(".lock")
            paths += [entry.parent, *([lock] if lock.exists() else [])]
    return Leftovers(tuple(marked), tuple(paths))


def _contract_of(entry: Path) -> tuple[int, str] | None:
    """Chain and address of the contract that kept content is of (`kept`); None for what is no record of any."""
    try:
        about = jsontext.parse(textfile.read_bytes(entry, jsontext.MOST_BYTES))
        return int(about["chain_id"]), str(about["marketplace"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def clean(home: Home) -> Leftovers:
    """Remove what devnets left; return what that was. Raise `RefusedError` (busy) while a devnet runs."""
    with _none_running(home):
        found = find_leftovers(home)
        if found.profiles:
            home.change_profiles(_without_marked)
        for path in reversed(found.paths):  # the list of contracts last: a run that is interrupted is taken up
            _remove(path)
    return found


def require_stopped(home: Home) -> None:
    """Raise `RefusedError` (busy) while a devnet runs."""
    with _none_running(home):
        pass


@contextmanager
def _none_running(home: Home) -> Iterator[None]:
    """Keep devnets from starting while the block runs."""
    with ExitStack() as stack:
        for lock in sorted((home.path / FOLDER).glob("*.lock")):
            try:
                stack.enter_context(locked(lock, "running a devnet", 0))
            except RefusedError as error:
                if error.code != "busy":
                    raise
                raise RefusedError(
                    f"a devnet is running on port {lock.stem}", "stop it with Ctrl-C, then run this again", code="busy"
                ) from error
        yield


def _without_marked(profiles: dict[str, dict[str, Any]]) -> None:
    for name in [name for name, values in profiles.items() if values.get(OF_DEVNET) is True]:
        del profiles[name]


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
