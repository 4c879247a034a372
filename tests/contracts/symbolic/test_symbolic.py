"""The proofs hold: `make symbolic` proves those that take minutes too."""

import pytest

from tests.contracts.symbolic.__main__ import CONTRACTS, FALSE, LONG, PYTHON, prove
from tests.support.plugins.toolchain import require
from tools.check import FORGE


@pytest.fixture(scope="module", autouse=True)
def prover() -> None:
    require("halmos", PYTHON if PYTHON.exists() and FORGE.exists() else None)


@pytest.mark.slow
@pytest.mark.parametrize("contract", [name for name in CONTRACTS if name not in LONG])
def test_what_is_claimed_is_proven_and_what_is_false_is_refuted(contract: str) -> None:
    outcomes = prove(contract)

    assert any(check.startswith(FALSE) for check in outcomes)
    assert not {check for check, right in outcomes.items() if not right}
