"""What the package knows of networks by name."""

import tomllib
from importlib import resources

import pytest

from numerbay_chain.chain.networks import by_name, known, network
from numerbay_chain.chain.node.blocks import DEVELOPMENT_CHAIN_IDS
from numerbay_chain.core.errors import ExitCode, UsageError


def test_a_network_is_found_by_its_chain_id_and_by_its_name() -> None:
    ids = {one.key: one.chain_id for one in known().values()}
    assert ids == {
        "ethereum": 1,
        "sepolia": 11155111,
        "base": 8453,
        "base-sepolia": 84532,
        "arbitrum-one": 42161,
        "optimism": 10,
        "polygon": 137,
        "gnosis": 100,
    }
    for key, chain_id in ids.items():
        assert network(chain_id) == by_name(key)
    for spelling in ("base-sepolia", "Base Sepolia", " BASE_SEPOLIA ", by_name("base-sepolia").name):
        assert by_name(spelling).chain_id == 84532
    assert network(31337) is None


@pytest.mark.parametrize("name", ["", "mainnet2", "1", "base sepolia 2", "\0"])
def test_any_other_name_is_a_usage_error_that_lists_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        by_name(name)
    assert (refused.value.code, refused.value.exit_code) == ("unknown-network", ExitCode.USAGE)
    assert all(key in str(refused.value.hint) for key in known())


def test_what_is_known_of_each_network_fits_together() -> None:
    for one in known().values():
        assert one.chain_id not in DEVELOPMENT_CHAIN_IDS
        assert one.confirmations > 0
        assert one.confirmations * one.block_time <= one.finality <= 1800
        assert one.explorer.startswith("https://")
        assert 0 < one.max_tip <= 500
        assert 10**16 <= one.max_fee <= 10**19
    assert by_name("ethereum").max_fee == 5 * 10**16
    assert {one.symbol for one in known().values()} == {"ETH", "POL", "xDAI"}


def test_no_node_is_among_what_is_known() -> None:
    text = resources.files("numerbay_chain.chain").joinpath("networks.toml").read_text()
    for fields in tomllib.loads(text).values():
        assert set(fields) == {
            "name", "chain_id", "block_time", "confirmations", "finality", "symbol", "explorer", "max_tip", "max_fee",
        }  # fmt: skip
