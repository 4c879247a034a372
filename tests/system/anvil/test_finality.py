"""When a block counts as final: the chain's own word while it is fresh, else a depth, and none of it on a development
chain."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from numerbay_chain.chain.connection import Connection, connect
from numerbay_chain.chain.finality import OLDEST, Finality
from numerbay_chain.chain.local.devnet import request
from numerbay_chain.chain.networks import known
from numerbay_chain.chain.node.blocks import CONFIRMATIONS, is_development_chain
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.protocol.finality import FINALITY
from tests.support.chains.proxy import Answer, HangUpError, Proxy, Request
from tests.support.chains.stage import Stage
from tests.support.codes import fails_with

pytestmark = pytest.mark.anvil
FRESH, OLD = 60, OLDEST + 60  # seconds

Word = tuple[int, int] | str | None
"""A block's number and its age in seconds, a node's error, or nothing."""


@pytest.fixture
def public(stage: Stage, proxy: Proxy) -> Connection:
    """A chain with some history that is no development chain."""
    request(stage.connection, "anvil_mine", hex(120))
    connection = connect(proxy.url)
    connection.is_development = False
    proxy.seen.clear()
    return connection


def calling(**words: Word) -> Callable[[Request, Callable[[Request], Answer]], Answer]:
    """A node that calls these blocks finalized and safe."""

    def mischief(asked: Request, node: Callable[[Request], Answer]) -> Answer:
        tag = asked["params"][0] if asked["method"] == "eth_getBlockByNumber" else None
        if tag not in words:
            return node(asked)
        word = words[tag]
        if word is None:
            return {"jsonrpc": "2.0", "id": asked["id"], "result": None}
        if isinstance(word, str):
            return {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32602, "message": word}}
        number, age = word
        answer = node({**asked, "params": [hex(number), False]})
        answer["result"]["timestamp"] = hex(int(time.time()) - age)
        return answer

    return mischief


def tags(proxy: Proxy) -> list[Any]:
    return [seen["params"][0] for seen in proxy.seen if seen["method"] == "eth_getBlockByNumber"]


def test_the_chains_own_word_is_taken_while_it_is_fresh(public: Connection, proxy: Proxy) -> None:
    proxy.mischief = calling(finalized=(40, FRESH), safe=(70, FRESH))
    finality = Finality(public)
    assert finality.block() == 40
    assert (finality.is_final(40), finality.is_final(41)) == (True, False)
    assert (finality.seconds_left(40), finality.is_instant) == (0, False)


@pytest.mark.parametrize("finalized", [(40, OLD), None, "invalid argument 0: unknown tag"])
def test_else_what_it_calls_safe(public: Connection, proxy: Proxy, finalized: Word) -> None:
    proxy.mischief = calling(finalized=finalized, safe=(70, FRESH))
    assert Finality(public).block() == 70


@pytest.mark.parametrize("word", [(40, OLD), None, "unknown block"])
def test_else_a_depth(public: Connection, proxy: Proxy, word: Word) -> None:
    proxy.mischief = calling(finalized=word, safe=word)
    head = public.block_number()
    assert Finality(public).block() == head - CONFIRMATIONS
    public.chain_id = 8453  # a known network has a depth of its own
    assert Finality(public).block() == head - 600


def test_a_node_that_hangs_up_is_not_one_without_the_word(public: Connection, proxy: Proxy) -> None:
    def hanging_up(asked: Request, node: Callable[[Request], Answer]) -> Answer:
        if asked["params"][:1] == ["finalized"]:
            raise HangUpError
        return node(asked)

    proxy.mischief = hanging_up
    with fails_with(NetworkError, "network"):
        Finality(public).block()


def test_a_depth_that_was_said_is_what_counts(public: Connection, proxy: Proxy) -> None:
    finality = Finality(public, 3)
    head = public.block_number()
    assert finality.block() == head - 3
    assert (finality.is_final(head - 3), finality.is_final(head - 2)) == (True, False)
    assert finality.seconds_left(head) == 36
    assert not {"finalized", "safe"} & {*tags(proxy)}
    assert Finality(public, 0).is_final(head)


def test_how_long_it_takes_is_told_by_the_age_of_the_block(public: Connection, proxy: Proxy) -> None:
    proxy.mischief = calling(finalized=(40, FRESH), safe=(70, FRESH))
    head = public.block_number()
    left = Finality(public).seconds_left(head)
    assert FINALITY - 5 <= left <= FINALITY
    aged = FINALITY - (public.now() - public.timestamp(41))
    assert Finality(public).seconds_left(41) == max(aged, 12)


def test_a_development_chain_is_never_asked(proxy: Proxy) -> None:
    connection = connect(proxy.url)
    proxy.seen.clear()
    finality = Finality(connection)
    assert (finality.is_instant, finality.is_final(10**9), finality.seconds_left(10**9)) == (True, True, 0)
    assert proxy.seen == []
    assert finality.block() == connection.block_number()
    assert tags(proxy) == []


def test_a_development_chain_is_one_by_its_id_on_this_machine() -> None:
    assert is_development_chain(31337, local=True)
    assert not is_development_chain(31337, local=False)
    assert not any(is_development_chain(one.chain_id, local=True) for one in known().values())


def test_a_public_chain_on_this_machine_is_none(proxy: Proxy) -> None:
    proxy.mischief = lambda asked, node: (
        {**node(asked), "result": hex(11155111)} if asked["method"] == "eth_chainId" else node(asked)
    )
    connection = connect(proxy.url)
    assert (connection.is_development, connection.confirmations) == (False, 96)
    assert Finality(connection).block() == max(connection.block_number() - 64, 0), "as anvil says it"
