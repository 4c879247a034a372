"""Every sentence that explains terms, played out on the contract: the numbers that it names are the contract's."""

import re
from typing import Any

import pytest

from numerbay_chain.listings.terms import PRESETS, about
from tests.support import judgements, promises  # noqa: F401  # they tell what each sentence promises
from tests.support.deals import SCENARIOS, Deal, offer
from tests.support.judgements import DEAR_GAS

CHEAP_GAS = 10**6  # wei

OFFERS = {
    **{preset: offer(preset, gas_price=CHEAP_GAS) for preset in PRESETS},
    "plain": offer(),
    "a decline window, and instant": offer(decline_window="5m", instant=True, max_rounds=3),
    "few orders": offer(supply=2),
    "copies": offer(copies=True, max_rounds=2, gas_price=CHEAP_GAS),
    "copies without a judge": offer(copies=True, dispute_window=0),
    "no judge": offer("dataset", dispute_window=0, decline_window="1h"),
    "a bond": offer(challenge_bond=7, price=1000),
    "a bond above a tenth": offer(challenge_bond="1 ether", price=1005),
    "a bond of nothing": offer(challenge_bond=5, price=9),
    "dear gas": offer(gas_price=DEAR_GAS),
    "answers at once": offer(response_window="2m", decline_window="2m", dispute_window="10m", min_interval="2m"),
}


# -------------------------------------------------------------------------------------------------------------- tests


def told(line: str) -> list[tuple[str, "re.Match[str]"]]:
    return [(pattern, found) for pattern in SCENARIOS if (found := re.fullmatch(pattern, line))]


CASES = [(name, line) for name, offered in OFFERS.items() for line in offered.lines]


@pytest.mark.parametrize(("name", "line"), CASES, ids=[f"{name}: {line[:40]}" for name, line in CASES])
def test_a_sentence_is_what_the_contract_does(name: str, line: str) -> None:
    ((pattern, said),) = told(line)
    SCENARIOS[pattern](Deal(OFFERS[name]), said)


def test_every_sentence_is_printed_for_some_offer() -> None:
    printed = {pattern for offered in OFFERS.values() for line in offered.lines for pattern, _ in told(line)}
    assert printed == set(SCENARIOS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_what_it_is_said_to_be(preset: Any) -> None:
    words, terms = about(preset), OFFERS[preset].terms
    assert ("on a schedule" in words) == terms.scheduled
    assert ("also after it is out" in words) <= terms.instant
    assert ("one file" in words) == (terms.max_rounds == 1)
    for said, span in (("six hours to decline", 21_600), ("an hour to decline", 3_600)):
        assert (said in words) <= (terms.decline_window == span)
    for said, span in (("each week", 604_800), ("each day", 86_400)):
        assert (said in words) == (terms.period == span)
