"""Disputes through the command line on a real anvil: each journey to its end, every balance to the wei."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer

import pytest
from web3 import Web3
from web3.types import RPCEndpoint

from numerbay_chain.chain.connection import Connection
from numerbay_chain.opening import open_session
from tests.support.adversary import ANOTHER_KEY, Cheat
from tests.support.dying import KilledError, death
from tests.support.noise import noise
from tests.support.plugins.toolchain import anvil_binary, require
from tests.support.programs import InsideShell, RunningDevnet, Shell, shell

pytestmark = [pytest.mark.anvil, pytest.mark.slow]
PRICE = 5 * 10**16
BOND = 10**15
TERMS = ["--dispute-window", "20m", "--response-window", "10m", "--challenge-bond", "0.001 ether"]
CONTENT = noise(30_000)
BUYERS = {"buyer": (), "second": ("--account", "dev:5"), "third": ("--account", "dev:6")}


class Town:
    """One machine with a running devnet and three buyers, whose commands run inside this process."""

    def __init__(self, here: Shell, devnet: RunningDevnet) -> None:
        self.here, self.devnet = here, devnet
        self.web3 = Web3(Web3.HTTPProvider(devnet.rpc))
        self.addresses = {
            **devnet.said["accounts"],
            **{name: self.json("keys", "register", "--yes", by=name)["owner"] for name in BUYERS},
        }

    def run(self, *arguments: object, by: str, code: int = 0):
        profile, more = ("buyer", BUYERS[by]) if by in BUYERS else (by, ())
        inside = InsideShell(self.here.folder, self.here.environment)
        return inside.nbc("-p", profile, *arguments, *more, code=code)

    def json(self, *arguments: object, by: str, code: int = 0) -> dict:
        return self.run(*arguments, "--json", by=by, code=code).object

    def advance(self, duration: str) -> None:
        InsideShell(self.here.folder, self.here.environment).nbc("devnet", "advance", duration, "-p", "seller")

    def cheat(self) -> Cheat:
        """The seller's account and secret, without his client."""
        return Cheat(open_session("seller", home=self.here.environment["NUMERBAY_CHAIN_HOME"]))

    def balance(self, who: str) -> int:
        address = self.devnet.contract if who == "marketplace" else self.addresses[who]
        return self.web3.eth.get_balance(Web3.to_checksum_address(address))

    def fees(self, who: str, since: int) -> int:
        """All that the account spent on gas in later blocks."""
        total = 0
        for number in range(since + 1, self.web3.eth.block_number + 1):
            for sent in self.web3.eth.get_block(number, full_transactions=True)["transactions"]:
                if sent["from"] == self.addresses[who]:
                    receipt = self.web3.eth.get_transaction_receipt(sent["hash"])
                    total += receipt["gasUsed"] * receipt["effectiveGasPrice"]
        return total

    def account(self, *people: str) -> "Books":
        return Books(self, people)


class Books:
    """What everybody gained since these were opened, gas apart."""

    def __init__(self, town: Town, people: tuple[str, ...]) -> None:
        self.town, self.block = town, town.web3.eth.block_number
        self.before = {who: town.balance(who) for who in (*people, "marketplace")}

    def gained(self) -> dict[str, int]:
        town = self.town
        fees = {who: 0 if who == "marketplace" else town.fees(who, self.block) for who in self.before}
        return {who: town.balance(who) + fees[who] - before for who, before in self.before.items()}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    here = shell(folder, NUMERBAY_CHAIN_ANVIL=str(require("anvil", anvil_binary())), NUMERBAY_CHAIN_YES="1")
    devnet = RunningDevnet(here)
    try:
        yield Town(here, devnet)
    finally:
        devnet.stop()


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_text("id,prediction\n" + "".join(f"n{i:05},0.{i:05}\n" for i in range(3_000)))
    return path


@pytest.fixture
def sell(town: Town) -> Callable[..., tuple[int, list[str]]]:
    """A listing, and an order of each buyer named."""

    def made(*buyers: str, terms: list[str] = TERMS) -> tuple[int, list[str]]:
        listing = town.json("listing", "create", "--price", "0.05 ether", *terms, by="seller")["listing"]
        return listing, [town.json("buy", listing, by=buyer)["name"] for buyer in buyers]

    return made


def number(order: str) -> int:
    listing, index = order.split("-")
    return int(listing) << 32 | int(index)


def test_a_buyer_with_a_wrong_key_gets_price_and_bond_back(
    town: Town, sell: Callable[..., tuple[int, list[str]]], predictions: Path, tmp_path: Path
) -> None:
    books = town.account("buyer", "seller")
    listing, (order,) = sell("buyer")
    cheat = town.cheat()
    sealed = cheat.release(listing, str(predictions))
    cheat.hand_out(ANOTHER_KEY, [number(order)])
    fetched = town.run("fetch", order, "-o", tmp_path / "wrong.csv", "--json", by="buyer", code=5)
    assert fetched.error == "decryption"
    assert "`dispute open`" in fetched.object["error"]["hint"]
    verified = town.json("verify", order, by="buyer", code=1)
    (problem,) = verified["problems"]
    assert problem["remedy"]["kind"] == "dispute"
    assert (problem["remedy"]["bond"], problem["remedy"]["returns"]) == (str(BOND), str(PRICE + BOND))
    assert int(problem["remedy"]["fee"]) > 0

    opened = town.json("dispute", "open", order, by="buyer")
    assert (opened["state"], opened["bond"]) == ("challenged", str(BOND))
    (asked,) = town.json("dispute", "list", "--seller", by="seller")["disputes"]
    assert (asked["name"], asked["turn"], asked["deadline"]) == (order, "seller", opened["deadline"])
    assert "HURRY" in town.run("dispute", "list", "--seller", by="seller").stderr
    cheat.answer(number(order), sealed.manifest, ANOTHER_KEY)
    assert town.json("dispute", "show", order, by="buyer")["state"] == "answered"
    assert "dispute prove" in town.run("verify", order, by="buyer", code=1).stdout
    proven = town.json("dispute", "prove", order, by="buyer")
    assert (proven["proof"], proven["paid"]) == ("wrong-key", str(PRICE + BOND))
    assert town.json("orders", order, by="buyer")["rounds"][0]["state"] == "paid back"
    assert books.gained() == {"buyer": 0, "seller": 0, "marketplace": 0}
    assert not (tmp_path / "wrong.csv").exists()


def test_a_lying_buyer_gets_nothing(
    town: Town, sell: Callable[..., tuple[int, list[str]]], predictions: Path, tmp_path: Path
) -> None:
    books = town.account("buyer", "seller")
    listing, (order,) = sell("buyer")
    town.run("deliver", predictions, "--listing", listing, by="seller")
    assert town.run("dispute", "open", order, "--json", by="buyer", code=1).error == "nothing-to-prove"
    # a store that finds nothing is how he has his client believe that there is no key
    said = town.run("dispute", "open", order, "--store", f"embedded:{tmp_path / 'empty'}", by="buyer").stderr
    assert "try another --store first" in said
    planned = town.json("dispute", "respond", "--dry-run", by="seller")
    assert {planned["arguments"][name] for name in ("sealedKey", "manifest")} == {"kept back until it is sent"}
    answered = town.json("dispute", "respond", by="seller")
    assert [one["name"] for one in answered["answered"]] == [order]
    block = town.web3.eth.block_number
    assert town.run("dispute", "prove", order, "--json", by="buyer", code=1).error == "nothing-to-prove"
    assert town.web3.eth.block_number == block
    assert town.run("dispute", "settle", order, "--json", by="seller", code=1).error == "nothing-to-settle"
    town.advance("30m")
    assert town.run("dispute", "prove", order, "--json", by="buyer", code=1).error == "too-late"
    settled = town.json("dispute", "settle", order, by="seller")
    assert (settled["ground"], settled["paid"]) == ("nothing-proven", str(PRICE + BOND))
    assert books.gained() == {"buyer": -PRICE - BOND, "seller": PRICE + BOND, "marketplace": 0}
    assert town.json("withdraw", listing, by="seller")["amount"] == "0"
    assert town.json("orders", order, by="buyer")["rounds"][0]["state"] == "paid to the seller"


def test_one_content_proof_pays_back_everybody_a_challenger_too(
    town: Town, sell: Callable[..., tuple[int, list[str]]], tmp_path: Path
) -> None:
    books = town.account(*BUYERS, "seller")
    listing, orders = sell(*BUYERS)
    cheat = town.cheat()
    _, key = cheat.release_junk(listing, CONTENT, chunk=5)
    town.run("dispute", "open", orders[1], by="second")
    cheat.hand_out(key, [number(orders[0]), number(orders[2])])
    said = town.run("fetch", orders[0], "-o", tmp_path / "junk.csv", by="buyer", code=5).stderr
    assert "chunk 5 does not decrypt" in said
    assert "dispute prove" in said
    assert not (tmp_path / "junk.csv").exists()
    (problem,) = town.json("verify", orders[0], by="buyer", code=1)["problems"]
    assert (problem["kind"], problem["remedy"]["kind"]) == ("wrong-content", "prove")
    planned = town.run("dispute", "prove", orders[0], "--dry-run", by="buyer")
    assert "kept back" in planned.stdout
    assert key.reveal().hex() not in planned.stdout + planned.stderr
    proved = town.run("dispute", "prove", orders[0], by="buyer")
    assert "becomes public" in proved.stderr
    assert "0.05 ETH paid back" in proved.stdout

    shown = town.run("dispute", "list", by="second").stdout
    assert "faulty" in shown
    assert "dispute settle" in shown
    assert town.json("orders", orders[2], by="third")["rounds"][0]["state"] == "faulty"
    assert town.json("dispute", "settle", orders[1], by="second")["paid"] == str(PRICE + BOND)
    assert town.json("dispute", "settle", orders[2], by="third")["ground"] == "wrong-content"
    states = [town.json("orders", order, by="buyer")["rounds"][0]["state"] for order in orders]
    assert states == 3 * ["paid back (faulty)"]
    town.advance("2h")
    assert town.json("withdraw", listing, by="seller")["amount"] == "0"
    assert books.gained() == {**dict.fromkeys(BUYERS, 0), "seller": 0, "marketplace": 0}


def test_no_answer_in_time_is_claimed(
    town: Town, sell: Callable[..., tuple[int, list[str]]], predictions: Path
) -> None:
    books = town.account("buyer", "seller")
    listing, (order,) = sell("buyer")
    town.cheat().release(listing, str(predictions))
    said = town.run("verify", order, by="buyer")
    assert "if none comes, dispute it with `dispute open`" in " ".join(said.stdout.split())
    town.run("dispute", "open", order, by="buyer")
    assert town.run("dispute", "claim", order, "--json", by="buyer", code=1).error == "nothing-to-settle"
    town.advance("11m")
    assert town.run("dispute", "respond", order, "--json", by="seller", code=1).error == "nothing-to-answer"
    claimed = town.json("dispute", "claim", order, by="buyer")
    assert (claimed["paid"], claimed["ground"], claimed["receiver"]) == (
        str(PRICE + BOND), "no-response", town.addresses["buyer"]
    )  # fmt: skip
    assert books.gained() == {"buyer": 0, "seller": 0, "marketplace": 0}


def test_a_challenge_that_is_not_mined_yet_is_named_and_waited_for(
    town: Town, sell: Callable[..., tuple[int, list[str]]], predictions: Path
) -> None:
    listing, (order,) = sell("buyer")
    town.cheat().release(listing, str(predictions))
    request = town.web3.provider.make_request
    request(RPCEndpoint("evm_setAutomine"), [False])
    try:
        with death([(Connection, "send_raw")], 1, after=True), pytest.raises(KilledError):
            town.run("dispute", "open", order, by="buyer")
        (waiting,) = (sent["hash"].to_0x_hex() for sent in town.web3.eth.get_block("pending", True)["transactions"])
        planned = town.run("dispute", "open", order, "--dry-run", by="buyer", code=1).stderr
        assert f"round 0 of order {order} is challenged already by transaction {waiting}, which is not" in planned
        mining = Timer(1, lambda: request(RPCEndpoint("evm_mine"), []))
        mining.start()
        opened = town.run("dispute", "open", order, by="buyer")
        mining.join()
    finally:
        request(RPCEndpoint("evm_setAutomine"), [True])
    assert f"transaction {waiting}, sent by an earlier call, is not mined yet: waiting" in opened.stderr
    assert "challenges round" not in opened.stderr
    assert "is challenged: the seller has to answer" in opened.stdout
    town.run("dispute", "respond", order, by="seller")


def test_a_machine_with_nothing_but_the_seller_secret_answers(
    town: Town, sell: Callable[..., tuple[int, list[str]]], predictions: Path, tmp_path: Path
) -> None:
    listing, (order,) = sell("buyer")
    town.cheat().release(listing, str(predictions))  # and no key for anybody
    town.run("dispute", "open", order, by="buyer")
    backup = tmp_path / "secret"
    town.run("seller-secret", "export", "-o", backup, by="seller")
    bare = InsideShell(tmp_path, {**shell(tmp_path / "bare").environment, "NUMERBAY_CHAIN_YES": "1"})
    place = ["--rpc", town.devnet.rpc, "--contract", town.devnet.contract, "--account", "dev:1"]
    assert bare.nbc("dispute", "respond", order, *place, "--json", code=4).error == "wrong-secret"
    bare.nbc("seller-secret", "import", backup)
    assert "1 challenge" in bare.nbc("dispute", "respond", *place).stdout
    town.run("fetch", order, "-o", tmp_path / "answered.csv", by="buyer")
    assert (tmp_path / "answered.csv").read_bytes() == predictions.read_bytes()
    assert town.json("verify", order, by="buyer")["ok"] is True


def test_what_can_t_be_disputed_is_said_before_it_is_bought(
    town: Town, sell: Callable[..., tuple[int, list[str]]]
) -> None:
    listing, _ = sell(terms=["--dispute-window", "0"])
    shown = " ".join(town.run("listing", "show", listing, by="buyer").stdout.split())
    assert "NOT ADJUDICATED" in shown
    bought = town.run("buy", listing, by="buyer")
    assert "NOT ADJUDICATED" in bought.stderr
    order = f"{listing}-0"
    assert town.run("dispute", "open", order, "--json", by="buyer", code=1).error == "not-adjudicated"
    assert "not adjudicated" in town.run("dispute", "show", order, by="buyer").stdout
