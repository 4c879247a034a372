"""What was found out about a contract is remembered once it is final, and never believed of anything else."""

from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest
from eth_utils.crypto import keccak

from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.identity import checked, deployment, proxy
from numerbay_chain.chain.identity.creation import Creation, find_creation
from numerbay_chain.chain.identity.deployment import Deployment
from numerbay_chain.chain.second import SecondNode
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.home.home import Home
from numerbay_chain.seller import Seller
from numerbay_chain.session import Session
from tests.support.chains.deploying import place_proxy
from tests.support.places import PRICE, Place, session_at
from tests.support.wrapped import altered, counted, with_policy


@pytest.fixture
def asked(place: Place, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The questions to the node that the check takes."""
    count: Counter[str] = Counter()
    for name in ("transaction", "transactions_in", "receipt", "code", "block_number"):
        altered(monkeypatch, place.chain.connection, name, counted(count, getattr(Connection, name)))
    return count


@pytest.fixture
def made(place: Place) -> Deployment:
    return deployment.deploy(Sender(place.chain.connection, place.chain.signer(0)))


def _names_no_finalized_block(self: Connection, identifier: int | Literal["latest", "safe", "finalized"]) -> object:
    return None if identifier in ("safe", "finalized") else Connection.block(self, identifier)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch, place: Place, made: Deployment) -> Connection:
    """The chain as one that is not a development chain: what is learnt of it lasts."""
    connection = place.chain.connection
    with_policy(monkeypatch, connection, trial=False)
    monkeypatch.setattr(connection, "is_development", False)
    altered(monkeypatch, connection, "block", _names_no_finalized_block)  # depth decides
    return place.chain.connection


def deepen(place: Place) -> None:
    """Make what is in the latest block final."""
    for _ in range(place.chain.connection.confirmations):
        place.chain.advance(1)


def require(connection: Connection, address: str, folder: Path, **hints: Any) -> Creation:
    """As the next process does it."""
    checked._IN_THIS_PROCESS.clear()
    return checked.require_shipped(connection, address, folder, **hints)


def test_it_is_asked_with_three_questions_and_then_never_again(
    place: Place, made: Deployment, public: Connection, asked: Counter[str], tmp_path: Path
) -> None:
    deepen(place)
    asked.clear()
    first = require(public, made.address, tmp_path, transaction=made.transaction)
    assert asked.total() <= 3
    asked.clear()
    assert require(public, made.address, tmp_path) == first == Creation("direct", made.transaction, made.block)
    assert asked.total() == 0


def test_what_a_block_says_that_may_be_taken_back_is_not_remembered(
    made: Deployment, public: Connection, tmp_path: Path
) -> None:
    require(public, made.address, tmp_path, transaction=made.transaction)
    assert not list(tmp_path.iterdir())


def test_a_development_chain_is_asked_each_time(place: Place, asked: Counter[str], tmp_path: Path) -> None:
    for _ in range(2):
        asked.clear()
        require(place.chain.connection, place.contract.address, tmp_path, first_block=place.contract.from_block)
        assert asked.total() > 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 1, "init_code": "12"}'])
def test_a_memory_of_something_else_counts_for_nothing(
    place: Place, made: Deployment, public: Connection, asked: Counter[str], tmp_path: Path, text: str
) -> None:
    deepen(place)
    path = tmp_path / f"{public.chain_id}-{made.address}.json"
    path.write_text(text)
    asked.clear()
    require(public, made.address, tmp_path, transaction=made.transaction)
    assert asked["transaction"] == 1
    asked.clear()
    require(public, made.address, tmp_path)
    assert asked.total() == 0


# -------------------------------------------------------------------------------------------------------------- proxy


def test_the_proxys_contract_is_known_by_its_address(place: Place, asked: Counter[str], tmp_path: Path) -> None:
    connection = place.chain.connection
    place_proxy(connection, place.chain.signer(9))
    made = deployment.deploy(Sender(connection, place.chain.signer(4)), method="proxy")
    salt, code = proxy.SALT, proxy.init_code()
    by_hand = keccak(b"\xff" + bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c") + salt + keccak(code))[12:]
    assert made.address.lower() == "0x" + by_hand.hex()
    asked.clear()
    assert require(connection, made.address, tmp_path) == Creation("proxy")
    assert asked.total() <= 3
    session = session_at(place, MarketplaceContract(connection, made.address, made.block), 1)
    Buyer(session).register_key()
    assert Seller(session_at(place, session.contract, 0)).create_listing(PRICE).id == 1


@pytest.mark.parametrize("wrong", ["marketplace", "proxy"])
def test_other_code_at_the_known_addresses_is_not_taken(
    place: Place, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    connection, code = place.chain.connection, Connection.code
    place_proxy(connection, place.chain.signer(9))
    made = deployment.deploy(Sender(connection, place.chain.signer(4)), method="proxy")
    other = made.address if wrong == "marketplace" else proxy.ADDRESS

    def other_code(self: Connection, address: str, block: int | None = None) -> bytes:
        found = code(self, address, block)
        return found[:-1] + bytes([found[-1] ^ 1]) if address == other else found

    altered(monkeypatch, place.chain.connection, "code", other_code)
    with pytest.raises(RefusedError) as refused:
        find_creation(connection, made.address)
    assert refused.value.code == ("contract-unknown" if wrong == "marketplace" else "no-proxy")


def test_the_first_command_of_a_new_home_remembers_the_contract(place: Place, public: Connection) -> None:
    deepen(place)
    session = Session(
        home=Home(place.folder / "new" / "home"),
        connection=public,
        contract=MarketplaceContract(public, place.contract.address, place.contract.from_block),
        signer=place.chain.signer(0),
    )
    session.require_known_contract()
    assert [path.stat().st_mode & 0o777 for path in (session.home.path / "checked").iterdir()] == [0o600]


@pytest.fixture
def with_second(place: Place, public: Connection, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A new home that asks two nodes about a contract that is final."""
    deepen(place)
    other = Connection(public.transport, name="another node", local=False, policy=public.policy)
    monkeypatch.setattr(other, "is_development", False)
    altered(monkeypatch, other, "block", _names_no_finalized_block)
    public.second = SecondNode(lambda _: other)
    return session_at(place, MarketplaceContract(public, place.contract.address, place.contract.from_block), 1)


def test_a_new_home_remembers_what_the_second_node_tells(with_second: Session) -> None:
    with_second.require_second()
    (remembered,) = (with_second.home.path / "checked" / "second").iterdir()
    assert remembered.stat().st_mode & 0o777 == 0o600


def test_a_disk_that_can_not_be_written_to_is_no_disagreement_of_nodes(with_second: Session) -> None:
    with_second.require_known_contract()
    folder = with_second.home.folder("checked", "second")
    name = f"{with_second.connection.chain_id}-{with_second.contract.address}.json"
    (folder / name).mkdir()
    with pytest.raises(RefusedError) as refused:
        with_second.require_second()
    assert refused.value.code == "not-a-file"
