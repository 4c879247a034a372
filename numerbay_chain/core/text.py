"""Other people's text, made fit to be shown: a node's answers, a token's and a seller's words."""

import re

_NUMBER = re.compile(r"[0-9.,'_+-]+", re.ASCII)
_STEERING = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}


def from_hex(text: str) -> bytes | None:
    """Return the bytes that `0x` and an even number of hexadecimal digits stand for; None for any other text."""
    if text[:2] not in ("0x", "0X") or len(text) % 2:
        return None
    try:
        found = bytes.fromhex(text[2:])
    except ValueError:
        return None
    return found if 2 * len(found) + 2 == len(text) else None  # else there was white space between digits


def printable(text: str) -> str:
    """Without what could steer a terminal (C0 and C1 controls); lines and tabs stay."""
    return text.translate(_STEERING)


def visible(text: str) -> str:
    """The words alone: what is invisible or no character goes, and of all white space only spaces and lines stay."""
    return "".join(character for character in text if character.isprintable() or character == "\n")


def one_line(text: str, length: int = 300) -> str:
    """Fit for a message: one line, nothing invisible, at most `length` characters and a mark where it was cut."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * length]).split())
    return clean if len(clean) <= length else clean[:length] + "…"


def escaped(text: str) -> str:
    r"""Return the text in printable ASCII without white space. All else, and a backslash, is written as `\u20ae` or
    `\U0001f600`, so that no two texts read the same. So is what would read as a piece of a number ("000")."""
    if _NUMBER.fullmatch(text):
        return "".join(_escape(ord(c)) for c in text)
    return "".join(c if "!" <= c <= "~" and c != "\\" else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
