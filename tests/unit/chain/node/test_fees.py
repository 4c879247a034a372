"""What gas may cost: limits by network, by setting, and by what is at stake."""

from dataclasses import replace

import pytest

from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.node.fees import FeeLimits, Fees
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.progress import Note
from tests.support.chains.stage import Stage
from tests.support.codes import fails_with

GWEI = 10**9
ETHER = 10**18
LIMITS = FeeLimits(max_tip=50, max_fee=ETHER // 20)


def test_the_limits_are_the_network_s_and_the_usual_ones_elsewhere() -> None:
    assert FeeLimits.of(1) == FeeLimits(50, ETHER // 20, "ETH")
    assert (FeeLimits.of(137).symbol, FeeLimits.of(137).max_fee) == ("POL", 10 * ETHER)
    assert FeeLimits.of(424_242) == FeeLimits(50, ETHER // 20, "ETH")


@pytest.mark.parametrize(
    ("base", "tip", "offered"),
    [
        (10 * GWEI, 2 * GWEI, Fees(22 * GWEI, 2 * GWEI)),
        (0, 0, Fees(0, 0)),
        (10 * GWEI, 50 * GWEI, Fees(70 * GWEI, 50 * GWEI)),
        (None, 20 * GWEI, Fees(20 * GWEI, None)),
    ],
)
def test_twice_the_base_fee_and_the_tip_are_offered_or_the_price(base: int | None, tip: int, offered: Fees) -> None:
    assert LIMITS.offered(base, tip, "the node") == offered


@pytest.mark.parametrize("base", [10 * GWEI, None])
def test_a_tip_or_price_above_the_limit_is_refused_by_its_flag(base: int | None) -> None:
    with fails_with(RefusedError, "fee-too-high", "50.001 gwei", 50) as caught:
        LIMITS.offered(base, 50 * GWEI + 1, "the node")
    assert caught.value.code == "fee-too-high"
    assert "--max-tip" in str(caught.value.hint)


def test_with_something_at_stake_the_highest_tip_that_is_allowed_is_offered() -> None:
    assert LIMITS.offered(10 * GWEI, 900 * GWEI, "the node", staked=True) == Fees(70 * GWEI, 50 * GWEI)
    assert LIMITS.offered(None, 900 * GWEI, "the node", staked=True) == Fees(900 * GWEI, None)


def test_a_transaction_may_cost_the_limit_and_no_wei_more() -> None:
    fees = Fees(100 * GWEI, GWEI)
    assert LIMITS.allow(500_000, fees) is None
    with fails_with(RefusedError, "fee-too-high", "500,001", "100 gwei", "0.05 ETH", "--max-fee") as caught:
        LIMITS.allow(500_001, fees)
    assert caught.value.code == "fee-too-high"
    assert "--max-fee" in str(caught.value.hint)


def test_what_is_at_stake_may_be_spent_and_that_is_said() -> None:
    fees = Fees(100 * GWEI, GWEI)
    assert LIMITS.allow(500_000, fees, stake=ETHER) is None
    told = LIMITS.allow(600_000, fees, stake=6 * ETHER // 100)
    assert told is not None
    assert told.code == "fee-above-limit"
    with fails_with(RefusedError, "fee-too-high", "0.06 ETH"):
        LIMITS.allow(600_001, fees, stake=6 * ETHER // 100)
    with pytest.raises(RefusedError):
        LIMITS.allow(600_000, fees, stake=0)


def test_another_coin_is_named_by_its_symbol() -> None:
    with fails_with(RefusedError, "fee-too-high", "10 POL", "--max-fee"):
        FeeLimits.of(137).allow(10**6, Fees(10**13 + 1, None))


def test_nothing_is_signed_above_the_limit_and_a_stake_lifts_it_aloud(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Note] = []
    sender = Sender(stage.connection, stage.buyer.signer, stage.session.address, notify=told.append)
    monkeypatch.setattr(stage.connection, "limits", replace(stage.connection.limits, max_fee=1))
    call = calls.register(public_key=b"\1" * 32)
    signed: list[bytes] = []
    for act in (lambda: sender.send(call, lambda _, raw: signed.append(raw)), lambda: sender.plan(call)):
        with pytest.raises(RefusedError) as caught:
            act()
        assert caught.value.code == "fee-too-high"
    assert (signed, told) == ([], [])
    assert sender.send(call, stake=ETHER).status == 1
    assert [note.code for note in told] == ["fee-above-limit"]
