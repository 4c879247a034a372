"""`demo`: the main job, once."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output
from numerbay_chain.cli.options import State, json_option, pass_state
from numerbay_chain.cli.progress import progress
from numerbay_chain.core.errors import ExitCode

if TYPE_CHECKING:
    from numerbay_chain.demo import DemoResult


@click.command()
@click.option(
    "--file", "path", metavar="PATH", type=click.Path(path_type=Path), help="What is sold; else a made-up file."
)
@click.option("--buyers", type=click.IntRange(1, 100), default=3, show_default=True, help="How many buy it.")
@json_option
@pass_state
def demo(state: State, path: Path | None, buyers: int) -> None:
    """Run the whole marketplace once, in this process.

    Deploys the contracts on a chain inside this process, lists, buys, seals a real file, pins it, releases it; every
    buyer fetches, checks and decrypts; the seller withdraws; an audit adds it all up. Nothing is kept.

    \b
    Example:
      numerbay-chain demo --file predictions.csv --buyers 5
    """
    from numerbay_chain import demo as main_job

    with progress() as report:
        result = main_job.run(path, buyers, report)
    state.show(_data(result), lambda: _text(result))
    if not result.accounted or any(buyer.sha256 != result.original_sha256 for buyer in result.buyers):
        raise click.exceptions.Exit(ExitCode.REFUSED)


def _data(result: "DemoResult") -> dict[str, object]:
    from numerbay_chain.cli.commands.auditing.audit import report_data
    from numerbay_chain.cli.render.views import order_name

    return {
        "original_sha256": result.original_sha256.hex(),
        "size": result.size,
        "marketplace": result.marketplace,
        "listing": result.listing,
        "buyers": [
            {"address": buyer.address, **order_name(buyer.order), "sha256": buyer.sha256.hex(), "size": buyer.size}
            for buyer in result.buyers
        ],
        "content_hash": result.content_hash,
        "cid": result.cid,
        "ciphertext_cid": result.ciphertext_cid,
        "sizes": {
            "ciphertext": result.ciphertext_size,
            "commitments": result.commitments_size,
            "envelopes": result.envelopes_size,
        },
        "gas": result.gas,
        "balances": {
            "before": {name: str(balance) for name, balance in result.balances_before.items()},
            "after": {name: str(balance) for name, balance in result.balances_after.items()},
        },
        "accounted": result.accounted,
        "audit": report_data(result.audit),
    }


def _text(result: "DemoResult") -> str:
    from numerbay_chain.core.units import format_order_id

    original = result.original_sha256.hex()
    parts = [
        output.fields(
            [
                ("marketplace", result.marketplace),
                ("listing", result.listing),
                ("content hash", "0x" + result.content_hash.hex()),
                ("cid", result.cid),
                ("ciphertext", result.ciphertext_cid),
            ]
        ),
        output.table(
            ["what", "bytes"],
            [
                ("file", result.size),
                ("ciphertext", result.ciphertext_size),
                ("commitments", result.commitments_size),
                ("envelopes", result.envelopes_size),
            ],
        ),
        output.table(["transaction", "gas"], list(result.gas.items())),
        output.table(
            ["wei", "before", "after"],
            [(name, before, result.balances_after[name]) for name, before in result.balances_before.items()],
        ),
        "every wei is where it should be" if result.accounted else "MONEY IS MISSING",
        f"sha256 of the file\n{original}",
    ]
    lines = [
        f"order {format_order_id(buyer.order)} of {output.short(buyer.address)}\n{buyer.sha256.hex()}"
        f"{'' if buyer.sha256 == result.original_sha256 else '  NOT THE SAME'}"
        for buyer in result.buyers
    ]
    same = all(buyer.sha256 == result.original_sha256 for buyer in result.buyers)
    parts.append("\n".join(lines))
    parts.append("every buyer has the same file" if same else "NOT EVERY BUYER HAS THE FILE")
    return "\n\n".join(parts)
