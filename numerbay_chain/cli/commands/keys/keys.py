"""`keys`: X25519 key files, and the public half of one on chain."""

from pathlib import Path

import click

from numerbay_chain.cli import output
from numerbay_chain.cli.lazy import LazyGroup, commands_of
from numerbay_chain.cli.options import State, json_option, key_option, pass_state, sends


@click.group(
    cls=LazyGroup,
    entries=commands_of(
        __name__,
        new="Make a new key pair.",
        show="Show the public half of a key file.",
        register="Put your public key on chain.",
    ),
)
def keys() -> None:
    """Make, show and register encryption keys.

    \b
    Example:
      numerbay-chain keys new -o numerbay.json
    """


@keys.command()
@click.option(
    "-o", "--output", "path", metavar="PATH", required=True, type=click.Path(path_type=Path), help="New file."
)
@json_option
@pass_state
def new(state: State, path: Path) -> None:
    """Make a new key pair.

    The file is NumerBay's numerbay.json, readable by you alone. What is sealed to the key can be read with this file
    and with nothing else: keep a copy of it.

    \b
    Example:
      numerbay-chain keys new -o numerbay.json
    """
    from numerbay_chain.core.home import keyfile

    pair = keyfile.generate()
    keyfile.save(pair, path)
    state.changed = True
    public_key = keyfile.encode(pair.public_key)
    state.show({"path": str(path), "public_key": public_key}, public_key)
    output.note(f"the key pair is in {path}: keep a copy, nothing can replace it")


@keys.command()
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@pass_state
def show(state: State, path: Path) -> None:
    """Show the public half of a key file.

    Standard base64, as NumerBay writes it. The private half is never shown.

    \b
    Example:
      numerbay-chain keys show numerbay.json
    """
    from numerbay_chain.core.home import keyfile

    public_key = keyfile.parse_public_key(path)
    encoded = keyfile.encode(public_key)
    state.show({"path": str(path), "public_key": encoded, "public_key_hex": public_key}, encoded)


@keys.command()
@key_option
@sends
@pass_state
def register(state: State) -> None:
    """Put your public key on chain.

    Sellers seal what you buy to it. The key file is made first if there is none. A newer key never replaces an older
    one: orders keep the key that they were bought with, so keep all key files.

    \b
    Example:
      numerbay-chain -p buyer keys register
    """
    from numerbay_chain.cli import roles
    from numerbay_chain.cli.render.views import receipt_data, sent

    role = roles.buyer(state)
    state.agree("registers the public key of your key file on chain, for your account")
    registered = role.register_key()
    sent(registered.receipt)
    encoded = keyfile_text(registered.public_key)
    state.show(
        {
            "owner": registered.owner,
            "epoch": registered.epoch,
            "public_key": encoded,
            "path": registered.path,
            "created": registered.created,
            "registered": registered.receipt is not None,
            **(receipt_data(registered.receipt) if registered.receipt else {}),
        },
        f"{encoded} is key {registered.epoch} of {registered.owner}" + ("" if registered.receipt else " already"),
    )


def keyfile_text(public_key: bytes) -> str:
    """A public key as NumerBay writes it."""
    from numerbay_chain.core.home import keyfile

    return keyfile.encode(public_key)
