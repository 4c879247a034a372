"""One look at the marketplace: each value is asked for once, and many in one request."""

from collections.abc import Callable
from typing import Any

import pytest

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.node.blocks import Block
from numerbay_chain.chain.second import SecondNode, confirmed, deciding
from numerbay_chain.core.errors import RevertedError
from numerbay_chain.protocol.types import ZERO_ADDRESS, Settlement
from tests.support.chains.stage import PRICE, Stage
from tests.support.evm.inside import InsideChain
from tests.unit.chain.test_batches import CountingTransport, connected


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(InsideChain())


@pytest.fixture
def counted(stage: Stage) -> tuple[MarketplaceContract, CountingTransport]:
    assert isinstance(stage.chain, InsideChain)
    connection, transport = connected(stage.chain.node.request)
    contract = MarketplaceContract(connection, stage.session.address, stage.session.from_block)
    transport.seen.clear()
    return contract, transport


Counted = tuple[MarketplaceContract, CountingTransport]


def test_a_look_is_one_request_and_tells_the_time_of_the_next_block(stage: Stage, counted: Counted) -> None:
    contract, transport = counted
    contract.look()  # the first one asks for the latest block too: whether the node's pending block is the next one
    transport.seen.clear()
    snapshot = contract.look()
    assert transport.seen == ["eth_getBlockByNumber"]
    newest = stage.connection.block("latest")
    assert newest is not None
    assert (snapshot.block, snapshot.hash, snapshot.time) == (newest.number, newest.hash, stage.connection.now())


@pytest.mark.parametrize("left_out", ["number", "parentHash"])
def test_a_pending_block_that_says_too_little_is_looked_behind(stage: Stage, left_out: str) -> None:
    assert isinstance(stage.chain, InsideChain)
    node = stage.chain.node

    def ask(method: str, params: list[Any]) -> Any:
        found = node.request(method, params)
        return {**found, left_out: None} if method == "eth_getBlockByNumber" and params[0] == "pending" else found

    connection, _ = connected(ask)
    newest = stage.connection.block("latest")
    assert newest is not None
    assert connection.present() == Block(newest.number, newest.hash, stage.connection.now())


def test_a_node_that_calls_its_latest_block_pending_hides_none(stage: Stage) -> None:
    assert isinstance(stage.chain, InsideChain)
    node = stage.chain.node

    def ask(method: str, params: list[Any]) -> Any:
        return node.request(method, ["latest" if one == "pending" else one for one in params])

    for _ in range(2):
        connection, _ = connected(ask)
        for _ in range(2):
            stage.new_listing()
            newest = stage.connection.block("latest")
            assert connection.present() == newest
            assert connection.now() == newest.timestamp


def test_within_a_decision_the_time_is_the_next_block_s_too(stage: Stage, counted: Counted) -> None:
    contract, _ = counted
    assert isinstance(stage.chain, InsideChain)
    other, _ = connected(stage.chain.node.request)
    contract.connection.second = SecondNode(lambda _: other)
    now = contract.look().time
    with deciding(contract.connection):
        assert contract.look().time == contract.connection.now() == now == stage.connection.now()


def test_a_look_from_outside_of_a_decision_is_asked_nothing(stage: Stage, counted: Counted) -> None:
    contract, _ = counted
    assert isinstance(stage.chain, InsideChain)
    other, _ = connected(stage.chain.node.request)
    listing = stage.new_listing()
    before = contract.look()
    contract.connection.second = SecondNode(lambda _: other)
    with deciding(contract.connection):
        with pytest.raises(RuntimeError):
            before.listing(listing)
        within = contract.look()
        assert within.listing(listing).id == listing
        assert confirmed(contract.connection)
        assert within.listing(listing).id == listing, "both nodes said so"
        with pytest.raises(RuntimeError):
            within.listing_count()


def test_block_zero_is_not_the_newest_one(stage: Stage, counted: Counted) -> None:
    contract, _ = counted
    question = contract.look()._question("listing_count")
    first, second = contract.connection.read_many([question, question], 0)
    assert first == second == b"", "nothing was deployed yet"
    assert contract.connection.read_many([question, question])[0] != b""


def test_a_snapshot_stays_as_it_was(stage: Stage, counted: Counted) -> None:
    contract, _ = counted
    listing = stage.new_listing()
    snapshot = contract.look()
    order = stage.order(listing)
    assert snapshot.listing(listing).orders == 0
    assert contract.look().listing(listing).orders == 1
    with pytest.raises(RevertedError) as missing:
        snapshot.order(order)
    assert missing.value.name == "NoOrder"


def test_a_look_repeats_one_of_the_same_block_for_the_same_decision(stage: Stage, counted: Counted) -> None:
    contract, _ = counted
    assert isinstance(stage.chain, InsideChain)
    other, _ = connected(stage.chain.node.request)
    contract.connection.second = SecondNode(lambda _: other)
    before = contract.look()
    assert contract.look().repeats(before)
    with deciding(contract.connection):
        within = contract.look()
        assert within.hash == before.hash
        assert not within.repeats(before), "the second node was asked nothing of it"
        assert contract.look().repeats(within)
    with deciding(contract.connection):
        assert not contract.look().repeats(within)
    stage.new_listing()
    assert not contract.look().repeats(before)


def test_what_was_asked_costs_nothing_more(stage: Stage, counted: Counted) -> None:
    contract, transport = counted
    listing = stage.new_listing()
    orders = [stage.order(listing) for _ in range(5)]
    snapshot = contract.look()
    transport.seen.clear()
    assert [order.id for order in snapshot.orders(orders)] == orders
    assert transport.seen == ["eth_call"]
    assert snapshot.order(orders[3]) == snapshot.orders(orders)[3]
    assert transport.seen == ["eth_call"]
    assert [order.id for order in snapshot.orders([*orders, stage.order(listing) - 1])] == [*orders, orders[-1]]
    assert transport.seen == ["eth_call"]
    for _ in range(2):
        with pytest.raises(RevertedError):
            snapshot.listing(99)
    assert transport.seen == ["eth_call"] * 2, "a revert is an answer"


def test_what_was_forgotten_is_asked_again(stage: Stage, counted: Counted) -> None:
    contract, transport = counted
    listing = stage.new_listing()
    snapshot = contract.look()
    transport.seen.clear()
    for times in (1, 2):
        assert snapshot.listing(listing) == snapshot.listing(listing)
        assert transport.seen == ["eth_call"] * times
        snapshot.forget()


def test_questions_of_many_kinds_are_one_request(stage: Stage, counted: Counted) -> None:
    contract, transport = counted
    listing = stage.new_listing()
    order = stage.order(listing)
    snapshot = contract.look()
    transport.seen.clear()
    buyer = stage.buyer.account
    snapshot.load(
        ("order", order), ("listing", listing), ("settled", order, 0), ("challenge_of", order, 0),
        ("hash_of", order, 0), ("is_missed", listing, 0), ("key_at", buyer, 1), ("current_key", buyer),
        ("order", order + 1),
    )  # fmt: skip
    assert transport.seen == ["eth_call"]
    assert snapshot.order(order).buyer == stage.buyer.account
    assert snapshot.listing(listing).offer.price == PRICE
    assert snapshot.settled(order, 0) == Settlement.NONE
    assert snapshot.challenge_of(order, 0) == snapshot.hash_of(order, 0) == bytes(32)
    assert snapshot.is_missed(listing, 0) is False
    assert snapshot.current_key(buyer) == (1, snapshot.key_at(buyer, 1))
    with pytest.raises(RevertedError) as missing:
        snapshot.order(order + 1)
    assert missing.value.name == "NoOrder"
    assert transport.seen == ["eth_call"]


PLURALS: dict[str, tuple[str, Callable[[int, int, str], list[tuple[Any, ...]]]]] = {
    "listings": ("listing", lambda listing, order, buyer: [(listing,), (1,)]),
    "orders": ("order", lambda listing, order, buyer: [(order,), (order,)]),
    "hashes_of": ("hash_of", lambda listing, order, buyer: [(order, 0), (order, 1)]),
    "settlements": ("settled", lambda listing, order, buyer: [(order, 0), (order, 1)]),
    "are_missed": ("is_missed", lambda listing, order, buyer: [(listing, 0), (listing, 1)]),
    "challenges_of": ("challenge_of", lambda listing, order, buyer: [(order, 0), (order, 1)]),
    "faults_at": ("faulty_at", lambda listing, order, buyer: [(listing, 0), (listing, 1)]),
    "copy_faults_at": ("copy_faulty_at", lambda listing, order, buyer: [(order, 0), (order, 1)]),
    "current_keys": ("current_key", lambda listing, order, buyer: [(buyer,), (ZERO_ADDRESS,)]),
    "keys_at": ("key_at", lambda listing, order, buyer: [(buyer, 1), (buyer, 1)]),
    "pots": ("pot", lambda listing, order, buyer: [(listing, 0, 0), (listing, 1, 0)]),
    "maturities_of": ("maturity_of", lambda listing, order, buyer: [(listing, 5), (listing, 9)]),
    "credits": ("credit", lambda listing, order, buyer: [(buyer, ZERO_ADDRESS), (ZERO_ADDRESS, ZERO_ADDRESS)]),
    "tokens": ("token", lambda listing, order, buyer: [(ZERO_ADDRESS,), (ZERO_ADDRESS,)]),
}


@pytest.mark.parametrize("plural", PLURALS)
def test_a_plural_answers_as_its_singular_does(stage: Stage, counted: Counted, plural: str) -> None:
    contract, _ = counted
    listing = stage.new_listing()
    singular, arguments = PLURALS[plural]
    places = arguments(listing, stage.order(listing, rounds=2), stage.buyer.account)
    asked = [place[0] if len(place) == 1 else place for place in places]
    for reads in (contract, contract.look(), contract.at(stage.connection.block_number())):
        assert getattr(reads, plural)(asked) == [getattr(contract, singular)(*place) for place in places]
        assert getattr(reads, plural)([]) == []


def test_a_token_is_asked_for_symbol_and_decimals_at_once(stage: Stage, counted: Counted) -> None:
    contract, transport = counted
    coins = [stage.deploy_code(bytes.fromhex(code)) for code in ("60125f5260205ff3", "5f5ffd", "00")]
    transport.seen.clear()
    first, second, third = contract.tokens(coins)
    assert transport.seen[0] == "eth_call"
    assert (first.decimals, second.decimals, third.decimals) == (18, 0, 0)
    assert second.symbol.startswith("token-0x")
    transport.seen.clear()
    assert contract.token(coins[0]) == first
    assert transport.seen == []


def test_a_snapshot_from_before_a_decision_is_not_read_within_it(stage: Stage, counted: Counted) -> None:
    contract, _ = counted
    listing = stage.new_listing()
    snapshot = contract.look()
    snapshot.listing(listing)

    class Decision:
        block = Block(snapshot.block, snapshot.hash, snapshot.time)

    contract.connection.decision = Decision()  # type: ignore[assignment]  # one that is made of its block alone
    with pytest.raises(RuntimeError):
        snapshot.listing(listing)
    assert contract.look().block == snapshot.block
    contract.connection.decision = None
    assert snapshot.listing(listing).id == listing


def test_a_thousand_keys_are_a_few_requests(stage: Stage, counted: Counted) -> None:
    contract, transport = counted
    transport.seen.clear()
    keys = contract.at(stage.connection.block_number()).keys_at([(stage.buyer.account, 1)] * 1000)
    assert set(keys) == {contract.key_at(stage.buyer.account, 1)}
    assert len(keys) == 1000
    assert len(transport.seen) <= 6
