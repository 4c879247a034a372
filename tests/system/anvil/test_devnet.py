"""A devnet is a process that is started, kept and stopped in good order."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from numerbay_chain.chain.connection import connect
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.identity import deployment
from numerbay_chain.chain.local.devnet import ACCOUNTS, CHAIN_ID, Devnet, advance, find_anvil
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import NetworkError, RefusedError, UsageError
from tests.support.chains.proxy import Proxy, altering
from tests.support.codes import fails_with
from tests.support.told import Told

pytestmark = pytest.mark.anvil


def test_it_answers_as_soon_as_it_is_made_with_funded_accounts(devnet: Devnet) -> None:
    assert devnet.connection.chain_id == CHAIN_ID
    assert devnet.connection.is_development
    for index in (0, ACCOUNTS - 1):
        assert devnet.connection.balance(devnet.signer(index).address) > 9_000 * 10**18
    with fails_with(UsageError, "usage", ACCOUNTS - 1, ACCOUNTS):
        devnet.signer(ACCOUNTS)


def test_its_clock_is_moved_forward_only(devnet: Devnet) -> None:
    before = devnet.connection.now()
    devnet.advance(86_400)
    assert devnet.connection.now() >= before + 86_400
    with fails_with(UsageError, "no-clock", "-1"):
        devnet.advance(-1)


def test_no_other_chains_clock_is_touched(devnet: Devnet, proxy: Proxy) -> None:
    proxy.mischief = altering("eth_chainId", lambda _: "0x1")
    with fails_with(UsageError, "no-clock", 1):
        advance(connect(proxy.url), 10)
    assert proxy.count("evm_increaseTime") == 0


def test_it_ends_with_its_block(anvil_program: str) -> None:
    with Devnet(binary=anvil_program) as devnet:
        assert devnet.running
        rpc = devnet.rpc
    assert not devnet.running
    with fails_with(NetworkError, "network"):
        connect(rpc)


def test_a_state_file_keeps_the_chain(anvil_program: str, tmp_path: Path) -> None:
    state = tmp_path / "kept" / "state.json"
    with Devnet(binary=anvil_program, state=state) as devnet:
        deployed = deployment.deploy(Sender(devnet.connection, devnet.signer(0)))
        Sender(devnet.connection, devnet.signer(1), deployed.address).send(calls.register(public_key=b"\1" * 32))
    with Devnet(binary=anvil_program, state=state) as devnet:
        session = MarketplaceContract(devnet.connection, deployed.address, deployed.block)
        assert session.current_key(devnet.signer(1).address) == (1, b"\1" * 32)
        assert [event.name for event in Told(session).events()] == ["KeyRegistered"]


def test_a_port_that_is_taken_is_said(devnet: Devnet, anvil_program: str) -> None:
    with fails_with(RefusedError, "port-taken", devnet.port) as refused:
        Devnet(binary=anvil_program, port=devnet.port)
    assert "--port" in str(refused.value.hint)


def test_the_program_is_found_by_name_environment_or_path(
    anvil_program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("NUMERBAY_CHAIN_ANVIL", raising=False)
    with fails_with(UsageError, "missing-program", "anvil") as missing:
        find_anvil()
    assert "`make setup`" in str(missing.value.hint)
    assert find_anvil(anvil_program) == anvil_program
    monkeypatch.setenv("NUMERBAY_CHAIN_ANVIL", anvil_program)
    assert find_anvil() == anvil_program
    monkeypatch.delenv("NUMERBAY_CHAIN_ANVIL")
    monkeypatch.setenv("PATH", str(Path(anvil_program).parent) + os.pathsep + str(tmp_path))
    assert find_anvil() == anvil_program


KEEPER = """
import sys, time
from numerbay_chain.chain.local.devnet import Devnet, request
devnet = Devnet(binary=sys.argv[1])
request(devnet.connection, "anvil_mine", hex(2_000))
print(devnet.pid, flush=True)
if sys.argv[2] == "stay":
    time.sleep(600)
devnet.stop()
"""


@pytest.mark.parametrize("how", ["stop", "stay"])
def test_nothing_of_a_devnet_stays_on_the_disk(anvil_program: str, tmp_path: Path, how: str) -> None:
    """It is stopped, or the program that runs it is killed."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir(), temporary.mkdir()
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, anvil_program, how], stdout=subprocess.PIPE, env=environment
    ) as keeper:
        assert keeper.stdout is not None
        assert int(keeper.stdout.readline()) > 0
        assert how == "stop" or [*temporary.iterdir()], "its states are there while it runs"
        if how == "stay":
            keeper.kill()
    end = time.monotonic() + 30
    while [*temporary.iterdir()] and time.monotonic() < end:
        time.sleep(0.1)
    assert [*temporary.iterdir()] == []
    assert [path for path in home.rglob("*") if path.is_file()] == []
