"""What an audit notes while it compares: what is off, and how much was looked at."""

from collections.abc import Callable
from typing import TypeVar

from numerbay_chain.audit.results import Finding, Severity
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import RevertedError

_Answer = TypeVar("_Answer")


class Refusal(str):
    """The contract's reason to give no answer."""


class Notes:
    """Of an audit as of one `look` at the contract."""

    def __init__(self, look: Snapshot) -> None:
        self.look = look
        self.findings: list[Finding] = []
        self.checked: dict[str, int] = {}

    def ask(self, question: Callable[..., _Answer], *arguments: object) -> _Answer | Refusal:
        """What the contract says to a question of the look; that it refuses to is an answer too."""
        try:
            return question(*arguments)
        except RevertedError as error:
            return Refusal(str(error))

    def compare(self, subject: str, name: str, found: object, expected: object) -> None:
        self.count("values")
        if found != expected:
            text = f"{name} is {_show(found)} in the contract's state, {_show(expected)} by its logs"
            self.find("error", subject, text, "state-differs")

    def compare_fields(self, subject: str, found: object, expected: object, *names: str) -> None:
        """Compare what two objects have under the same names. A finding has Solidity's name for it."""
        for name in names:
            first, *others = name.split("_")
            solidity = first + "".join(map(str.capitalize, others))
            self.compare(subject, solidity, getattr(found, name), getattr(expected, name))

    def find(self, severity: Severity, subject: str, text: str, code: str) -> None:
        self.findings.append(Finding(severity, subject, text, code))

    def count(self, what: str) -> None:
        self.count_by(what, 1)

    def count_by(self, what: str, number: int) -> None:
        self.checked[what] = self.checked.get(what, 0) + number


def _show(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
