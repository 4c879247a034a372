"""What --help promises: every command explains itself, and asking costs next to nothing."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from numerbay_chain.cli.lazy import LazyGroup, commands
from numerbay_chain.cli.main import cli
from numerbay_chain.cli.reference import reference
from tests.unit.cli.conftest import Run

ROOT = click.Context(cli, info_name="numerbay-chain")
ALL = commands(cli, ROOT)
NAMES = [" ".join(path) for path, _ in ALL]
HEAVY = {"web3", "rich", "requests", "eth_account", "nacl", "cryptography", "coincurve", "ipfshttpclient", "eth_tester"}


def test_every_command_that_is_promised_is_there() -> None:
    promised = (
        "demo, devnet, devnet advance, deploy, keys new, keys show, keys register, listing create, listing show, "
        "listing list, listing edit, buy, orders, deliver, fetch, verify, decline, skip, cancel, reclaim, refund, "
        "withdraw, collect, voucher sign, voucher show, voucher revoke, audit, seller-secret export, "
        "seller-secret import, seal, open, cid"
    )
    assert set(promised.split(", ")) <= set(NAMES)


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_every_command_has_help_with_an_example_that_calls_it(path: list[str], command: click.Command) -> None:
    text = command.help or ""
    assert "Example:" in text
    assert " ".join(path) in text.split("Example:")[1]


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_every_option_is_explained_and_spelled_with_hyphens(path: list[str], command: click.Command) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert all("_" not in flag for flag in (*parameter.opts, *parameter.secondary_opts))


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_no_option_takes_the_value_of_another(path: list[str], command: click.Command) -> None:
    names = [parameter.name for parameter in command.params]
    assert len(names) == len(set(names)), path


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_help_fits_eighty_columns(path: list[str], command: click.Command, run: Run) -> None:
    shown = run(*path, "--help")
    assert shown.code == 0
    assert shown.stdout.startswith("Usage: numerbay-chain")
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80


@pytest.mark.parametrize("group", [cli, *(command for _, command in ALL if isinstance(command, LazyGroup))])
def test_the_one_line_help_of_a_group_is_what_its_commands_say(group: LazyGroup) -> None:
    for name, entry in group.entries.items():
        command = group.get_command(ROOT, name)
        assert command is not None
        assert (command.help or "").splitlines()[0] == entry.help


def test_the_command_reference_is_the_one_that_the_code_writes() -> None:
    written = Path(__file__).parents[3] / "docs" / "cli.md"
    assert written.read_text() == reference(), "run: python -m numerbay_chain.cli.reference > docs/cli.md"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["buy", "--help"], ["devnet", "--help"], ["nonsense"]]
)
def test_asking_for_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import json, sys\n"
        "from numerbay_chain.cli.main import main\n"
        f"main({arguments!r})\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ended.stderr.splitlines()[-1]))
    assert "click" in loaded
    assert not loaded & HEAVY


def test_help_of_the_program_loads_few_files_of_ours() -> None:
    program = (
        "import sys\n"
        "from numerbay_chain.cli.main import main\n"
        "main(['--help'])\n"
        "print(*(name for name in sys.modules if name.startswith('numerbay_chain.')), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("numerbay_chain.") for name in ended.stderr.split()}
    ours = {"cli", "cli.main", "cli.lazy", "cli.options", "cli.output", "cli.streams"}
    assert loaded == ours | {"core", "core.errors", "core.text"}


def test_the_version_is_the_packages(run: Run) -> None:
    from numerbay_chain import __version__

    assert run("--version").stdout == f"numerbay-chain {__version__}\n"


def test_the_reference_shows_how_a_command_is_called() -> None:
    assert "Usage: numerbay-chain listing show [OPTIONS] LISTING" in reference()
