"""What is answered about deliveries: frozen, typed, in integers (seconds, bytes); hashes are 32 `bytes`."""

from dataclasses import dataclass
from typing import Literal

from numerbay_chain.core.progress import Note
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.protocol.events import Receipt


@dataclass(frozen=True, slots=True)
class Left:
    """An order that got no envelope this time, why, in one sentence, and the code of that reason."""

    order: int
    reason: str
    code: str


DeliveryState = Literal["delivered", "waiting"]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a delivery. `waiting`: released, keys can go out from `waiting_until` on: run it again then
    (`waiting_for` says what is waited for). `release` and `delivery` are None where that was done before or is not
    due; `left` names the orders that got no key now."""

    listing: int
    round: int
    state: DeliveryState
    content_hash: bytes | None  # None in a listing of copies
    cid: Cid | None  # the manifest's
    ciphertext_cid: Cid | None
    size: int | None  # bytes of the artifact; None where this machine never saw it
    sha256: bytes | None  # of the artifact
    release: Receipt | None
    delivery: Receipt | None
    envelopes: int  # records in what was posted last
    newly_posted: tuple[int, ...]  # orders that got their first envelope (or copy) by this call
    left: tuple[Left, ...]
    waiting_until: int | None
    waiting_for: Note | None
    resumed: bool  # an interrupted delivery was taken up


@dataclass(frozen=True, slots=True)
class Served:
    """Keys for whoever waited: one `Delivered` for each round in which somebody did or will."""

    listing: int
    rounds: tuple[Delivered, ...]
