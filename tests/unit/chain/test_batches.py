"""Many questions in one request: each answer is the one that it gives alone, whatever nodes and contracts do."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.chain import batches
from numerbay_chain.chain.batches import LONGEST_ANSWER, MULTICALL3, MULTICALL3_CODE, SMALL, Read, answers_of, init_code
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.node.rpc import Request, RpcError
from numerbay_chain.chain.node.values import NoAnswer
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.core.hashing import keccak
from numerbay_chain.core.network.failures import SlowError
from tests.support.chains.stage import Stage
from tests.support.evm import multicall3
from tests.support.evm.inside import InsideChain
from tests.support.evm.node import NodeTransport, RefusedRequest

Ask = Callable[[str, list[Any]], Any]


class CountingTransport(NodeTransport):
    """Counts what is asked; `takes_batches`: whether batches of JSON-RPC are."""

    def __init__(self, ask: Ask, takes_batches: bool = True) -> None:
        super().__init__(ask)
        self.takes_batches, self.seen, self.batches = takes_batches, list[str](), list[int]()

    def request(self, method: str, params: Sequence[Any]) -> Any:
        self.seen.append(method)
        return super().request(method, params)

    def batch(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        self.batches.append(len(requests))
        if not self.takes_batches:
            raise RpcError("batches are not supported", -32600)
        return super().batch(requests)


@pytest.fixture(scope="module")
def stage() -> Stage:
    stage = Stage(InsideChain())
    for _ in range(40):
        stage.new_listing()
    return stage


@pytest.fixture
def node(stage: Stage) -> Iterator[Any]:
    assert isinstance(stage.chain, InsideChain)
    restore = stage.chain.snapshot()
    yield stage.chain.node
    restore()


def connected(ask: Ask, takes_batches: bool = True) -> tuple[Connection, CountingTransport]:
    transport = CountingTransport(ask, takes_batches)
    connection = Connection(transport, name="a node", local=True)
    transport.seen.clear()
    return connection, transport


def asked(stage: Stage, function: str, *arguments: Any, size: int = 900) -> Read:
    item = abi.functions()[function]
    return Read(stage.session.address, abi.selector(item) + abi.encode(item["inputs"], arguments), size)


def questions(stage: Stage, count: int = 20) -> list[Read]:
    """Some of them revert."""
    return [
        asked(stage, "getListing", number) if number % 3 else asked(stage, "getOrder", 5) for number in range(count)
    ]


def alone(connection: Connection, reads: Sequence[Read]) -> list[object]:
    found: list[object] = []
    for read in reads:
        try:
            found.append(connection.read(read.address, read.data))
        except RevertedError as error:
            found.append((error.name, str(error)))
    return found


def together(connection: Connection, reads: Sequence[Read]) -> list[object]:
    found = connection.read_many(reads)
    return [(one.name, str(one)) if isinstance(one, RevertedError) else one for one in found]


def refusing(node: Any, refused: Callable[[dict[str, Any]], bool], words: str = "missing field to") -> Ask:
    def ask(method: str, params: list[Any]) -> Any:
        if method == "eth_call" and refused(params[0]):
            raise RefusedRequest(words)
        return node.request(method, params)

    return ask


def without_recipient(call: dict[str, Any]) -> bool:
    return "to" not in call


# --------------------------------------------------------------------------------------------------------- the ways


def test_twenty_questions_are_one_request(stage: Stage, node: Any) -> None:
    connection, transport = connected(node.request)
    reads = questions(stage)
    assert together(connection, reads) == alone(stage.connection, reads)
    assert (transport.seen, connection.lacks) == (["eth_call"], set())
    assert connection.read_many([]) == []


def test_multicall3_is_asked_where_code_without_a_recipient_is_refused(stage: Stage, node: Any) -> None:
    assert keccak(multicall3.CODE) == MULTICALL3_CODE
    node._chain.install(MULTICALL3, multicall3.CODE)
    connection, transport = connected(refusing(node, without_recipient), takes_batches=False)
    reads = questions(stage)
    assert together(connection, reads) == alone(stage.connection, reads)
    before = len(transport.seen)
    assert together(connection, reads) == alone(stage.connection, reads)
    assert transport.seen[before:] == ["eth_call"], "what was refused is not asked for again"
    assert transport.seen.count("eth_getCode") == 1
    assert transport.batches == []


def test_another_contract_at_multicall3_s_address_is_never_asked(stage: Stage, node: Any) -> None:
    node._chain.install(MULTICALL3, multicall3.CODE + b"\0")
    calls: list[Any] = []

    def watched(method: str, params: list[Any]) -> Any:
        calls.extend(params[:1] if method == "eth_call" else ())
        return refusing(node, without_recipient)(method, params)

    connection, transport = connected(watched)
    reads = questions(stage)
    for _ in range(2):
        assert together(connection, reads) == alone(stage.connection, reads)
    assert MULTICALL3 not in [call.get("to") for call in calls]
    assert transport.seen.count("eth_getCode") == 1
    assert transport.batches == [20, 20]


def test_batches_of_json_rpc_come_next_and_one_by_one_at_last(stage: Stage, node: Any) -> None:
    reads = questions(stage)
    connection, transport = connected(refusing(node, without_recipient))
    assert together(connection, reads) == alone(stage.connection, reads)
    assert transport.batches == [20]
    connection, transport = connected(refusing(node, without_recipient), takes_batches=False)
    assert together(connection, reads) == alone(stage.connection, reads)
    transport.batches.clear()
    transport.seen.clear()
    assert together(connection, reads) == alone(stage.connection, reads)
    assert transport.seen == ["eth_call"] * 20
    assert transport.batches == []


def test_a_node_that_takes_few_at_once_is_asked_for_few(stage: Stage, node: Any) -> None:
    connection, transport = connected(refusing(node, lambda call: len(call["data"]) > 2 * 1_000))
    reads = questions(stage, 100)
    assert together(connection, reads) == alone(stage.connection, reads)
    assert connection.lacks == set()
    transport.seen.clear()
    assert together(connection, reads) == alone(stage.connection, reads)
    assert len(transport.seen) < 20


def test_an_answer_that_is_longer_than_code_can_be_is_asked_for_in_parts(stage: Stage, node: Any) -> None:
    connection, transport = connected(node.request)
    reads = [asked(stage, "getListing", number + 1, size=1) for number in range(40)]
    assert together(connection, reads) == alone(stage.connection, reads)
    told = [asked(stage, "getListing", number + 1) for number in range(40)]
    connection, transport = connected(node.request)
    assert together(connection, told) == alone(stage.connection, told)
    assert len(transport.seen) == 2, "how long the answers are was known before"


@pytest.mark.parametrize("told", ["0x", "0x00", "0x" + 100 * "01", "0xff", None, 5, "words", []])
def test_an_answer_to_many_that_can_t_be_is_no_answer_to_any(stage: Stage, node: Any, told: Any) -> None:
    def ask(method: str, params: list[Any]) -> Any:
        if method == "eth_call" and without_recipient(params[0]):
            return told
        return node.request(method, params)

    reads = questions(stage)
    connection, _ = connected(ask)
    assert together(connection, reads) == alone(stage.connection, reads)


def test_a_node_that_hangs_is_asked_for_less_and_then_left(stage: Stage, node: Any) -> None:
    parts: list[int] = []

    def hanging(most: int) -> Ask:
        def ask(method: str, params: list[Any]) -> Any:
            if method == "eth_call" and without_recipient(params[0]):
                parts.append(len(params[0]["data"]))
                if len(parts) <= most:
                    raise SlowError("gave no whole answer")
            return node.request(method, params)

        return ask

    reads = questions(stage, 40)
    connection, _ = connected(hanging(1))
    assert together(connection, reads) == alone(stage.connection, reads)
    assert len(parts) < 8
    parts.clear()
    connection, transport = connected(hanging(10**9))
    with pytest.raises(NetworkError) as hangs:
        connection.read_many(reads)
    assert hangs.value.code == "slow-source"
    assert len(parts) == len(transport.seen) <= 4


def test_a_node_that_is_not_there_is_not_asked_in_other_ways(stage: Stage, node: Any) -> None:
    def ask(method: str, params: list[Any]) -> Any:
        if method == "eth_call":
            raise RefusedRequest("header not found")
        return node.request(method, params)

    connection, transport = connected(ask)
    with pytest.raises(NetworkError) as behind:
        connection.read_many(questions(stage), 3)
    assert behind.value.code == "node-behind"
    assert transport.seen == ["eth_call"]
    assert connection.lacks == set()


def test_a_node_that_takes_no_hash_is_not_taken_for_one_without_batches(stage: Stage, node: Any) -> None:
    def ask(method: str, params: list[Any]) -> Any:
        if any(isinstance(one, dict) and "blockHash" in one for one in params):
            raise RefusedRequest("invalid argument 1: json: cannot unmarshal object into hex string", -32602)
        return node.request(method, params)

    connection, transport = connected(ask)
    with pytest.raises(NetworkError) as refused:
        connection.read_many(questions(stage), {"blockHash": "0x" + 64 * "1", "requireCanonical": True})
    assert refused.value.code == "node-refused"
    assert (connection.lacks, len(transport.seen)) == (set(), 1)
    by_number = connection.read_many(questions(stage), connection.block_number())
    assert len(by_number) == 20


# ------------------------------------------------------------------------------------------------ hostile contracts


HOSTILE = {
    "burns its gas": "5b600056",
    "answers a megabyte": "620f42406000f3",
    "reverts with a megabyte": "620f42406000fd",
    "answers a little too much": f"61{LONGEST_ANSWER + 1:04x}6000f3",
    "answers as much as fits": f"61{LONGEST_ANSWER:04x}6000f3",
    "fails": "fe",
    "wants to be gone": "6000ff",
    "writes": "600160005560206000f3",
    "answers nothing": "00",
    "reverts with nothing": "60006000fd",
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("way", ["init code", "Multicall3", "JSON-RPC"])
def test_a_hostile_contract_spoils_no_other_answer(
    stage: Stage, node: Any, monkeypatch: pytest.MonkeyPatch, kind: str, way: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    hostile = "0x" + 40 * "d"
    node._chain.install(hostile, bytes.fromhex(HOSTILE[kind]))
    if way == "Multicall3":
        node._chain.install(MULTICALL3, multicall3.CODE)
    connection, _ = connected(node.request if way == "init code" else refusing(node, without_recipient))
    reads = [*questions(stage, 7), Read(hostile, b"\1\2\3\4"), *questions(stage, 7)]
    mine, others = together(connection, reads), alone(stage.connection, reads)
    assert mine[:7] + mine[8:] == others[:7] + others[8:]
    if kind != "burns its gas" and kind != "writes":  # with how much gas depends on the way
        assert mine[7] == others[7]


# ------------------------------------------------------------------------------------------------------ the packing


ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda one: "0x" + one.hex())
READS = st.lists(st.builds(Read, ADDRESSES, st.binary(max_size=200)), max_size=10)
ANSWERS = st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=10)


@given(READS)
def test_questions_lie_behind_the_code_one_after_the_other(reads: list[Read]) -> None:
    packed = init_code(reads)
    place = len(init_code([]))
    for read in reads:
        assert packed[place : place + 20].hex() == read.address[2:]
        size = int.from_bytes(packed[place + 20 : place + 23])
        assert packed[place + 23 : place + 23 + size] == read.data
        place += 23 + size
    assert place == len(packed)


@given(ANSWERS)
def test_answers_come_back_as_they_were_packed(answers: list[tuple[bool, bytes]]) -> None:
    packed = b"".join(bytes([success]) + len(told).to_bytes(4) + told for success, told in answers)
    found = answers_of(packed, len(answers))
    for (success, told), answer in zip(answers, found, strict=True):
        if not told:
            assert answer is None
        elif success:
            assert answer == told
        else:
            assert isinstance(answer, RevertedError)
    for count in {0, len(answers) + 1} - {len(answers)}:
        with pytest.raises(NoAnswer):
            answers_of(packed, count)


@given(st.binary(max_size=300), st.integers(0, 5))
def test_any_bytes_are_answers_or_none(packed: bytes, count: int) -> None:
    with contextlib.suppress(NoAnswer):
        assert len(answers_of(packed, count)) == count


@given(st.lists(st.binary(min_size=1, max_size=400), min_size=2, max_size=12))
def test_the_code_asks_each_contract_and_returns_what_it_said(told: list[bytes]) -> None:
    """On the machine itself: contracts that answer, or refuse, with what they are called with."""
    chain = InsideChain()
    echo, refuse = "0x" + 40 * "a", "0x" + 40 * "b"
    chain.node._chain.install(echo, bytes.fromhex("365f5f37365ff3"))
    chain.node._chain.install(refuse, bytes.fromhex("365f5f37365ffd"))
    connection, transport = connected(chain.node.request)
    found = connection.read_many([Read((echo, refuse)[number % 2], data) for number, data in enumerate(told)])
    assert [one for one in found if isinstance(one, bytes)] == told[::2]
    assert [isinstance(one, RevertedError) for one in found] == [bool(number % 2) for number in range(len(told))]
    assert transport.seen == ["eth_call"]


def test_the_small_size_is_below_the_first_one() -> None:
    assert SMALL < batches.MOST_READS


def test_a_way_in_which_every_call_reverts_is_remembered(stage: Stage, node: Any) -> None:
    reads = questions(stage, 64)
    connection, transport = connected(refusing(node, without_recipient, "execution reverted"))
    assert together(connection, reads) == alone(stage.connection, reads)
    assert len(transport.seen) < 64 + 8
    transport.seen.clear()
    assert together(connection, reads) == alone(stage.connection, reads)
    assert len(transport.seen) == 64


def test_a_question_that_spoils_the_others_spoils_no_way(stage: Stage, node: Any) -> None:
    reads = questions(stage, 64)
    poison = reads[40].data.hex()

    def spoiled(call: dict[str, Any]) -> bool:
        return "to" not in call and poison in call["data"]

    connection, _ = connected(refusing(node, spoiled, "execution reverted"))
    assert together(connection, reads) == alone(stage.connection, reads)
    assert "calls in init code" not in connection.lacks
