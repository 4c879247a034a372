"""The standard streams as they come: closed, full, without a reader, or in an encoding that lacks most letters.

- Data goes to stdout. Where stdout is closed from the start, it goes to stderr instead, and nothing is lost.
- What is said to a person goes to stderr, and never fails: nobody's money depends on who listens.
- No file that is opened later can take the number of a closed stream: what a child process or a library prints would
  end up in it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final, cast

from numerbay_chain.core.errors import RefusedError, UsageError

_NUMBERS: Final = {"stdin": 0, "stdout": 1, "stderr": 2}
_closed: set[str] = set()
_used: set[str] = set()


class OutputClosed(Exception):
    """Whoever read our output has gone: `numerbay-chain orders | head -1`. `text` is what could not be written."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text


class OutputLostError(RefusedError, code="output-lost"):
    """Stdout takes no more, as on a full disk. `text` is what could not be written."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(f"can't write to standard output: {reason}", "what was done stays done")
        self.text = text


def prepare() -> None:
    """Make all three streams usable, whatever the program was started with."""
    _closed.clear()
    _used.clear()
    for name, number in _NUMBERS.items():
        if getattr(sys, name) is None:
            _closed.add(name)
            _occupy(number)
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115 — a stream for the process's whole life
    for stream in (sys.stdout, sys.stderr):
        # also what others print, such as click's help
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            with suppress(OSError, ValueError):
                stream.reconfigure(errors="backslashreplace")


def _occupy(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        with suppress(OSError):
            found = os.open(os.devnull, os.O_RDWR)
            if found != number:
                os.dup2(found, number)
                os.close(found)


def is_unused(name: str) -> bool:
    """Return whether the stream is open, and nothing was written to it yet."""
    return name not in _closed and name not in _used


def print_data(text: str) -> None:
    """Write `text` and a line break to stdout, or to stderr where stdout is closed.

    Raises `OutputClosed` where nobody reads it, and `OutputLostError` where it can't be written.
    """
    if "stdout" in _closed:
        say(text)
        return
    with to_stdout(text):
        print(_written(text, sys.stdout), flush=True)


def _written(text: str, stream: IO[str]) -> str:
    """The text with its letters that the stream's encoding lacks as numbers."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding, getattr(stream, "errors", None) or "strict")
    except (UnicodeError, LookupError):
        with suppress(UnicodeError, LookupError):
            return text.encode(encoding, "backslashreplace").decode(encoding)
        return ascii(text)
    return text


def say(text: str) -> bool:
    """Write `text` and a line break to stderr. Return whether that went well: it never fails."""
    if "stderr" in _closed:
        return False
    try:
        print(_written(text, sys.stderr), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _drop(sys.stderr)
        _closed.add("stderr")
        return False
    return True


@contextmanager
def to_stdout(text: str = "") -> Iterator[None]:
    """Tell stdout's own closed pipe or full disk from those of other files. Raises as `print_data`."""
    _used.add("stdout")
    try:
        yield
    except BrokenPipeError as error:
        drop_stdout()
        raise OutputClosed(text) from error
    except (OSError, ValueError) as error:  # ValueError: it was closed by this process
        drop_stdout()
        reason = error.strerror if isinstance(error, OSError) else "it is closed"
        raise OutputLostError((reason or "unknown reason").lower(), text) from error


def drop_stdout() -> None:
    """Let what is still buffered go nowhere: Python would complain about it at exit."""
    _drop(sys.stdout)


def _drop(stream: IO[str]) -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class _Stdout:
    """Raw stdout for a file's own bytes."""

    def write(self, data: bytes) -> int:
        with to_stdout():
            return sys.stdout.buffer.write(data)

    def flush(self) -> None:
        with to_stdout():
            sys.stdout.buffer.flush()


def stdout_bytes() -> IO[bytes]:
    """Return stdout for a file's own bytes. Raises `UsageError` where it is closed."""
    if "stdout" in _closed:
        raise UsageError("standard output is closed", "name a file with -o PATH", code="closed-stream")
    return cast(IO[bytes], _Stdout())


def stdin_bytes() -> IO[bytes]:
    """Return stdin as bytes. Raises `UsageError` where it is closed: that is not the same as empty."""
    if "stdin" in _closed:
        raise UsageError("standard input is closed", "name a file instead of -", code="closed-stream")
    return sys.stdin.buffer
