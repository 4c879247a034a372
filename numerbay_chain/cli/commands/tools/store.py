"""`store`: content that was checked and is kept on this machine."""

from typing import TYPE_CHECKING, Any

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.lazy import LazyGroup, commands_of
from numerbay_chain.cli.options import State, json_option, keep_option, pass_state, profile_option

if TYPE_CHECKING:
    from numerbay_chain.artifacts.kept import Kept, Removed


@click.group(cls=LazyGroup, entries=commands_of(__name__, gc="Remove what can't be disputed any more."))
def store() -> None:
    """Clear away what was kept of checked content.

    What was read before a purchase, or to check a round, is kept in the folder 'kept' below $NUMERBAY_CHAIN_HOME, up to
    the setting 'keep', so that a host that goes silent afterwards changes nothing.

    \b
    Example:
      numerbay-chain store gc --dry-run
    """


@store.command()
@click.option("--dry-run", is_flag=True, help="Show what would go; remove nothing.")
@profile_option
@keep_option
@json_option
@pass_state
def gc(state: State, dry_run: bool) -> None:
    """Remove what can't be disputed any more.

    Also parts that were never complete and, where there is more than 'keep' allows, what was used least.

    \b
    Example:
      numerbay-chain store gc
    """
    from numerbay_chain.artifacts.kept import DEFAULT_LIMIT, Keep
    from numerbay_chain.core.units import parse_size

    settings = roles.settings(state)
    limit = DEFAULT_LIMIT if settings.keep is None else parse_size(settings.keep)
    keep = Keep(settings.home.path / "kept", limit, output.note)
    before = keep.entries()
    removed = keep.collect(dry_run=dry_run or state.dry_run)
    gone = {one.content_hash for one in removed}
    left = [entry for entry in before if entry.content_hash not in gone]
    data: dict[str, Any] = {
        "dry_run": dry_run,
        "limit": limit,
        "removed": [_removed_data(one) for one in removed],
        "freed": sum(one.kept.size for one in removed if one.kept),
        "kept": [_kept_data(entry) for entry in left],
        "size": sum(entry.size for entry in left),
    }
    state.show(data, lambda: _text(removed, left))


def _kept_data(entry: "Kept") -> dict[str, Any]:
    return {
        "content_hash": "0x" + entry.content_hash,
        "chain_id": entry.chain_id,
        "contract": entry.marketplace,
        "listing": entry.listing,
        "round": entry.round,
        "order": entry.order,
        "size": entry.size,
        "needed_until": entry.needed_until,
        "used_at": entry.used_at,
    }


def _removed_data(one: "Removed") -> dict[str, Any]:
    known = _kept_data(one.kept) if one.kept else {"content_hash": "0x" + one.content_hash}
    return {**known, "reason": one.reason}


def _text(removed: "list[Removed]", left: "list[Kept]") -> str:
    rows = [(one.reason, *_row(one.kept)) for one in removed] + [("kept", *_row(entry)) for entry in left]
    if not rows:
        output.note("nothing is kept")
        return ""
    return output.table(["state", "listing", "round", "size", "needed until"], rows)


def _row(entry: "Kept | None") -> tuple[object, ...]:
    from numerbay_chain.core.units import format_time

    if entry is None:
        return ("-", "-", "-", "-")
    return (entry.listing, entry.round, output.size(entry.size), format_time(entry.needed_until))
