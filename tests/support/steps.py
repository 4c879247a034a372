"""The steps of a run, counted as it takes them, and the ways to interrupt it at one of them.

For a process that was forked to be interrupted: nothing here is ever undone.
"""

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from numerbay_chain.chain.node.transport import HttpTransport
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.core.network.failures import TransportError
from numerbay_chain.ipfs import EmbeddedStore, GatewayStore

KILLED = 9
"""The exit status of a process that was killed at a step."""

# What the interpreter announces (PEP 578) before it asks the system for it, and which of its arguments are paths.
_CHANGES = {
    "os.rename": (0, 1),
    "os.link": (0, 1),
    "os.symlink": (0, 1),
    "os.remove": (0,),
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.truncate": (0,),
    "shutil.rmtree": (0,),
}
_OPENS_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

WAYS: dict[str, tuple[str, ...]] = {
    "disk write": ("killed before",),
    "store write": ("killed before",),
    "transaction": ("killed before", "killed after", "no answer", "gone"),  # with "gone" it does not arrive either
    "question": ("no answer", "gone"),
    "store read": ("no answer", "gone"),
}
"""Kind of step → the ways to interrupt it. Between the end of a write and the beginning of the next one nothing is
kept, so that a process which is killed there leaves what it leaves when killed before that next one. "no answer": this
once; "gone": from there on."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """The `number`th step of a kind, from 1."""

    kind: str
    number: int
    way: str

    def __str__(self) -> str:
        return f"{self.kind} {self.number}, {self.way}"


class Steps:
    """Counts the steps of this process from `watch` on, and interrupts it at the one chosen. Files count where they lie
    in `folder`, the stores' blocks in `folder`/store. `dies`: told before the process is killed."""

    def __init__(self, folder: Path, interruption: Interruption | None, dies: Callable[["Steps"], None]) -> None:
        self.passed: Counter[str] = Counter()
        self.struck = ""
        self._folder, self._store = f"{folder}{os.sep}", f"{folder / 'store'}{os.sep}"
        self._interruption, self._dies = interruption, dies
        self._lock = threading.Lock()

    def watch(self) -> None:
        sys.addaudithook(self._on_audit)
        HttpTransport.request = self._asked(HttpTransport.request)  # type: ignore[method-assign]  # for the rest of this process
        HttpTransport.batch = self._asked(HttpTransport.batch)  # type: ignore[method-assign]  # likewise
        for store in (EmbeddedStore, GatewayStore):
            store._fetch = self._read(store._fetch)  # type: ignore[method-assign]  # likewise

    # ---------------------------------------------------------------------------------------------------- what happens

    def _on_audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            paths = (path,) if flags & _OPENS_TO_WRITE else ()
        else:
            paths = tuple(arguments[place] for place in _CHANGES.get(event, ()))
        names = [os.fsdecode(path) for path in paths if isinstance(path, str | bytes | os.PathLike)]
        if any(name.startswith(self._store) for name in names):
            self._pass("store write", f"{event} {names[-1]}")
        elif any(name.startswith(self._folder) for name in names):
            self._pass("disk write", f"{event} {names[-1]}")

    def _asked(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def ask(transport: HttpTransport, what: Any, *params: Any) -> Any:
            kind = "transaction" if what == "eth_sendRawTransaction" else "question"
            way = self._pass(kind, what if isinstance(what, str) else "a batch")
            if way == "gone":
                raise TransportError("went away")
            answer = original(transport, what, *params)
            if way == "killed after":
                self._die()
            if way == "no answer":
                raise TransportError("went away")
            return answer

        return ask

    def _read(self, original: Callable[..., bytes]) -> Callable[..., bytes]:
        def fetch(store: Any, cid: Any) -> bytes:
            if self._pass("store read", f"{store.name}, {cid}"):
                raise NetworkError(f"{store.name} can't be reached")
            return original(store, cid)

        return fetch

    # -------------------------------------------------------------------------------------------------- what it means

    def _pass(self, kind: str, what: str) -> str | None:
        """Counts a step. The way in which the caller has to interrupt it, if it is the one."""
        with self._lock:
            self.passed[kind] += 1
            one = self._interruption
            if one is None:
                return None
            # who is gone as a node is gone for every question; so is a store
            reads = "store read" in (kind, one.kind)
            if self.struck:
                return one.way if one.way == "gone" and (kind == one.kind or not reads) and _asks(kind) else None
            if kind != one.kind or self.passed[kind] != one.number:
                return None
            self.struck = what
            if one.way == "killed before":
                self._die()
            return one.way

    def _die(self) -> NoReturn:
        self._dies(self)
        os._exit(KILLED)


def _asks(kind: str) -> bool:
    return not kind.endswith("write")
