"""What people type and read: amounts with a unit, durations, order ids. Inside, all of them are integers."""

import re

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.text import escaped, one_line

_COIN_UNITS = {"wei": 0, "gwei": 9, "ether": 18}
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
# a unit that begins with a digit stands after a space
_AMOUNT = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?:\s+(?=\S)|(?=[^\s0-9.]|$))(\S+)?", re.ASCII)
_DURATION = re.compile(r"(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?", re.ASCII)
_ORDER = re.compile(r"([0-9]{1,10})-([0-9]{1,10})", re.ASCII)
_MOST_CHARACTERS = 600
_MAX_AMOUNT = 2**256 - 1
_MAX_SECONDS = 2**40 - 1
_MAX_HALF = 2**32 - 1


def parse_amount(text: str, decimals: int = 18, symbol: str = "ETH", *, coin: bool = False) -> int:
    """The amount in wei, or in a token's smallest unit: `"0.05 ether"`, `"5 gwei"`, `"12 NMR"`.

    The unit may be left out for zero only. `symbol` is a unit; `coin` says that it is the coin of a chain, which may be
    written in wei, gwei and ether on any chain, and "units" is the smallest one of a token. Letters that are escaped in
    the symbol may be written as they are. Raises `UsageError`.
    """
    match = _AMOUNT.fullmatch(_short(text, "amount", "bad-amount"))
    coin = coin or symbol == "ETH"
    units = _COIN_UNITS | {symbol.lower(): 18} if coin else {symbol.lower(): decimals, "units": 0}
    example = f"0.05 {'ether' if symbol == 'ETH' else symbol}"
    if match is None:
        raise UsageError(
            f"{text!r} is not an amount", f'write a number and a unit, such as "{example}"', code="bad-amount"
        )
    whole, fraction, unit = match.group(1), match.group(2) or "", match.group(3)
    if unit is None:
        if int(whole + fraction) == 0:
            return 0
        raise UsageError(
            f"the amount {text!r} has no unit", f'write the unit too, such as "{example}"', code="bad-amount"
        )
    exponent = units.get(unit.lower(), units.get(escaped(unit).lower()))
    if exponent is None:
        raise UsageError(
            f"{one_line(unit, 60)!r} is not a unit of {symbol}", f"use one of: {', '.join(units)}", code="bad-amount"
        )
    fraction = fraction.rstrip("0")
    if len(fraction) > exponent:
        raise UsageError(
            f"{text!r} is more precise than {symbol} can be paid",
            f"use at most {exponent} digits after the point",
            code="bad-amount",
        )
    amount: int = int(whole + fraction) * 10 ** (exponent - len(fraction))
    if amount > _MAX_AMOUNT:
        raise UsageError(
            f"the amount {text!r} is too large", "amounts end below 2^256 of the smallest unit", code="bad-amount"
        )
    return amount


def _short(text: str, what: str, code: str) -> str:
    """The text without white space around it. Raises `UsageError` for one that no number needs: reading thousands of
    digits takes long, and Python refuses it in its own words."""
    stripped = text.strip()
    if len(stripped) > _MOST_CHARACTERS:
        raise UsageError(
            f"{stripped[:20]!r}… is no {what}: it has {len(stripped):,} characters", "write fewer digits", code=code
        )
    return stripped


def format_amount(wei: int, symbol: str = "ETH", decimals: int = 18) -> str:
    """The exact amount for people: `50000000000000000` is `"0.05 ETH"`. `parse_amount` reads it back."""
    sign, digits = ("-" if wei < 0 else ""), str(abs(wei)).zfill(decimals + 1)
    whole, fraction = (digits[:-decimals], digits[-decimals:].rstrip("0")) if decimals else (digits, "")
    return f"{sign}{whole}{'.' + fraction if fraction else ''} {symbol}"


def format_fee(wei: int, symbol: str = "ETH") -> str:
    """An upper bound in the chain's coin, rounded up to two digits: `149999999993` is `"0.00000015 ETH"`."""
    step: int = 10 ** max(len(str(wei)) - 2, 0)
    return format_amount(-(-wei // step) * step, symbol)


def parse_duration(text: str) -> int:
    """Seconds: `"10m"`, `"7d"`, `"1h30m"`; units w, d, h, m, s, the larger first. Raises `UsageError`."""
    compact = "".join(_short(text, "duration", "bad-duration").split()).lower()
    if compact == "0":
        return 0
    match = _DURATION.fullmatch(compact)
    if match is None or not compact:
        raise UsageError(
            f"{text!r} is not a duration",
            'write it with units, such as "90s", "10m", "1h30m" or "7d"',
            code="bad-duration",
        )
    seconds = sum(int(count or 0) * unit for count, unit in zip(match.groups(), _SECONDS.values(), strict=True))
    if seconds > _MAX_SECONDS:
        raise UsageError(f"the duration {text!r} is too long", "durations end below 2^40 seconds", code="bad-duration")
    return seconds


def parse_size(text: str) -> int:
    """Bytes: `"10GiB"`, `"500 MB"`, `"1000000"`, `"0"`. Raises `UsageError`."""
    match = re.fullmatch(r"([0-9]{1,15})(?:([kmgt])(i?)b|b)?", "".join(text.split()).lower(), re.ASCII)
    if match is None:
        raise UsageError(
            f"{one_line(text, 60)!r} is not a size",
            'write it in bytes or with a unit, such as "10GiB" or "500MB"',
            code="bad-setting",
        )
    count, unit, binary = match.groups()
    size = int(count)
    for _ in range(" kmgt".index(unit) if unit else 0):
        size *= 1024 if binary else 1000
    return size


def format_duration(seconds: int) -> str:
    """`600` is `"10m"`, `5400` is `"1h30m"`; `parse_duration` reads it back."""
    sign, rest, parts = ("-" if seconds < 0 else ""), abs(seconds), ""
    for name in "dhms":
        count, rest = divmod(rest, _SECONDS[name])
        parts += f"{count}{name}" if count else ""
    return sign + (parts or "0s")


def format_time(timestamp: int) -> str:
    """A point in time (Unix seconds) in UTC; the number itself where no calendar reaches."""
    from datetime import UTC, datetime  # not needed for most of what imports this

    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(timestamp)


def format_until(timestamp: int, now: int) -> str:
    """A deadline: the point in time in UTC, and how far away it is."""
    away = timestamp - now
    return f"{format_time(timestamp)} ({f'in {format_duration(away)}' if away >= 0 else 'over'})"


def order_id(listing: int, index: int) -> int:
    """`listing << 32 | index`, both below 2^32. Raises `UsageError`."""
    if not (0 <= listing <= _MAX_HALF and 0 <= index <= _MAX_HALF):
        raise UsageError(f"{listing}-{index} is not an order", "listing and index end below 2^32", code="not-an-order")
    return listing << 32 | index


def format_order_id(id: int) -> str:
    """`4294967296` is `"1-0"`."""
    return f"{id >> 32}-{id & _MAX_HALF}"


def parse_order_id(text: str) -> int:
    """Reads `"1-0"` and the plain integer `"4294967296"`. Raises `UsageError`."""
    stripped = text.strip()
    if match := _ORDER.fullmatch(stripped):
        return order_id(int(match.group(1)), int(match.group(2)))
    if re.fullmatch(r"[0-9]{1,20}", stripped, re.ASCII) and int(stripped) < 2**64:
        return int(stripped)
    raise UsageError(f"{text[:80]!r} is not an order", 'write it as LISTING-INDEX, such as "1-0"', code="not-an-order")


def parse_listings(text: str) -> tuple[int, ...]:
    """`"3, 5"` is `(3, 5)`: listings by number. Raises `UsageError`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(
        part.isascii() and part.isdigit() and 0 < len(part) <= 10 and 0 < int(part) <= _MAX_HALF for part in parts
    ):
        raise UsageError(
            f"{one_line(text, 60)!r} is no list of listings", "write their numbers, as in 3, 5", code="bad-setting"
        )
    return tuple(int(part) for part in parts)
