"""`ape run deploy|deliver|fetch|audit`: Ape's accounts and networks over the same functions of the package."""

import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.plugins.toolchain import anvil_binary, require
from tests.support.programs import ROOT, Ended, RunningDevnet, Shell, shell

pytestmark = [pytest.mark.ape, pytest.mark.slow]
APE = Path(sys.executable).with_name("ape")


def ape(here: Shell, *arguments: object, code: int = 0) -> Ended:
    """`ape run ARGUMENTS` in the project's folder."""
    return Shell(ROOT, here.environment).run(APE, "run", *arguments, code=code)


@pytest.fixture
def here(tmp_path: Path) -> Shell:
    return shell(tmp_path, NUMERBAY_CHAIN_ANVIL=str(anvil_binary() or "anvil"))


@pytest.fixture
def devnet(here: Shell) -> Iterator[RunningDevnet]:
    require("anvil", anvil_binary())
    running = RunningDevnet(here)
    try:
        yield running
    finally:
        running.stop()


def test_deploy_runs_on_apes_in_process_chain(here: Shell) -> None:
    deployed = ape(here, "deploy", "--network", "ethereum:local:test", "--account", "TEST::0", "--json")
    assert deployed.object["chain_id"] == 1337
    assert deployed.object["contract"].startswith("0x")
    assert not list((here.folder / "home").glob("deployments/*"))  # that chain is gone


@pytest.mark.anvil
def test_a_file_goes_from_seller_to_buyer_through_apes_accounts_on_anvil(
    here: Shell, devnet: RunningDevnet, tmp_path: Path
) -> None:
    network = f"ethereum:local:{devnet.rpc}"
    contract = ape(here, "deploy", "--network", network, "--account", "TEST::0", "--json").object["contract"]
    here.nbc("-p", "buyer", "keys", "register", "--contract", contract, "--yes")
    here.nbc(
        "-p", "seller", "listing", "create", "--price", "1 gwei", "--preset", "test", "--contract", contract, "--yes"
    )
    order = here.json("-p", "buyer", "buy", 1, "--contract", contract, "--yes")["name"]
    artifact = tmp_path / "predictions.csv"
    artifact.write_text("id,prediction\nn1,0.5\n")
    place = ["--network", network, "--contract", contract, "--json"]

    deliver = ["deliver", artifact, "--listing", 1, "--account", "TEST::1", *place, "--second-rpc"]
    refused = ape(here, *deliver, "http://127.0.0.1:1", code=3)
    assert refused.object["error"]["code"] == "network"
    delivered = ape(here, *deliver, devnet.rpc).object
    assert delivered["rounds"][0]["state"] == "delivered"
    fetched = ape(here, "fetch", order, "-o", tmp_path / "copy.csv", "--account", "TEST::2", *place).object
    assert fetched["sha256"] == sha256(artifact.read_bytes()).hexdigest()
    assert (tmp_path / "copy.csv").read_bytes() == artifact.read_bytes()
    audited = ape(here, "audit", *place).object
    assert audited["ok"] is True
    assert audited["contract"] == contract


@pytest.mark.anvil
def test_an_error_is_a_sentence_and_an_exit_code_there_too(here: Shell, devnet: RunningDevnet, tmp_path: Path) -> None:
    place = ["--network", f"ethereum:local:{devnet.rpc}", "--contract", devnet.contract]
    refused = ape(here, "fetch", "9-0", "-o", tmp_path / "x", "--account", "TEST::2", *place, code=1)
    assert "numerbay-chain: error: there is no order 9-0" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""


def test_all_four_scripts_run_in_one_process_on_apes_in_process_chain(here: Shell, tmp_path: Path) -> None:
    program = tmp_path / "journey.py"
    program.write_text(JOURNEY)
    import sys

    done = Shell(ROOT, {**here.environment, "PYTHONPATH": str(ROOT)}).run(sys.executable, program, tmp_path)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    deployed, delivered, fetched, audited = said
    assert deployed["chain_id"] == 1337
    assert delivered["rounds"][0]["sha256"] == fetched["sha256"]
    assert (tmp_path / "copy").read_text() == "sold in one process"
    assert audited["ok"] is True


JOURNEY = """
import sys
from pathlib import Path

from ape import accounts, networks
from scripts import _ape, audit, deliver, deploy, fetch

from numerbay_chain.buyer import Buyer
from numerbay_chain.cli import output
from numerbay_chain.seller import Seller

folder = Path(sys.argv[1])
said = []


def ape_run(script, *arguments):
    script.cli.main([*arguments, "--network", "ethereum:local:test"], standalone_mode=False)


show = output.show
output.show = lambda as_json, data, text: (said.append(data), show(as_json, data, text))

with networks.parse_network_choice("ethereum:local:test") as provider:
    ape_run(deploy, "--account", "TEST::0", "--json")
    contract = said[0]["contract"]
    seller = Seller(_ape.session(provider, accounts.test_accounts[1], contract=contract))
    buyer = Buyer(_ape.session(provider, accounts.test_accounts[2], contract=contract))
    buyer.register_key()
    seller.create_listing("1 gwei", preset="test")
    order = buyer.buy(1)
    (folder / "file").write_text("sold in one process")
    place = ["--contract", contract, "--json"]
    ape_run(deliver, str(folder / "file"), "--listing", "1", "--account", "TEST::1", *place)
    ape_run(fetch, str(order.id), "-o", str(folder / "copy"), "--account", "TEST::2", *place)
    ape_run(audit, *place)
"""


def test_an_interrupted_script_has_a_code_too(here: Shell) -> None:
    program = "import click; from scripts._ape import plain_errors\nwith plain_errors(as_json=True):\n    raise {}\n"
    for raised in ("KeyboardInterrupt", "click.Abort"):
        ended = Shell(ROOT, here.environment).run(sys.executable, "-c", program.format(raised), code=130)
        assert ended.object["error"]["code"] == "interrupted"
