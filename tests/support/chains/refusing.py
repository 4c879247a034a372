"""How a contract's refusals come back on every chain: each node and library wraps them in its own way."""

from typing import Any

import pytest
from eth_abi.abi import encode

from numerbay_chain.chain.encoding import abi
from numerbay_chain.core.errors import RevertedError
from tests.support.chains.stage import Stage

VALUES: dict[str, Any] = {"address": "0x" + "a1" * 20, "string": "period", "bytes32": b"\5" * 32}
SELECTORS = {item["name"]: selector for selector, item in abi.errors().items()}


def refusal(stage: Stage, data: bytes) -> RevertedError:
    """What is raised for a contract that reverts with these bytes: by a call, and by an estimate."""
    call = {"from": stage.buyer.account, "to": stage.echo, "data": "0x" + data.hex()}
    with pytest.raises(RevertedError) as called:
        stage.connection.call(call)
    with pytest.raises(RevertedError) as estimated:
        stage.connection.estimate_gas(call)
    assert (str(called.value), called.value.arguments) == (str(estimated.value), estimated.value.arguments)
    return called.value


class Refusing:
    @pytest.mark.parametrize("name", sorted(SELECTORS))
    def test_every_error_of_the_contract_comes_back_with_its_values(self, stage: Stage, name: str) -> None:
        inputs = abi.errors()[SELECTORS[name]]["inputs"]
        values = [VALUES.get(kind, place) for place, kind in enumerate(abi.types_of(inputs), 1)]
        error = refusal(stage, SELECTORS[name] + encode(abi.types_of(inputs), values))
        assert error.name == name
        assert [str(value).lower() for value in error.arguments.values()] == [str(value).lower() for value in values]

    def test_a_reason_in_words_is_passed_on_without_control_characters(self, stage: Stage) -> None:
        error = refusal(stage, SELECTORS["Error"] + encode(["string"], ["not today\x1b[2J" + 999 * "!"]))
        assert str(error).startswith("the contract refused: not today [2J!")
        assert len(str(error)) < 400

    def test_a_panic_is_named(self, stage: Stage) -> None:
        error = refusal(stage, SELECTORS["Panic"] + encode(["uint256"], [0x11]))
        assert (error.code, error.arguments) == ("panic", {"code": 0x11})

    @pytest.mark.parametrize("data", [b"\xde\xad\xbe\xef", b"\xde\xad\xbe\xef" + 100 * b"\xff"])
    def test_an_unknown_error_shows_its_selector(self, stage: Stage, data: bytes) -> None:
        assert "0xdeadbeef" in str(refusal(stage, data))

    def test_a_refusal_without_words_is_still_a_refusal(self, stage: Stage) -> None:
        assert refusal(stage, b"").code == "reverted"

    def test_values_that_do_not_fit_their_error_are_not_believed(self, stage: Stage) -> None:
        error = refusal(stage, SELECTORS["SoldOut"] + encode(["uint256"], [1]))
        assert (error.name, error.code, error.arguments) == ("", "reverted", {})

    @pytest.mark.parametrize("data", ["556f1830" + 40 * "ff", "4e487b71" + 62 * "0" + "99", "4e487b71", "08c379a0ff"])
    def test_data_in_the_shape_of_a_library_s_own_errors_is_a_refusal(self, stage: Stage, data: str) -> None:
        assert isinstance(refusal(stage, bytes.fromhex(data)), RevertedError)
