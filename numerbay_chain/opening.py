"""Opening a session, as the settings say it."""

from collections.abc import Callable
from typing import Unpack

from numerbay_chain.artifacts.kept import DEFAULT_LIMIT
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.identity.location import expected_chain_id, locate, open_connection
from numerbay_chain.chain.second import SecondNode
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.home.config import Overrides, Settings, load_settings
from numerbay_chain.core.progress import quiet
from numerbay_chain.core.units import parse_listings, parse_size
from numerbay_chain.ipfs import open_store
from numerbay_chain.session import Market


def open_market(
    profile: str | None = None,
    *,
    password: Callable[[], str] | None = None,
    dry_run: bool = False,
    notify: Callable[[str], None] = quiet,
    **overrides: Unpack[Overrides],
) -> Market:
    """Opens what settings say: `overrides`, then NUMERBAY_CHAIN_*, then the profile. Without a store it is the
    embedded one in the home folder; without a contract, the one that was deployed on that chain from here. Raises
    `UsageError` for what is missing, and `NetworkError` for a node that can't be reached."""
    settings = load_settings(profile, overrides)
    if settings.rpc is not None and settings.rpc == settings.second_rpc:
        raise UsageError("the second node is the first one", "give --second-rpc the address of another node")
    connection = open_connection(settings)
    signer = Signer.from_spec(settings.account, password) if settings.account else None
    return market_at(settings, connection, signer, dry_run=dry_run, notify=notify)


def market_at(
    settings: Settings,
    connection: Connection,
    signer: Signer | None,
    *,
    dry_run: bool = False,
    notify: Callable[[str], None] = quiet,
) -> Market:
    """The same over a connection and an account that exist already, such as Ape's. Raises `UsageError` for another
    chain than the settings name."""
    connection.require_chain(expected_chain_id(settings))
    connection.limit_fees(settings.max_tip, settings.max_fee)
    if settings.second_rpc is not None:
        connection.second = SecondNode.at(settings.second_rpc)
    location = locate(settings, connection)
    store = settings.store or f"embedded:{settings.home.path / 'store'}"
    return Market(
        home=settings.home,
        connection=connection,
        contract=MarketplaceContract(connection, location.address, location.first_block),
        signer=signer,
        store=open_store(*(part.strip() for part in store.split(","))),
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
