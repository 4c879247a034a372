"""How many requests commands make to the node of a chain that is no development chain, where each question names a
block that nodes behind the same address may lack."""

import time
from collections.abc import Callable, Iterator

import pytest

from numerbay_chain.chain.connection import connect
from numerbay_chain.chain.local.devnet import Devnet
from numerbay_chain.chain.node.freshness import FIRST_LOOKS
from numerbay_chain.core.policy import Policy
from tests.support.chains.proxy import Proxy
from tests.support.counting import Count
from tests.support.town import PublicTown

pytestmark = pytest.mark.anvil

MOST = {
    "keys register": 16,
    "buy": 18,
    "deliver": 25,
    "idle deliver": 9,
    "orders": 9,
    "verify": 10,
    "fetch": 9,
    "dispute open": 19,
    "idle dispute respond": 15,
    "dispute respond": 31,
}
KNOWN = "--unchecked-contract"  # as if it had been looked at before, which no trial remembers
TERMS = ("--dispute-window", "2d", "--response-window", "1d", "--decline-window", "0")


@pytest.fixture(scope="module")
def town(anvil_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicTown]:
    with Devnet(binary=anvil_program) as devnet, Proxy(devnet.rpc).running() as proxy:
        yield PublicTown(tmp_path_factory.mktemp("town"), devnet, proxy)


@pytest.fixture(scope="module")
def counts(town: PublicTown) -> dict[str, Count]:
    found, file = dict[str, Count](), town.folder / "predictions.csv"

    def step(number: int, *arguments: object) -> Count:
        count = town.count(number, *arguments)
        town.settle()
        return count

    listing = town.nbc(0, "listing", "create", "--price", "0.05 ether", *TERMS)["listing"]
    for number in (1, 2, 3):
        found["keys register"] = step(number, "keys", "register")
    for number in (1, 2, 3):
        found["buy"] = step(number, "buy", listing, "--rounds", 4)
    for round in range(2):
        file.write_text(f"id,prediction\nn0001,0.{round}\n")
        found["deliver"] = step(0, "deliver", file, "--listing", listing, KNOWN)
        found["idle deliver"] = step(0, "deliver", "--listing", listing, KNOWN)
    found["orders"] = step(1, "orders")
    found["verify"] = step(1, "verify", f"{listing}-0")
    found["fetch"] = step(1, "fetch", f"{listing}-0", "--output", town.folder / "fetched.csv")
    found["idle dispute respond"] = step(0, "dispute", "respond")
    town.cheat().release(listing, str(file))
    town.settle()
    found["dispute open"] = step(1, "dispute", "open", f"{listing}-0")
    found["dispute respond"] = step(0, "dispute", "respond")
    return found


def test_the_newest_block_is_believed_for_a_moment_and_until_a_newer_one_shows(town: PublicTown) -> None:
    connection, account = connect(town.proxy.url, policy=Policy(believed=0.5)), town.signer(1).address

    def heads(read: Callable[[], object]) -> int:
        town.proxy.seen.clear()
        read()
        return town.proxy.count("eth_getBlockByNumber") + town.proxy.count("eth_blockNumber")

    def read() -> object:
        return connection.balance(account), connection.now(), connection.code(account)

    assert heads(read) == FIRST_LOOKS
    assert heads(read) == 0
    time.sleep(0.5)
    assert heads(read) == 1
    town.settle()
    before = connection.now()
    assert heads(connection.block_number) == 1, "it shows a newer one"
    assert heads(read) == 1
    newest = town.devnet.connection.transport.request("eth_getBlockByNumber", ["latest", False])
    assert connection.now() == int(newest["timestamp"], 16) > before
    connection.doubt()
    assert heads(read) == 1


@pytest.mark.parametrize("command", MOST)
def test_a_command_asks_a_public_node_for_little(counts: dict[str, Count], command: str) -> None:
    print(command, counts[command])
    assert counts[command].total <= MOST[command], str(counts[command])
