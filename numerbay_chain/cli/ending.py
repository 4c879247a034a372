"""What becomes of every way to end: a sentence, a hint, a code for programs, an exit code."""

import os
import re
from typing import TYPE_CHECKING

import click

from numerbay_chain.cli import output
from numerbay_chain.cli.output import Failure
from numerbay_chain.core.errors import ExitCode, NumerbayChainError

if TYPE_CHECKING:
    from numerbay_chain.cli.options import State

_SUGGESTED = re.compile(r"\.? (?:Did you mean|\(Possible options:) (.+?)[?)]+$")
"""How click ends a sentence about an option that it does not know."""


def failure_of(error: Exception) -> Failure:
    """Return what a person and a program are told of `error`."""
    if isinstance(error, NumerbayChainError):
        return Failure(str(error), error.hint, error.code, error.exit_code)
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else output.PROGRAM
        hint = getattr(error, "advice", None) or f"'{where} --help' shows how it is used"
        message = _SUGGESTED.sub(r", did you mean \1?", error.format_message())
        return Failure(message, hint, getattr(error, "code", "usage"), ExitCode.USAGE)
    if isinstance(error, click.ClickException):
        return Failure(error.format_message())
    if isinstance(error, OSError):
        return _of_the_system(error)
    # the exception's own words are not shown: they may hold anything, also what must stay secret
    return Failure(
        f"{type(error).__name__} was not expected, this is a bug",
        None if _traces() else "report it with what NUMERBAY_CHAIN_DEBUG=1 shows",
        code="bug",
    )


def _of_the_system(error: OSError) -> Failure:
    reason = (error.strerror or "unknown reason").lower()
    if error.filename is None:
        return Failure(
            f"the system refused: {reason}", "look at the disk and at the limits of this process", code="system"
        )
    name = error.filename if isinstance(error.filename, str | bytes | os.PathLike) else str(error.filename)
    return Failure(
        f"can't use {os.fsdecode(name)}: {reason}", "check the path and its permissions", code=_code_of(error)
    )


def _code_of(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no-such-file"
    return "not-a-file" if isinstance(error, IsADirectoryError | NotADirectoryError) else "unreadable"


def failed(error: Exception, as_json: bool) -> ExitCode:
    """Tell of `error`, and return the exit code."""
    failure = failure_of(error)
    output.fail(failure, as_json)
    if _traces() and not isinstance(error, click.ClickException):
        _trace(error)
    return failure.exit_code


def interrupted(state: "State") -> ExitCode:
    """Tell that somebody ended the program, and return the exit code."""
    sent = "what was sent stays sent, run it again to go on" if state.agreed else "nothing new was sent"
    output.note("")
    failure = Failure(f"interrupted; {sent}", code="interrupted", exit_code=ExitCode.INTERRUPTED)
    output.fail(failure, state.wants_json)
    return ExitCode.INTERRUPTED


def _traces() -> bool:
    return os.environ.get("NUMERBAY_CHAIN_DEBUG") == "1"


_ADDRESS = re.compile(r"\w+://[^\s'\"]+")
_PATH = re.compile(r"(with url: )\S+")  # as urllib3 names the rest of an address


def _trace(error: Exception) -> None:
    """Say where the error came from, without what may be secret: the user, path and query of addresses, passwords and
    keys of the environment."""
    import traceback

    from numerbay_chain.core.network import shown

    text = "".join(traceback.format_exception(error)).rstrip()
    text = _PATH.sub(r"\1…", _ADDRESS.sub(lambda found: shown(found.group()), text))
    for name, value in os.environ.items():
        if len(value) >= 8 and re.search(r"PASS|SECRET|TOKEN|KEY", name):
            text = text.replace(value, f"${name}").replace(value.removeprefix("0x"), f"${name}")
    output.note(text)
