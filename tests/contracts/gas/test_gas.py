"""What each call costs is written down in docs/gas.json, is what a receipt says, and stays within bounds."""

import pytest
from eth_tester import EthereumTester, PyEVMBackend
from eth_utils import to_checksum_address

from tests.contracts.gas.__main__ import written
from tests.contracts.gas.cases import CASES, Transaction, measure
from tests.support.evm.chain import GAS_LIMIT, GENESIS, RICH, Sent

BARS = {
    "buy_eth": 65_000,
    "buy_eth_rounds_first": 85_000,
    "buy_eth_rounds_next": 68_000,
    "buy_erc20": 95_000,
    "release_deliver_1": 105_000,
    "release_deliver_1000": 105_000,
    "withdraw_1": 44_000,
    "withdraw_1000": 44_000,
    "cancel": 75_000,
    "decline": 75_000,
    "challenge": 80_000,
    "respond": 80_000,
    "prove_wrong_key": 72_000,
    "prove_wrong_content_4kib": 650_000,
    "refund_faulty": 65_000,
    "create_listing": 190_000,
    "register_key": 76_000,
}


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    return measure()


def test_every_case_is_written_down_as_it_measures(measured: dict[str, int]) -> None:
    assert written() == measured, "the contract's gas changed: run `make gas` and look at the difference"


@pytest.mark.parametrize("case", BARS)
def test_a_case_stays_within_its_bound(case: str, measured: dict[str, int]) -> None:
    assert measured[case] <= BARS[case]


@pytest.mark.parametrize("call", ["release_deliver", "withdraw"])
def test_a_thousand_orders_cost_the_seller_no_more_than_one(call: str, measured: dict[str, int]) -> None:
    assert abs(measured[f"{call}_1000"] - measured[f"{call}_1"]) <= 3_000


RECEIPTS = [
    "buy_eth", "buy_erc20", "cancel", "release_deliver_1", "register_key", "collect", "collect_for",
    "challenge", "prove_wrong_key", "prove_wrong_content_4kib", "refund_faulty",
]  # fmt: skip


@pytest.mark.parametrize("case", RECEIPTS)
def test_the_figure_is_what_a_receipt_of_another_machine_says(case: str, measured: dict[str, int]) -> None:
    transaction = CASES[case]()
    assert receipt_gas(transaction) == measured[case]


def receipt_gas(transaction: Transaction) -> int:
    """gasUsed of the same transaction after the same history, each in a block of its own, on py-evm."""
    world = transaction.world
    people = world.accounts.values()
    genesis = {
        bytes.fromhex(person.address[2:]): {"balance": RICH, "nonce": 0, "code": b"", "storage": {}}
        for person in people
    }
    tester = EthereumTester(
        PyEVMBackend(genesis_parameters={"timestamp": GENESIS, "gas_limit": GAS_LIMIT}, genesis_state=genesis)
    )
    for person in people:
        tester.add_account(person.private_key)
    now = world.chain.now
    for sent in [
        *world.chain.history,
        Sent(now, str(transaction.sender), str(world.market), transaction.data(), transaction.value),
    ]:
        if sent.timestamp > tester.get_block_by_number("pending")["timestamp"]:
            tester.time_travel(sent.timestamp)
        call = {
            "from": to_checksum_address(sent.sender),
            "data": "0x" + sent.data.hex(),
            "value": sent.value,
            "gas": 20_000_000,
        }
        if sent.to:
            call["to"] = to_checksum_address(sent.to)
        receipt = tester.get_transaction_receipt(tester.send_transaction(call))
        assert receipt["status"] == 1
    return int(receipt["gas_used"])
