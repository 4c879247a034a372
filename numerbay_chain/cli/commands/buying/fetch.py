"""What a buyer does with content: `verify` and `fetch`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output, roles
from numerbay_chain.cli.commands.inputs import offering_overwrite
from numerbay_chain.cli.options import (
    ORDER,
    ROUND,
    State,
    account_option,
    all_of,
    pass_state,
    reads_chain,
    reads_content,
)
from numerbay_chain.cli.progress import progress
from numerbay_chain.core.errors import ExitCode
from numerbay_chain.core.units import format_time

if TYPE_CHECKING:
    from numerbay_chain.retrieval.results import Fetched, Verification


_round_option = click.option(
    "--round", "round_", type=ROUND, help="Which round; without it the newest that the order covers."
)
_reads = all_of(reads_chain, account_option, reads_content, pass_state)


@click.command()
@click.argument("order", type=ORDER)
@_round_option
@click.option("--quick", is_flag=True, help="Don't read the ciphertext, only what describes it.")
@_reads
def verify(state: State, order: int, round_: int | None, quick: bool) -> None:
    """Check a round without writing it.

    Reads the manifest from the chain, every byte of ciphertext and commitments from IPFS, and your envelope; with the
    key, whether every chunk decrypts to what was committed to. Exit code 1 when something is wrong; it says what can
    be done about it (decline, dispute, wait), until when, what that costs and what is at stake. A key that is still to
    come is said, but not wrong. Reading stops 5 minutes before the decline window ends (a quarter of a window that is
    shorter than 20 minutes): exit code 3, and the choice is to decline or to accept the round unread.

    \b
    Example:
      numerbay-chain -p buyer verify 1-0
    """
    role = roles.buyer(state)
    with progress() as report:
        checked = role.verify(order, round_, content=not quick, progress=report)
    state.show(_verification_data(checked), lambda: _verification_text(checked))
    if not checked.ok:
        slow = all(one.kind in ("slow", "details", "no-envelope") and not one.fault for one in checked.problems)
        raise click.exceptions.Exit(ExitCode.NETWORK if slow else ExitCode.REFUSED)


def _verification_data(checked: "Verification") -> dict[str, object]:
    from numerbay_chain.cli.render.steps import remedy_steps, steps_data
    from numerbay_chain.cli.render.views import order_name, remedy_data

    return {
        **order_name(checked.order),
        **output.picked(
            checked,
            "round ok content_hash cid ciphertext_cid size checked_content has_envelope key_opened declinable_until "
            "stopped_at",
        ),
        "next_steps": steps_data(remedy_steps(checked)),
        "problems": [
            {**output.picked(problem, "kind text advice fault"), "remedy": remedy_data(problem.remedy)}
            for problem in checked.problems
        ],
    }


def _verification_text(checked: "Verification") -> str:
    from numerbay_chain.cli.render.views import bullets
    from numerbay_chain.core.units import format_order_id

    until = checked.declinable_until
    head = output.fields(
        [
            ("order", format_order_id(checked.order)),
            ("round", checked.round),
            ("content hash", "0x" + checked.content_hash.hex() if checked.content_hash else None),
            ("cid", checked.cid),
            ("ciphertext", checked.ciphertext_cid),
            ("size", output.size(checked.size) if checked.size is not None else None),
            ("content", "every byte is what the chain promises" if checked.checked_content else "not checked"),
            ("key", _key_words(checked)),
            ("decline until", format_time(until) if until is not None else None),
        ]
    )
    lines = [f"{problem.text}" + (f": {problem.advice}" if problem.advice else "") for problem in checked.problems]
    verdict = "no problems found" if checked.ok else f"{output.count(len(lines), 'problem')}:"
    if checked.ok and lines:
        verdict = "no problems found so far:"
    return f"{head}\n\n{verdict}" + (f"\n{bullets(lines)}" if lines else "")


_NO_KEY = {
    "key": "here, but not the one that was committed to",
    "answer": "in the seller's answer, but not the one that was committed to",
    "envelope": "posted, but it can't be read",
    "key-file": "not looked for: the order's key file is not here",
    "paid-back": "none: the round was paid back",
    "overdue": "none: the round is overdue",
    "missed": "none: the round was missed",
    "not-covered": "none: the round is not the order's",
    "no-copy": "not looked for: there is no copy",
    "manifest": "not looked for: there is no manifest that can be used",
}


def _key_words(checked: "Verification") -> str:
    if checked.key_opened:
        return "here, and it is the committed one"
    said = next((_NO_KEY[problem.kind] for problem in checked.problems if problem.kind in _NO_KEY), None)
    late = any(problem.kind == "no-envelope" and problem.fault for problem in checked.problems)
    return said or ("not here" if late else "not here yet")


@click.command()
@click.argument("order", type=ORDER)
@_round_option
@click.option("-o", "--output", "path", metavar="PATH", required=True, help="Where the file goes; - is stdout.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@_reads
def fetch(state: State, order: int, round_: int | None, path: str, overwrite: bool) -> None:
    """Fetch, check and decrypt a round.

    The key comes from your envelope, or from the seller's answer to your challenge. The file appears only when it is
    complete and every byte is what the seller committed to on chain.

    \b
    Example:
      numerbay-chain -p buyer fetch 1-0 -o predictions.csv
    """
    role = roles.buyer(state)
    with progress() as report:
        if output.is_stdout(path):
            with output.stdout_for_data(state.as_json) as stream:
                fetched = role.fetch(order, round_, path=stream, progress=report)
            return
        with offering_overwrite():
            fetched = role.fetch(order, round_, path=Path(path), overwrite=overwrite, progress=report)
    state.show(fetched_data(fetched), lambda: fetched_text(fetched))


def fetched_data(fetched: "Fetched") -> dict[str, object]:
    """A fetched artifact in JSON."""
    from numerbay_chain.cli.render.views import order_name

    return {
        **order_name(fetched.order),
        **output.picked(fetched, "round path size"),
        "sha256": fetched.sha256.hex(),
        **output.picked(fetched, "content_hash cid ciphertext_cid"),
        "details": {
            "name": fetched.details.safe_name,
            "media_type": fetched.details.media_type,
            "note": fetched.details.safe_note,
        },
    }


def fetched_text(fetched: "Fetched") -> str:
    """A fetched artifact for people."""
    return output.fields(
        [
            ("file", fetched.path),
            ("name", fetched.details.safe_name),
            ("note", fetched.details.safe_note or None),
            ("round", fetched.round),
            ("size", output.size(fetched.size)),
            ("sha256", fetched.sha256.hex()),
            ("content hash", "0x" + fetched.content_hash.hex()),
            ("cid", fetched.cid),
        ]
    )
