"""The main job on a chain and a store inside this process: deploy, list, buy, seal, pin, release, deliver, fetch,
withdraw, audit."""

import random
import tempfile
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Final

from numerbay_chain.audit.results import AuditReport
from numerbay_chain.auditor import Auditor
from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.identity.deployment import deploy
from numerbay_chain.chain.local.embedded import EmbeddedChain
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import RefusedError, UsageError
from numerbay_chain.core.home.home import Home
from numerbay_chain.core.progress import Progress, silent
from numerbay_chain.core.units import parse_amount, parse_duration
from numerbay_chain.crypto.container import commitments_size
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.seller import Seller
from numerbay_chain.session import Session

PRICE: Final = "0.05 ether"
DISPUTE_WINDOW: Final = "10m"
MOST_BUYERS: Final = 100
_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class DemoBuyer:
    address: str
    order: int
    sha256: bytes  # of what this buyer decrypted
    size: int


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The main job, done once. Balances are wei by role ("seller", "buyer 1", …, "marketplace"); `accounted`: every
    wei of all of them, gas included, is where it should be."""

    original_sha256: bytes
    size: int
    buyers: tuple[DemoBuyer, ...]
    marketplace: str
    listing: int
    content_hash: bytes
    cid: Cid
    ciphertext_cid: Cid
    ciphertext_size: int
    commitments_size: int
    envelopes_size: int
    gas: dict[str, int]
    balances_before: dict[str, int]
    balances_after: dict[str, int]
    accounted: bool
    audit: AuditReport


def run(file: str | Path | None = None, buyers: int = 3, progress: Progress = silent) -> DemoResult:
    """Sells `file` (None: a small made-up predictions file) to `buyers` buyers (1 to 100) and answers with what
    happened.

    Everything is real but the chain's validators: contracts on an in-process EVM, the embedded store in a temporary
    folder. Raises `UsageError` for another number of buyers, and what the steps raise.
    """
    if not 1 <= buyers <= MOST_BUYERS:
        raise UsageError(f"the demonstration takes 1 to {MOST_BUYERS} buyers, not {buyers}")
    with tempfile.TemporaryDirectory(prefix="numerbay-chain-demo-") as folder:
        source = Path(file) if file is not None else _made_up(Path(folder) / "predictions.csv")
        return _Demo(Path(folder), buyers, progress).run(source)


def _made_up(path: Path) -> Path:
    numbers = random.Random(0)  # noqa: S311 — predictions, not secrets
    rows = (f"n{index:07d},{numbers.random():.6f}\n" for index in range(_ROWS))
    path.write_text("id,prediction\n" + "".join(rows))
    return path


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return file_digest(file, "sha256").digest()


class _Demo:
    def __init__(self, folder: Path, count: int, progress: Progress) -> None:
        self._folder, self._progress = folder, progress
        self._chain = EmbeddedChain(accounts=count + 2)
        self._store = EmbeddedStore(folder / "store")
        self._fees: dict[str, int] = {}  # wei paid for gas, by role
        self._gas: dict[str, int] = {}
        self._names = {f"buyer {number}": number for number in range(1, count + 1)}
        self._done, self._steps = 0, 5 + 3 * count

    def run(self, source: Path) -> DemoResult:
        """All of it, in the order in which it happens."""
        connection = self._chain.connection
        before = {name: connection.balance(self._chain.signer(number).address) for name, number in self._accounts()}
        contract = self._deployed()
        seller = Seller(self._session("seller", 0, contract))
        created = seller.create_listing(PRICE, name="demonstration", dispute_window=DISPUTE_WINDOW)
        self._spent("seller", "create_listing", created.receipt)
        readers = {name: Buyer(self._session(name, number, contract)) for name, number in self._names.items()}
        orders = {}
        for name, reader in readers.items():
            registered = reader.register_key()
            self._spent(name, "register_key", registered.receipt)
            purchase = reader.buy(created.id)
            self._spent(name, "buy", purchase.receipt)
            orders[name] = purchase.order
        original = _sha256(source) if source.is_file() else None
        delivered = seller.deliver(source, created.id, progress=self._progress)
        self._spent("seller", "release_and_deliver", delivered.release)

        got = [self._received(name, reader, orders[name].id) for name, reader in readers.items()]

        self._chain.advance(2 * parse_duration(DISPUTE_WINDOW))
        withdrawal = seller.withdraw(created.id)
        for receipt in withdrawal.receipts:
            self._spent("seller", "withdraw", receipt)
        audit = Auditor(self._session("auditor", None, contract)).audit(content=True)
        self._step("audited")
        after = {name: connection.balance(self._chain.signer(number).address) for name, number in self._accounts()}
        price = parse_amount(PRICE)
        expected = {name: before[name] - price - self._fees[name] for name in self._names}
        expected["seller"] = before["seller"] + price * len(self._names) - self._fees["seller"]
        held = connection.balance(contract.address)
        size = delivered.size
        if (
            not (delivered.content_hash and delivered.sha256 and delivered.cid and delivered.ciphertext_cid)
            or size is None
        ):
            raise RefusedError("the delivery has no content")
        return DemoResult(
            original_sha256=original or delivered.sha256,
            size=size,
            buyers=tuple(got),
            marketplace=contract.address,
            listing=created.id,
            content_hash=delivered.content_hash,
            cid=delivered.cid,
            ciphertext_cid=delivered.ciphertext_cid,
            ciphertext_size=size,
            commitments_size=commitments_size(size),
            envelopes_size=delivered.envelopes * ENVELOPE_SIZE,
            gas=self._gas,
            balances_before={**before, "marketplace": 0},
            balances_after={**after, "marketplace": held},
            accounted=after == expected and held == 0 and withdrawal.amount == price * len(self._names),
            audit=audit,
        )

    def _deployed(self) -> MarketplaceContract:
        connection = self._chain.connection
        deployment = deploy(Sender(connection, self._chain.signer(0)))
        deployed = connection.receipt(deployment.transaction)
        if deployed is None:
            raise RefusedError("the deployment has no receipt")
        self._count("seller", "deploy", deployed.gas_used, deployed.gas_used * deployed.gas_price)
        return MarketplaceContract(connection, deployment.address, deployment.block)

    def _received(self, name: str, reader: Buyer, order: int) -> DemoBuyer:
        verification = reader.verify(order)
        if not verification.ok:
            raise RefusedError(f"{name} met a problem: {verification.problems[0]}")
        path = self._folder / f"{name}.out"
        fetched = reader.fetch(order, path=path, progress=self._progress)
        got = DemoBuyer(reader.session.account, order, _sha256(path), fetched.size)
        path.unlink()
        self._step(f"{name} fetched and decrypted")
        return got

    def _accounts(self) -> list[tuple[str, int]]:
        return [("seller", 0), *self._names.items()]

    def _session(self, name: str, account: int | None, contract: MarketplaceContract) -> Session:
        return Session(
            home=Home(self._folder / name.replace(" ", "-")),
            connection=self._chain.connection,
            contract=contract,
            signer=None if account is None else self._chain.signer(account),
            store=self._store,
        )

    def _spent(self, who: str, what: str, receipt: Receipt | None) -> None:
        if receipt is not None:
            self._count(who, what, receipt.gas_used, receipt.fee)

    def _count(self, who: str, what: str, gas: int, fee: int) -> None:
        self._fees[who] = self._fees.get(who, 0) + fee
        self._gas[what] = gas
        self._step(what.replace("_", " "))

    def _step(self, label: str) -> None:
        self._done += 1
        self._progress(label, min(self._done, self._steps), self._steps, "steps")
