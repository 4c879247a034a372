"""How many requests commands make to the node: a bar for each, counted by a proxy in front of a real one."""

import sys

import pytest

from numerbay_chain.chain.local.devnet import Devnet, advance
from tests.support.adversary import ANOTHER_KEY
from tests.support.chains.proxy import Proxy
from tests.support.counting import Count
from tests.support.town import Town

pytestmark = pytest.mark.anvil

MOST = {
    "deliver": 25,
    "buy": 14,
    "fetch": 8,
    "verify": 10,
    "orders": 6,
    "listing list": 7,
    "listing show": 6,
    "dispute list": 6,
    "audit": 11,
    "idle deliver after 4": 6,
    "waiting deliver after 3": 6,
    "keys": 17,
    "copies": 44,
    "withdraw": 20,
}
"""Requests; entries of a batch count one each, and what waits for a transaction is not counted."""
DISPUTES = {
    "dispute open": 19,
    "dispute list": 8,
    "dispute list --seller": 15,
    "dispute show": 7,
    "dispute respond": 20,
    "dispute prove": 19,
    "dispute claim": 18,
    "idle dispute respond": 17,
}
TERMS = ("--dispute-window", "20m", "--response-window", "10m")


@pytest.fixture(scope="module")
def town(devnet: Devnet, running_proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town"), devnet, running_proxy)


@pytest.fixture(scope="module")
def counts(town: Town) -> dict[str, Count]:
    """A listing from its first purchase to a file that was fetched, command by command."""
    devnet, found = town.devnet, dict[str, Count]()
    file = town.folder / "predictions.csv"
    listing = town.nbc(0, "listing", "create", "--price", "0.05 ether", *TERMS, "--decline-window", "0")["listing"]
    for number in (1, 2, 3):
        town.nbc(number, "keys", "register")
    town.nbc(2, "buy", listing, "--rounds", 4)
    town.nbc(3, "buy", listing, "--rounds", 4)
    found["buy"] = town.count(1, "buy", listing, "--rounds", 4)
    for round in range(4):
        file.write_text(f"id,prediction\nn0001,0.{round}\n")
        advance(devnet.connection, 700)  # between two releases there are ten minutes
        found["deliver"] = town.count(0, "deliver", file, "--listing", listing)
        found[f"idle deliver after {round + 1}"] = town.count(0, "deliver", "--listing", listing)
    found["orders"] = town.count(1, "orders")
    found["listing list"] = town.count(1, "listing", "list")
    found["listing show"] = town.count(1, "listing", "show", listing)
    found["audit"] = town.count(1, "audit")
    found["dispute list"] = town.count(1, "dispute", "list")
    found["verify"] = town.count(1, "verify", f"{listing}-2")
    found["fetch"] = town.count(1, "fetch", f"{listing}-2", "--output", town.folder / "fetched.csv")
    found |= keys_after_the_release(town)
    found["copies"] = copies(town)
    found["withdraw"] = town.count(0, "withdraw", listing)
    return found


def keys_after_the_release(town: Town) -> dict[str, Count]:
    """Three rounds that can be declined: a look while each can be, then its keys."""
    found, file = dict[str, Count](), town.folder / "declinable.csv"
    listing = town.nbc(0, "listing", "create", "--price", "0.05 ether", *TERMS, "--decline-window", "10m")["listing"]
    for number in (1, 2, 3):
        town.nbc(number, "buy", listing, "--rounds", 3)
    for round in range(3):
        file.write_text(f"id,prediction\nn0001,0.{round}\n")
        town.nbc(0, "deliver", file, "--listing", listing)
        found[f"waiting deliver after {round + 1}"] = town.count(0, "deliver", "--listing", listing)
        advance(town.devnet.connection, 601)
        found["keys"] = town.count(0, "deliver", "--listing", listing)
    return found


def copies(town: Town) -> Count:
    """Three copies of a second round with their keys, in three transactions."""
    terms = ("--copies", "--dispute-window", "0", "--decline-window", "0")
    listing = town.nbc(0, "listing", "create", "--price", "0.05 ether", *terms)["listing"]
    for number in (1, 2, 3):
        town.nbc(number, "buy", listing, "--rounds", 2)
    for round in range(2):
        given = list[object]()
        for number in range(3):
            file = town.folder / f"copy-{number}.csv"
            file.write_text(f"id,prediction\nn000{number},0.{round}\n")
            given += ["--copy", f"{listing}-{number}={file}"]
        advance(town.devnet.connection, 700)
        counted = town.count(0, "deliver", *given)
    return counted


@pytest.mark.parametrize("command", MOST)
def test_a_command_asks_its_node_for_little(counts: dict[str, Count], command: str) -> None:
    print(command, counts[command])
    assert counts[command].total <= MOST[command], str(counts[command])


def test_the_chain_s_id_is_asked_for_once_a_command(counts: dict[str, Count]) -> None:
    assert {name: count.methods["eth_chainId"] for name, count in counts.items()} == dict.fromkeys(counts, 1)


def test_a_delivery_with_nothing_to_do_asks_no_more_for_more_rounds(counts: dict[str, Count]) -> None:
    idle = [counts[f"idle deliver after {rounds}"].total for rounds in (1, 2, 3, 4)]
    waiting = [counts[f"waiting deliver after {rounds}"].total for rounds in (1, 2, 3)]
    assert len({*idle, *waiting}) == 1
    assert idle[0] <= 10


SIGNING = {"web3", "eth_account", "eth_utils", "eth_abi", "eth_keys", "rlp", "pydantic", "aiohttp"}
ENCRYPTING = {"cryptography", "nacl", "numerbay_chain.crypto", "numerbay_chain.artifacts.manifest"}
STEPS = {f"numerbay_chain.{name}" for name in ("delivery", "retrieval", "disputes", "audit", "demo")}


@pytest.mark.parametrize("command", [("orders",), ("listing", "list"), ("listing", "show", "1"), ("profile", "list")])
def test_a_command_that_only_reads_loads_nothing_that_signs_or_encrypts_and_no_steps(
    town: Town, counts: dict[str, Count], command: tuple[str, ...]
) -> None:
    program = (
        "import sys; from numerbay_chain.cli.main import main\n"
        f"code = main({list(command)}); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    ended = town.shell(1).run(sys.executable, "-c", program)
    assert set(ended.stderr.split()) & (SIGNING | ENCRYPTING | STEPS) == set()
    assert "numerbay_chain.cli.main" in ended.stderr.split()


@pytest.fixture(scope="module")
def disputes(town: Town, counts: dict[str, Count]) -> dict[str, Count]:
    """Three orders without a key: of their challenges one gets an answer, one a wrong one, one none."""
    devnet, found = town.devnet, dict[str, Count]()
    file = town.folder / "predictions.csv"
    file.write_text("id,prediction\nn0001,0.5\n")
    listing = town.nbc(0, "listing", "create", "--price", "0.05 ether", *TERMS, "--challenge-bond", "0.001 ether")[
        "listing"
    ]
    orders = {}
    for number in (1, 2, 3):
        orders[number] = town.nbc(number, "buy", listing)["name"]
    artifact = town.cheat().release(listing, str(file))
    advance(devnet.connection, 1)
    found["dispute open"] = town.count(1, "dispute", "open", orders[1])
    town.nbc(2, "dispute", "open", orders[2])
    town.nbc(3, "dispute", "open", orders[3])
    found["dispute list"] = town.count(1, "dispute", "list")
    found["dispute list --seller"] = town.count(0, "dispute", "list", "--seller")
    found["dispute show"] = town.count(1, "dispute", "show", orders[1])
    found["dispute respond"] = town.count(0, "dispute", "respond", orders[1])
    town.cheat().answer(listing << 32 | int(orders[2].split("-")[1]), artifact.manifest, ANOTHER_KEY)
    found["dispute prove"] = town.count(2, "dispute", "prove", orders[2])
    advance(devnet.connection, 601)
    found["dispute claim"] = town.count(3, "dispute", "claim", orders[3])
    found["idle dispute respond"] = town.count(0, "dispute", "respond")
    for _ in range(5):
        town.nbc(0, "listing", "create", "--price", "0.05 ether", *TERMS)
    found["idle dispute respond about five more listings"] = town.count(0, "dispute", "respond")
    return found


def test_a_seller_of_more_listings_asks_no_more(disputes: dict[str, Count]) -> None:
    few, more = (disputes[f"idle dispute respond{name}"] for name in ("", " about five more listings"))
    assert more.total == few.total, f"{few}\n{more}"


@pytest.mark.parametrize("command", DISPUTES)
def test_a_dispute_asks_its_node_for_little(disputes: dict[str, Count], command: str) -> None:
    print(command, disputes[command])
    assert disputes[command].total <= DISPUTES[command], str(disputes[command])
