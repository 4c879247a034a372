"""What is said of disputes before and during one, and the gas figures it is said with."""

import json
import re
from pathlib import Path

import pytest

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.units import format_fee, format_until
from numerbay_chain.listings.terms import PRESETS, Preset, build_terms
from numerbay_chain.listings.words import explain
from numerbay_chain.protocol.gas import BUYER_GAS, DISPUTE_GAS, RECLAIM_GAS
from numerbay_chain.protocol.types import NATIVE_TOKEN, Token
from tests.support.codes import fails_with

ROOT = Path(__file__).resolve().parents[3]
MEASURED: dict[str, int] = json.loads((ROOT / "docs" / "gas.json").read_text())
NOW = 1_800_000_000
PRICE = 10**17
GWEI = 10**9
COIN = Token("0x" + "11" * 20, "NMR", 18)


def words(price: int = PRICE, token: Token = NATIVE_TOKEN, gas_price: int = 0, **terms: object) -> str:
    preset = terms.pop("preset", None)
    built = build_terms(NOW, preset, terms, token)  # type: ignore[arg-type]  # TermChanges' own names
    return "\n".join(explain(built, price, token, gas_price))


@pytest.mark.parametrize("function", sorted({**DISPUTE_GAS, **RECLAIM_GAS}))
def test_the_gas_that_is_said_is_at_least_the_gas_that_is_measured(function: str) -> None:
    name = re.sub(r"([A-Z])", lambda letter: "_" + letter.group(1).lower(), function)
    figures = [gas for case, gas in MEASURED.items() if case.startswith(name)]
    assert figures, name
    assert max(figures) <= {**DISPUTE_GAS, **RECLAIM_GAS}[function] <= 1.2 * max(figures)


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if preset != "test"])
def test_a_preset_gives_both_sides_time(preset: Preset) -> None:
    said = words(preset=preset, gas_price=GWEI)
    assert "the contract judges disputes" in said
    assert "SHORT" not in said
    assert "NOT WORTH" not in said
    assert "a challenge takes no bond" in said


def test_the_bond_is_said_as_the_amount_that_would_be_asked() -> None:
    assert "a bond of 0.002 ETH" in words(challenge_bond="0.002 ether")
    assert "a tenth" not in words(challenge_bond="0.002 ether")
    capped = words(challenge_bond="5 ether")
    assert "a bond of 0.01 ETH (a tenth of the price, as the terms' 5 ETH are more)" in capped


def test_a_dispute_window_that_can_t_be_says_that_none_is_possible_too() -> None:
    with fails_with(UsageError, "term-out-of-bounds", 0, "2m", "90d"):
        words(dispute_window="1m")
    with fails_with(UsageError, "term-out-of-bounds", "20m", "90d"):
        words(dispute_window="1m", decline_window="10m")


@pytest.mark.parametrize(
    ("wei", "said"),
    [
        (0, "0 ETH"),
        (7, "0.000000000000000007 ETH"),
        (149_999_999_993, "0.00000015 ETH"),
        (7_500_000_000_000_000, "0.0075 ETH"),
        (99_900_000_000_000_000_000, "100 ETH"),
    ],
)
def test_a_fee_is_said_in_two_digits_and_never_too_low(wei: int, said: str) -> None:
    assert format_fee(wei) == said


def test_a_price_below_the_gas_of_a_dispute_is_not_protected_and_says_so() -> None:
    fee = BUYER_GAS * 50 * GWEI
    assert "NOT WORTH A DISPUTE" in words(price=fee - 1, gas_price=50 * GWEI)
    assert "NOT WORTH A DISPUTE" not in words(price=fee, gas_price=50 * GWEI)
    assert "at most 0.0075 ETH today" in words(gas_price=50 * GWEI)
    assert "NOT WORTH" not in words(price=1, token=COIN, gas_price=GWEI), "no price of a token in coin is known here"
    assert "gas of its buyer" not in words(), "where the node says no price"


def test_too_little_time_to_answer_is_said() -> None:
    assert "SHORT: 1m to answer" in words(preset="test")
    short = words(decline_window="4m", response_window="4m", dispute_window="10m")
    assert "SHORT: 4m to answer a challenge is less than the 22m: the 20m that it takes to be sure of one" in short
    assert "and 2m between two looks at it" in short
    assert "SHORT: 39m" in words(decline_window="39m", response_window="39m", dispute_window="2h")
    assert "SHORT" not in words(decline_window="40m", response_window="40m", dispute_window="2h")


def test_a_deadline_is_a_date_and_how_far_away_it_is() -> None:
    assert format_until(NOW + 3_660, NOW) == "2027-01-15 09:01:00 UTC (in 1h1m)"
    assert format_until(NOW, NOW).endswith("(in 0s)")
    assert format_until(NOW - 1, NOW).endswith("(over)")
