"""`seal`, `open`, `cid`: the parts that need no chain."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles, streams
from numerbay_chain.cli.commands.inputs import offering_overwrite
from numerbay_chain.cli.options import CONTENT_HASH, State, json_option, key_option, pass_state, profile_option
from numerbay_chain.cli.progress import progress

if TYPE_CHECKING:
    from numerbay_chain.artifacts.bundle import OpenedBundle


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "recipients",
    metavar="KEY",
    multiple=True,
    required=True,
    help="A public key in base64, or a key file; repeat it.",
)
@click.option(
    "-o", "--output", "folder", metavar="DIR", required=True, type=click.Path(path_type=Path), help="New folder."
)
@click.option("--note", default="", metavar="TEXT", help="A note that the recipients can read.")
@json_option
@pass_state
def seal(state: State, file: Path, recipients: tuple[str, ...], folder: Path, note: str) -> None:
    """Seal a file for public keys into a folder.

    Encrypts FILE once, under a fresh key, and seals that key to each recipient. A folder is sealed as a tar that is the
    same for the same content. Hand DIR over as you like, and the content hash by a way that the recipients trust.

    \b
    Example:
      numerbay-chain seal predictions.csv --to alice.json --to bob.json -o sealed
    """
    from numerbay_chain.artifacts.bundle import seal_to_folder
    from numerbay_chain.core.home.keyfile import parse_public_key

    public_keys = [parse_public_key(recipient) for recipient in recipients]
    with progress() as report:
        sealed = seal_to_folder(
            file,
            public_keys,
            roles.seller_secret(state),
            folder,
            note=note,
            progress=lambda done, total: report("sealing", done, total),
        )
    state.changed = True
    state.show(
        {
            "path": str(folder),
            "content_hash": sealed.content_hash,
            "cid": sealed.cid,
            "ciphertext_cid": sealed.ciphertext_cid,
            "size": sealed.size,
            "sha256": sealed.sha256.hex(),
            "recipients": len(public_keys),
        },
        lambda: output.fields(
            [
                ("folder", folder),
                ("content hash", "0x" + sealed.content_hash.hex()),
                ("cid", sealed.cid),
                ("ciphertext", sealed.ciphertext_cid),
                ("size", output.size(sealed.size)),
                ("sha256", sealed.sha256.hex()),
                ("sealed to", output.count(len(public_keys), "key")),
            ]
        ),
    )


@click.command("open")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", "path", metavar="PATH", required=True, help="Where the file goes; - is stdout.")
@click.option("--content-hash", type=CONTENT_HASH, metavar="HASH", help="What the seller told you by another way.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@profile_option
@key_option
@json_option
@pass_state
def open_(state: State, folder: Path, path: str, content_hash: bytes | None, overwrite: bool) -> None:
    """Open a folder that was sealed for your key.

    Checks every byte and decrypts; the file appears only when all of it is right. Without --content-hash it can be said
    that DIR is whole, but not who wrote it.

    \b
    Example:
      numerbay-chain open sealed --key numerbay.json -o predictions.csv
    """
    from numerbay_chain.artifacts.bundle import open_folder
    from numerbay_chain.core.home import keyfile

    pair = keyfile.load(roles.settings(state).required("key"))
    with progress() as report:

        def step(done: int, total: int) -> None:
            report("opening", done, total)

        if output.is_stdout(path):
            with output.stdout_for_data(state.as_json) as stream:
                opened = open_folder(folder, pair, stream, content_hash, step)
        else:
            with offering_overwrite():
                opened = open_folder(folder, pair, Path(path), content_hash, step, overwrite=overwrite)
    for problem in opened.problems:
        output.note(f"{output.PROGRAM}: warning: {problem.message}")
    if not opened.authenticated:
        output.note(
            f"{output.PROGRAM}: warning: there was no content hash to check the manifest against: anybody who knows "
            "your public key could have sealed this; ask the seller for the hash and give --content-hash"
        )
    if not output.is_stdout(path):
        state.changed = True
        state.show(_opened_data(opened, path), lambda: _opened_text(opened, path))


def _opened_data(opened: "OpenedBundle", path: str) -> dict[str, object]:
    return {
        "path": path,
        "size": opened.size,
        "sha256": opened.sha256.hex(),
        "content_hash": opened.content_hash,
        "authenticated": opened.authenticated,
        "details": {
            "name": opened.details.safe_name,
            "media_type": opened.details.media_type,
            "note": opened.details.safe_note,
        },
        "problems": [{"kind": problem.code, "text": problem.message} for problem in opened.problems],
    }


def _opened_text(opened: "OpenedBundle", path: str) -> str:
    return output.fields(
        [
            ("file", path),
            ("name", opened.details.safe_name),
            ("note", opened.details.safe_note or None),
            ("size", output.size(opened.size)),
            ("sha256", opened.sha256.hex()),
            ("content hash", "0x" + opened.content_hash.hex()),
        ]
    )


@click.command()
@click.argument("path")
@json_option
@pass_state
def cid(state: State, path: str) -> None:
    """Print the CID a file has on IPFS.

    CIDv1, sha2-256, raw leaves, chunks of 1 MiB: what `ipfs add --cid-version 1 --chunker size-1048576` prints. A
    folder has the CID of the tar that it is sealed as; - is standard input.

    \b
    Example:
      numerbay-chain cid predictions.csv
    """
    from numerbay_chain.artifacts.source import BLOCK_SIZE, open_source
    from numerbay_chain.ipfs import Importer

    importer = Importer(None)
    if path == "-":
        stdin = streams.stdin_bytes()
        while block := stdin.read(BLOCK_SIZE):
            importer.update(block)
    else:
        source = open_source(path)
        done = 0
        with progress() as report:
            for block in source.blocks():
                importer.update(block)
                done += len(block)
                report("hashing", done, source.size)
    root = importer.finish()
    state.show({"cid": str(root.cid), "size": root.size}, str(root.cid))
