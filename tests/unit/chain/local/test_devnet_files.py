"""What devnets write into a home folder is marked, never in place of what a user wrote, and can be removed."""

import json
from pathlib import Path
from typing import Any

import pytest

from numerbay_chain.chain.identity.deployment import Deployment
from numerbay_chain.chain.local import devnet_files
from numerbay_chain.chain.local.embedded import EmbeddedChain
from numerbay_chain.chain.node.blocks import LATEST_TIME, LONGEST_ADVANCE, require_advance
from numerbay_chain.core.errors import RefusedError, UsageError
from numerbay_chain.core.home.config import load_settings
from numerbay_chain.core.home.home import Home

OWN = {"rpc": "https://node.example/KEY", "chain_id": 1, "account": "keystore:/k.json"}
DEPLOYMENT = Deployment(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3", 1, "0x" + 64 * "1")
OTHER = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def write(home: Home, port: int = 8545) -> dict[str, str]:
    shared: dict[str, Any] = {"rpc": f"http://127.0.0.1:{port}", "chain_id": 31337, "contract": DEPLOYMENT.address}
    return devnet_files.write_profiles(
        home,
        {"seller": {**shared, "account": "dev:1"}, "buyer": {**shared, "account": "dev:2"}, "auditor": shared},
        shared,
    )


def kept(home: Home, number: int, chain_id: int, marketplace: str) -> Path:
    folder = home.folder("kept", f"{number:064x}")
    (folder / "entry").write_text(json.dumps({"chain_id": chain_id, "marketplace": marketplace}))
    return folder


def test_profiles_of_an_earlier_devnet_are_written_again(home: Home) -> None:
    for port in (8545, 9000):
        assert write(home, port) == {"seller": "seller", "buyer": "buyer", "auditor": "auditor"}
    assert {values["rpc"] for values in home.profiles().values()} == {"http://127.0.0.1:9000"}
    assert all(values["devnet"] is True for values in home.profiles().values())
    assert set(home.profiles()) == {"seller", "buyer", "auditor", "default"}
    settings = load_settings("seller", {"home": home.path}, {})
    assert (settings.account, settings.chain_id) == ("dev:1", 31337)


@pytest.mark.parametrize("taken", [["seller"], ["buyer", "auditor"], ["seller", "buyer", "auditor", "default"]])
def test_a_users_own_profiles_stay_and_the_devnets_get_other_names(home: Home, taken: list[str]) -> None:
    for name in taken:
        home.save_profile(name, OWN)
    for _ in range(2):
        names = write(home)
        assert names == {role: f"devnet-{role}" if role in taken else role for role in ("seller", "buyer", "auditor")}
    profiles = home.profiles()
    assert all(profiles[name] == OWN for name in taken)
    assert (profiles["default"] == OWN) is ("default" in taken)
    assert load_settings("devnet-seller" if "seller" in taken else "seller", {"home": home.path}, {}).account == "dev:1"


def test_a_name_that_is_taken_too_is_left_as_well(home: Home) -> None:
    for name in ("seller", "devnet-seller", "devnet-seller-2"):
        home.save_profile(name, OWN)
    assert write(home)["seller"] == "devnet-seller-3"
    assert write(home)["seller"] == "devnet-seller-3"


def test_a_profile_of_the_same_chain_that_its_user_made_is_the_users(home: Home) -> None:
    home.save_profile("default", {"rpc": "http://127.0.0.1:8545", "chain_id": 31337})
    write(home)
    assert home.profiles()["default"] == {"rpc": "http://127.0.0.1:8545", "chain_id": 31337}


def test_a_profile_that_its_user_changes_is_no_devnets_any_more(home: Home) -> None:
    write(home)
    home.save_profile("seller", {"account": "keystore:/mine.json"}, merge=True)
    assert "devnet" not in home.profiles()["seller"]
    assert write(home)["seller"] == "devnet-seller"
    assert home.profiles()["seller"]["account"] == "keystore:/mine.json"


def test_cleaning_removes_what_devnets_wrote_and_nothing_else(home: Home) -> None:
    home.save_profile("mine", OWN)
    write(home)
    devnet_files.remember(home, DEPLOYMENT)
    (devnet_files.store_folder(home)).mkdir()
    gone = [
        home.folder("journal", f"31337-{DEPLOYMENT.address}-1"),
        home.folder("outbox", f"31337-{DEPLOYMENT.address}-{OTHER}"),
        home.folder("deployments") / f"31337-{DEPLOYMENT.address}.json",
        kept(home, 1, 31337, DEPLOYMENT.address),
        home.folder("kept") / f"{1:064x}.lock",
    ]
    stays = [
        home.folder("journal", f"1-{DEPLOYMENT.address}-1"),
        home.folder("journal", f"31337-{OTHER}-1"),
        home.folder("keys") / f"{OTHER}.json",
        home.folder("deployments") / f"31337-{OTHER}.json",
        home.path / "seller-secret",
        kept(home, 2, 1, DEPLOYMENT.address),
        kept(home, 3, 31337, OTHER),
        home.folder("kept", f"{4:064x}"),
    ]
    for path in (*gone, *stays):
        if not path.exists():
            path.write_text("{}")
    expected = devnet_files.find_leftovers(home)
    assert set(expected.profiles) == {"seller", "buyer", "auditor", "default"}
    assert set(expected.paths) == {home.path / "devnet", *gone}
    assert devnet_files.clean(home) == expected
    assert home.profiles() == {"mine": OWN}
    assert not any(path.exists() for path in (*gone, home.path / "devnet"))
    assert all(path.exists() for path in stays)
    assert devnet_files.clean(home) == devnet_files.Leftovers((), ())


def test_nothing_is_removed_while_a_devnet_runs(home: Home) -> None:
    write(home)
    with devnet_files.keep_running(home, 8545), pytest.raises(RefusedError) as refused:
        devnet_files.clean(home)
    assert refused.value.code == "busy"
    assert "seller" in home.profiles()
    assert "seller" in devnet_files.clean(home).profiles


def test_a_link_is_removed_and_not_what_it_leads_to(home: Home, tmp_path: Path) -> None:
    devnet_files.remember(home, DEPLOYMENT)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("kept")
    link = home.folder("journal") / f"31337-{DEPLOYMENT.address}-1"
    link.symlink_to(elsewhere)
    devnet_files.clean(home)
    assert not link.is_symlink()
    assert (elsewhere / "file").read_text() == "kept"


@pytest.mark.parametrize("seconds", [LONGEST_ADVANCE + 1, 2**32, 2**40 - 1, 10**30])
def test_a_clock_is_not_moved_too_far(seconds: int) -> None:
    chain = EmbeddedChain()
    before = chain.connection.now()
    with pytest.raises(UsageError) as refused:
        chain.advance(seconds)
    assert refused.value.code == "out-of-range"
    assert chain.connection.now() <= before + 1


def test_a_clock_is_moved_up_to_the_last_second_that_counts() -> None:
    require_advance(LONGEST_ADVANCE, 1_800_000_000)
    require_advance(1, LATEST_TIME - 1)
    for seconds, now, code in (
        (2, LATEST_TIME - 1, "out-of-range"),
        (1, LATEST_TIME, "out-of-range"),
        (0, 0, "no-clock"),
    ):
        with pytest.raises(UsageError) as refused:
            require_advance(seconds, now)
        assert refused.value.code == code
