"""How a delivery is done: what must follow before keys go out, and the second way to what was pinned."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from numerbay_chain.chain.finality import Finality
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.network.hosts import is_loopback
from numerbay_chain.core.progress import Progress, silent
from numerbay_chain.ipfs import ContentStore, open_store
from numerbay_chain.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOptions:
    """`confirmations`: blocks on top of what keys go out to; None: until it is final as the chain says it.
    `read_back`: a second way to the content, such as "gateway:https://…"; None: the setting. Off a development chain
    there must be one, and it must differ from the store.
    `wait`: stay until the keys can go out; else what must pass first is told (`waiting`).
    `progress`: told how far reading, sealing and checking are.
    """

    confirmations: int | None = None
    read_back: str | None = None
    wait: bool = False
    progress: Progress = silent


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions(KeyOptions):
    """`note`: a text for the buyers, sealed with the file.
    `again`: the same content as the round before is meant.
    """

    note: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class ServeRequest(KeyOptions):
    """`listing_id`: whose buyers get keys."""

    listing_id: int


@dataclass(frozen=True, slots=True)
class DeliveryRequest(DeliveryOptions):
    """`path`: a file or a folder; `listing_id`: whose next round it is."""

    path: str | Path
    listing_id: int


@dataclass(frozen=True, slots=True)
class CopiesRequest(DeliveryOptions):
    """`listing_id`: a listing that is sold as copies; `copies`: order id → its own file or folder."""

    listing_id: int
    copies: Mapping[int, str | Path]


@dataclass(frozen=True, slots=True)
class Choices:
    """`KeyOptions`, checked, as they hold on this chain. `second` is another way to what was pinned; None on a
    development chain that asked for none."""

    finality: Finality
    second: ContentStore | None
    wait: bool
    progress: Progress

    @classmethod
    def make(cls, session: Session, options: KeyOptions) -> "Choices":
        """Raises `UsageError` where, off a development chain, the store was not chosen or there is no gateway that
        others could read it from."""
        if session.dry_run:
            raise UsageError("a delivery can't be planned without being sealed", "leave --dry-run out")
        spec = options.read_back or session.content.read_back
        second = open_store(spec) if spec else None
        if second is not None and second.name == session.content.store.name:
            raise UsageError(
                f"{second.name} is the store itself, not a second way to it",
                "name a gateway that others read from",
                code="no-read-back",
            )
        if not session.is_development:
            if not session.content.explicit:
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
        session.require_second()
        return cls(session.finality(options.confirmations), second, options.wait, options.progress)

    def step(self, label: str) -> Callable[[int, int], None]:
        """Progress under a label."""
        return lambda done, total: self.progress(label, done, total)


def _serves_others(spec: str) -> bool:
    """Whether that is a gateway on another machine, by its name or number alone."""
    kind, _, place = spec.partition(":")
    host = urlsplit(place).hostname or ""
    return kind == "gateway" and bool(host) and not is_loopback(host)
