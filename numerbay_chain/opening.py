"""Opening a session, as the settings say it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Unpack

from numerbay_chain.artifacts.kept import DEFAULT_LIMIT
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.identity.location import expected_chain_id, locate, open_connection
from numerbay_chain.chain.second import SecondNode
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.home.config import Overrides, Settings, load_settings
from numerbay_chain.core.progress import Notify, quiet
from numerbay_chain.core.units import parse_listings, parse_size
from numerbay_chain.index.events import EventSource
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.ipfs import ContentStore, open_store
from numerbay_chain.session import Session


@dataclass(frozen=True, slots=True)
class Means:
    """What a session is made of, where the settings say which: a program that has its own node, index or store gives it
    here."""

    connect: Callable[[Settings], Connection] = open_connection
    contract: Callable[[Connection, str, int], MarketplaceContract] = MarketplaceContract
    index: Callable[[Connection, str, int], EventSource] = NodeEvents
    store: Callable[..., ContentStore] = open_store


MEANS: Final = Means()


def open_session(
    profile: str | None = None,
    *,
    password: Callable[[], str] | None = None,
    dry_run: bool = False,
    notify: Notify = quiet,
    means: Means = MEANS,
    **overrides: Unpack[Overrides],
) -> Session:
    """Opens what settings say: `overrides`, then NUMERBAY_CHAIN_*, then the profile. Without a store it is the
    embedded one in the home folder; without a contract, the one that was deployed on that chain from here. Raises
    `UsageError` for what is missing, and `NetworkError` for a node that can't be reached."""
    settings = load_settings(profile, overrides)
    if settings.rpc is not None and settings.rpc == settings.second_rpc:
        raise UsageError("the second node is the first one", "give --second-rpc the address of another node")
    connection = means.connect(settings)
    signer = Signer.from_spec(settings.account, password) if settings.account else None
    return session_at(settings, connection, signer, dry_run=dry_run, notify=notify, means=means)


def session_at(
    settings: Settings,
    connection: Connection,
    signer: Signer | None,
    *,
    dry_run: bool = False,
    notify: Notify = quiet,
    means: Means = MEANS,
) -> Session:
    """The same over a connection and an account that exist already, such as Ape's. Raises `UsageError` for another
    chain than the settings name."""
    with settings.named("chain_id", "network"):
        connection.require_chain(expected_chain_id(settings))
    connection.limit_fees(settings.max_tip, settings.max_fee)
    nodes = settings.home.path / "nodes"
    connection.remember(nodes)
    if settings.second_rpc is not None:
        connection.second = SecondNode.at(settings.second_rpc, nodes)
    location = locate(settings, connection)
    store = settings.store or f"embedded:{settings.home.path / 'store'}"
    with settings.named("contract"):
        contract = means.contract(connection, location.address, location.first_block)
    return Session(
        home=settings.home,
        connection=connection,
        contract=contract,
        index=means.index(connection, contract.address, contract.from_block),
        signer=signer,
        store=means.store(*(part.strip() for part in store.split(","))),
        explicit_store=settings.store is not None,
        read_back=settings.read_back,
        keep=DEFAULT_LIMIT if settings.keep is None else parse_size(settings.keep),
        key=settings.key,
        operates=parse_listings(settings.operates or ""),
        dry_run=dry_run,
        notify=notify,
        created_by=location.created_by,
        unchecked_contract=settings.unchecked_contract,
    )
