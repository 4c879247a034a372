"""The package and the contract's interface say the same: builders, sentences, events."""

import inspect
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.chain.encoding import abi, calls
from numerbay_chain.chain.encoding.sentences import SENTENCES, sentence
from numerbay_chain.chain.logs import decode_log
from numerbay_chain.chain.node.values import plain
from numerbay_chain.core.errors import NetworkError, UsageError
from numerbay_chain.protocol.types import ZERO_ADDRESS, Challenge, Listing, Offer, Order, Permit, Terms, Voucher
from tests.support.chains.stage import TERMS
from tests.support.codes import fails_with

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
EXAMPLES = {
    int: 1,
    bool: True,
    str: ADDRESS,
    bytes: b"\1" * 32,
    Terms: TERMS,
    Offer: Offer(1, True),
    Voucher: Voucher.none(),
    Challenge: Challenge(1, 2, 3, 4, 5),
    calls.Proof: (1, 2, b"\3" * 32, b"\4", (b"\5" * 32,)),
}
BUILDERS = {
    name: builder
    for name, builder in vars(calls).items()
    if inspect.isfunction(builder) and builder.__module__ == calls.__name__
}


def built(name: str) -> calls.Call:
    """The builder's call with an example for each argument."""
    arguments = {}
    for parameter in inspect.signature(BUILDERS[name]).parameters.values():
        if parameter.default is inspect.Parameter.empty:
            listed = {"orders": [1], "rounds": [1], "buckets": [1], "hashes": [b"\1" * 32]}
            several = "Sequence" in str(parameter.annotation)
            arguments[parameter.name] = listed[parameter.name] if several else EXAMPLES[parameter.annotation]
    return BUILDERS[name](**arguments)  # type: ignore[no-any-return]  # every builder returns a call


@pytest.mark.parametrize("name", BUILDERS)
def test_every_builder_names_the_arguments_as_the_contract_does(name: str) -> None:
    call = built(name)
    item = abi.functions(call.interface)[call.function]
    assert list(call.arguments) == [parameter["name"] for parameter in item["inputs"]]
    assert abi.encode_call(call)[:4] == abi.selector(item)
    words = [word.lower() for word in name.split("_")]
    assert call.function.lower() == "".join(words)


def test_every_function_that_changes_state_has_a_builder() -> None:
    changing = {name for name, item in abi.functions().items() if item["stateMutability"] in {"nonpayable", "payable"}}
    assert {built(name).function for name in BUILDERS} == changing | {"approve"}


def test_every_error_has_a_sentence_with_its_own_values() -> None:
    builtin = {"Error", "Panic"}
    for item in abi.errors().values():
        if item["name"] in builtin:
            continue
        names = {parameter["name"] for parameter in item["inputs"]}
        used = {field for text in SENTENCES[item["name"]] for _, field, _, _ in string.Formatter().parse(text) if field}
        assert used <= names, item["name"]
        message, hint = sentence(item["name"], dict.fromkeys(names, 1))
        assert message[0].islower() or message[0] == "1"
        assert "{" not in message + hint
        assert not message.endswith(".")


def test_the_structs_have_the_contracts_fields_in_its_order() -> None:
    shapes = {
        Terms: abi.functions()["createListing"]["inputs"][0],
        Offer: abi.functions()["createListing"]["inputs"][1],
        Permit: abi.functions()["buyWith"]["inputs"][6],
        Voucher: abi.functions()["buyWith"]["inputs"][7],
        Listing: abi.functions()["getListing"]["outputs"][0],
        Order: abi.functions()["getOrder"]["outputs"][0],
    }
    for struct, parameter in shapes.items():
        fields = [field for field in struct.__dataclass_fields__ if field != "id"]
        assert [field.replace("_", "") for field in fields] == [
            component["name"].lower() for component in parameter["components"]
        ]


def test_calls_and_types_load_no_web3() -> None:
    program = (
        "import sys, numerbay_chain, numerbay_chain.chain.encoding.calls, numerbay_chain.protocol.types\n"
        "print(sorted({'web3', 'eth_account', 'eth_abi', 'eth_utils'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_belongs_together_comes_together() -> None:
    with fails_with(UsageError, "usage"):
        calls.buy_with(
            listing=1,
            version=0,
            next_round=0,
            out=False,
            rounds=1,
            recipient=ADDRESS,
            value=0,
            signature=b"\1" * 65,
        )
    with fails_with(UsageError, "usage", 2, 1):
        calls.withdraw(listing=1, rounds=[0, 1], buckets=[0])
    with fails_with(UsageError, "usage", 1, 0):
        calls.deliver_copies(listing=1, round=0, orders=[1], hashes=[])


# --------------------------------------------------------------------------------------------------------------- logs


def delivered() -> dict[str, object]:
    topics = [abi.topic_of("Delivered"), (7).to_bytes(32), (3).to_bytes(32)]
    return {
        "address": ADDRESS,
        "topics": plain(topics),
        "data": plain(b"\5" * 32 + (9).to_bytes(32)),
        "transactionHash": plain(b"\6" * 32),
        "blockNumber": hex(12),
        "logIndex": hex(1),
    }


def test_a_log_is_decoded_with_the_contracts_names() -> None:
    event = decode_log(delivered(), ADDRESS)
    assert event.arguments == {"listing": 7, "round": 3, "digest": b"\5" * 32, "count": 9}
    assert (event.name, event.block, event.log_index, event.transaction) == ("Delivered", 12, 1, "0x" + "06" * 32)
    assert event["count"] == 9


@given(st.binary(max_size=200).filter(lambda data: len(data) != 64))
def test_a_log_with_data_of_another_length_is_never_taken(data: bytes) -> None:
    with pytest.raises(NetworkError):
        decode_log({**delivered(), "data": plain(data)}, ADDRESS)


@given(st.lists(st.binary(min_size=0, max_size=40), max_size=5))
def test_a_log_with_other_topics_is_never_taken(topics: list[bytes]) -> None:
    with pytest.raises(NetworkError):
        decode_log({**delivered(), "topics": plain(topics)}, ADDRESS)


@given(st.integers(0, 31), st.integers(1, 255))
def test_an_address_with_dirty_upper_bytes_is_never_taken(place: int, change: int) -> None:
    owner = bytearray(bytes(12) + b"\xaa" * 20)
    owner[place] ^= change
    log = {**delivered(), "topics": plain([abi.topic_of("KeyRegistered"), bytes(owner), (1).to_bytes(32)])}
    log["data"] = plain(abi.encode([{"type": "bytes32"}, {"type": "bytes"}], [b"\1" * 32, b""]))
    if place < 12:
        with pytest.raises(NetworkError):
            decode_log(log, ADDRESS)
    else:
        assert bytes.fromhex(decode_log(log, ADDRESS)["owner"][2:]) == bytes(owner[12:])


@pytest.mark.parametrize("field", ["address", "topics", "data", "transactionHash", "blockNumber", "logIndex"])
def test_a_log_without_a_field_is_never_taken(field: str) -> None:
    log = delivered()
    del log[field]
    with fails_with(NetworkError, "bad-answer"):
        decode_log(log, ADDRESS)


# -------------------------------------------------------------------------------------------------------------- terms


def test_a_schedule_says_when_a_round_can_come() -> None:
    weekly = Terms(ZERO_ADDRESS, 0, 1, False, False, 1_000_000, 1000, 60, 0, 60, 0, 60, 0)
    assert (weekly.due(0), weekly.due(3)) == (1_000_000, 1_003_000)
    assert weekly.release_from(0, 0) == 999_000
    assert weekly.release_from(3, 1_002_990) == 1_003_050
    assert TERMS.due(3) is None
    assert TERMS.release_from(1, 500) == 560
    assert TERMS.release_from(0, 0) == 0
