"""One rule for JSON that somebody else wrote (docs/protocol.md §3, "JSON"): RFC 8259 in UTF-8, and nothing a parser
could read in two ways or be stopped by."""

import json
import math
import re
from typing import Any, Final, NoReturn

MOST_BYTES: Final = 1 << 20
MOST_LEVELS: Final = 32
MOST_DIGITS: Final = 80
"""Characters of a number: 2^256 has 78 digits, and reading decimal digits takes quadratic time."""

# Possessive: a string without an end is found to be one in linear time.
_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*+("?)|[\[\]{},]', re.DOTALL)
_MARK: Final = re.compile(rb'\\.?|["\[\]{}]', re.DOTALL)


class JsonError(ValueError):
    """Text that the rule refuses. `code` says why; the text itself, which may hold a secret, is not repeated."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Whole:
    """Tells when a JSON text that comes in pieces may have come to its end, each byte looked at once."""

    def __init__(self) -> None:
        self._depth, self._in_text, self._escaped = 0, False, False

    def ends_with(self, piece: bytes) -> bool:
        """Whether the text may end with this piece. It is not parsed: what nests too deep ends there too."""
        ended = False
        start = 1 if self._escaped else 0
        self._escaped = False
        for match in _MARK.finditer(piece, start):
            mark = match.group()
            if mark[:1] == b"\\":
                self._escaped = len(mark) == 1
            elif mark == b'"':
                self._in_text = not self._in_text
            elif not self._in_text:
                self._depth += 1 if mark in b"[{" else -1
            if not -1 < self._depth <= MOST_LEVELS:
                return True
            ended = True
        return ended and self._depth == 0 and not self._in_text


def parse(data: bytes | str, limit: int | None = MOST_BYTES, parts: int | None = None) -> Any:
    """Return the value of a JSON text of at most `limit` bytes (None: any number), in linear time.

    `parts`: how many texts, brackets and commas it may have, since small values take thirty times their bytes in
    memory.

    Whole numbers are `int`; a number with a fraction or an exponent is a `float`, never an integer. Raises `JsonError`
    with the code `too-large`, `not-utf-8`, `byte-order-mark`, `too-deep`, `too-many-parts`, `duplicate-name`,
    `not-finite`, `long-number`, `lone-surrogate` or `not-json`.
    """
    text = _text(data, limit)
    _check_shape(text, parts)
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        raise JsonError("not-json", f"it is not JSON from character {error.pos} on") from None
    _check_characters(value)
    return value


def whole(value: object, bits: int = 256) -> int:
    """Return an integer that stands as a number or as decimal digits, below 2^`bits`. Raises `JsonError`
    (`not-whole`) for anything else, also for `true`, `1.0` and `+1`."""
    if isinstance(value, str) and re.fullmatch(rf"(?:0|[1-9][0-9]{{0,{MOST_DIGITS}}})", value):
        value = int(value)
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise JsonError("not-whole", f"a whole number below 2^{bits} is wanted")
    return value


def _text(data: bytes | str, limit: int | None) -> str:
    if limit is not None and len(data) > limit:
        raise JsonError("too-large", f"it has more than {limit} bytes")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        raise JsonError("not-utf-8", "it is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise JsonError("byte-order-mark", "it begins with a byte order mark")
    return text


def _check_shape(text: str, parts: int | None) -> None:
    """The parser recurses: what nests without end would take its stack."""
    depth = 0
    for count, match in enumerate(_PART.finditer(text), 1):
        found = match.group()
        if count == parts:
            raise JsonError("too-many-parts", f"it has {parts} texts, brackets and commas or more")
        if found in "[{":
            depth += 1
        elif found in "]}":
            depth -= 1
        elif found != "," and not match.group(1):
            raise JsonError("not-json", f"a text begins at character {match.start()} and does not end")
        if depth > MOST_LEVELS:
            raise JsonError("too-deep", f"it nests deeper than {MOST_LEVELS} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise JsonError("duplicate-name", "an object has two values of one name")
    return found


def _integer(digits: str) -> int:
    _check_length(digits)
    return int(digits)


def _fraction(digits: str) -> float:
    _check_length(digits)
    value = float(digits)
    if not math.isfinite(value):
        raise JsonError("not-finite", "a number is too large to be one")
    return value


def _check_length(digits: str) -> None:
    if len(digits) > MOST_DIGITS:
        raise JsonError("long-number", f"a number has more than {MOST_DIGITS} digits")


def _constant(_: str) -> NoReturn:
    raise JsonError("not-finite", "NaN and Infinity are not JSON")


def _check_characters(value: Any) -> None:
    """Halves of a surrogate pair are no characters: they can't be written as UTF-8 again."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, str) and not item.isascii():
            try:
                item.encode()
            except UnicodeEncodeError:
                raise JsonError("lone-surrogate", "a text has half of a surrogate pair") from None
