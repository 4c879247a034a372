"""The command reference, generated from the commands: `python -m numerbay_chain.cli.reference > docs/cli.md`."""

import click

from numerbay_chain.cli.lazy import commands
from numerbay_chain.cli.main import cli
from numerbay_chain.cli.output import PROGRAM

_INTRODUCTION = f"""\
# Command reference

Generated from the code: `python -m numerbay_chain.cli.reference > docs/cli.md`. A test compares.

`nbc` is short for `{PROGRAM}`. Data goes to stdout (with `--json` exactly one object, amounts as decimal strings),
everything else to stderr. Settings come from flags, then the environment, then the profile that `-p` names (without it,
the profile `default`, if there is one). Options of the program, such as `-p` and `--json`, are accepted before the
command and after it.

A command that fails says so in a sentence on stderr. With `--json` it prints
`{{"error": {{"code", "message", "hint", "exit_code"}}}}` on stdout too, unless its result is there already: `code` is
stable and for programs, the sentence is for people and may change.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | refused, reverted, or a file that can't be used |
| 2 | an argument or a setting that can't be used |
| 3 | a node, a store or a gateway can't be reached, or answers nonsense |
| 4 | key file, keystore, password, funds |
| 5 | decryption failed: the wrong key, or bytes that were altered |
| 130 | interrupted |

| environment variable | meaning |
|---|---|
| `NUMERBAY_CHAIN_HOME` | the folder of keys, journal, profiles and deployments |
| `NUMERBAY_CHAIN_PROFILE` | the profile, as `-p` |
| `NUMERBAY_CHAIN_RPC`, `…_CONTRACT`, `…_CHAIN_ID`, `…_FROM_BLOCK` | as the flags of these names |
| `NUMERBAY_CHAIN_NETWORK`, `…_CREATED_BY`, `…_SECOND_RPC`, `…_MAX_TIP`, `…_MAX_FEE` | likewise |
| `NUMERBAY_CHAIN_ACCOUNT`, `…_STORE`, `…_READ_BACK`, `…_KEEP`, `…_KEY` | likewise |
| `NUMERBAY_CHAIN_OPERATES` | listings of others that you answer for, as in `3,5` |
| `NUMERBAY_CHAIN_CA_FILE` | certificates of an authority of your own |
| `NUMERBAY_CHAIN_ANVIL` | where anvil is, if not on PATH |
| `NUMERBAY_CHAIN_PASSWORD` | the keystore's password, where nobody can be asked |
| `NUMERBAY_CHAIN_YES` | 1: as `--yes` |
| `NUMERBAY_CHAIN_DEBUG` | 1: show where an error came from |
| `NO_COLOR` | no progress bars |
"""


def reference() -> str:
    """The whole text of docs/cli.md."""
    root = click.Context(cli, info_name=PROGRAM, **cli.context_settings)
    parts = [_INTRODUCTION]
    for path, command in [([], cli), *commands(cli, root)]:
        context = root
        for name in path:
            group = context.command
            at = group.get_command(context, name) if isinstance(group, click.Group) else None
            context = click.Context(at or command, info_name=name, parent=context, **cli.context_settings)
        parts.append(f"## `{' '.join([PROGRAM, *path])}`\n\n```text\n{_help(command, context)}\n```\n")
    return "\n".join(parts)


def _help(command: click.Command, context: click.Context) -> str:
    # the width is the page's, not that of the terminal this runs in
    formatter = click.HelpFormatter(width=80)
    command.format_help(context, formatter)
    return formatter.getvalue().rstrip()


if __name__ == "__main__":
    print(reference(), end="")
