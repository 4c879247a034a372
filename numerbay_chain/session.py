"""A session, as the roles share it: home folder, chain, contract, events, account, content, and what is sent."""

from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from numerbay_chain.artifacts.content import Content
from numerbay_chain.artifacts.kept import DEFAULT_LIMIT, Keep
from numerbay_chain.chain.clock import Clock
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.finality import Finality
from numerbay_chain.chain.identity.checked import require_same_creation, require_shipped
from numerbay_chain.chain.identity.creation import Creation
from numerbay_chain.chain.second import ONE_NODE, confirmed, deciding, shared_host
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.sending.steps import Planning, Sending
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.files.atomic import expanded
from numerbay_chain.core.home.config import no_account
from numerbay_chain.core.home.home import Home
from numerbay_chain.core.memory import Memory
from numerbay_chain.core.progress import Note, Notify, quiet
from numerbay_chain.index.events import EventSource
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.ipfs import ContentStore

if TYPE_CHECKING:  # and below where it is used: who only reads the chain loads nothing that encrypts
    from numerbay_chain.crypto.content_key import Context

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class _OfBlock:
    """What was found in the block with this hash."""

    hash: bytes
    found: object


class Session:
    """What the roles act with. `notify` is told in one sentence what a user has to hear of (a secret was made, a
    transaction was replaced); `explicit_store`: the store was chosen, not the default one on this machine.

    `index`: where the contract's events come from; the node's logs unless another source is given.

    `dry_run`: what would be sent is planned (`Planning`).

    `created_by`: the transaction that is said to have created the contract, which is checked; `unchecked_contract`: pay
    the contract whoever made it."""

    def __init__(
        self,
        *,
        home: Home,
        connection: Connection,
        contract: MarketplaceContract,
        index: EventSource | None = None,
        signer: Signer | None = None,
        store: ContentStore | None = None,
        explicit_store: bool = True,
        read_back: str | None = None,
        key: str | Path | None = None,
        operates: Collection[int] = (),
        dry_run: bool = False,
        keep: int = DEFAULT_LIMIT,
        notify: Notify = quiet,
        created_by: str | None = None,
        unchecked_contract: bool = False,
    ) -> None:
        self.home, self.connection, self.contract, self.signer = home, connection, contract, signer
        self.index = index or NodeEvents(connection, contract.address, contract.from_block)
        self.operates = frozenset(operates)
        self.key_path = expanded(key) if key is not None else None
        self.dry_run, self.notify = dry_run, notify
        self.clock = Clock(connection)
        self.memory = Memory(self.clock.here)
        self.content = Content(
            store,
            Keep(home.path / "kept", keep, notify, self.clock.here),
            self.memory,
            chain_id=connection.chain_id,
            marketplace=contract.address,
            explicit=explicit_store,
            read_back=read_back,
        )
        self.sending = (Planning if dry_run else Sending)(self._sender, self._outbox_of, self.clock, self.confirm)
        self._created_by, self._unchecked = created_by, unchecked_contract
        self._warned: set[str] = set()

    # -------------------------------------------------------------------------------------------------------- account

    @property
    def account(self) -> str:
        """The address that acts. Raises `AccountError` where none is set."""
        return self.signer_or_refuse().address

    def signer_or_refuse(self) -> Signer:
        """Raises `AccountError` where no account is set."""
        if self.signer is None:
            raise no_account()
        return self.signer

    def _sender(self) -> Sender:
        self.require_known_contract()
        return Sender(self.connection, self.signer_or_refuse(), self.contract.address, notify=self.notify)

    def _outbox_of(self, account: str) -> Path:
        return self.home.folder("outbox", f"{self._place}-{account}")

    # ---------------------------------------------------------------------------------------- what can be relied upon

    def require_known_contract(self) -> None:
        """Raise `RefusedError` (contract-unknown) unless the shipped code created the contract. The chain is asked
        once (`checked`)."""
        if not self._unchecked:
            self._creation()

    def _creation(self) -> Creation:
        folder, first = self.home.folder("checked"), self.contract.from_block
        return require_shipped(
            self.connection, self.contract.address, folder, transaction=self._created_by, first_block=first
        )

    @contextmanager
    def decision(self) -> Iterator[None]:
        """In it, up to `confirm`, the chain is read as of one block, asked for now, and what is read is kept for the
        second node.
        Raises `NetworkError` where that can't be reached, or has newer blocks than the first one."""
        self.require_second()
        self.connection.doubt()
        with deciding(self.connection):
            yield

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """A decision that ends in no step, such as that nobody waits: what is read in the block is asked of the second
        node too, if there is one, at its end. Raises as `decision` and `confirm`."""
        with self.decision():
            yield
            confirmed(self.connection, wanted=False)

    def confirm(self) -> None:
        """Before a secret or money leaves: ask the second node all that the decision rests on, and end the decision.
        Raises `NetworkError` (`nodes-disagree`, `node-behind`). Without a second node, the user is told once."""
        if not confirmed(self.connection) and not self.is_development:
            self._warn(Note(ONE_NODE.format(self.connection.name), "one-node"))

    def require_second(self) -> None:
        """Connects to the second node, if there is one, before work is begun that would be for nothing without it, and
        asks it how the contract was created. Raises `NetworkError`, `UsageError` for one of another chain, and as
        `require_known_contract`."""
        if (host := shared_host(self.connection)) is not None:
            said = f"both nodes are on the host {host}: whoever runs it answers twice, and nobody else is asked"
            self._warn(Note(said, "same-host"))
        if self.connection.second is not None and not self._unchecked:
            folder = self.home.folder("checked", "second")
            require_same_creation(self.connection, self.contract.address, folder, self._creation())

    def _warn(self, note: Note) -> None:
        if note not in self._warned:
            self._warned.add(note)
            self.notify(note)

    def once(self, look: Snapshot, what: Hashable, find: Callable[[], _Found]) -> _Found:
        """Return what `find` finds in the look's block, now or when it was asked for last; within a decision always
        now, so that a second node is asked all of it."""
        known = self.memory.known(what)
        if self.connection.decision is None and isinstance(known, _OfBlock) and known.hash == look.hash:
            return cast(_Found, known.found)
        found = find()
        self.memory.keep(what, _OfBlock(look.hash, found))
        return found

    # ---------------------------------------------------------------------------------------------------------- chain

    @property
    def _place(self) -> str:
        return f"{self.connection.chain_id}-{self.contract.address}"

    @property
    def is_development(self) -> bool:
        """Whether nothing can be lost on the chain."""
        return self.connection.is_trial

    def finality(self, confirmations: int | None = None) -> Finality:
        """When a block stays: with so many on top, or (None) as the chain says it."""
        if confirmations is not None and confirmations < 0:
            raise UsageError("confirmations can't be negative")
        return Finality(self.connection, confirmations)

    def context(self, listing: int, round: int, order: int = 0) -> "Context":
        """What a content key or an envelope is bound to."""
        from numerbay_chain.crypto.content_key import Context

        marketplace = bytes.fromhex(self.contract.address[2:])
        return Context(self.connection.chain_id, marketplace, listing, round, order)

    def journal_folder(self, listing: int) -> Path:
        """Where the deliveries of a listing are written down."""
        return self.home.folder("journal", f"{self._place}-{listing}")
