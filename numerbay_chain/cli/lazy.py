"""Groups that load a command's module when it is run: `--help` must not wait for web3, and barely for click."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click


class Entry(NamedTuple):
    """A command that is not loaded yet: its section, "module:attribute", its one-line help (a test compares them)."""

    section: str
    target: str
    help: str


def commands_of(module: str, section: str = "Commands", **helps: str) -> dict[str, Entry]:
    """Return the commands that are functions of `module`, with their help; `list_` is `list`."""
    return {name.rstrip("_"): Entry(section, f"{module}:{name}", text) for name, text in helps.items()}


class LazyGroup(click.Group):
    """A group whose commands are named by a table; its help is printed from that table."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, attribute = entry.target.split(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest name where there is no such command."""
        name = args[0]
        if name not in self.entries and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, self.entries, 1)
            ctx.fail(f"there is no command {name!r}" + (f", did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.entries.items():
            sections.setdefault(entry.section, []).append((name, entry.help))
        width = max(map(len, self.entries))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])


def commands(group: click.Group, ctx: click.Context, path: Sequence[str] = ()) -> list[tuple[list[str], click.Command]]:
    """All commands below `group`, groups included, with their full names."""
    found: list[tuple[list[str], click.Command]] = []
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None:
            continue
        found.append(([*path, name], command))
        if isinstance(command, click.Group):
            found += commands(command, ctx, [*path, name])
    return found
