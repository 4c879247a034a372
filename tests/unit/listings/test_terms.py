"""Presets, how one term makes others give way, and the words for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.core.errors import UsageError
from numerbay_chain.listings.terms import PRESETS, Preset, TermChanges, about, build_terms
from numerbay_chain.listings.words import explain
from numerbay_chain.protocol.types import NATIVE_TOKEN, Token
from tests.support.codes import fails_with

NOW = 1_800_000_000
DAY = 86_400
DURATIONS = {
    "period": (60, 30 * DAY),
    "min_interval": (60, 365 * DAY),
    "decline_window": (2, 7 * DAY),
    "notice_period": (60, 90 * DAY),
    "dispute_window": (120, 90 * DAY),
    "response_window": (60, 45 * DAY),
}


def build(preset: Preset | None = None, **changes: object):
    return build_terms(NOW, preset, changes, NATIVE_TOKEN)  # type: ignore[arg-type]  # TermChanges' own names


@given(
    st.sampled_from([None, *PRESETS]),
    st.sampled_from(sorted(DURATIONS)).flatmap(lambda name: st.tuples(st.just(name), st.integers(*DURATIONS[name]))),
    st.booleans(),
)
def test_any_one_term_can_be_set_on_any_preset(preset: Preset | None, change: tuple[str, int], copies: bool) -> None:
    name, seconds = change
    terms = build(preset, **{name: seconds}, copies=copies)
    assert getattr(terms, name) == seconds
    assert terms.copies == copies


@given(st.sampled_from([None, *PRESETS]), st.booleans())
def test_a_listing_need_not_be_adjudicated(preset: Preset | None, copies: bool) -> None:
    terms = build(preset, dispute_window=0, copies=copies)
    assert (terms.adjudicated, terms.response_window, terms.challenge_bond) == (False, 0, 0)
    assert any(line.startswith("NOT ADJUDICATED") for line in explain(terms, 1, NATIVE_TOKEN))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_as_it_is_called(preset: Preset) -> None:
    terms = build(preset)
    assert terms.period == {"weekly": 7 * DAY, "daily": DAY}.get(preset, 0)
    assert terms.first_due == (NOW + terms.period if terms.period else 0)
    assert (terms.instant, terms.max_rounds == 1) == (preset in ("dataset", "test"), preset == "dataset")
    assert about(preset)


def test_durations_and_amounts_are_text_or_numbers() -> None:
    coin = Token("0x" + "11" * 20, "NMR", 18)
    changes: TermChanges = {"dispute_window": "2d", "challenge_bond": "1 NMR", "first_due": "3d", "period": "1d"}
    terms = build_terms(NOW, None, changes, coin)
    assert (terms.dispute_window, terms.challenge_bond, terms.first_due) == (2 * DAY, 10**18, NOW + 3 * DAY)
    assert terms.token == coin.address


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        ({"max_rounds": 0}, (0, 1, 65535)),
        ({"decline_window": "8d"}, ("8d", "0s", "7d")),
        ({"dispute_window": "1d", "decline_window": "13h"}, ("1d", "1d2h", "90d")),
        ({"dispute_window": "5m", "response_window": "4m"}, ("4m", "1m", "2m30s")),
        ({"period": "1h", "min_interval": "2h"}, ("1h", "2h")),
        ({"period": "1h", "first_due": NOW}, ("first due",)),
        ({"copies": True, "instant": True}, ()),
        ({"copies": True, "decline_window": 1}, ("2s",)),
        ({"dispute_window": 0, "challenge_bond": 5}, (0,)),
        ({"challenge_bond": -1}, ("challenge bond",)),
        ({"supply": 2**24}, (2**24,)),
    ],
)
def test_what_the_contract_would_refuse_is_refused_here(changes: dict[str, object], values: tuple[object, ...]) -> None:
    with fails_with(UsageError, "term-out-of-bounds", *values):
        build(**changes)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as refusal:
        build("monthly")  # type: ignore[arg-type]  # on purpose
    assert "weekly" in str(refusal.value.hint)


def test_the_words_name_price_windows_and_caps() -> None:
    text = "\n".join(explain(build("weekly", supply=5), 5 * 10**16, NATIVE_TOKEN))
    for words in (
        "0.05 ETH",
        "at most 5 orders",
        "7d after the one before",
        "6h after a release",
        "stays owed for 7d",
    ):
        assert words in text
    plain = "\n".join(explain(build(), 1, NATIVE_TOKEN))
    assert "nobody can decline" in plain
    assert "no schedule" in plain


def test_who_is_paid_back_for_wrong_content_is_said() -> None:
    whole = "\n".join(explain(build(), 1, NATIVE_TOKEN))
    copies = "\n".join(explain(build(copies=True), 1, NATIVE_TOKEN))
    assert "gets all buyers paid back" in whole
    assert "gets that one order paid back" in copies
    assert "all buyers" not in copies


def test_a_round_that_was_out_is_said_to_be_kept_where_others_can_be_declined() -> None:
    words = "a round that was out when it was bought can't be declined"
    assert words in explain(build(decline_window="5m", instant=True), 1, NATIVE_TOKEN)
    assert words not in explain(build(decline_window="5m"), 1, NATIVE_TOKEN)
    assert words not in explain(build(instant=True), 1, NATIVE_TOKEN)


def test_one_round_is_said_as_one() -> None:
    assert "an order covers 1 round, paid in advance" in explain(build("dataset"), 1, NATIVE_TOKEN)[0]
