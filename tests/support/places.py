"""A marketplace with its people: one home folder each, one chain and one store between them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from numerbay_chain.auditor import Auditor
from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.identity.deployment import deploy
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.core.home.home import Home
from numerbay_chain.core.progress import Note
from numerbay_chain.index.events import EventSource
from numerbay_chain.ipfs import ContentStore
from numerbay_chain.seller import Seller
from numerbay_chain.session import Session

PRICE = 10**16
OPERATOR = 9  # account numbers: 0 is the seller, 1 and up are buyers


class Chain(Protocol):
    """What the embedded chain and a devnet have in common."""

    connection: Connection

    def signer(self, index: int) -> Signer: ...

    def advance(self, seconds: int) -> None: ...


@dataclass
class Place:
    """`session(name, number)` opens it for one person; the same name finds the same home folder again."""

    folder: Path
    chain: Chain
    contract: MarketplaceContract
    store: ContentStore
    index: EventSource | None = None
    told: list[Note] = field(default_factory=list)

    @property
    def noted(self) -> list[str]:
        """The codes of what was told."""
        return [note.code for note in self.told]

    @classmethod
    def found(cls, folder: Path, chain: Chain, store: ContentStore) -> "Place":
        """Deploys a marketplace on the chain."""
        deployment = deploy(Sender(chain.connection, chain.signer(0)))
        return cls(folder, chain, MarketplaceContract(chain.connection, deployment.address, deployment.block), store)

    def session(self, name: str, number: int | None, store: ContentStore | None = None, **more: object) -> Session:
        return Session(
            home=Home(self.folder / name),
            connection=self.chain.connection,
            contract=self.contract,
            index=self.index,
            signer=None if number is None else self.chain.signer(number),
            store=store or self.store,
            notify=self.told.append,
            **more,  # type: ignore[arg-type]  # Session's own arguments, as a test names them
        )

    @property
    def seller(self) -> Seller:
        return Seller(self.session("seller", 0))

    def buyer(self, number: int = 1, *, registered: bool = True) -> Buyer:
        buyer = Buyer(self.session(f"buyer-{number}", number))
        if registered and not (buyer.session.home.path / "keys").exists():
            buyer.register_key()
        return buyer

    @property
    def auditor(self) -> Auditor:
        return Auditor(self.session("auditor", None))

    def file(self, name: str = "predictions.csv", content: bytes = b"id,prediction\nn0001,0.5\n") -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def output(self, name: str = "output") -> Path:
        return self.folder / name

    def balance(self, number: int) -> int:
        return self.chain.connection.balance(self.chain.signer(number).address)

    def cost(self, number: int, action: Callable[[], object]) -> int:
        """What the account lost while `action` ran, gas included."""
        before = self.balance(number)
        action()
        return before - self.balance(number)


def session_at(place: Place, contract: MarketplaceContract, number: int | None, **more: Any) -> Session:
    """A session about `contract` with a home of its own, for the account `number` (None: for nobody)."""
    return Session(
        home=Home(place.folder / f"home-{number}"),
        connection=place.chain.connection,
        contract=contract,
        signer=None if number is None else place.chain.signer(number),
        store=place.store,
        **more,
    )
