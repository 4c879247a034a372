"""A marketplace, opened: chain, contract, account, store and home folder, as the roles share them."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from numerbay_chain.artifacts.kept import DEFAULT_LIMIT, Keep, Kept
from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.clock import MINING_TIME, Clock, Window
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.chain.finality import Finality
from numerbay_chain.chain.identity.checked import require_same_creation, require_shipped
from numerbay_chain.chain.identity.creation import Creation
from numerbay_chain.chain.second import ONE_NODE, confirmed, deciding, shared_host
from numerbay_chain.chain.sending.outbox import Outbox, Sent
from numerbay_chain.chain.sending.plan import Planned, untold
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.core.errors import AccountError, NetworkError, RefusedError, UsageError
from numerbay_chain.core.files.atomic import expanded
from numerbay_chain.core.home.home import Home
from numerbay_chain.core.memory import Memory
from numerbay_chain.core.progress import quiet
from numerbay_chain.core.units import format_amount, parse_amount
from numerbay_chain.crypto.content_key import Context
from numerbay_chain.index.events import EventSource
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.ipfs import Cid, ContentStore
from numerbay_chain.protocol.gas import DISPUTE_GAS, gas_limit
from numerbay_chain.protocol.types import ZERO_ADDRESS, Token


class Market:
    """What the roles act with. `notify` is told in one sentence what a user has to hear of (a secret was made, a
    transaction was replaced); `explicit_store`: the store was chosen, not the default one on this machine.

    `index`: where the contract's events come from; the node's logs unless another source is given.

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
        notify: Callable[[str], None] = quiet,
        created_by: str | None = None,
        unchecked_contract: bool = False,
    ) -> None:
        self.operates = frozenset(operates)
        self.memory = Memory()
        self.home, self.connection, self.contract, self.signer = home, connection, contract, signer
        self.index = index or NodeEvents(connection, contract.address, contract.from_block)
        self._store, self.explicit_store, self.read_back = store, explicit_store, read_back
        self.key_path = expanded(key) if key is not None else None
        self.dry_run, self.notify = dry_run, notify
        self._created_by, self._unchecked = created_by, unchecked_contract
        self.keep = Keep(home.path / "kept", keep, notify)
        self._tokens: dict[str, Token] = {}
        self._warned: set[str] = set()

    # -------------------------------------------------------------------------------------------------------- account

    @property
    def account(self) -> str:
        """The address that acts. Raises `AccountError` where none is set."""
        return self.signer_or_refuse().address

    def signer_or_refuse(self) -> Signer:
        """Raises `AccountError` where no account is set."""
        if self.signer is None:
            raise AccountError(
                "no account is set",
                "give --account keystore:PATH, env:NAME or dev:NUMBER, or a profile that has one",
                code="no-account",
            )
        return self.signer

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

    @cached_property
    def sender(self) -> Sender:
        """Whatever is signed for the contract is signed by its `signer`. Raise as `require_known_contract`."""
        self.require_known_contract()
        return Sender(self.connection, self.signer_or_refuse(), self.contract.address, notify=self.notify)

    @cached_property
    def outbox(self) -> Outbox:
        folder = self.home.folder("outbox", f"{self._place}-{self.account}")
        return Outbox(folder, self.sender, self.notify, self.clock)

    @property
    def clock(self) -> Clock:
        """The chain's time, as of the moment in which it is asked for."""
        return Clock(self.connection, lambda: self.is_development)

    def send(
        self,
        label: str,
        call: Call,
        identity: str | None = None,
        *,
        until: int | None = None,
        after: int | None = None,
        margin: int = 0,
        stake: int | None = None,
    ) -> Sent:
        """Sends once (`Outbox.send`), where it can be mined in the seconds from `after` to `until` (both included), and
        with a `margin` of seconds before the end. `stake`: what is lost if it comes too late, in wei; its gas may cost
        that much where that is more than `max_fee`. Raises `Planned` in a dry run, and `RefusedError` (`too-late`,
        `too-early`) outside of that time: nothing is signed then."""
        window = Window(after, until, margin)
        if self.dry_run:
            self.clock.require(window, call.function)
            raise Planned(self.sender.plan(call, stake))
        return self.outbox.send(label, call, identity, window, stake=stake)

    def send_secret(
        self,
        label: str,
        call: Call,
        identity: str | None = None,
        *,
        until: int,
        after: int | None = None,
        margin: int = MINING_TIME,
        stake: int | None = None,
    ) -> Sent:
        """`send`, of what nobody must learn for nothing: a node is told only once it can be signed, and while there is
        time for it. What it rests on is read within `decision`, and a second node is asked the same before. Raises
        `AccountError`, and `NetworkError` as `confirm`."""
        self.require_gas(call, stake)
        self.signer_or_refuse().unlock()
        self.confirm()
        return self.send(label, call, identity, until=until, after=after, margin=margin, stake=stake)

    def require_gas(self, call: Call, stake: int | None) -> None:
        """Before a node is told a step of a dispute: raise `AccountError` where the account can't pay its gas, and
        `RefusedError` (`fee-too-high`) where that costs more than is allowed. Other calls are not looked at."""
        if call.function not in DISPUTE_GAS:
            return
        gas, fees = gas_limit(DISPUTE_GAS[call.function]), self.connection.fees(staked=stake is not None)
        self.connection.limits.allow(gas, fees, stake)
        held = self.connection.balance(self.account)
        if held < gas * fees.most:
            shown, most = (format_amount(one, self.coin) for one in (held, gas * fees.most))
            raise AccountError(
                f"{self.account} holds {shown}, but the gas of {call.function} may cost {most}",
                "send it some of the chain's coin",
                code="insufficient-funds",
            )

    def at_stake(self, token: str, amount: int) -> int | None:
        """What may be spent on the gas of a step with a deadline (`stake`): the amount that is lost without it, in the
        chain's coin. None for a token, whose worth nobody tells."""
        return amount if token == ZERO_ADDRESS else None

    @contextmanager
    def decision(self) -> Iterator[None]:
        """In it, up to `confirm`, the chain is read as of one block, and what is read is kept for the second node.
        Raises `NetworkError` where that can't be reached, or has newer blocks than the first one."""
        self.require_second()
        with deciding(self.connection):
            yield

    def confirm(self) -> None:
        """Before a secret or money leaves: ask the second node all that the decision rests on, and end the decision.
        Raises `NetworkError` (`nodes-disagree`, `node-behind`). Without a second node, the user is told once."""
        if not confirmed(self.connection) and not self.is_development:
            self._warn(ONE_NODE.format(self.connection.name))

    def require_second(self) -> None:
        """Connects to the second node, if there is one, before work is begun that would be for nothing without it, and
        asks it how the contract was created. Raises `NetworkError`, `UsageError` for one of another chain, and as
        `require_known_contract`."""
        if (host := shared_host(self.connection)) is not None:
            self._warn(f"both nodes are on the host {host}: whoever runs it answers twice, and nobody else is asked")
        if self.connection.second is not None and not self._unchecked:
            folder = self.home.folder("checked", "second")
            require_same_creation(self.connection, self.contract.address, folder, self._creation())

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self.notify(message)

    def plan_untold(self, call: Call, gas: int, secret: Collection[str]) -> NoReturn:
        """Raises `Planned` for a call that must be heard of by nobody yet: no node is asked for its gas, and its
        `secret` arguments are not shown."""
        raise untold(call, gas, gas * self.gas_price(), self.coin, secret)

    def resume(self, label: str, identity: str | None = None) -> Sent | None:
        """What became of an earlier call's transaction under `label` (`Outbox.resume`)."""
        return None if self.dry_run else self.outbox.resume(label, identity)

    # ---------------------------------------------------------------------------------------------------------- chain

    @property
    def _place(self) -> str:
        return f"{self.connection.chain_id}-{self.contract.address}"

    @property
    def is_development(self) -> bool:
        return self.connection.is_development

    def context(self, listing: int, round: int, order: int = 0) -> Context:
        """What a content key or an envelope is bound to."""
        marketplace = bytes.fromhex(self.contract.address[2:])
        return Context(self.connection.chain_id, marketplace, listing, round, order)

    def gas_price(self) -> int:
        """The most that a unit of gas costs now, in wei; 0 where the node does not say."""
        try:
            return self.connection.fees().most
        except (NetworkError, RefusedError):
            return 0

    @property
    def coin(self) -> str:
        """The symbol of the coin that gas is paid in."""
        return self.connection.limits.symbol

    def token(self, address: str = ZERO_ADDRESS) -> Token:
        """Symbol and decimals, asked for once."""
        if address not in self._tokens:
            self._tokens[address] = self.contract.token(address)
        return self._tokens[address]

    def amount(self, value: int | str, token: Token) -> int:
        """An amount in the token's smallest unit, given so or as text with a unit."""
        amount = (
            value if isinstance(value, int) else parse_amount(value, token.decimals, token.symbol, coin=token.native)
        )
        if not 0 <= amount < 2**88:
            raise UsageError("the price is out of range", "it is below 2^88 of the smallest unit", code="out-of-range")
        return amount

    def finality(self, confirmations: int | None = None) -> Finality:
        """When a block stays: with so many on top, or (None) as the chain says it."""
        if confirmations is not None and confirmations < 0:
            raise UsageError("confirmations can't be negative")
        return Finality(self.connection, confirmations)

    # ---------------------------------------------------------------------------------------------------------- store

    @property
    def store(self) -> ContentStore:
        """Raises `UsageError` where none is set."""
        if self._store is None:
            raise UsageError(
                "no store is set",
                "give --store embedded:PATH, kubo:URL or gateway:URL, or a profile that has one",
                code="no-store",
            )
        return self._store

    @property
    def store_or_none(self) -> ContentStore | None:
        return self._store

    @contextmanager
    def reading(self, seconds: float | None) -> Iterator[None]:
        """Bound the time, in seconds, that all reads of the store take in the `with` block; None: as long as it
        takes."""
        if self._store is None or seconds is None:
            yield
            return
        with self._store.within(max(seconds, 1)):
            yield

    def reader(self, content_hash: bytes) -> ContentStore:
        """Return where an artifact and its envelopes are read from: what is kept of it, then the store. Raises
        `UsageError` where no store is set."""
        return self.keep.reader(content_hash, self.store)

    def keeping(
        self, manifest: Manifest, listing: int, round: int, order: int | None, needed_until: int, beside: int = 0
    ) -> AbstractContextManager[None]:
        """Keep on this machine what `reader` gives of the artifact inside the block (`Keep.recording`): it may be
        needed in a dispute until then (Unix seconds). `order`: of a copy; `beside`: bytes written meanwhile."""
        place = (self.connection.chain_id, self.contract.address)
        about = Kept("", *place, listing, round, order, 0, needed_until, 0)
        return self.keep.recording(manifest, about, self.store, beside)

    def small_block(self, cid: Cid) -> bytes:
        """A block of the store that is asked for again and again, such as a copy's manifest: waited for once. Raises as
        `ContentStore.read_block`."""
        return self.memory.get(("block", cid), lambda: self.reader(cid.digest).read_block(cid))

    def journal_folder(self, listing: int) -> Path:
        """Where the deliveries of a listing are written down."""
        return self.home.folder("journal", f"{self._place}-{listing}")
