"""Terms for sale: presets, how a change of one fits the others, and what they mean for both sides in plain words.

Bounds are the contract's (docs/protocol.md §2, "Listing terms").
"""

from dataclasses import replace
from typing import Final, Literal, TypedDict, get_args

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.units import format_duration, parse_amount, parse_duration
from numerbay_chain.protocol.types import ZERO_ADDRESS, Terms, Token

Preset = Literal["weekly", "daily", "dataset", "test"]
PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class TermChanges(TypedDict, total=False):
    """Terms by name, in place of a preset's. Durations in seconds or as text ("5m"), `first_due` in Unix seconds or
    as a duration from now, `challenge_bond` in the token's smallest unit or as text with a unit. None counts as not
    given."""

    token: str | None
    supply: int | None
    max_rounds: int | None
    instant: bool | None
    copies: bool | None
    first_due: int | str | None
    period: int | str | None
    min_interval: int | str | None
    decline_window: int | str | None
    notice_period: int | str | None
    dispute_window: int | str | None
    response_window: int | str | None
    challenge_bond: int | str | None


_PLAIN: Final = Terms(
    token=ZERO_ADDRESS,
    supply=0,
    max_rounds=52,
    instant=False,
    copies=False,
    first_due=0,
    period=0,
    min_interval=10 * MINUTE,
    decline_window=0,
    notice_period=DAY,
    dispute_window=DAY,
    response_window=6 * HOUR,
    challenge_bond=0,
)
_PRESETS: Final[dict[Preset, Terms]] = {
    "weekly": replace(
        _PLAIN,
        period=7 * DAY,
        min_interval=DAY,
        decline_window=6 * HOUR,
        notice_period=7 * DAY,
        dispute_window=3 * DAY,
        response_window=DAY,
    ),
    "daily": replace(
        _PLAIN,
        max_rounds=365,
        period=DAY,
        min_interval=6 * HOUR,
        decline_window=HOUR,
        notice_period=DAY,
        dispute_window=DAY,
        response_window=8 * HOUR,
    ),
    "dataset": replace(
        _PLAIN,
        max_rounds=1,
        instant=True,
        min_interval=DAY,
        decline_window=DAY,
        notice_period=14 * DAY,
        dispute_window=7 * DAY,
        response_window=2 * DAY,
    ),
    "test": replace(
        _PLAIN,
        instant=True,
        min_interval=MINUTE,
        notice_period=2 * HOUR,
        dispute_window=2 * MINUTE,
        response_window=MINUTE,
    ),
}
_ABOUT: Final[dict[Preset, str]] = {
    "weekly": "a file each week, on a schedule; a buyer has six hours to decline it",
    "daily": "a file each day, on a schedule; a buyer has an hour to decline it",
    "dataset": "one file, sold for as long as you like, also after it is out",
    "test": "short windows, for trying things out",
}
_DURATIONS: Final = (
    "period", "min_interval", "decline_window", "notice_period", "dispute_window", "response_window",
)  # fmt: skip
_BOUNDS: Final = {
    "decline_window": 7 * DAY,
    "min_interval": 365 * DAY,
    "notice_period": 90 * DAY,
    "dispute_window": 90 * DAY,
    "period": 2**32 - 1,
    "supply": 2**24 - 1,
    "max_rounds": 2**16 - 1,
    "first_due": 2**40 - 1,
}


def about(preset: Preset) -> str:
    """A preset in one line."""
    return _ABOUT[preset]


def build_terms(now: int, preset: Preset | None, changes: TermChanges, token: Token) -> Terms:
    """The preset (None: plain terms without a schedule or decline window) with `changes`; terms that were not asked
    for give way to those that were. `now` is the chain's time. Raises `UsageError` for what the contract would
    refuse."""
    if preset is not None and preset not in _PRESETS:
        raise UsageError(f"there is no preset {preset!r}", f"use one of: {', '.join(PRESETS)}")
    base = _PRESETS[preset] if preset else _PLAIN
    asked: dict[str, int | str | bool] = {
        name: value for name, value in changes.items() if isinstance(value, (int, str)) and name != "token"
    }
    for name in _DURATIONS:
        if isinstance(text := asked.get(name), str):
            asked[name] = parse_duration(text)
    if isinstance(text := asked.get("first_due"), str):
        asked["first_due"] = now + parse_duration(text)
    if isinstance(text := asked.get("challenge_bond"), str):
        asked["challenge_bond"] = parse_amount(text, token.decimals, token.symbol, coin=token.native)
    terms = replace(base, token=token.address, **asked)  # type: ignore[arg-type]  # names and kinds are TermChanges'
    terms = _fit(terms, set(asked), now)
    _check(terms, now)
    return terms


def _fit(terms: Terms, asked: set[str], now: int) -> Terms:
    """Terms that nobody asked for give way to those that somebody did."""
    values = {name: getattr(terms, name) for name in (*_DURATIONS, "first_due", "challenge_bond", "instant")}

    def fit(name: str, value: int) -> None:
        if name not in asked:
            values[name] = value

    def limit(name: str, *others: tuple[str, int]) -> None:
        fit(name, min([values[name], *(most for other, most in others if other in asked)]))

    adjudicated = values["dispute_window"] > 0
    if adjudicated and terms.copies:
        fit("instant", False)
        fit("decline_window", values["decline_window"] or HOUR)
    limit("decline_window", ("min_interval", values["min_interval"]), ("period", values["period"]))
    if adjudicated:
        half, response = values["dispute_window"] // 2, values["response_window"]
        limit("decline_window", ("dispute_window", half), ("response_window", response))
        limit("response_window", ("dispute_window", half))
        fit("response_window", max(values["response_window"], MINUTE, values["decline_window"]))
        longest = max(values["response_window"], values["decline_window"])
        fit("dispute_window", max(values["dispute_window"], 2 * MINUTE, 2 * longest))
    else:
        fit("response_window", 0)
        fit("challenge_bond", 0)
    limit("min_interval", ("period", values["period"]))
    fit("min_interval", max(values["min_interval"], MINUTE, values["decline_window"]))
    if values["period"]:
        fit("period", max(values["period"], values["min_interval"]))
        fit("first_due", now + values["period"])
    return replace(terms, **values)


def _check(terms: Terms, now: int) -> None:
    for name, most in _BOUNDS.items():
        _between(name, getattr(terms, name), 0, most)
    _between("max_rounds", terms.max_rounds, 1, _BOUNDS["max_rounds"])
    _between("min_interval", terms.min_interval, max(MINUTE, terms.decline_window), _BOUNDS["min_interval"])
    _between("notice_period", terms.notice_period, MINUTE, _BOUNDS["notice_period"])
    if terms.first_due or terms.period:
        _between("first_due", terms.first_due, now + 1, _BOUNDS["first_due"])
        _between("period", terms.period, terms.min_interval, _BOUNDS["period"])
    if not terms.dispute_window:
        _between("response_window", terms.response_window, 0, 0)
        _between("challenge_bond", terms.challenge_bond, 0, 0)
        return
    least = max(2 * MINUTE, 2 * terms.decline_window)
    if not least <= terms.dispute_window <= 90 * DAY:
        raise UsageError(
            f"the dispute window is {format_duration(terms.dispute_window)}: it is 0 (no disputes), or "
            f"{format_duration(least)} to {format_duration(90 * DAY)}",
            "change it, or what it depends on",
            code="term-out-of-bounds",
        )
    _between("response_window", terms.response_window, max(MINUTE, terms.decline_window), terms.dispute_window // 2)
    if not 0 <= terms.challenge_bond < 2**88:
        raise UsageError(
            "the challenge bond is out of range",
            "it is below 2^88 of the token's smallest unit",
            code="term-out-of-bounds",
        )
    if terms.copies and (terms.decline_window < 2 or terms.instant):
        raise UsageError(
            "an adjudicated listing of copies needs a decline window of at least 2s, and can't be instant",
            "set a decline window, leave instant out, or set the dispute window to 0",
            code="term-out-of-bounds",
        )


def _between(name: str, value: int, least: int, most: int) -> None:
    if least <= value <= most:
        return
    flag = name.replace("_", " ")
    show = format_duration if name in _DURATIONS else str
    if least == most:
        raise UsageError(
            f"the {flag} must be {show(least)} in a listing without a dispute window",
            "leave it out",
            code="term-out-of-bounds",
        )
    raise UsageError(
        f"the {flag} is {show(value)}, outside of {show(least)} to {show(most)}",
        "change it, or what it depends on",
        code="term-out-of-bounds",
    )
