"""The content of an audit: every manifest that the logs name, and with `deep` every byte that was released."""

from hashlib import sha256
from typing import Any, Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.verify import check
from numerbay_chain.audit.notes import Notes
from numerbay_chain.audit.results import Severity
from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError, SlowSourceError
from numerbay_chain.core.progress import Progress
from numerbay_chain.core.units import format_order_id
from numerbay_chain.ipfs import Cid, ContentStore, PatientStore
from numerbay_chain.protocol.events import Event
from numerbay_chain.protocol.types import ZERO_HASH

_WAITS: Final = 16
_WAITS_A_LISTING: Final = 3
"""Objects that do not come in time, before nothing more is asked for."""
_EACH: Final = {False: 10.0, True: 60.0}
"""Seconds for one: without and with content."""


class Contents:
    """What is checked as events go by, into `notes`. `unread`: with `deep`, the store could not be asked for all."""

    def __init__(self, notes: Notes, store: ContentStore | None, deep: bool, progress: Progress) -> None:
        self._notes, self._deep, self._progress = notes, deep, progress
        self._store = None if store is None else PatientStore(store, waits=_WAITS, each=_EACH[deep])
        self._stores: dict[int, PatientStore] = {}  # by listing
        self._given_up: set[int] = set()
        self.unread = False

    def check(self, event: Event) -> None:
        """Check the manifest that an event names."""
        if event.name == "Released" and (event["manifest"] or event["contentHash"] != ZERO_HASH):
            subject = f"round {event['round']} of listing {event['listing']}"
            self._manifest(event["listing"], subject, event["manifest"], event["contentHash"])
        elif event.name == "CopyDelivered" and self._store is not None:
            self._copy(self._store_of(self._store, event["order"] >> 32), event)

    def _store_of(self, store: PatientStore, listing: int) -> PatientStore:
        """What one listing names and nobody has uses up that listing's share of the patience, not the others'."""
        return self._stores.setdefault(listing, PatientStore(store, waits=_WAITS_A_LISTING, each=_EACH[self._deep]))

    def _copy(self, store: PatientStore, event: Event) -> None:
        """A copy's manifest is in the store alone. The books are the chain's: they are audited without a store too."""
        listing = event["order"] >> 32
        subject = f"the copy of round {event['round']} for order {format_order_id(event['order'])}"
        try:
            block = store.read_block(Cid.raw(event["contentHash"]))
        except SlowSourceError as error:
            self._kept_waiting(listing, store, subject, error)
        except (NotFoundError, ContentError) as error:
            severity: Severity = "error" if self._deep else "warning"
            self._notes.find(severity, subject, f"its manifest is not available: {error}", "manifest-missing")
        except NetworkError as error:
            self._store_failed(subject, f"neither its manifest nor those of later copies were checked: {error}")
        else:
            self._manifest(listing, subject, block, event["contentHash"])

    def _manifest(self, listing: int, subject: str, block: bytes, content_hash: bytes) -> None:
        self._notes.count("manifests")
        if sha256(block).digest() != content_hash:
            self._notes.find(
                "error", subject, "its manifest is not the one that the content hash stands for", "wrong-manifest"
            )
            return
        try:
            Manifest.decode(block)
        except ContentError as error:
            self._notes.find("error", subject, str(error), error.code)
            return
        if self._deep and self._store is not None:
            self._artifact(listing, self._store_of(self._store, listing), subject, block, content_hash)

    def _artifact(self, listing: int, store: PatientStore, subject: str, block: bytes, content_hash: bytes) -> None:
        """Report content that the store lacks as an error: the audit was asked whether it is available."""
        try:
            problems = check(block, content_hash, store, self._step("check content"))
        except SlowSourceError as error:
            self._kept_waiting(listing, store, subject, error)
            return
        except NetworkError as error:
            self._store_failed(subject, f"neither its content nor that of later rounds was checked: {error}")
            return
        self._notes.count("artifacts")
        for problem in problems:
            self._notes.find("error", subject, problem.message, problem.code)

    def _kept_waiting(self, listing: int, store: PatientStore, subject: str, error: SlowSourceError) -> None:
        """Content that nobody seems to have is waited for a few times, and then not asked for: once said is enough."""
        self.unread |= self._deep
        if listing in self._given_up:
            return
        if store.exhausted:
            self._given_up.add(listing)
            subject = f"listing {listing}"
        self._notes.find("warning", subject, f"not all of its content was read: {error}", error.code)

    def _store_failed(self, subject: str, text: str) -> None:
        """A store that can't be asked is asked once: the books are audited all the same."""
        self.unread |= self._deep
        self._store, self._deep = None, False
        self._notes.find("warning", subject, text, "store-failed")

    def _step(self, label: str) -> Any:
        return lambda done, total: self._progress(label, done, total)
