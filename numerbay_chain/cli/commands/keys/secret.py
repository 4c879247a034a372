"""`seller-secret`: the 32 bytes that every content key derives from."""

import click

from numerbay_chain.cli import output, roles, streams
from numerbay_chain.cli.lazy import LazyGroup, commands_of
from numerbay_chain.cli.options import State, json_option, pass_state

_MOST_BYTES = 4_096


@click.group(
    cls=LazyGroup,
    entries=commands_of(
        __name__,
        export="Write the seller secret to a backup file.",
        import_="Take a backup in.",
    ),
)
def seller_secret() -> None:
    """Back up and restore the seller secret.

    Every content key derives from it: with it alone, a seller who has lost everything else can still hand out keys for
    what was sold. Whoever else has it can read all of that too.

    \b
    Example:
      numerbay-chain seller-secret export -o seller-secret.txt
    """


@seller_secret.command()
@click.option(
    "-o", "--output", "path", metavar="PATH", required=True, help="New file, readable by you alone; - is stdout."
)
@json_option
@pass_state
def export(state: State, path: str) -> None:
    """Write the seller secret to a backup file.

    Keep it away from this machine. It is made on first need if there is none.

    \b
    Example:
      numerbay-chain seller-secret export -o seller-secret.txt
    """
    from numerbay_chain.core.files.atomic import write_atomic

    home = roles.settings(state).home
    roles.seller_secret(state)
    text = home.export_seller_secret()
    if output.is_stdout(path):
        with output.stdout_for_data(state.as_json) as stream:
            stream.write(text.encode() + b"\n")
        return
    write_atomic(path, text + "\n", overwrite=False, stream=True)
    state.show({"path": path}, f"the seller secret is in {path}: keep it where nobody else can read it")


@seller_secret.command("import")
@click.argument("path")
@json_option
@pass_state
def import_(state: State, path: str) -> None:
    """Take a backup in.

    PATH is what 'seller-secret export' wrote; - is standard input. Another secret that is in use is never replaced.

    \b
    Example:
      numerbay-chain seller-secret import seller-secret.txt
    """
    from numerbay_chain.core.files import textfile

    if path == "-":
        text = textfile.decode(streams.stdin_bytes().readline(_MOST_BYTES), "standard input")
    else:
        text = textfile.read(path, "backup", limit=_MOST_BYTES).partition("\n")[0]
    home = roles.settings(state).home
    new = home.import_seller_secret(text)
    words = f"the seller secret is in {home.secret_path}" + ("" if new else " already")
    state.show({"path": str(home.secret_path), "new": new}, words)
