"""Which node, which chain, and where the marketplace is: from the settings to a connection and an address."""

from dataclasses import dataclass

from numerbay_chain.chain.connection import Connection, checksummed, connect
from numerbay_chain.chain.identity import proxy
from numerbay_chain.chain.identity.deployment import Deployment, load_all
from numerbay_chain.chain.networks import by_name
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.home.config import Settings
from numerbay_chain.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Location:
    """A marketplace: its logs begin in `first_block`; `created_by` is the transaction that is said to have created
    it."""

    address: str
    first_block: int
    created_by: str | None


def open_connection(settings: Settings, policy: Policy | None = None) -> Connection:
    """Connect to the node that is set. Raise `UsageError` where none is, and for a node of another chain than
    `chain_id` or `network` name; `NetworkError` for one that can't be reached."""
    expected = expected_chain_id(settings)
    with settings.named("rpc", "chain_id", "network"):
        return connect(settings.required("rpc"), expected, settings.max_tip, settings.max_fee, policy)


def expected_chain_id(settings: Settings) -> int | None:
    """Return the chain id that a node must have; None where any will do. Raise `UsageError` for an unknown network, and
    for one that has another chain id than is set."""
    if settings.network is None:
        return settings.chain_id
    network = by_name(settings.network)
    if settings.chain_id not in (None, network.chain_id):
        raise UsageError(
            f"{network.name} has the chain id {network.chain_id}, but chain_id is set to {settings.chain_id}",
            "leave one of the two out",
            code="bad-setting",
        )
    return network.chain_id


def locate(settings: Settings, connection: Connection) -> Location:
    """Return where the marketplace is: as set by flag, environment or profile, else as deployed from here, else at the
    address that it has on every chain where somebody deployed it. Raise `UsageError` where it is nowhere."""
    known = load_all(settings.home.path / "deployments", connection.chain_id)
    address = settings.contract or _deployed_from_here(connection, known) or _at_known_address(connection)
    if address is None:
        raise UsageError(
            f"no contract is set, and chain {connection.chain_id} has no marketplace of this version at "
            f"{proxy.known_address()}",
            "give --contract, set NUMERBAY_CHAIN_CONTRACT, name a profile that has it, or run `deploy`",
            code="no-contract",
        )
    record = next((one for one in known if one.address.lower() == address.lower()), None)
    remembered = record.block if record else 0
    return Location(
        checksummed(address, "address of a contract"),
        remembered if settings.from_block is None else settings.from_block,
        settings.created_by or (record.transaction or None if record else None),
    )


def _deployed_from_here(connection: Connection, known: list[Deployment]) -> str | None:
    """The newest one. A development chain may be another one than the day before, with the same id: only what it has
    counts there."""
    for one in known:
        if not connection.is_development or connection.code(one.address):
            return one.address
    return None


def _at_known_address(connection: Connection) -> str | None:
    return proxy.known_address() if connection.code(proxy.known_address()) else None
