"""A marketplace of one's own on a chain inside the process, with the embedded store."""

from collections.abc import Callable
from copy import copy
from functools import partial
from pathlib import Path

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.identity.location import open_connection
from numerbay_chain.core.home.config import Settings
from numerbay_chain.index.events import EventSource
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.ipfs import ContentStore, EmbeddedStore, open_store
from numerbay_chain.opening import Means, open_session
from tests.support.adversary import Cheat
from tests.support.evm.inside import InsideChain
from tests.support.nodes import LyingContract
from tests.support.places import Place
from tests.support.programs import Ended, InsideShell, shell

Says = Callable[..., Ended]
HERE = "http://this-process.invalid"
"""The address of the chain inside the process."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.found(tmp_path, InsideChain(), EmbeddedStore(tmp_path / "store"))


@pytest.fixture
def cheat(place: Place) -> Cheat:
    return Cheat(place.seller.session)


@pytest.fixture
def nbc(place: Place) -> Says:
    """`nbc(ROLE, NUMBER, ARGUMENTS, NUMERBAY_CHAIN_…=TEXT)`: the command line of somebody in this place.

    Their environment names this place's node, contract and store and their account; every flag counts as it does
    outside. What is given to them: the chain inside the process and the place's store, and the contract and
    the logs where its node lies.
    """

    def connected(settings: Settings) -> Connection:
        if settings.rpc != HERE:
            return open_connection(settings)
        return copy(place.chain.connection)  # limits of fees and a second node are one command's own

    def contract(connection: Connection, address: str, first_block: int) -> MarketplaceContract:
        if isinstance(place.contract, LyingContract):
            return place.contract
        return MarketplaceContract(connection, address, first_block)

    def index(connection: Connection, address: str, first: int) -> EventSource:
        return place.index or NodeEvents(connection, address, first)

    def store(*specs: str) -> ContentStore:
        return place.store if specs == (f"embedded:{place.folder / 'store'}",) else open_store(*specs)

    opens = partial(open_session, means=Means(connected, contract, index, store))

    def run(role: str, number: int | None, *arguments: object, code: int | None = 0, **more: str) -> Ended:
        environment = {
            "NUMERBAY_CHAIN_HOME": str(place.folder / role),
            "NUMERBAY_CHAIN_RPC": HERE,
            "NUMERBAY_CHAIN_CONTRACT": place.contract.address,
            "NUMERBAY_CHAIN_FROM_BLOCK": str(place.contract.from_block),
            "NUMERBAY_CHAIN_STORE": f"embedded:{place.folder / 'store'}",
            "NUMERBAY_CHAIN_YES": "1",
            **({} if number is None else {"NUMERBAY_CHAIN_ACCOUNT": f"dev:{number}"}),
            **more,
        }
        here = shell(place.folder, **environment)
        return InsideShell(here.folder, here.environment, opens).nbc(*arguments, code=code)

    return run
