"""A node is not believed: pages of logs through a proxy that refuses, cuts off and lies, in front of a real anvil."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numerbay_chain.chain import logs as events
from numerbay_chain.chain.connection import connect
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.local.devnet import request
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import NetworkError, RefusedError, UsageError
from numerbay_chain.opening import open_session
from numerbay_chain.protocol.events import Event
from tests.support.chains.disagreeing import answering, data_altered, on_chain, together
from tests.support.chains.proxy import Answer, HangUpError, PlainAnswerError, Proxy, Request, altering, refusing_ranges
from tests.support.chains.stage import Stage
from tests.support.codes import fails_with
from tests.support.told import Told

pytestmark = pytest.mark.anvil
SEPOLIA = 11155111


@pytest.fixture(scope="module")
def history(stage: Stage) -> list[Event]:
    """Many events over many blocks."""
    listing = stage.new_listing()
    for _ in range(6):
        stage.buy(listing)
        request(stage.connection, "anvil_mine", hex(50))
    return list(Told(stage.session).events())


@pytest.fixture
def session(stage: Stage, proxy: Proxy, history: list[Event]) -> MarketplaceContract:
    found = MarketplaceContract(connect(proxy.url), stage.session.address, stage.session.from_block)
    proxy.seen.clear()
    return found


def ranges(proxy: Proxy) -> list[tuple[int, int]]:
    queries = [seen["params"][0] for seen in proxy.seen if seen["method"] == "eth_getLogs"]
    return [(int(query["fromBlock"], 16), int(query["toBlock"], 16)) for query in queries]


@pytest.mark.parametrize("most", [100, 25])
@pytest.mark.parametrize("status", [200, 400])
def test_pages_halve_until_the_node_takes_them(
    session: MarketplaceContract, history: list[Event], proxy: Proxy, most: int, status: int
) -> None:
    proxy.mischief = refusing_ranges(most, status=status)
    assert list(Told(session).events()) == history
    asked = ranges(proxy)
    assert asked[0][0] == session.from_block
    assert sum(last - first + 1 > most for first, last in asked) < 20 + len(asked) // 4


def test_a_second_run_asks_for_no_page_that_was_refused_before(
    session: MarketplaceContract, history: list[Event], proxy: Proxy, tmp_path: Path
) -> None:
    def run(rpc: str = "") -> int:
        """How many refused requests a command begins with."""
        reader = open_session(home=tmp_path, rpc=rpc or proxy.url, contract=session.address)
        proxy.seen.clear()
        assert list(reader.index.events()) == history
        return next(number for number, (first, last) in enumerate(ranges(proxy)) if last - first + 1 <= 25)

    proxy.mischief = together(on_chain(SEPOLIA), refusing_ranges(25))
    assert run() > 0
    (kept,) = (tmp_path / "nodes").iterdir()
    assert run() == 0
    assert run(proxy.url + "/v3/another-key") == 0, "the host refuses it, whatever the key"
    assert "127.0.0.1" not in kept.name + kept.read_text()
    kept.write_text("{")
    assert run() > 0
    assert run() == 0
    kept.unlink()
    kept.mkdir()
    assert run() > 0
    proxy.mischief = refusing_ranges(25)
    assert run() > 0
    assert [*(tmp_path / "nodes").iterdir()] == [kept], "nothing is kept of a development chain"


def test_an_answer_that_looks_cut_off_is_asked_for_in_halves(
    session: MarketplaceContract, history: list[Event], proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_LOGS", 3)
    proxy.mischief = altering("eth_getLogs", lambda logs: logs[:3])
    assert list(Told(session).events()) == history


def test_a_node_that_refuses_a_single_block_ends_it(session: MarketplaceContract, proxy: Proxy) -> None:
    proxy.mischief = refusing_ranges(0)
    with fails_with(NetworkError, "node-refused", 0):
        list(Told(session).events())


def test_one_that_is_busy_is_asked_again(session: MarketplaceContract, history: list[Event], proxy: Proxy) -> None:
    busy = [429, 503]

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if busy and request["method"] == "eth_getLogs":
            raise PlainAnswerError(busy.pop(), "slow down")
        return node(request)

    proxy.mischief = mischief
    assert list(Told(session).events()) == history
    assert len(set(ranges(proxy))) == 1


def test_a_connection_cut_in_the_middle_is_a_network_error(session: MarketplaceContract, proxy: Proxy) -> None:
    answered: list[Request] = []

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] == "eth_getLogs":
            if len(answered) == 2:
                raise HangUpError
            answered.append(request)
        return node(request)

    proxy.mischief = mischief
    assert list(Told(session).events())
    assert list(Told(session).events())
    with fails_with(NetworkError, "network"):
        list(Told(session).events())


def changed(**fields: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda logs: [*logs[:-1], {**logs[-1], **fields}]


ELSEWHERE = "0x" + "c0" * 20
LIES: dict[str, tuple[Callable[[Any], Any], tuple[object, ...]]] = {
    "another contract's log": (changed(address=ELSEWHERE), ()),
    "a log outside of the range": (changed(blockNumber="0xffffff"), (16777215,)),
    "a log of no block": (changed(blockNumber=None), ()),
    "a log that was removed": (changed(removed=True), ()),
    "a log twice": (lambda logs: [*logs, logs[-1]], ()),
    "an event that does not exist": (changed(topics=["0x" + 64 * "d"]), ()),
    "a log without topics": (changed(topics=[]), ()),
    "data that is too short": (lambda logs: [{**log, "data": log["data"][:-2]} for log in logs], ()),
    "data that is too long": (lambda logs: [{**log, "data": log["data"] + "00" * 32} for log in logs], ()),
    "a topic too many": (
        lambda logs: [{**log, "topics": [*log["topics"], log["topics"][0]]} for log in logs],
        (),
    ),
    "no list": (lambda logs: {"logs": logs}, ()),
    "words": (lambda _: "nothing today", ()),
    "logs without fields": (lambda _: [{}], ()),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_logs_is_noticed(session: MarketplaceContract, proxy: Proxy, lie: str) -> None:
    change, values = LIES[lie]
    proxy.mischief = altering("eth_getLogs", change)
    with fails_with(NetworkError, "bad-answer", *values):
        list(Told(session).events(["Bought"]))


def test_logs_that_were_not_asked_for_are_noticed(stage: Stage, session: MarketplaceContract, proxy: Proxy) -> None:
    def unfiltered(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] == "eth_getLogs":
            request = {**request, "params": [{**request["params"][0], "topics": []}]}
        return node(request)

    proxy.mischief = unfiltered
    with fails_with(NetworkError, "bad-answer"):
        list(Told(session).events(["Bought"]))
    with fails_with(NetworkError, "bad-answer"):
        list(Told(session).events(["KeyRegistered"], owner=stage.other_buyer.account))


def test_orders_that_the_logs_leave_out_are_noticed(
    stage: Stage, session: MarketplaceContract, proxy: Proxy, history: list[Event]
) -> None:
    listing = stage.session.listing_count()
    proxy.mischief = altering("eth_getLogs", lambda logs: logs[1:])
    with fails_with(NetworkError, "node-incomplete", 1):
        Told(session).orders_of(listing)


@pytest.mark.parametrize("answer", ["0x", "0x" + 64 * "f" + "00", "0x" + 63 * "0" + "1" + 64 * "0"])
def test_an_answer_of_another_shape_is_noticed(session: MarketplaceContract, proxy: Proxy, answer: str) -> None:
    proxy.mischief = altering("eth_call", lambda _: answer)
    with fails_with(NetworkError, "bad-answer", "getListing"):
        session.listing(1)


def test_another_chain_than_expected_is_refused_by_both_numbers(proxy: Proxy) -> None:
    with fails_with(UsageError, "wrong-chain", 31337, 1):
        connect(proxy.url, 1)
    proxy.mischief = altering("eth_chainId", lambda _: "0x5")
    with fails_with(UsageError, "wrong-chain", 5, 31337):
        connect(proxy.url, 31337)


@pytest.mark.parametrize("status", [200, 404])
def test_a_page_that_is_no_node_is_a_network_error(proxy: Proxy, status: int) -> None:
    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        raise PlainAnswerError(status, "<html>welcome</html>")

    proxy.mischief = mischief
    with fails_with(NetworkError, "bad-answer" if status == 200 else "node-refused"):
        connect(proxy.url)


def test_a_nodes_own_words_are_shown_on_one_line_and_cut(proxy: Proxy) -> None:
    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        error = {"code": -1, "message": "no\x1b[2J\n" + 5000 * "x"}
        raise PlainAnswerError(200, json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}))

    proxy.mischief = mischief
    with pytest.raises(NetworkError) as caught:
        connect(proxy.url)
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def test_an_access_key_in_a_nodes_address_is_never_shown() -> None:
    for address in ("http://127.0.0.1:1/v3/5ec2e7", "http://user:5ec2e7@127.0.0.1:1/?key=5ec2e7"):
        with fails_with(NetworkError, "network", "http://127.0.0.1:1") as caught:
            connect(address)
        assert "5ec2e7" not in str(caught.value)
        assert caught.value.__suppress_context__
    for address in ("ftp://host/5ec2e7", "wss://host/5ec2e7"):
        with pytest.raises(UsageError) as refused:
            connect(address)
        assert "5ec2e7" not in str(refused.value)


@pytest.mark.parametrize("method", ["eth_maxPriorityFeePerGas", "eth_gasPrice"])
def test_a_tip_beyond_all_bounds_is_not_paid(proxy: Proxy, stage: Stage, method: str) -> None:
    def greedy(request: Request, node: Callable[[Request], Answer]) -> Answer:
        answer = node(request)
        if request["method"] == method:
            return {**answer, "result": hex(51 * 10**9)}
        if method == "eth_gasPrice" and request["method"] == "eth_getBlockByNumber":  # a chain without EIP-1559
            answer["result"].pop("baseFeePerGas")
        return answer

    proxy.mischief = greedy
    sender = Sender(connect(proxy.url), stage.buyer.signer, stage.session.address)
    with fails_with(RefusedError, "fee-too-high", "51 gwei", 50) as caught:
        sender.send(calls.register(public_key=b"\1" * 32))
    assert caught.value.code == "fee-too-high"
    assert proxy.count("eth_sendRawTransaction") == 0
    assert connect(proxy.url, max_tip=51).fees().most >= 51 * 10**9


def test_a_long_answer_that_has_no_logs_is_asked_for_once(session: MarketplaceContract, proxy: Proxy) -> None:
    proxy.mischief = altering("eth_getLogs", lambda _: [{"a": []}] * events.MOST_LOGS)
    with fails_with(NetworkError, "bad-answer"):
        list(Told(session).events())
    assert proxy.count("eth_getLogs") == 1


@pytest.mark.parametrize("count", [1 << 32, 1 << 62, 1 << 63, (1 << 256) - 1])
def test_more_listings_than_there_can_be_are_a_node_s_fault(
    session: MarketplaceContract, proxy: Proxy, count: int
) -> None:
    proxy.mischief = answering("listingCount", count.to_bytes(32))
    with fails_with(NetworkError, "bad-answer", count):
        session.look().listing_count()


@pytest.mark.parametrize(("name", "word"), [("Bought", 0), ("Bought", 2)])
@pytest.mark.parametrize("value", [1 << 88, 1 << 200])
def test_a_log_with_a_number_that_the_contract_can_t_hold_is_a_node_s_fault(
    session: MarketplaceContract, proxy: Proxy, name: str, word: int, value: int
) -> None:
    proxy.mischief = data_altered(name, 32 * word, value.to_bytes(32))
    with fails_with(NetworkError, "bad-answer"):
        list(Told(session).events())


@pytest.mark.parametrize("chain_id", [31337, 1, SEPOLIA, 424242])
@pytest.mark.parametrize("newest", [1 << 62, 1 << 33])
def test_a_newest_block_that_no_chain_can_have_is_refused_before_logs_are_read(
    stage: Stage, proxy: Proxy, chain_id: int, newest: int
) -> None:
    def far(found: Any) -> Any:
        return hex(newest) if isinstance(found, str) else {**found, "number": hex(newest)}

    heads = (altering(method, far) for method in ("eth_blockNumber", "eth_getBlockByNumber"))
    proxy.mischief = together(on_chain(chain_id), *heads)
    connection = connect(proxy.url)
    for ask in (connection.present, connection.block_number, connection.latest):
        with fails_with(NetworkError, "bad-answer"):
            ask()
    assert proxy.count("eth_getLogs") == 0
