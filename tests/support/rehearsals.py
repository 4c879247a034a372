"""A marketplace on an anvil where each run is a process of its own, which can be interrupted at any step, and where all
that happened can be taken back: chain, disk and all."""

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from eth_account import Account

from numerbay_chain.chain.connection import connect
from numerbay_chain.chain.local.devnet import Devnet, advance, request
from numerbay_chain.chain.signers.signer import DEVELOPMENT_MNEMONIC, DEVELOPMENT_PATH, LocalSigner, Signer
from numerbay_chain.core.errors import NumerbayChainError
from numerbay_chain.core.policy import Policy
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.protocol.types import ZERO_ADDRESS
from tests.support.places import Place
from tests.support.steps import Interruption, Steps
from tests.support.told import Told

PEOPLE = (0, 1, 2)  # the seller and two buyers

Command = Callable[[Place], object]


class Visit:
    """A connection of one's own to the devnet. `public`: a chain like any other, where a block is final that the
    chain calls so, and whose accounts are nobody else's."""

    def __init__(self, rpc: str, public: bool) -> None:
        self.connection = connect(rpc, policy=Policy(prices=0))  # a run asks as often as the one before
        self.connection.is_development = not public

    def signer(self, index: int) -> Signer:
        return _signer(index)

    def advance(self, seconds: int) -> None:
        advance(self.connection, seconds)


@cache
def _signer(index: int) -> Signer:
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(DEVELOPMENT_MNEMONIC, account_path=f"{DEVELOPMENT_PATH}/{index}")
    return LocalSigner.from_key(bytes(account.key))


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a process. `struck`: the step that it was interrupted at; `said`: the sentence of its error;
    `traceback`: of what is none of the project's own errors."""

    killed: bool
    struck: str
    passed: dict[str, int]
    said: str = ""
    traceback: str = ""

    @property
    def trouble(self) -> str:
        return self.traceback or self.said


class Stage:
    """`place` as the preparing process sees it."""

    def __init__(self, devnet: Devnet, folder: Path, *, public: bool = False) -> None:
        self._devnet, self._folder, self._public = devnet, folder, public
        folder.mkdir(parents=True, exist_ok=True)
        self.place = Place.found(folder, Visit(devnet.rpc, False), EmbeddedStore(folder / "store"))

    def mine(self, blocks: int) -> None:
        request(self._devnet.connection, "anvil_mine", hex(blocks))

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """What happens in the block never happened."""
        snapshot = request(self._devnet.connection, "evm_snapshot")
        aside = self._folder.with_name(self._folder.name + "-aside")
        shutil.copytree(self._folder, aside)
        try:
            yield
        finally:
            assert request(self._devnet.connection, "evm_revert", snapshot) is True
            shutil.rmtree(self._folder)
            aside.rename(self._folder)

    def run(self, command: Command, interruption: Interruption | None = None) -> Run:
        """In a new process, to its end."""
        reader, writer = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.close(reader)
            self._live(command, interruption, writer)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        assert os.WIFEXITED(status)
        return Run(**json.loads(said))

    def _live(self, command: Command, interruption: Interruption | None, writer: int) -> None:
        """The whole life of a process: it never returns to who forked it."""

        def tell(steps: Steps, **more: Any) -> None:
            told = {"killed": False, "struck": steps.struck, "passed": dict(steps.passed), **more}
            os.write(writer, json.dumps(told).encode())

        steps = Steps(self._folder, interruption, lambda steps: tell(steps, killed=True))
        try:
            steps.watch()
            # connected anew: a socket is not for two processes
            visit = Visit(self._devnet.rpc, self._public)
            contract = type(self.place.contract)(
                visit.connection, self.place.contract.address, self.place.contract.from_block
            )
            store = EmbeddedStore(self._folder / "store")
            place = replace(self.place, chain=visit, contract=contract, store=store)
            command(place)
            tell(steps)
        except NumerbayChainError as error:
            tell(steps, said=str(error))
        except BaseException:
            tell(steps, traceback=traceback.format_exc())
        finally:
            os._exit(0)

    def facts(self) -> dict[str, Any]:
        """What counts in the end, but for what is random (salts, digests) and what gas cost."""
        place, contract = self.place, self.place.contract
        connection, events = place.chain.connection, list(Told(contract).events())
        spent = dict.fromkeys(PEOPLE, 0)
        people = {place.chain.signer(number).address: number for number in PEOPLE}
        for transaction in sorted({event.transaction for event in events}):
            receipt = connection.receipt(transaction)
            assert receipt is not None
            if receipt.sender in people:
                spent[people[receipt.sender]] += receipt.gas_used * receipt.gas_price
        return {
            "events": [event.name for event in events],
            "copies": sorted(str(event["order"]) for event in events if event.name == "CopyDelivered"),
            "posted": [event["count"] for event in events if event.name == "Delivered"],
            "orders": [
                order for number in range(contract.listing_count()) for order in Told(contract).orders_of(number + 1)
            ],
            "held": contract.holdings(ZERO_ADDRESS),
            # none of it depends on the gas price, which moves
            "wealth but for gas": {number: place.balance(number) + spent[number] for number in PEOPLE},
            "sent": {number: connection.transaction_count(place.chain.signer(number).address) for number in PEOPLE},
            "journal": self._journal(),
            "outbox": self._outbox(),
            "content": self._content(),
        }

    def _journal(self) -> dict[str, Any]:
        """Every round's entry: what it is, whether it is done, and who is in its envelopes."""
        found = {}
        for path in sorted(self._folder.glob("seller/journal/*/round-*.json")):
            entry = json.loads(path.read_text())
            copies = {order: (copy["sha256"], copy["read_back"]) for order, copy in entry["copies"].items()}
            file = entry["file"] and (entry["file"]["sha256"], entry["file"]["read_back"])
            found[path.name] = (entry["done"], file, copies, sorted(entry["envelopes"].values()))
        return found

    def _outbox(self) -> dict[str, list[bool]]:
        """What is kept of transactions, and whether their callers know what became of them."""
        return {
            path.name: [one.get("told", False) for one in json.loads(path.read_text())["transactions"]]
            for path in sorted(self._folder.glob("*/outbox/*/*.json"))
        }

    def _content(self) -> dict[str, list[str]]:
        """What every buyer finds wrong with his round: nothing, once he has a key that opens it."""
        return {
            f"{order} of buyer {number}": [
                problem.kind for problem in self.place.buyer(number, registered=False).verify(order.id).problems
            ]
            for number in PEOPLE[1:]
            for order in Told(self.place.contract).orders_by(self.place.chain.signer(number).address)
            if self.place.contract.listing(order.listing).next_round > order.first
        }
