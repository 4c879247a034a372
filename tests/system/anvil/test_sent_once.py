"""What is asked for once takes effect once, whatever the nodes say: a purchase on a real anvil, through a proxy that
forgets, lags and refuses, and over blocks that are taken back."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from numerbay_chain.chain.connection import Connection, connect
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.local.devnet import request
from numerbay_chain.chain.sending.outbox import Outbox
from numerbay_chain.chain.sending.outgoing import NonceHeldError
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.protocol.events import Receipt
from tests.support.chains.proxy import Answer, Proxy, Request
from tests.support.chains.stage import PRICE, Stage
from tests.support.codes import fails_with
from tests.support.told import Told
from tests.support.wrapped import altered

pytestmark = pytest.mark.anvil

LABEL = "buy"
DEPTH = 3


class KilledError(BaseException):
    """The process ends here."""


class Buyer:
    """Somebody who buys one place of a listing, again and again if he must."""

    def __init__(self, stage: Stage, folder: Path, connection: Connection, confirmations: int | None = None) -> None:
        self.stage, self.listing = stage, stage.new_listing()
        self.sender = Sender(
            connection, stage.buyer.signer, stage.session.address, confirmations=confirmations, patience=20
        )
        self.outbox = Outbox(folder, self.sender)
        self.call = stage.purchase(self.listing)
        self._folder = folder

    def buy(self, call: calls.Call | None = None) -> bool:
        """Whether it was an earlier one that went through."""
        return self.outbox.send(LABEL, call or self.call).resumed

    def dies(self, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
        """Before the transaction reached the node, or right after."""

        def send_raw(connection: Connection, raw: bytes) -> str:
            if after:
                original(connection, raw)
            raise KilledError

        original = Connection.send_raw
        with monkeypatch.context() as patch:
            altered(patch, self.sender.connection, "send_raw", send_raw)
            with pytest.raises(KilledError):
                self.buy()

    @property
    def orders(self) -> int:
        return self.stage.session.listing(self.listing).orders

    @property
    def keeps_nothing(self) -> bool:
        return not [*self._folder.glob("*.json")]


@pytest.fixture
def buyer(stage: Stage, tmp_path: Path) -> Buyer:
    return Buyer(stage, tmp_path, stage.connection)


@pytest.fixture
def far_buyer(stage: Stage, tmp_path: Path, proxy: Proxy) -> Buyer:
    """One whose node is behind the proxy."""
    return Buyer(stage, tmp_path, connect(proxy.url))


@pytest.fixture
def careful_buyer(stage: Stage, tmp_path: Path) -> Buyer:
    """One to whom nothing is final before some blocks lie on top."""
    return Buyer(stage, tmp_path, stage.connection, confirmations=DEPTH)


@pytest.fixture
def hold_blocks(stage: Stage) -> Iterator[Callable[[], None]]:
    """From its call on, blocks come only with `mine`."""
    yield lambda: request(stage.connection, "evm_setAutomine", False)
    request(stage.connection, "anvil_dropAllTransactions")
    request(stage.connection, "evm_setAutomine", True)
    mine(stage)


def mine(stage: Stage, blocks: int = 1) -> None:
    request(stage.connection, "anvil_mine", hex(blocks))


def another_of_the_account(stage: Stage, **fields: Any) -> str:
    """A transaction that was sent from elsewhere."""
    return stage.connection.send_raw(stage.sign(stage.buyer, to=stage.stranger.account, **fields))


HIGH_FEES = {"maxFeePerGas": 10**12, "maxPriorityFeePerGas": 10**11}


def forgetting(times: int, *methods: str) -> Callable[[Request, Callable[[Request], Answer]], Answer]:
    """A node behind which a machine lags: it knows nothing the first so many times."""
    left = dict.fromkeys(methods, times)

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        answer = node(request)
        if left.get(request["method"], 0) > 0:
            left[request["method"]] -= 1
            return {"jsonrpc": "2.0", "id": request["id"], "result": None}
        return answer

    return mischief


def answering(method: str, words: str, *, forward: bool) -> Callable[[Request, Callable[[Request], Answer]], Answer]:
    """A node that says these words to it, whether it did it or not."""

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] != method:
            return node(request)
        if forward:
            node(request)
        return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": words}}

    return mischief


# --------------------------------------------------------------------------------------------------- nodes that forget


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_node_that_lacks_the_receipt_for_a_while_causes_no_second_purchase(
    far_buyer: Buyer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    far_buyer.dies(monkeypatch, after=True)
    proxy.mischief = forgetting(times, "eth_getTransactionReceipt", "eth_getTransactionByHash")
    assert far_buyer.buy() is True
    assert far_buyer.orders == 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_neither_does_it_while_the_purchase_is_being_waited_for(far_buyer: Buyer, proxy: Proxy, times: int) -> None:
    proxy.mischief = forgetting(times, "eth_getTransactionReceipt", "eth_getTransactionByHash")
    assert far_buyer.buy() is False
    assert far_buyer.orders == 1


def test_a_node_that_lacks_the_receipt_is_not_asked_for_something_else_instead(
    far_buyer: Buyer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_buyer.dies(monkeypatch, after=True)
    lagging, asked = forgetting(1, "eth_getTransactionReceipt", "eth_getTransactionByHash"), set[str]()

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        asked.add(request["method"])
        return lagging(request, node)

    proxy.mischief = mischief
    with fails_with(NetworkError, "earlier-pending", "buy"):
        far_buyer.buy(far_buyer.stage.purchase(far_buyer.listing, 2))
    assert far_buyer.orders == 1
    assert "eth_getTransactionReceipt" in asked
    assert not asked & {"eth_call", "eth_estimateGas"}, "it is not told what would have been sent"


@pytest.mark.parametrize(
    "words", ["already known", "transaction already imported", "AlreadyKnown", "Known transaction", "nonce too low"]
)
def test_a_node_that_says_it_has_the_transaction_is_believed(far_buyer: Buyer, proxy: Proxy, words: str) -> None:
    said = answering("eth_sendRawTransaction", words, forward=True)
    lagging = forgetting(2, "eth_getTransactionReceipt", "eth_getTransactionByHash")
    proxy.mischief = lambda request, node: lagging(request, lambda inner: said(inner, node))
    assert far_buyer.buy() is False
    assert far_buyer.orders == 1


# ----------------------------------------------------------------------------------------- others with the same nonce


def test_while_another_transaction_holds_the_nonce_nothing_else_is_signed(
    buyer: Buyer, stage: Stage, monkeypatch: pytest.MonkeyPatch, hold_blocks: Callable[[], None]
) -> None:
    buyer.dies(monkeypatch, after=False)
    hold_blocks()
    another_of_the_account(stage, **HIGH_FEES)
    with fails_with(NonceHeldError, "nonce-held"):
        buyer.buy()
    with fails_with(NetworkError, "earlier-pending", "buy"):
        buyer.buy(stage.purchase(buyer.listing, 2))
    request(stage.connection, "evm_setAutomine", True)
    mine(stage)
    assert buyer.buy() is False, "the first one can never be mined, so another one was signed"
    assert (buyer.orders, buyer.keeps_nothing) == (1, True)


def test_a_refusal_for_an_underpriced_replacement_is_not_an_end(
    far_buyer: Buyer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_buyer.dies(monkeypatch, after=False)
    proxy.mischief = answering("eth_sendRawTransaction", "replacement transaction underpriced", forward=False)
    with pytest.raises(NonceHeldError):
        far_buyer.buy()
    proxy.mischief = answering("none", "", forward=False)
    assert far_buyer.buy() is True, "the same bytes were sent"
    assert far_buyer.orders == 1


def test_one_that_the_node_refuses_for_its_fee_makes_room_under_its_own_nonce(
    far_buyer: Buyer, proxy: Proxy, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_buyer.dies(monkeypatch, after=False)
    nonce = stage.connection.transaction_count(stage.buyer.account)
    refused: list[Request] = []

    def refusing_once(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] == "eth_sendRawTransaction" and not refused:
            refused.append(request)
            words = "transaction underpriced: tip needed 5, tip permitted 1"
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": words}}
        return node(request)

    proxy.mischief = refusing_once
    assert far_buyer.buy() is False
    assert far_buyer.orders == 1
    assert stage.connection.transaction_count(stage.buyer.account) == nonce + 1


def test_a_nonce_used_by_another_is_believed_once_that_is_final(
    careful_buyer: Buyer, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful_buyer.dies(monkeypatch, after=False)
    another_of_the_account(stage)
    with fails_with(NetworkError, "earlier-pending"):
        careful_buyer.buy(stage.purchase(careful_buyer.listing, 2))
    mine(stage, DEPTH)
    assert careful_buyer.buy(stage.purchase(careful_buyer.listing, 2)) is False
    assert careful_buyer.orders == 1


def test_a_replaced_transaction_is_given_up_only_when_that_is_final(
    stage: Stage,
) -> None:
    raw = stage.sign(stage.buyer, to=stage.stranger.account, value=1)
    another_of_the_account(stage)
    hasty = Sender(stage.connection, stage.buyer.signer, stage.session.address, confirmations=DEPTH, patience=0.2)
    with fails_with(NetworkError, "unconfirmed"):
        hasty.resume(raw)
    assert not hasty.is_void(raw)
    mine(stage, DEPTH)
    assert hasty.resume(raw) is None
    assert hasty.is_void(raw)


# ------------------------------------------------------------------------------------------------- blocks taken back


def bought_and_taken_back(buyer: Buyer, stage: Stage) -> bytes:
    """The purchase was told as done; then its block left the chain. The transaction's bytes."""
    before = request(stage.connection, "evm_snapshot")
    assert buyer.buy() is False
    event = Told(stage.session).orders_of(buyer.listing)
    assert len(event) == 1
    newest = stage.connection.transactions_in(stage.connection.block_number())
    assert newest
    raw = bytes.fromhex(str(request(stage.connection, "eth_getRawTransactionByHash", newest[0]["hash"]))[2:])
    assert request(stage.connection, "evm_revert", before) is True
    assert buyer.orders == 0
    return raw


def test_a_purchase_whose_block_was_taken_back_is_waited_for_and_not_repeated(
    careful_buyer: Buyer, stage: Stage, hold_blocks: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_for, resume = threading.Event(), careful_buyer.sender.resume

    def resume_aloud(raw: bytes, *more: Any) -> Receipt | None:
        waited_for.set()
        return resume(raw, *more)

    monkeypatch.setattr(careful_buyer.sender, "resume", resume_aloud)
    raw = bought_and_taken_back(careful_buyer, stage)
    hold_blocks()
    stage.connection.send_raw(raw)
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(careful_buyer.buy)
        assert waited_for.wait(20)
        mine(stage)
        assert again.result(30) is True
    assert careful_buyer.orders == 1


def test_one_that_the_nodes_forgot_with_its_block_is_handed_over_again(careful_buyer: Buyer, stage: Stage) -> None:
    bought_and_taken_back(careful_buyer, stage)
    found = careful_buyer.outbox.resume(LABEL)
    assert found is not None
    assert found.resumed
    assert careful_buyer.orders == 1


def test_what_is_final_is_forgotten_and_what_is_told_stands_in_nobody_s_way(careful_buyer: Buyer, stage: Stage) -> None:
    assert careful_buyer.buy() is False
    assert not careful_buyer.keeps_nothing
    assert careful_buyer.outbox.resume(LABEL) is None, "its caller was told"
    assert careful_buyer.buy() is False, "a second one is meant"
    assert careful_buyer.orders == 2
    mine(stage, DEPTH)
    assert careful_buyer.outbox.resume(LABEL) is None
    assert careful_buyer.keeps_nothing


# -------------------------------------------------------------------------------------------------- mined and reverted


def another_price(buyer: Buyer) -> calls.Call:
    offer = buyer.stage.session.listing(buyer.listing).offer
    return calls.change_offer(listing=buyer.listing, offer=replace(offer, price=PRICE + 1))


def reverted_while_away(buyer: Buyer, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []

    def send_raw(connection: Connection, raw: bytes) -> str:
        sent.append(raw)
        raise KilledError

    with monkeypatch.context() as patch:
        altered(patch, buyer.sender.connection, "send_raw", send_raw)
        with pytest.raises(KilledError):
            buyer.buy()
    stage.seller.send(another_price(buyer))
    with pytest.raises(RevertedError):
        buyer.sender.resume(sent[0])


def test_one_that_was_mined_and_reverted_makes_room(
    buyer: Buyer, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    reverted_while_away(buyer, stage, monkeypatch)
    assert buyer.buy(stage.purchase(buyer.listing)) is False
    assert (buyer.orders, buyer.keeps_nothing) == (1, True)


def test_but_not_while_its_block_could_be_taken_back(
    careful_buyer: Buyer, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    reverted_while_away(careful_buyer, stage, monkeypatch)
    with fails_with(NetworkError, "earlier-pending"):
        careful_buyer.buy(stage.purchase(careful_buyer.listing))
    assert careful_buyer.orders == 0
    mine(stage, DEPTH)
    assert careful_buyer.buy(stage.purchase(careful_buyer.listing)) is False
    assert careful_buyer.orders == 1


def test_one_that_reverts_while_it_is_waited_for_leaves_nothing(
    buyer: Buyer, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_raw(connection: Connection, raw: bytes) -> str:
        monkeypatch.undo()  # the seller is faster
        stage.seller.send(another_price(buyer))
        return connection.send_raw(raw)

    altered(monkeypatch, buyer.sender.connection, "send_raw", send_raw)
    with fails_with(RevertedError, "terms-changed", 1, 0) as caught:
        buyer.buy()
    assert caught.value.transaction is not None
    assert (buyer.orders, buyer.keeps_nothing) == (0, True)
