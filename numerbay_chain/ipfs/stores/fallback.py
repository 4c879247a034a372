"""Which store: by a setting's text, and several of them in order."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from numerbay_chain.core.errors import NetworkError, RefusedError, UsageError
from numerbay_chain.core.files.atomic import expanded
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.ipfs.stores.base import ContentStore, ContentWriter, Store

_FAILURES = (NetworkError, RefusedError)
"""What another store may make good: content that is missing, bytes that are wrong, a disk or a network that fails."""


def open_store(spec: str, *more: str) -> ContentStore:
    """The store at `embedded:PATH`, `kubo:http://127.0.0.1:5001` or `gateway:https://…`; several are read in order.

    Nothing is opened, made or asked yet. Raises `UsageError`.
    """
    if more:
        return FallbackStore([open_store(one) for one in (spec, *more)])
    kind, colon, place = spec.partition(":")
    if colon and place:
        if kind == "embedded":
            from numerbay_chain.ipfs.stores.embedded import EmbeddedStore

            return EmbeddedStore(expanded(place))
        if kind == "kubo":
            from numerbay_chain.ipfs.stores.kubo import KuboStore

            return KuboStore(place)
        if kind == "gateway":
            from numerbay_chain.ipfs.stores.gateway import GatewayStore

            return GatewayStore(place)
    raise UsageError(
        f"{kind[:40]!r} is no kind of content store, or says no place",
        "give embedded:PATH, kubo:http://127.0.0.1:5001 or gateway:https://HOST",
        code="bad-store",
    )


class FallbackStore(Store):
    """Reads from the first store that has the content, and the rest from the next where one fails.

    It writes to the first that can be written to.
    """

    def __init__(self, stores: Sequence[ContentStore]) -> None:
        if not stores:
            raise ValueError("no store to read from")
        self._stores = tuple(stores)
        self.name = ", then ".join(store.name for store in stores)
        self.writable = any(store.writable for store in stores)

    def writer(self, label: str = "") -> ContentWriter:
        for store in self._stores:
            if store.writable:
                return store.writer(label)
        return super().writer(label)

    def holds(self, cid: Cid) -> bool:
        return any(store.holds(cid) for store in self._stores)

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        left = size - offset if length is None else length
        for store, ends, is_last in self._in_order():
            pieces = store.read(cid, size, offset, left)
            while True:
                try:
                    # Not around the `yield`: the time is the store's, also while the caller works on the piece.
                    with _until(store, ends):
                        piece = next(pieces, None)
                except _FAILURES:
                    if is_last:
                        raise
                    break
                if piece is None:
                    return
                # It is checked already, so the next store only has to give the rest.
                offset += len(piece)
                left -= len(piece)
                yield piece

    def read_block(self, cid: Cid) -> bytes:
        for store, ends, is_last in self._in_order():
            try:
                with _until(store, ends):
                    return store.read_block(cid)
            except _FAILURES:
                if is_last:
                    raise
        raise AssertionError("the last store gives the block or raises")

    def _in_order(self) -> Iterator[tuple[ContentStore, float | None, bool]]:
        """Each store, when its time is over, and whether it is the last: what is left is shared out equally."""
        for number, store in enumerate(self._stores):
            self._require_time()
            ends, now = self._ends, time.monotonic()
            if ends is not None:
                ends = now + (ends - now) / (len(self._stores) - number)
            yield store, ends, number == len(self._stores) - 1


def _until(store: ContentStore, ends: float | None) -> AbstractContextManager[None]:
    return nullcontext() if ends is None else store.within(ends - time.monotonic())
