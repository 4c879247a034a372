"""What a command says: data on stdout (with --json exactly one object), everything else on stderr."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from typing import IO, Any

from numerbay_chain.cli import streams
from numerbay_chain.core.errors import ExitCode, UsageError
from numerbay_chain.core.text import printable

PROGRAM = "numerbay-chain"
_LEAST_COLUMNS = 16
_WHOLE: Any = {"break_long_words": False, "break_on_hyphens": False}  # addresses and paths can be copied


def write(text: str) -> None:
    """Write one piece of data, as lines on stdout. Raises as `streams.print_data`."""
    streams.print_data(printable(text))


def is_stdout(path: str) -> bool:
    """Whether an output path is a name of stdout. What it says beside the data would stand in the data."""
    return path in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


@contextmanager
def stdout_for_data(as_json: bool) -> Iterator[IO[bytes]]:
    """Stdout for a file's own bytes. Raises `UsageError` with --json, whose object would stand between them."""
    if as_json:
        raise UsageError("--json and the file itself can't both go to stdout", "name a file with -o PATH")
    stream = streams.stdout_bytes()
    yield stream
    stream.flush()


def note(text: str) -> None:
    """Say a line to the person at the terminal, on stderr. It never fails."""
    _say(text)


def _say(text: str) -> bool:
    return streams.say(_fitted(printable(text), _columns(sys.stderr)))


def _columns(stream: IO[str]) -> int | None:
    """How wide the terminal is; None where there is none: what is piped or kept in a file is never broken."""
    if not _is_terminal(stream):
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns


def _is_terminal(stream: IO[str]) -> bool:
    try:
        return stream.isatty()
    except (OSError, ValueError):
        return False  # it was closed meanwhile


def _fitted(text: str, columns: int | None) -> str:
    """Lines that are too long are broken between words."""
    if columns is None:
        return text
    from textwrap import fill

    return "\n".join(fill(line, columns, **_WHOLE) if len(line) > columns else line for line in text.split("\n"))


def fail(failure: "Failure", as_json: bool = False) -> None:
    """Say an error and what to do about it on stderr; with --json, print it as an object too.

    Where stderr is closed, the sentence goes to stdout, unless there is data on it already.
    """
    message, hint = _sentence(failure.message), _sentence(failure.hint) if failure.hint else None
    lines = [f"{PROGRAM}: error: {message}"] + ([f"{PROGRAM}: hint: {hint}"] if hint else [])
    said = _say("\n".join(lines))
    if not streams.is_unused("stdout"):
        return  # the result is there already: exactly one object
    with suppress(streams.OutputClosed, streams.OutputLostError):
        if as_json:
            error = {"code": failure.code, "message": message, "hint": hint, "exit_code": int(failure.exit_code)}
            write(_json({"error": error}))
        elif not said:
            write("\n".join(lines))


def show(as_json: bool, data: Mapping[str, Any], text: Callable[[], str] | str) -> None:
    """One result: the object with --json, else the text, which is broken where the terminal ends."""
    if as_json:
        write(_json(data))
    else:
        words = text if isinstance(text, str) else text()
        if words:
            write(_fitted(printable(words), _columns(sys.stdout)))


def _json(data: Mapping[str, Any]) -> str:
    import json

    indent = 2 if _is_terminal(sys.stdout) else None
    text = json.dumps(plain(data), ensure_ascii=False, indent=indent)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):  # a letter that the stream lacks: JSON has a way to write it
        return json.dumps(plain(data), indent=indent)
    return text


def plain(value: Any) -> Any:
    """A value as JSON has it: bytes as 0x-hex. Amounts become strings where it is known that they are amounts."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, bytes | bytearray):
        return "0x" + value.hex()
    if isinstance(value, list | tuple | set | frozenset | range):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns that line up, two spaces apart, numbers to the right. On a terminal that is too narrow, further lines of
    the last column stand below its first."""
    body = [[printable(str(cell)).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(headers), *body]) for column in range(len(headers))]
    right = [
        bool(body) and all(row[column][:1].isdigit() and row[column].isdigit() for row in body)
        for column in range(len(headers))
    ]
    before = sum(widths[:-1]) + 2 * (len(widths) - 1)
    lines = []
    for line in [list(headers), *body]:
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ]
        cells[-1] = _below(cells[-1].rstrip(), before)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _below(text: str, before: int) -> str:
    """Text that begins at column `before` of a line on stdout, and so do its further lines."""
    columns = _columns(sys.stdout)
    fitted = _fitted(text, columns and max(columns - before, _LEAST_COLUMNS))
    return fitted.replace("\n", "\n" + " " * before)


def picked(of: object, names: str) -> dict[str, Any]:
    """Return attributes of a result under their own names, for JSON. `names` stand in one text, in order."""
    return {name: getattr(of, name) for name in names.split()}


def fields(pairs: Iterable[tuple[str, object]]) -> str:
    """`name   value` lines; what is None is left out. Further lines of a value stand below its first."""
    shown = [(name, str(value)) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name.ljust(width)}  {_below(value, width + 2)}" for name, value in shown)


def short(address: str) -> str:
    """An address as tables have room for it."""
    return f"{address[:6]}…{address[-4:]}" if len(address) > 12 else address


def size(count: int) -> str:
    """Bytes for people."""
    amount, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


def count(number: int, noun: str) -> str:
    """`1 round`, `2 rounds`, `2 copies`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{number} {noun}s"


_moving: list[tuple[Callable[[], None], Callable[[], None]]] = []


@contextmanager
def moving(stop: Callable[[], None], start: Callable[[], None]) -> Iterator[None]:
    """Something moves on the terminal within the block, and holds still while a person is asked."""
    _moving.append((stop, start))
    try:
        yield
    finally:
        _moving.pop()


@contextmanager
def _still() -> Iterator[None]:
    for stop, _ in _moving:
        stop()
    try:
        yield
    finally:
        for _, start in _moving:
            start()


def can_ask() -> bool:
    """Whether a person sits in front of this process."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def confirm(question: str) -> bool:
    """Ask on stderr. Raises `UsageError` where nobody can be asked."""
    if not can_ask():
        raise UsageError(
            "nobody can be asked here, so nothing was sent",
            "add --yes to go ahead without being asked",
            code="no-answer",
        )
    import click

    with redirect_stdout(sys.stderr):  # click has `input` write a space, where the result is to stand alone
        while True:
            typed = click.prompt(f"{question} [y/N]", default="", show_default=False, err=True)
            answer = str(typed).strip().lower()
            if answer in ("", "n", "no", "y", "yes"):
                return answer.startswith("y")
            note("answer y or n")


def password(prompt: str = "keystore password") -> str:
    """$NUMERBAY_CHAIN_PASSWORD, else what is typed. Raises `AccountError` where nobody can be asked."""
    known = os.environ.get("NUMERBAY_CHAIN_PASSWORD")
    if known is not None:
        return known
    with _still():
        return _typed(prompt)


def _typed(prompt: str) -> str:
    if not can_ask():
        from numerbay_chain.core.errors import AccountError

        raise AccountError(
            f"a {prompt} is needed, and nobody can be asked here",
            "set NUMERBAY_CHAIN_PASSWORD, or run it in a terminal",
            code="no-answer",
        )
    import click

    typed: str = click.prompt(prompt, hide_input=True, err=True)
    return typed


def _sentence(text: str) -> str:
    """One line, lower case at its start unless that is a name (`IPFS`, `SoldOut`), no full stop."""
    line = " ".join(text.split()).rstrip(".")
    first = line.split(" ", 1)[0]
    return line[:1].lower() + line[1:] if first[1:] == first[1:].lower() else line


@dataclass(frozen=True, slots=True)
class Failure:
    """How a command failed. `code` is stable, the sentence is not."""

    message: str
    hint: str | None = None
    code: str = "refused"
    exit_code: ExitCode = ExitCode.REFUSED
