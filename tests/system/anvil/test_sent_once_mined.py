"""A purchase that was mined takes effect once: also where its block is taken back, or it reverted."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.local.devnet import request
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.protocol.events import Receipt
from tests.support.chains.buying import DEPTH, LABEL, Buyer, KilledError, mine
from tests.support.chains.stage import PRICE, Stage
from tests.support.codes import fails_with
from tests.support.told import Told
from tests.support.wrapped import altered

pytestmark = pytest.mark.anvil


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
