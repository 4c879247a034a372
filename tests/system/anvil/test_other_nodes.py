"""Nodes that know fewer methods, limit requests, hang or refuse in their own ways: all is done, or said as it is."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from numerbay_chain.chain.connection import Connection, NodeRefusedError, connect
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.identity.deployment import verify_code
from numerbay_chain.chain.local.devnet import request as mine
from numerbay_chain.chain.node.errors import NodeBusyError
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import NetworkError, RefusedError, RevertedError
from numerbay_chain.core.policy import Policy
from tests.support.chains.proxy import Answer, Mischief, PlainAnswerError, Proxy, Request, altering
from tests.support.chains.stage import Stage
from tests.support.codes import fails_with
from tests.support.told import Told

pytestmark = pytest.mark.anvil


def refusing(
    when: Callable[[Request], bool], words: str, code: int = -32602, status: int = 200, times: int = 10**9
) -> Mischief:
    """A node that refuses these requests, so many times."""
    left = [times]

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if not when(request) or left[0] == 0:
            return node(request)
        left[0] -= 1
        answer = {"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": words}}
        if status != 200:
            raise PlainAnswerError(status, json.dumps(answer))
        return answer

    return mischief


def both(first: Mischief, second: Mischief) -> Mischief:
    return lambda request, node: first(request, lambda inner: second(inner, node))


def without(method: str) -> Mischief:
    return refusing(lambda request: request["method"] == method, f"the method {method} does not exist", -32601)


def without_base_fee(block: Any) -> Any:
    return {**block, "baseFeePerGas": None}


OLD_NODES: dict[str, tuple[Mischief, str, int]] = {
    "estimates take no block": (
        refusing(lambda r: r["method"] == "eth_estimateGas" and len(r["params"]) > 1, "too many arguments, want 1"),
        "eth_estimateGas",
        2,
    ),
    "estimates with a block fail in words of their own": (
        refusing(lambda r: r["method"] == "eth_estimateGas" and len(r["params"]) > 1, "internal error", -32603),
        "eth_estimateGas",
        2,
    ),
    "the tip is null": (altering("eth_maxPriorityFeePerGas", lambda _: None), "eth_maxPriorityFeePerGas", 1),
    "no tip is suggested": (without("eth_maxPriorityFeePerGas"), "eth_maxPriorityFeePerGas", 1),
    "no tip and no price": (
        both(without("eth_maxPriorityFeePerGas"), without("eth_gasPrice")),
        "eth_maxPriorityFeePerGas",
        1,
    ),
    "no fee history": (
        both(without("eth_maxPriorityFeePerGas"), without("eth_feeHistory")),
        "eth_maxPriorityFeePerGas",
        1,
    ),
    "no pending block": (
        refusing(lambda r: "pending" in r["params"], "invalid block tag pending"),
        "none",
        0,
    ),
    "no base fee": (altering("eth_getBlockByNumber", without_base_fee), "eth_maxPriorityFeePerGas", 0),
}


@pytest.mark.parametrize("kind", OLD_NODES)
def test_what_a_node_can_t_do_is_done_another_way_and_remembered(stage: Stage, proxy: Proxy, kind: str) -> None:
    proxy.mischief, method, refused = OLD_NODES[kind]
    sender = Sender(connect(proxy.url), stage.buyer.signer, stage.session.address)
    listing = stage.new_listing()
    for _ in range(2):
        assert sender.send(stage.purchase(listing)).status == 1
    assert stage.session.listing(listing).orders == 2
    asked_with_more = [seen for seen in proxy.seen if seen["method"] == method and len(seen["params"]) != 1]
    assert len(asked_with_more) == refused
    pending = [seen for seen in proxy.seen if "pending" in seen["params"]]
    if kind == "no pending block":
        assert len(pending) == 1, "what refused it is not asked for it again"


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_revert_is_one_under_any_http_status(stage: Stage, proxy: Proxy, status: int) -> None:
    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        answer = node(request)
        if "error" in answer and status != 200:
            raise PlainAnswerError(status, json.dumps(answer))
        return answer

    proxy.mischief = mischief
    sender = Sender(connect(proxy.url), stage.buyer.signer, stage.session.address)
    with pytest.raises(RevertedError) as caught:
        sender.send(stage.purchase(stage.new_listing(), rounds=13))
    assert (caught.value.name, caught.value.code) == ("RoundsOutOfBounds", "rounds-out-of-bounds")


HASTY = Policy(pauses=(0.01, 0.01, 0.01))
LIMITS = {
    "words": (-32005, "Too Many Requests: daily or per-second limit reached", 200),
    "a code of its own": (429, "Your app has exceeded its compute units per second capacity", 200),
    "the usual code alone": (-32005, "slow", 200),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("method", ["eth_call", "eth_getLogs"])
def test_a_rate_limit_in_the_body_is_waited_for(stage: Stage, proxy: Proxy, limit: str, method: str) -> None:
    if (limit, method) == ("the usual code alone", "eth_getLogs"):
        pytest.skip("for logs that code means too many of them")
    code, words, status = LIMITS[limit]
    session = MarketplaceContract(connect(proxy.url, policy=HASTY), stage.session.address, stage.session.from_block)
    proxy.mischief = refusing(lambda r: r["method"] == method, words, code, status, times=3)
    assert session.listing_count() == stage.session.listing_count()
    assert list(Told(session).events()) == list(Told(stage.session).events())
    proxy.mischief = refusing(lambda r: r["method"] == method, words, code, status)
    proxy.seen.clear()
    with pytest.raises(NodeBusyError) as caught:
        _ = session.listing_count() if method == "eth_call" else list(Told(session).events())
    assert caught.value.code == "node-busy"
    assert words in str(caught.value)
    assert proxy.count(method) == 4, "a bounded number of tries, and no range is cut for it"


def test_a_node_that_gives_no_answer_for_many_blocks_is_asked_for_fewer_at_once(
    stage: Stage, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.new_listing()
    mine(stage.connection, "anvil_mine", hex(200))
    stage.new_listing()
    connection = connect(proxy.url, policy=Policy(logs=0.5))
    session = MarketplaceContract(connection, stage.session.address, stage.session.from_block)
    wide: list[int] = []

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] == "eth_getLogs":
            query = request["params"][0]
            blocks = int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1
            if blocks > 60:
                wide.append(blocks)
                time.sleep(2)
        return node(request)

    proxy.mischief = mischief
    start = time.monotonic()
    assert list(Told(session).events()) == list(Told(stage.session).events())
    assert list(Told(session).events(["Bought"])) == list(Told(stage.session).events(["Bought"]))
    assert wide
    assert wide == sorted(wide, reverse=True), "what hung once is not tried again"
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("status", [502, 504])
def test_a_front_that_gives_a_wide_range_up_is_asked_for_fewer_blocks(
    stage: Stage, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    stage.new_listing()
    mine(stage.connection, "anvil_mine", hex(20))
    connection = connect(proxy.url, policy=Policy(broken=0.001))
    session = MarketplaceContract(connection, stage.session.address, stage.session.from_block)
    newest = stage.connection.block_number()

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] == "eth_getLogs":
            query = request["params"][0]
            if int(query["toBlock"], 16) - int(query["fromBlock"], 16) >= newest // 2:
                raise PlainAnswerError(status, "<html>gateway timeout</html>")
        return node(request)

    proxy.mischief = mischief
    assert list(Told(session).events()) == list(Told(stage.session).events())


def test_a_contract_is_known_though_a_node_gives_some_answers_empty(stage: Stage, proxy: Proxy) -> None:
    count = itertools.count()
    proxy.mischief = altering("eth_call", lambda result: result if next(count) % 2 else "0x")
    verify_code(connect(proxy.url), stage.session.address, stage.deployment.transaction)


@pytest.mark.parametrize("missing", ["input", "gas", "value"])
def test_a_mined_revert_is_one_though_its_transaction_lacks_a_field(stage: Stage, proxy: Proxy, missing: str) -> None:
    call = stage.purchase(stage.new_listing(), rounds=13)
    transaction = {**stage.buyer._transaction(call), "gas": 200_000}
    sent = str(mine(stage.connection, "eth_sendTransaction", transaction))
    proxy.mischief = altering(
        "eth_getTransactionByHash", lambda found: {name: value for name, value in found.items() if name != missing}
    )
    with pytest.raises(RevertedError) as caught:
        Sender(connect(proxy.url), stage.buyer.signer, stage.session.address).lookup(sent)
    assert caught.value.transaction == sent


@pytest.mark.parametrize("answers", [["0x", None], ["0x", "0x", None]])
def test_an_empty_answer_is_asked_for_again(stage: Stage, proxy: Proxy, answers: list[str | None]) -> None:
    session = MarketplaceContract(connect(proxy.url), stage.session.address, stage.session.from_block)
    left = list(answers)
    proxy.mischief = altering("eth_call", lambda result: (left.pop(0) if left else None) or result)
    assert session.listing_count() == stage.session.listing_count()
    assert not left


def test_what_a_node_repeats_of_its_address_is_not_shown(stage: Stage, proxy: Proxy) -> None:
    key = "5ec2e7key0123456789"
    proxy.mischief = refusing(lambda _: True, f"invalid key {key}: this request is not allowed", -32001, 403)
    with pytest.raises(NodeRefusedError) as caught:
        connect(f"{proxy.url}/v3/{key}")
    assert key not in str(caught.value)
    assert "HTTP status 403, invalid key …: this request is not allowed" in str(caught.value)
    assert caught.value.hint == "check the access key in the node's address"


NOBODY = "0x" + 40 * "1"
NONSENSE: dict[str, tuple[str, Callable[[Any], Any], Callable[[Connection], object]]] = {
    "a block without a time": ("eth_getBlockByNumber", lambda b: {**b, "timestamp": None}, lambda c: c.now()),
    "times in milliseconds": (
        "eth_getBlockByNumber",
        lambda b: {**b, "timestamp": hex(int(b["timestamp"], 16) * 1000)},
        lambda c: c.now(),
    ),
    "a block number without end": ("eth_blockNumber", lambda _: "0x" + 10**6 * "f", lambda c: c.block_number()),
    "a balance that is none": ("eth_getBalance", lambda _: "0x" + 65 * "f", lambda c: c.balance(NOBODY)),
    "a nonce in words": ("eth_getTransactionCount", lambda _: "many", lambda c: c.transaction_count(NOBODY)),
    "a tip that is a list": ("eth_maxPriorityFeePerGas", lambda _: [1], lambda c: c.fees()),
    "a negative gas estimate": ("eth_estimateGas", lambda _: "-0x1", lambda c: c.estimate_gas({"to": NOBODY})),
    "storage that is too long": (
        "eth_getStorageAt",
        lambda _: "0x" + 66 * "1",
        lambda c: c.storage(NOBODY, 0),
    ),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_an_answer_that_can_t_be_is_one_clear_error(proxy: Proxy, kind: str) -> None:
    method, change, read = NONSENSE[kind]
    connection = connect(proxy.url)
    proxy.mischief = altering(method, change)
    with fails_with(NetworkError, "bad-answer") as caught:
        read(connection)
    assert caught.value.code == "bad-answer"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "change",
    [
        lambda receipt: {},
        lambda receipt: {**receipt, "status": None},
        lambda receipt: {**receipt, "status": "0x2"},
        lambda receipt: {**receipt, "gasUsed": None},
        lambda receipt: {**receipt, "logs": None},
        lambda receipt: {**receipt, "transactionHash": "0x" + 64 * "1"},
    ],
)
def test_a_receipt_that_can_t_be_never_counts_as_one(stage: Stage, proxy: Proxy, change: Callable[[Any], Any]) -> None:
    sender = Sender(connect(proxy.url), stage.buyer.signer, stage.session.address, patience=5)
    proxy.mischief = altering("eth_getTransactionReceipt", lambda found: found and change(found))
    with fails_with(NetworkError, "bad-answer"):
        sender.send(calls.register(public_key=b"\1" * 32))


def test_revert_data_of_any_length_and_code_that_fails_are_reverts(stage: Stage, proxy: Proxy) -> None:
    connection = connect(proxy.url)
    call = {"from": stage.buyer.account, "to": stage.session.address, "data": "0x"}

    def error(code: int, message: str, data: str | None = None) -> Mischief:
        def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
            if request["method"] != "eth_call":
                return node(request)
            found = {"code": code, "message": message, **({"data": data} if data else {})}
            return {"jsonrpc": "2.0", "id": request["id"], "error": found}

        return mischief

    proxy.mischief = error(3, "execution reverted", "0x08c379a0" + 1_000_000 * "41")
    with fails_with(RevertedError, "reverted", "1,000,004"):
        connection.call(call)
    for words in ("invalid opcode: INVALID", "stack underflow (0 <=> 1)", "EVM error InvalidFEOpcode"):
        proxy.mischief = error(-32000, words)
        with pytest.raises(RevertedError):
            connection.call(call)


def test_the_gas_of_a_transaction_has_a_limit_whatever_base_fee_the_node_tells(stage: Stage, proxy: Proxy) -> None:
    proxy.mischief = altering("eth_getBlockByNumber", lambda block: {**block, "baseFeePerGas": hex(10**13)})
    sender = Sender(connect(proxy.url), stage.buyer.signer, stage.session.address)
    with fails_with(RefusedError, "fee-too-high", "0.05 ETH", "--max-fee") as caught:
        sender.send(calls.register(public_key=b"\1" * 32))
    assert (caught.value.code, caught.value.exit_code) == ("fee-too-high", 1)
    assert proxy.count("eth_sendRawTransaction") == 0


def test_the_chain_s_id_is_asked_for_once(stage: Stage, proxy: Proxy) -> None:
    sender = Sender(connect(proxy.url), stage.buyer.signer, stage.session.address)
    for _ in range(2):
        sender.send(calls.register(public_key=b"\1" * 32))
    assert proxy.count("eth_chainId") == 1
