"""What people are told when something fails: code, exit code, sentence and hint, without what differs between runs."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from numerbay_chain.cli.ending import failure_of
from numerbay_chain.core.errors import NumerbayChainError
from tests.support.adversary import Cheat
from tests.support.fixtures import Says
from tests.support.places import OPERATOR, Place

SELLER, BUYER, OTHER = ("seller", 0), ("buyer-1", 1), ("buyer-2", 2)
STRANGER = ("stranger", OPERATOR)
_VARIES = (
    (re.compile(r"0x[0-9a-f]{64}"), "<hash>"),
    (re.compile(r"\bbaf[a-z2-7]{56}"), "<cid>"),
    (re.compile(r"\b[A-Za-z0-9+/]{43}="), "<key>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC"), "<time>"),
    (re.compile(r"\b(in|over) (\d+[dhms])+"), r"\1 <duration>"),
    (re.compile(r"\d+\.\d{6,} ETH"), "<amount> ETH"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
)


@dataclass
class Telling:
    """A place where things go wrong, and what was said of it."""

    place: Place
    nbc: Says
    lines: list[str] = field(default_factory=list)

    @property
    def cheat(self) -> Cheat:
        return Cheat(self.place.seller.session)

    def told(self, who: tuple[str, int], *arguments: object, **environment: str) -> None:
        """This command fails."""
        ended = self.nbc(*who, *arguments, "--json", code=None, **environment)
        error = ended.object["error"]
        assert ended.code == error["exit_code"] != 0
        self._keep(error["code"], ended.code, error["message"], error["hint"])

    def raised(self, step: Callable[[], object]) -> None:
        """This step fails."""
        with pytest.raises(NumerbayChainError) as raised:
            step()
        failure = failure_of(raised.value)
        self._keep(failure.code, failure.exit_code, failure.message, failure.hint)

    def _keep(self, code: str, exit_code: int, message: str, hint: str | None) -> None:
        self.lines.append(f"{code} ({int(exit_code)})")
        self.lines += [f"    {self._plain(text)}" for text in (message, hint) if text]

    def _plain(self, text: str) -> str:
        people = {self.place.chain.signer(number).address: name for name, number in (SELLER, BUYER, OTHER, STRANGER)}
        for address, name in {**people, self.place.contract.address: "marketplace"}.items():
            text = re.sub(address, f"<{name}>", text, flags=re.IGNORECASE)
        text = text.replace(str(self.place.folder), "<folder>")
        for pattern, name in _VARIES:
            text = pattern.sub(name, text)
        return text
