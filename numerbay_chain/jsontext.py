"""JSON of somebody else, which may be hostile: one that nests deep would exhaust the stack of whoever parses it."""

import json
import re
from typing import Any, Final

_DEEPEST: Final = 32
_BRACKET_OR_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def parse(data: bytes | str) -> Any:
    """The value. Raises `ValueError` for what is no JSON in UTF-8, or nests deeper than 32 levels."""
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    depth = 0
    for match in _BRACKET_OR_STRING.finditer(text):
        if match.group() in "[{":
            depth += 1
        elif match.group() in "]}":
            depth -= 1
        if depth > _DEEPEST:
            raise ValueError(f"it nests deeper than {_DEEPEST} levels")
    return json.loads(text)
