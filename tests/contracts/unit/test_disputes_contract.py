"""The contract that holds the disputes' code: it runs on the marketplace's storage, and is nothing by itself."""

from typing import Any

import pytest
import solcx
from eth_utils import keccak

from tests.contracts.unit.words import refused
from tests.support.evm import Contract, Reverted, artifact
from tests.support.evm.disputes import Dispute, Key, challengeable, spoiled
from tests.support.evm.world import ETHER, World
from tests.support.plugins.toolchain import require, solc_binary
from tools.solidity import CONTRACTS, SOLC_VERSION, source_closure, standard_input, use_project_compiler


@pytest.fixture
def dispute(world: World) -> Dispute:
    """Open, of a listing that is there: but not in the other contract's own storage."""
    dispute = challengeable(world, content=spoiled())
    dispute.challenge()
    return dispute


class TestCalledDirectly:
    @pytest.fixture
    def code(self, world: World, dispute: Dispute) -> Any:
        return Contract(artifact("Disputes"), world.chain, world.market.disputes())

    def test_it_finds_no_order(self, world: World, dispute: Dispute, code: Any) -> None:
        with refused("NoOrder", dispute.order):
            code.challenge(dispute.order, 0, dispute.bucket, Key.of(1).x, sender=world.buyer)
        with refused("NoOrder", dispute.order):
            code.challenge(dispute.order, 0, dispute.bucket, Key.of(1).x, sender=world.buyer, value=ETHER)
        with refused("NoOrder", dispute.order):
            code.refundFaulty(dispute.order, 0, dispute.bucket, sender=world.buyer)
        content = dispute.content
        with refused("NoOrder", dispute.order):
            arguments = (dispute.order, 0, dispute.bucket, content.manifest, content.proof())
            code.proveWrongCopy(*arguments, sender=world.buyer)

    def test_it_finds_no_listing(self, world: World, dispute: Dispute, code: Any) -> None:
        arguments = (dispute.order, 0, dispute.state, dispute.content.manifest, *dispute.sealed())
        with refused("NoListing", dispute.listing):
            code.respond(*arguments, sender=world.seller)
        with refused("NotAdjudicated", dispute.listing):
            arguments = (dispute.listing, 0, dispute.content.manifest, dispute.content.proof())
            code.proveWrongContent(*arguments, sender=world.buyer)

    def test_it_finds_no_challenge(self, world: World, dispute: Dispute, code: Any) -> None:
        for call, more in (("claimTimeout", ()), ("settleChallenge", ()), ("proveWrongKey", (dispute.key.secret,))):
            with refused("NotTheChallenge", dispute.order, 0, bytes(32)):
                getattr(code, call)(dispute.order, 0, dispute.state, *more, sender=world.buyer)

    def test_it_has_no_call_that_the_marketplace_does_not_have(self) -> None:
        marketplace = artifact("Marketplace").functions
        for name, function in artifact("Disputes").functions.items():
            assert marketplace[name].selector == function.selector

    def test_it_takes_no_ether(self, world: World, dispute: Dispute, code: Any) -> None:
        with pytest.raises(Reverted):
            world.chain.transact(world.buyer, code.address, b"", ETHER)
        assert world.chain.balance(code) == 0


def test_its_address_is_the_marketplaces_first_creation(world: World) -> None:
    marketplace = bytes.fromhex(str(world.market)[2:])
    assert world.market.disputes() == "0x" + keccak(b"\xd6\x94" + marketplace + b"\x01")[12:].hex()
    assert len(world.chain.code(world.market.disputes())) > 1000


def test_every_error_of_its_is_one_of_the_marketplaces() -> None:
    assert artifact("Disputes").error_names() <= artifact("Marketplace").error_names()
    assert artifact("Disputes").event_names() <= artifact("Marketplace").event_names()


# ------------------------------------------------------------------------------------------------------------- storage


@pytest.fixture(scope="module")
def layouts() -> dict[str, Any]:
    """What the compiler says of each contract's storage, the two in one run so that types have the same names."""
    require("solc", solc_binary())
    use_project_compiler()
    sources = source_closure([CONTRACTS / "Marketplace.sol"])
    output = solcx.compile_standard(standard_input(sources, ["storageLayout"]), solc_version=SOLC_VERSION)
    files = {"Marketplace": "Marketplace", "Disputes": "Disputes", "Storage": "modules/Storage"}
    return {name: output["contracts"][f"contracts/{file}.sol"][name]["storageLayout"] for name, file in files.items()}


def places(layout: dict[str, Any]) -> list[tuple[str, int, int, str]]:
    return [(item["label"], int(item["slot"]), item["offset"], item["type"]) for item in layout["storage"]]


def test_the_marketplace_and_its_disputes_agree_on_every_slot(layouts: dict[str, Any]) -> None:
    shared = places(layouts["Storage"])
    assert shared[0][1:3] == (0, 0), "something stands in front of the shared storage"
    assert {"_listings", "_orders", "_settlements", "_copyFaultyAt", "_credit"} <= {name for name, *_ in shared}
    assert places(layouts["Disputes"]) == shared, "the disputes have storage that the marketplace does not share"
    assert places(layouts["Marketplace"])[: len(shared)] == shared


def test_nothing_of_the_marketplaces_own_lies_in_the_shared_slots(layouts: dict[str, Any]) -> None:
    shared = places(layouts["Storage"])
    rest = places(layouts["Marketplace"])[len(shared) :]
    assert rest
    assert min(slot for _, slot, *_ in rest) > max(slot for _, slot, *_ in shared)


def test_structs_are_laid_out_the_same_in_both(layouts: dict[str, Any]) -> None:
    types = layouts["Disputes"]["types"]
    assert any("ListingData" in name for name in types)
    assert {name: layouts["Marketplace"]["types"][name] for name in types} == {
        name: {**kind, **_members(kind, "contracts/Marketplace.sol:Marketplace")} for name, kind in types.items()
    }


def _members(kind: dict[str, Any], contract: str) -> dict[str, Any]:
    return {"members": [{**member, "contract": contract} for member in kind["members"]]} if "members" in kind else {}
