"""The journey through real processes and a real anvil: devnet, list, buy, deliver, verify, fetch, withdraw, audit."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.noise import noise
from tests.support.plugins.toolchain import anvil_binary, require
from tests.support.programs import InsideShell, RunningDevnet, Shell, shell

pytestmark = [pytest.mark.anvil, pytest.mark.slow]
PRICE = 5 * 10**16
ETHER = 10**18


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """One machine on which the profiles of seller, buyer and auditor stand, and the devnet that wrote them runs.

    It is shared: every test sells through a listing of its own.
    """
    here = shell(tmp_path_factory.mktemp("machine"), NUMERBAY_CHAIN_ANVIL=str(require("anvil", anvil_binary())))
    devnet = RunningDevnet(here)
    try:
        here.nbc("-p", "buyer", "keys", "register", "--yes")
        yield here
    finally:
        devnet.stop()


@pytest.fixture
def session(machine: Shell) -> Shell:
    """The same machine, its commands run inside this process."""
    return InsideShell(machine.folder, machine.environment)


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_text("id,prediction\n" + "".join(f"n{i:05},0.{i:05}\n" for i in range(20_000)))
    return path


@pytest.fixture
def listing(session: Shell) -> int:
    """Open, in the shortest windows there are."""
    created = session.json("-p", "seller", "listing", "create", "--price", "0.05 ether", "--preset", "test", "--yes")
    return created["listing"]


def balance(session: Shell, account: str) -> int:
    from web3 import Web3

    rpc = json.loads(session.nbc("-p", "seller", "profile", "show", "--json").stdout)["rpc"]
    return Web3(Web3.HTTPProvider(rpc)).eth.get_balance(Web3.to_checksum_address(account))


def test_the_journey_of_a_file_from_seller_to_buyer(
    machine: Shell, predictions: Path, listing: int, tmp_path: Path
) -> None:
    """Each step a process of its own."""
    shown = machine.nbc("listing", "show", listing)
    assert "0.05 ETH per round" in shown.stdout
    bought = machine.json("-p", "buyer", "buy", listing, "--rounds", "2", "--yes")
    assert bought["name"] == f"{listing}-0"
    assert bought["total"] == str(2 * PRICE)
    assert bought["transaction"].startswith("0x")
    assert bought["gas_used"] > 21_000

    not_yet = machine.nbc("-p", "buyer", "fetch", bought["name"], "-o", tmp_path / "early.csv", code=1)
    assert not_yet.stderr.startswith("numerbay-chain: error: ")
    assert not (tmp_path / "early.csv").exists()

    delivered = machine.json("-p", "seller", "deliver", predictions, "--listing", listing, "--yes")
    assert delivered["state"] == "delivered"
    assert [order["name"] for order in delivered["newly_posted"]] == [bought["name"]]

    verified = machine.json("-p", "buyer", "verify", bought["name"])
    assert verified["ok"] is True
    assert verified["content_hash"] == delivered["content_hash"]
    fetched = machine.json("-p", "buyer", "fetch", bought["name"], "-o", tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_bytes() == predictions.read_bytes()
    assert fetched["sha256"] == delivered["sha256"] == sha256(predictions.read_bytes()).hexdigest()
    assert machine.nbc("-p", "buyer", "fetch", bought["name"], "-o", "-").stdout == predictions.read_text()

    seller = machine.json("listing", "show", listing)["seller"]
    early = machine.json("-p", "seller", "withdraw", listing, "--yes")
    assert early["amount"] == "0"
    assert [pot["amount"] for pot in early["waiting"]] == [str(PRICE)]
    machine.nbc("devnet", "advance", "10m")
    before = balance(machine, seller)
    withdrawn = machine.json("-p", "seller", "withdraw", listing, "--yes")
    assert withdrawn["amount"] == str(PRICE)
    assert 0 < before + PRICE - balance(machine, seller) < ETHER // 1000  # gas

    audited = machine.json("audit")
    assert audited["ok"] is True
    assert [money["owed"] for money in audited["balances"]] == [money["held"] for money in audited["balances"]]
    assert audited["findings"] == []


def test_a_buyer_of_the_round_that_is_out_gets_the_key_with_the_next_visit(
    session: Shell, predictions: Path, listing: int, tmp_path: Path
) -> None:
    session.nbc("-p", "seller", "deliver", predictions, "--listing", listing, "--yes")
    order = session.json("-p", "buyer", "buy", listing, "--yes")["name"]
    waiting = session.json("-p", "buyer", "verify", order)
    assert (waiting["ok"], waiting["key_opened"]) == (True, False), "it is to come, which is not wrong"
    assert [problem["kind"] for problem in waiting["problems"]] == ["no-envelope"]
    served = session.json("-p", "seller", "deliver", "--listing", listing, "--yes")
    assert [order["name"] for each in served["rounds"] for order in each["newly_posted"]] == [order]
    session.nbc("-p", "buyer", "fetch", order, "-o", tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_bytes() == predictions.read_bytes()


def test_money_comes_back_by_decline_cancel_reclaim_refund_and_skip(session: Shell, predictions: Path) -> None:
    terms = ["--preset", "test", "--no-instant", "--decline-window", "1m", "--response-window", "1m"]
    listing = session.json("-p", "seller", "listing", "create", "--price", "0.05 ether", *terms, "--yes")["listing"]
    orders = [
        session.json("-p", "buyer", "buy", listing, "--rounds", "4", "--again", "--yes")["name"] for _ in range(4)
    ]
    declined, cancelled, refunded, kept = orders

    waiting = session.json("-p", "seller", "deliver", predictions, "--listing", listing, "--yes")
    assert waiting["state"] == "waiting"
    assert session.json("-p", "buyer", "decline", declined, "--yes")["paid"] == str(4 * PRICE)
    assert session.json("-p", "buyer", "cancel", cancelled, "--yes")["paid"] == str(2 * PRICE)
    assert session.json("-p", "seller", "refund", refunded, "--yes")["paid"] == str(3 * PRICE)
    session.nbc("-p", "buyer", "reclaim", cancelled, "--yes", code=1)
    session.nbc("devnet", "advance", "3h")
    assert session.json("-p", "buyer", "reclaim", cancelled, "--yes")["paid"] == str(PRICE)

    served = session.json("-p", "seller", "deliver", "--listing", listing, "--yes")
    posted = {order["name"] for each in served["rounds"] for order in each["newly_posted"]}
    assert posted == {cancelled, refunded, kept}
    session.nbc("-p", "buyer", "fetch", declined, "-o", "declined.csv", code=1)

    session.nbc("-p", "seller", "skip", listing, "--yes")
    missed = session.json("-p", "buyer", "reclaim", kept, "--missed", "--yes")
    assert missed["paid"] == str(PRICE)
    assert session.json("audit")["ok"] is True
    statuses = {order["name"]: order["status"] for order in session.json("-p", "buyer", "orders")["orders"]}
    assert statuses[kept] == "active"
    assert statuses[declined] == "ended"


def test_a_voucher_opens_a_closed_listing_until_it_is_revoked(session: Shell, listing: int, tmp_path: Path) -> None:
    voucher = tmp_path / "voucher.json"
    session.nbc("-p", "seller", "listing", "edit", listing, "--close", "--yes")
    assert "closed" in session.nbc("-p", "buyer", "buy", listing, "--yes", code=1).stderr
    session.nbc("-p", "seller", "voucher", "sign", listing, "--price", "0", "--uses", "2", "-o", voucher)
    assert session.json("-p", "buyer", "voucher", "show", voucher)["usable"] is True
    bought = session.json("-p", "buyer", "buy", listing, "--voucher", voucher, "--yes")
    assert bought["total"] == "0"
    session.nbc("-p", "seller", "voucher", "revoke", voucher, "--yes")
    refused = session.nbc("-p", "buyer", "buy", listing, "--voucher", voucher, "--again", "--yes", code=1)
    assert "revoked" in refused.stderr
    assert session.json("-p", "buyer", "voucher", "show", voucher)["revoked"] is True


def test_every_buyer_of_copies_gets_his_own(session: Shell, tmp_path: Path) -> None:
    terms = ["--copies", "--dispute-window", "0", "--min-interval", "1m"]
    listing = session.json("-p", "seller", "listing", "create", "--price", "0.05 ether", *terms, "--yes")["listing"]
    first = session.json("-p", "buyer", "buy", listing, "--yes")["name"]
    second = session.json("-p", "buyer", "buy", listing, "--again", "--yes")["name"]
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"copy {name}")
    copies = ["--copy", f"{first}={tmp_path / 'one'}", "--copy", f"{second}={tmp_path / 'two'}"]
    session.nbc("-p", "seller", "deliver", *copies, "--yes")
    assert session.nbc("-p", "buyer", "fetch", first, "-o", "-").stdout == "copy one"
    assert session.nbc("-p", "buyer", "fetch", second, "-o", "-").stdout == "copy two"


def test_nothing_is_sent_without_consent(session: Shell, listing: int) -> None:
    before = session.json("-p", "buyer", "orders")
    refused = session.nbc("-p", "buyer", "buy", listing, code=2)
    assert "buys round 0 of listing" in refused.stderr
    assert "add --yes" in refused.stderr
    planned = session.json("-p", "buyer", "buy", listing, "--rounds", "3", "--dry-run")
    assert planned["function"] == "buy"
    assert planned["value"] == str(3 * PRICE)
    assert planned["arguments"]["rounds"] == 3
    assert planned["gas"] > 21_000
    assert session.json("-p", "buyer", "orders") == before


def test_on_a_terminal_it_asks_and_a_no_sends_nothing(machine: Shell, listing: int) -> None:
    before = machine.json("-p", "buyer", "orders")
    code, said = machine.on_a_terminal("-p", "buyer", "buy", listing, typed="n\n")
    assert "buys round 0" in said
    assert "go ahead? [y/N]" in said
    assert "stopped before anything was sent" in said
    assert code == 1
    assert machine.json("-p", "buyer", "orders") == before
    assert machine.on_a_terminal("-p", "buyer", "buy", listing, typed="y\n")[0] == 0
    assert len(machine.json("-p", "buyer", "orders")["orders"]) == len(before["orders"]) + 1


def test_on_a_terminal_lines_end_between_words_and_addresses_stay_whole(machine: Shell) -> None:
    command = ("-p", "buyer", "keys", "register", "--yes")
    registered = machine.json(*command)
    _, said = machine.on_a_terminal(*command, typed="")
    lines = said.splitlines()
    assert max(len(line) for line in lines) <= 80
    for whole in (registered["owner"], registered["public_key"]):
        assert any(whole in line for line in lines)
    assert len(machine.nbc(*command).stdout.splitlines()) == 1, "what is piped stays in one line"


def test_progress_counts_bytes_as_bytes_and_blocks_as_blocks(machine: Shell, predictions: Path, listing: int) -> None:
    machine.nbc("-p", "buyer", "buy", listing, "--yes")
    machine.nbc("-p", "seller", "deliver", predictions, "--listing", listing, "--yes")
    _, audited = machine.on_a_terminal("audit", typed="")
    assert re.search(r"read logs .*\d+/\d+ blocks", audited)
    assert re.search(r"compare listings .*\d+/\d+ listings", audited)
    assert not re.search(r"bytes|[kKM]i?B|B/s", audited)
    _, verified = machine.on_a_terminal("-p", "buyer", "verify", f"{listing}-0", typed="")
    assert re.search(r"check .*/\d+\.\d KiB", verified)


def test_a_dry_run_shows_the_call_and_changes_nothing(session: Shell, listing: int) -> None:
    before = session.json("audit")["to_block"]
    for function, command in {
        "createListing": ("-p", "seller", "listing", "create", "--price", "1 gwei"),
        "changeOffer": ("-p", "seller", "listing", "edit", listing, "--price", "2 gwei"),
        "skip": ("-p", "seller", "skip", listing),
        "deploy": ("deploy", "--account", "dev:7"),
    }.items():
        planned = session.json(*command, "--dry-run")
        assert planned["dry_run"] is True
        assert planned["function"] == function
    assert session.json("audit")["to_block"] == before


def test_what_the_contract_or_the_chain_refuses_is_said_in_a_sentence(session: Shell, listing: int) -> None:
    for arguments, code in (
        (("-p", "buyer", "buy", 99, "--yes"), 1),
        (("-p", "buyer", "skip", listing, "--yes"), 1),
        (("-p", "buyer", "cancel", f"{listing}-5", "--yes"), 1),
        (("-p", "buyer", "buy", listing, "--max-price", "1 gwei", "--yes"), 1),
        (("-p", "buyer", "buy", listing, "--rounds", "60", "--yes"), 1),
        (("buy", listing, "--yes"), 4),
        (("-p", "buyer", "buy", listing, "--chain-id", "1", "--yes"), 2),
        (("-p", "buyer", "buy", listing, "--contract", "0x" + 40 * "1", "--yes"), 2),
        (("-p", "seller", "deliver", "nowhere.csv", "--listing", listing, "--yes"), 1),
    ):
        ended = session.nbc(*arguments, code=code)
        error = [line for line in ended.stderr.splitlines() if line.startswith("numerbay-chain: error: ")]
        assert len(error) == 1, ended
        assert "this is a bug" not in error[0]
        assert ended.stdout == ""


def test_a_buyer_without_a_registered_key_is_told_to_register_one(session: Shell, listing: int) -> None:
    refused = session.nbc("-p", "buyer", "buy", listing, "--account", "dev:9", "--yes", "--json", code=4)
    assert refused.error == "no-key"
    assert "`keys register`" in refused.object["error"]["hint"]


def test_a_node_that_is_gone_is_a_network_error(session: Shell, listing: int) -> None:
    gone = session.nbc("-p", "buyer", "buy", listing, "--rpc", "http://127.0.0.1:1", "--yes", code=3)
    assert "can't be reached" in gone.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_devnet_ends_with_its_command_and_leaves_no_anvil_behind(tmp_path: Path, number: signal.Signals) -> None:
    here = shell(tmp_path, NUMERBAY_CHAIN_ANVIL=str(require("anvil", anvil_binary())))
    devnet = RunningDevnet(here)
    assert set(devnet.said["profiles"]) == {"seller", "buyer", "auditor", "default"}
    ended = devnet.stop(number)
    assert ended.code == 130
    assert "the devnet was stopped" in ended.stderr
    with suppress(ProcessLookupError):
        os.kill(devnet.pid, 0)
        pytest.fail("anvil still runs")


def test_a_devnet_that_is_killed_leaves_no_anvil_behind(tmp_path: Path) -> None:
    here = shell(tmp_path, NUMERBAY_CHAIN_ANVIL=str(require("anvil", anvil_binary())))
    devnet = RunningDevnet(here)
    assert is_listening(devnet.rpc)
    assert devnet.stop(signal.SIGKILL).code == -signal.SIGKILL
    for _ in range(1_000):
        if not is_listening(devnet.rpc):
            return
        time.sleep(0.02)
    os.kill(devnet.pid, signal.SIGKILL)
    pytest.fail("anvil still runs")


def is_listening(rpc: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(rpc.rpartition(":")[2]))) == 0


def test_what_was_journaled_about_an_earlier_devnet_is_never_taken_for_this_one(tmp_path: Path) -> None:
    here = shell(tmp_path, NUMERBAY_CHAIN_ANVIL=str(require("anvil", anvil_binary())))
    (tmp_path / "file").write_text("the same file")
    contracts = set()
    for _ in range(2):
        devnet = RunningDevnet(here)
        contracts.add(devnet.contract)
        here.nbc("-p", "seller", "listing", "create", "--price", "1 gwei", "--preset", "test", "--yes")
        delivered = here.json("-p", "seller", "deliver", "file", "--listing", 1, "--yes")
        assert delivered["round"] == 0
        assert delivered["resumed"] is False
        devnet.stop()
    assert len(contracts) == 2


def test_the_demo_ends_with_every_buyers_file_and_every_wei_accounted_for(tmp_path: Path) -> None:
    here = shell(tmp_path)
    (tmp_path / "file").write_bytes(noise(200_000))
    demo = here.json("demo", "--file", "file", "--buyers", "2")
    assert demo["original_sha256"] == sha256((tmp_path / "file").read_bytes()).hexdigest()
    assert [buyer["sha256"] for buyer in demo["buyers"]] == 2 * [demo["original_sha256"]]
    assert {"address", "order", "sha256"} <= set(demo["buyers"][0])
    assert {"content_hash", "cid", "ciphertext_cid", "gas", "balances"} <= set(demo)
    assert demo["accounted"] is True
    before, after = demo["balances"]["before"], demo["balances"]["after"]
    assert set(before) == set(after)
    assert all(isinstance(amount, str) and amount.isdigit() for amount in (*before.values(), *after.values()))
    assert all(isinstance(gas, int) and gas > 0 for gas in demo["gas"].values())
    assert "every wei is where it should be" in here.nbc("demo", "--buyers", "1").stdout
