"""What is asked for once takes effect once, whatever the nodes say: a purchase on a real anvil, through a proxy that
forgets, lags and refuses, and over blocks that are taken back."""

from collections.abc import Callable
from typing import Any

import pytest

from numerbay_chain.chain.local.devnet import request
from numerbay_chain.chain.sending.outgoing import NonceHeldError
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import NetworkError
from tests.support.chains.buying import DEPTH, Buyer, mine
from tests.support.chains.proxy import Answer, Proxy, Request
from tests.support.chains.stage import Stage
from tests.support.codes import fails_with

pytestmark = pytest.mark.anvil


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


def test_a_transaction_that_waits_for_others_is_told_at_once_and_mined_after_them(stage: Stage) -> None:
    sender, to = stage.buyer, stage.stranger.account
    nonce = sender.next_nonce()
    raw = stage.sign(sender, to=to, nonce=nonce + 1)
    stage.connection.send_raw(raw)
    with fails_with(NetworkError, "nonce-gap", nonce, nonce + 1):
        sender.resume(raw)
    stage.connection.send_raw(stage.sign(sender, to=to, nonce=nonce))
    assert sender.resume(raw) is not None
