"""How many requests a command makes to its node, which ones, and who asks for them."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numerbay_chain.chain.node.transport import HttpTransport
from numerbay_chain.core.hashing import keccak
from tests.support.chains.proxy import Proxy, Request

PACKAGE = str(Path(__file__).parents[2] / "numerbay_chain")
POLLED = {"eth_getTransactionReceipt"}
"""Asked for until there is one."""


@dataclass
class Count:
    """`methods`: what went through the proxy, entries of batches one each, polls aside. `askers`: the functions
    outside of `chain/` that it was asked for, with what of `chain/` they called and the method."""

    methods: Counter[str] = field(default_factory=Counter)
    askers: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.methods.total()

    def __str__(self) -> str:
        parts = [f"{count:4} {what}" for table in (self.methods, self.askers) for what, count in table.most_common()]
        return "\n".join([f"{self.total} requests", *parts])


@contextmanager
def counting(proxy: Proxy) -> Iterator[Count]:
    """In the block, what this process asks of the node behind the proxy is counted."""
    count, originals = Count(), (HttpTransport.request, HttpTransport.batch)

    def spying(original: Callable[..., Any]) -> Callable[..., Any]:
        def ask(transport: HttpTransport, what: Any, *more: Any) -> Any:
            methods: Sequence[str] = [what] if isinstance(what, str) else [method for method, _ in what]
            count.askers.update(f"{_asker()} {method}" for method in methods if method not in POLLED)
            return original(transport, what, *more)

        return ask

    proxy.seen.clear()
    HttpTransport.request, HttpTransport.batch = map(spying, originals)  # type: ignore[method-assign]  # put back below
    try:
        yield count
    finally:
        HttpTransport.request, HttpTransport.batch = originals  # type: ignore[method-assign]  # as they were
        count.methods.update(asked["method"] for asked in proxy.seen if not _is_poll(asked, proxy.seen))


def _is_poll(asked: Request, seen: Sequence[Request]) -> bool:
    """Whether it looks after a transaction of this command that was sent and is not mined yet."""
    if asked["method"] != "eth_getTransactionByHash":
        return asked["method"] in POLLED
    sent = (one["params"][0] for one in seen if one["method"] == "eth_sendRawTransaction")
    return asked["params"][0] in {"0x" + keccak(bytes.fromhex(raw[2:])).hex() for raw in sent}


def _asker() -> str:
    """The nearest function of the package that is not of `chain/`, and the one of `chain/` that it called."""
    frame, called = sys._getframe(2), ""
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(PACKAGE):
            name = f"{path.removeprefix(PACKAGE + '/')}:{frame.f_code.co_name}"
            if not name.startswith("chain/"):
                return f"{name} → {called}"
            called = name
        frame = frame.f_back  # type: ignore[assignment]  # None at the end
    return called
