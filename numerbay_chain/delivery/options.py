"""How a delivery is done: what must follow before keys go out, and the second way to what was pinned."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from numerbay_chain.chain.finality import Finality
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.network.hosts import is_loopback
from numerbay_chain.core.progress import Progress
from numerbay_chain.ipfs import ContentStore, open_store
from numerbay_chain.session import Market


@dataclass(frozen=True, slots=True)
class Choices:
    """`second` is another way to what was pinned; None on a development chain that asked for none. `wait`: stay until
    keys can go out."""

    finality: Finality
    second: ContentStore | None
    wait: bool
    progress: Progress

    @classmethod
    def make(
        cls, market: Market, confirmations: int | None, read_back: str | None, wait: bool, progress: Progress
    ) -> "Choices":
        """Raises `UsageError` where, off a development chain, the store was not chosen or there is no gateway that
        others could read it from."""
        if market.dry_run:
            raise UsageError("a delivery can't be planned without being sealed", "leave --dry-run out")
        spec = read_back or market.read_back
        second = open_store(spec) if spec else None
        if second is not None and second.name == market.store.name:
            raise UsageError(
                f"{second.name} is the store itself, not a second way to it",
                "name a gateway that others read from",
                code="no-read-back",
            )
        if not market.is_development:
            if not market.explicit_store:
                raise UsageError(
                    "no store was chosen: content that lies on this machine alone can't be sold",
                    "give --store kubo:URL, or embedded:PATH if that folder is served to others",
                    code="no-store",
                )
            if spec is None or second is None:
                raise UsageError(
                    "no second way to the content is set: what can't be read back is not sold",
                    "give --read-back gateway:https://HOST",
                    code="no-read-back",
                )
            if not _serves_others(spec):
                raise UsageError(
                    f"{second.name} is no second way to the content: what is read from this machine may exist "
                    "nowhere else",
                    "give --read-back gateway:https://HOST, a gateway on another machine",
                    code="no-read-back",
                )
        market.require_second()
        return cls(market.finality(confirmations), second, wait, progress)

    def step(self, label: str) -> Callable[[int, int], None]:
        """Progress under a label."""
        return lambda done, total: self.progress(label, done, total)


def _serves_others(spec: str) -> bool:
    """Whether that is a gateway on another machine, by its name or number alone."""
    kind, _, place = spec.partition(":")
    host = urlsplit(place).hostname or ""
    return kind == "gateway" and bool(host) and not is_loopback(host)
