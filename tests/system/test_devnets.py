"""A devnet beside what its user has already; deploying on it; which contract is used and why."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from numerbay_chain.chain.identity import proxy
from tests.support.plugins.toolchain import anvil_binary, require
from tests.support.programs import InsideShell, RunningDevnet, Shell, shell

pytestmark = [pytest.mark.anvil, pytest.mark.slow]
OWN = ("--rpc", "https://node.example/v3/KEY", "--chain-id", "1", "--account", "keystore:/k.json")


@pytest.fixture
def here(tmp_path: Path) -> Shell:
    outer = shell(tmp_path, NUMERBAY_CHAIN_ANVIL=str(require("anvil", anvil_binary())), NUMERBAY_CHAIN_YES="1")
    return InsideShell(outer.folder, outer.environment)


@pytest.fixture
def devnet(here: Shell) -> Iterator[RunningDevnet]:
    here.nbc("profile", "set", "seller", *OWN)
    running = RunningDevnet(here)
    yield running
    running.stop()


def error(here: Shell, *arguments: object, code: int) -> str:
    """The stable code of what a command is refused with."""
    return str(json.loads(here.nbc(*arguments, "--json", code=code).stdout)["error"]["code"])


def test_a_devnet_leaves_a_users_profile_alone_and_says_how_its_own_is_called(
    here: Shell, devnet: RunningDevnet
) -> None:
    assert devnet.said["roles"] == {"seller": "devnet-seller", "buyer": "buyer", "auditor": "auditor"}
    assert set(devnet.said["profiles"]) == {"devnet-seller", "buyer", "auditor", "default"}
    profiles = here.json("profile", "list")["profiles"]
    assert profiles["seller"]["account"] == "keystore:/k.json"
    assert profiles["devnet-seller"]["contract"] == devnet.contract
    created = here.json("-p", "devnet-seller", "listing", "create", "--price", "1 gwei", "--preset", "test")
    assert created["listing"] == 1

    asked = InsideShell(here.folder, {**here.environment, "NUMERBAY_CHAIN_YES": "0"})
    for command in (("skip", 1), ("collect",), ("keys", "register")):
        assert error(asked, "-p", "auditor", *command, code=4) == "no-account", "nothing is asked that can't be done"
    here.nbc("-p", "buyer", "collect", "--for", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8")

    now = here.json("devnet", "advance", "10m")["now"]
    for duration in ("3651d", "100000d"):
        assert error(here, "devnet", "advance", duration, code=2) == "out-of-range"
    assert here.json("devnet", "advance", "1s")["now"] < now + 600

    assert error(here, "devnet", "clean", code=1) == "busy"
    devnet.stop()
    cleaned = here.json("devnet", "clean")
    assert set(cleaned["profiles"]) == {"devnet-seller", "buyer", "auditor", "default"}
    home = here.folder / "home"
    assert set(here.json("profile", "list")["profiles"]) == {"seller"}
    assert not list(home.glob(f"*/31337-{devnet.contract}*"))
    assert not (home / "devnet").exists()
    assert here.json("devnet", "clean") == {"profiles": [], "removed": []}


def test_one_version_has_one_address_and_is_deployed_once(here: Shell, devnet: RunningDevnet) -> None:
    node = ("--rpc", devnet.rpc)
    unused = here.json("deploy", *node, "--account", "dev:7", "--dry-run")
    assert unused["function"] == "deploy"
    assert error(here, "listing", "list", *node, code=2) == "no-contract"

    cheap = ("--account", "dev:7", "--max-fee", "1 gwei")
    for way in ((), ("--direct",)):
        assert error(here, "deploy", *node, *cheap, *way, code=1) == "fee-too-high"
    first = here.json("deploy", *node, "--account", "dev:7")
    assert (first["contract"], first["method"], first["existing"]) == (proxy.known_address(), "proxy", False)
    second = here.json("deploy", *node, "--account", "dev:8")
    assert (second["contract"], second["existing"], second["transaction"]) == (first["contract"], True, None)
    assert second["block"] == first["block"]
    own = here.json("deploy", *node, "--account", "dev:7", "--direct")
    assert (own["method"], own["existing"]) == ("direct", False)
    assert own["contract"] not in (first["contract"], devnet.contract)


def test_the_contract_is_that_of_the_flag_else_the_profiles_else_the_deployed_else_the_known_one(
    here: Shell, devnet: RunningDevnet, tmp_path: Path
) -> None:
    node = ("--rpc", devnet.rpc)
    other = Shell(here.folder, {**here.environment, "NUMERBAY_CHAIN_HOME": str(tmp_path / "other")})
    elsewhere = InsideShell(other.folder, other.environment)
    known = elsewhere.json("deploy", *node, "--account", "dev:7")["contract"]
    assert here.json("audit", *node)["contract"] == known
    own = here.json("deploy", *node, "--account", "dev:7", "--direct")["contract"]
    assert here.json("audit", *node)["contract"] == own
    assert here.json("-p", "buyer", "audit")["contract"] == devnet.contract
    assert here.json("-p", "buyer", "audit", "--contract", known)["contract"] == known

    buyer = ("-p", "buyer", "keys", "register")
    wrong = here.json("deploy", *node, "--account", "dev:7", "--direct")["transaction"]
    assert error(here, *buyer, "--created-by", wrong, code=1) == "contract-unknown"
    assert error(here, *buyer, "--created-by", "0x12", code=2) == "bad-hash"
    assert here.json(*buyer, "--contract", known)["epoch"] == 1
    assert here.json(*buyer)["epoch"] == 1
    assert here.json(*buyer, "--contract", own)["epoch"] == 1


def test_a_network_is_a_name_for_a_chain_and_brings_no_node(here: Shell, devnet: RunningDevnet) -> None:
    assert error(here, "audit", "--network", "base", "--rpc", devnet.rpc, code=2) == "wrong-chain"
    assert error(here, "-p", "buyer", "audit", "--network", "Base Sepolia", code=2) == "wrong-chain"
    assert error(here, "audit", "--network", "base", "--chain-id", "1", "--rpc", devnet.rpc, code=2) == "bad-setting"
    assert error(here, "audit", "--network", "nowhere", "--rpc", devnet.rpc, code=2) == "unknown-network"
    devnet.stop()
    here.nbc("devnet", "clean")
    for command in (("audit",), ("deploy", "--account", "dev:1")):
        ended = here.nbc(*command, "--network", "polygon", "--json", code=2)
        told = json.loads(ended.stdout)["error"]
        assert told["code"] == "no-node"
        assert "networks.toml" in told["message"]
        assert "--rpc" in told["hint"]
