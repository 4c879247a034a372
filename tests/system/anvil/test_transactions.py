"""What can become of a transaction between signing and mining, on a real anvil whose blocks the test makes."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from numerbay_chain.chain.connection import connect
from numerbay_chain.chain.encoding import abi, calls
from numerbay_chain.chain.local.devnet import Devnet, request
from numerbay_chain.chain.sending.outgoing import ReplacedError
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import AccountError, NetworkError, RevertedError, UsageError
from numerbay_chain.protocol.events import Receipt
from tests.support.chains.proxy import Answer, HangUpError, Proxy, Request, altering
from tests.support.chains.stage import PRICE, Stage, manifest
from tests.support.codes import fails_with

pytestmark = pytest.mark.anvil


@pytest.fixture
def held_blocks(devnet: Devnet) -> Iterator[Callable[[], object]]:
    """Blocks come only when the test calls it."""
    request(devnet.connection, "evm_setAutomine", False)
    yield lambda: request(devnet.connection, "evm_mine")
    request(devnet.connection, "anvil_dropAllTransactions")
    request(devnet.connection, "evm_setAutomine", True)
    request(devnet.connection, "evm_mine")


class InFlight:
    """A call that is being sent on another thread."""

    def __init__(self, pool: ThreadPoolExecutor, sender: Sender, call: calls.Call) -> None:
        self._told = threading.Event()
        self.raw = b""
        self.transaction = ""
        self._sender = sender
        self.result: Future[Receipt] = pool.submit(sender.send, call, self._before_broadcast)

    def _before_broadcast(self, transaction: str, raw: bytes) -> None:
        self.transaction, self.raw = transaction, raw
        self._told.set()

    def wait_until_pending(self) -> "InFlight":
        assert self._told.wait(30)
        while self._sender.lookup(self.transaction) != "pending":
            assert not self.result.done() or self.result.result()
        return self


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def test_a_transaction_that_somebody_replaced_is_noticed(
    stage: Stage, pool: ThreadPoolExecutor, held_blocks: Callable[[], object]
) -> None:
    flight = InFlight(pool, stage.buyer, calls.register(public_key=b"\1" * 32)).wait_until_pending()
    nonce = stage.connection.transaction_count(stage.buyer.account)
    other = stage.sign(
        stage.buyer, to=stage.stranger.account, nonce=nonce, maxFeePerGas=10**12, maxPriorityFeePerGas=10**11
    )
    stage.connection.send_raw(other)
    held_blocks()
    with fails_with(ReplacedError, "replaced", flight.transaction, nonce):
        flight.result.result(30)
    assert stage.buyer.resume(flight.raw) is None


def test_a_transaction_that_the_node_dropped_is_handed_over_again(
    stage: Stage, pool: ThreadPoolExecutor, held_blocks: Callable[[], object]
) -> None:
    flight = InFlight(pool, stage.buyer, calls.register(public_key=b"\1" * 32)).wait_until_pending()
    request(stage.connection, "anvil_dropTransaction", flight.transaction)
    flight.wait_until_pending()
    held_blocks()
    assert flight.result.result(30).transaction == flight.transaction


def test_a_transaction_that_is_still_waiting_is_waited_for_after_a_crash(
    stage: Stage, pool: ThreadPoolExecutor, held_blocks: Callable[[], object]
) -> None:
    raw = stage.sign(stage.buyer, to=stage.stranger.account, value=1)
    name = stage.connection.send_raw(raw)
    assert stage.buyer.lookup(name) == "pending"
    waiting = pool.submit(stage.buyer.resume, raw)
    held_blocks()
    receipt = waiting.result(30)
    assert receipt is not None
    assert receipt.transaction == name


def test_a_transaction_mined_behind_one_that_spoils_it_says_why(
    stage: Stage, held_blocks: Callable[[], object]
) -> None:
    request(stage.connection, "evm_setAutomine", True)
    listing = stage.new_listing()
    request(stage.connection, "evm_setAutomine", False)
    data = abi.encode_call(calls.release(listing=listing, round=0, manifest=manifest()))
    first = stage.sign(
        stage.seller, to=stage.session.address, data=data, maxPriorityFeePerGas=2 * 10**9, maxFeePerGas=10**11
    )
    second = stage.sign(stage.operator, to=stage.session.address, data=data)
    stage.connection.send_raw(first)
    stage.connection.send_raw(second)
    held_blocks()
    assert stage.resume(stage.seller, first).status == 1
    with fails_with(RevertedError, "not-next-round", 0) as caught:
        stage.operator.resume(second)
    assert caught.value.name == "NotNextRound"
    assert caught.value.arguments == {"listing": listing, "round": 0, "nextRound": 1}
    assert caught.value.transaction is not None


def test_confirmations_are_blocks_on_top(stage: Stage) -> None:
    careful = Sender(stage.connection, stage.buyer.signer, stage.session.address, confirmations=2)
    receipt = careful.send(calls.register(public_key=b"\1" * 32))
    assert not careful.is_final(receipt), "it is told as soon as it was mined"
    request(stage.connection, "anvil_mine", hex(2))
    assert careful.is_final(receipt)
    assert stage.buyer.is_final(receipt), "on a development chain nothing is taken back"


def test_waiting_has_an_end_that_names_the_transaction(stage: Stage, held_blocks: Callable[[], object]) -> None:
    hasty = Sender(stage.connection, stage.buyer.signer, stage.session.address, patience=0.2)
    with fails_with(NetworkError, "unconfirmed"):
        hasty.send(calls.register(public_key=b"\1" * 32))


def test_money_that_is_gone_when_it_is_sent_is_said(stage: Stage, pool: ThreadPoolExecutor) -> None:
    poor = stage.chain.signer(11)
    sender = Sender(stage.connection, poor, stage.session.address)
    listing = stage.new_listing()

    def spend(transaction: str, raw: bytes) -> None:
        request(stage.connection, "anvil_setBalance", poor.address, hex(PRICE))

    with fails_with(AccountError, "insufficient-funds"):
        sender.send(stage.purchase(listing), spend)


# ----------------------------------------------------------------------------------------------- a node that goes away


def through(proxy: Proxy, stage: Stage) -> Sender:
    return Sender(connect(proxy.url), stage.buyer.signer, stage.session.address)


def test_a_connection_cut_while_sending_names_the_transaction_and_running_again_is_safe(
    stage: Stage, proxy: Proxy
) -> None:
    sender, told, listing = through(proxy, stage), [], stage.new_listing()

    def cut_after_sending(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] == "eth_sendRawTransaction":
            node(request)
            proxy.mischief = cut_everything
        return cut_everything(request, node)

    def cut_everything(request: Request, node: Callable[[Request], Answer]) -> Answer:
        raise HangUpError

    def before_broadcast(transaction: str, raw: bytes) -> None:
        told.append((transaction, raw))
        proxy.mischief = cut_after_sending

    with fails_with(NetworkError, "unconfirmed") as caught:
        sender.send(stage.purchase(listing), before_broadcast)
    ((transaction, raw),) = told
    assert transaction in str(caught.value)
    assert caught.value.hint
    proxy.mischief = altering("none", lambda result: result)
    receipt = sender.resume(raw)
    assert receipt is not None
    assert stage.session.listing(listing).orders == 1


def test_a_connection_cut_before_the_node_heard_of_it_loses_nothing(stage: Stage, proxy: Proxy) -> None:
    sender, told, listing = through(proxy, stage), [], stage.new_listing()

    def deaf(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] == "eth_sendRawTransaction":
            raise HangUpError
        return node(request)

    proxy.mischief = deaf
    with fails_with(NetworkError, "unconfirmed"):
        sender.send(stage.purchase(listing), lambda transaction, raw: told.append(raw))
    assert stage.session.listing(listing).orders == 0
    proxy.mischief = altering("none", lambda result: result)
    assert sender.resume(told[0]) is not None
    assert stage.session.listing(listing).orders == 1


def test_a_short_interruption_while_waiting_is_borne(stage: Stage, proxy: Proxy) -> None:
    sender, cuts = through(proxy, stage), []

    def interrupted(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] == "eth_getTransactionReceipt" and len(cuts) < 6:
            cuts.append(request)
            raise HangUpError
        return node(request)

    proxy.mischief = interrupted
    assert sender.send(calls.register(public_key=b"\1" * 32)).status == 1
    assert len(cuts) == 6


def test_a_node_that_repeats_itself_does_not_send_twice(stage: Stage, proxy: Proxy) -> None:
    """The first answer to the broadcast is lost; the second time the node says that it knows the transaction."""
    sender, lost, listing = through(proxy, stage), [], stage.new_listing()

    def forgetful(request: Request, node: Callable[[Request], Answer]) -> Answer:
        answer = node(request)
        if request["method"] == "eth_sendRawTransaction" and not lost:
            lost.append(answer)
            raise HangUpError
        return answer

    proxy.mischief = forgetful
    sender.send(stage.purchase(listing))
    assert proxy.count("eth_sendRawTransaction") == 2
    assert stage.session.listing(listing).orders == 1


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("eth_sendRawTransaction", lambda _: "0x" + 64 * "0"),
        ("eth_getTransactionReceipt", lambda receipt: {**receipt, "transactionHash": "0x" + 64 * "1"}),
        ("eth_getTransactionReceipt", lambda receipt: {**receipt, "status": "0x7"}),
        ("eth_getTransactionReceipt", lambda receipt: {"status": "0x1"}),
        ("eth_getTransactionReceipt", lambda _: "soon"),
        ("eth_getBalance", lambda _: {"much": True}),
        ("eth_estimateGas", lambda _: "plenty"),
        ("eth_getBlockByNumber", lambda _: []),
    ],
)
def test_a_node_that_answers_nonsense_is_not_believed(
    stage: Stage, proxy: Proxy, method: str, change: Callable[[Any], Any]
) -> None:
    sender = through(proxy, stage)
    proxy.mischief = altering(method, change)
    with fails_with(NetworkError, "bad-answer"):
        sender.send(calls.register(public_key=b"\1" * 32))


def test_a_test_account_is_refused_off_a_development_chain(stage: Stage, proxy: Proxy) -> None:
    proxy.mischief = altering("eth_chainId", lambda _: "0x1")
    connection = connect(proxy.url)
    assert not connection.is_development
    with fails_with(UsageError, "test-account", 1):
        Sender(connection, stage.buyer.signer, stage.session.address)
