"""A marketplace of one's own on a chain inside the process, with the embedded store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.session import Market
from tests.support.cheats import Cheat
from tests.support.evm.inside import InsideChain
from tests.support.places import Place
from tests.support.programs import Ended, InsideShell, shell

Says = Callable[..., Ended]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.found(tmp_path, InsideChain(), EmbeddedStore(tmp_path / "store"))


@pytest.fixture
def cheat(place: Place) -> Cheat:
    return Cheat(place.seller.market)


@pytest.fixture
def nbc(place: Place, monkeypatch: pytest.MonkeyPatch) -> Says:
    """`nbc(ROLE, NUMBER, ARGUMENTS)`: the command line of somebody in this place."""
    here = shell(place.folder, NUMERBAY_CHAIN_YES="1")

    def run(role: str, number: int, *arguments: object, code: int = 0) -> Ended:
        def opened(*_: object, dry_run: bool, **__: object) -> Market:
            return place.market(role, number, dry_run=dry_run)

        monkeypatch.setattr("numerbay_chain.opening.open_market", opened)
        return InsideShell(here.folder, here.environment).nbc(*arguments, code=code)

    return run
