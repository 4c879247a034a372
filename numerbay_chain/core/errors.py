"""Every error the package raises on purpose, and the exit code each one becomes on the command line.

A message is one lower-case sentence of what happened; `hint` is one of what to do next. Neither ever holds a secret.
`code` is stable: programs tell errors apart by it, not by the sentence. A class has a code of its own; where one class
stands for several things that a program would treat differently, the raiser names a narrower one.

Where the words are: a sentence stands where its error is raised (search for its code, as docs/errors.md lists it), the
ones for the contract's refusals in chain/encoding/sentences.py, results in cli/render, and all of them as they are
printed in tests/integration/sentences.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What the process answers with."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NETWORK = 3
    ACCOUNT = 4
    DECRYPTION = 5
    INTERRUPTED = 130


_NO_NAME = ("", "Error")  # the second is what a `require` with a sentence reverts with
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def kebab(name: str) -> str:
    """Return the code for a name in camel case: `ERC20InsufficientBalance` is "erc20-insufficient-balance"."""
    return _WORD_STARTS.sub("-", name).lower()


class NumerbayChainError(Exception):
    """Base class: catch this one to catch them all."""

    exit_code: ExitCode = ExitCode.REFUSED
    code: str = "refused"

    def __init_subclass__(cls, *, code: str | None = None, exit_code: ExitCode | None = None) -> None:
        """Give a class its own code and exit code: `class TooLateError(RefusedError, code="too-late")`."""
        super().__init_subclass__()
        if code is not None:
            cls.code = code
        if exit_code is not None:
            cls.exit_code = exit_code

    def __init__(self, message: str, hint: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        if code is not None:
            self.code = code


class UsageError(NumerbayChainError, code="usage", exit_code=ExitCode.USAGE):
    """An argument or a setting that can't be used."""


class RefusedError(NumerbayChainError):
    """Refused before anything was sent: closed, sold out, moved, an unfinished journal, a file that can't be used."""


class RevertedError(RefusedError, code="reverted"):
    """The contract refused with a custom error: its `name`, its `arguments`, and the `transaction` if one was mined.

    `code` is the error's name in kebab case (`TooLate`: "too-late"), "reverted" where the contract gave none.
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        name: str = "",
        arguments: Mapping[str, Any] | None = None,
        transaction: str | None = None,
        code: str | None = None,
    ) -> None:
        named = kebab(name) if name not in _NO_NAME else None
        super().__init__(message, hint, code=code or named)
        self.name = name
        self.arguments: dict[str, Any] = dict(arguments or {})
        self.transaction = transaction


class TooLateError(RefusedError, code="too-late"):
    """What would be sent may be mined after its deadline: nothing was signed, or nothing was handed over again."""


class ContentError(RefusedError, code="bad-content"):
    """Bytes that are not what a hash or a format promises."""


class NetworkError(NumerbayChainError, code="network", exit_code=ExitCode.NETWORK):
    """A node, an IPFS daemon or a gateway can't be reached, or answers nonsense."""


class NotFoundError(NetworkError, code="not-found"):
    """Content that is not available from the place that was asked."""


class SlowSourceError(NetworkError, code="slow-source"):
    """A content store did not give what was asked for within the time that was left for it."""


class UnseenKeyError(NetworkError, code="unseen-key"):
    """The store can't be asked whether the right key was handed out: a challenge may be for nothing."""


class AccountError(NumerbayChainError, code="account", exit_code=ExitCode.ACCOUNT):
    """Key file, keystore, password, funds, or a key that is not registered."""


class DecryptionError(NumerbayChainError, code="decryption", exit_code=ExitCode.DECRYPTION):
    """Authentication failed: the wrong key, or bytes that were altered."""


class WrongContentError(DecryptionError, code="wrong-content"):
    """The plaintext is not what the seller committed to; `index` is the first bad chunk's (4096 bytes each)."""

    def __init__(self, message: str, hint: str | None = None, *, index: int, code: str | None = None) -> None:
        super().__init__(message, hint, code=code)
        self.index = index
