"""Where settings come from, and what lies in the home folder."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from numerbay_chain.core.errors import AccountError, RefusedError, UsageError
from numerbay_chain.core.home.config import load_settings
from numerbay_chain.core.home.home import Home
from tests.support.codes import fails_with

SECRET = "00112233445566778899aabbccddeeff" * 2


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def settings(home: Home, profile: str | None = None, environment: dict[str, str] | None = None, **flags: Any):
    return load_settings(profile, {"home": home.path, **flags}, environment or {})


def test_flags_win_over_the_environment_and_that_over_the_profile(home: Home) -> None:
    home.save_profile("seller", {"rpc": "http://profile", "contract": "0xprofile", "chain_id": 1, "store": None})
    environment = {"NUMERBAY_CHAIN_RPC": "http://environment", "NUMERBAY_CHAIN_CONTRACT": "0xenvironment"}
    found = settings(home, "seller", environment, rpc="http://flag", contract=None)
    assert (found.rpc, found.contract, found.chain_id, found.store) == ("http://flag", "0xenvironment", 1, None)


@pytest.mark.parametrize(
    ("flags", "environment", "expected"),
    [
        ({"contract": "0x22"}, {}, None),
        ({"contract": "0xAA"}, {}, 21),
        ({"contract": "0x22", "from_block": 5}, {}, 5),
        ({"from_block": 5}, {}, 5),
        ({}, {"NUMERBAY_CHAIN_CONTRACT": "0x22"}, None),
        ({}, {"NUMERBAY_CHAIN_CONTRACT": "0x22", "NUMERBAY_CHAIN_FROM_BLOCK": "7"}, 7),
        ({"contract": "0x33"}, {"NUMERBAY_CHAIN_CONTRACT": "0x22", "NUMERBAY_CHAIN_FROM_BLOCK": "7"}, None),
        ({"contract": "0x33"}, {"NUMERBAY_CHAIN_FROM_BLOCK": "7"}, None),
        ({}, {}, 21),
    ],
)
def test_the_first_block_of_another_contract_is_not_used(
    home: Home, flags: dict[str, object], environment: dict[str, str], expected: int | None
) -> None:
    home.save_profile("seller", {"contract": "0xaa", "from_block": 21})
    assert settings(home, "seller", environment, **flags).from_block == expected


def test_a_first_block_without_a_contract_is_the_chosen_one_s(home: Home) -> None:
    home.save_profile("seller", {"from_block": 21})
    assert settings(home, "seller", contract="0x22").from_block == 21


def test_the_most_that_gas_may_cost_is_a_setting(home: Home) -> None:
    assert settings(home, environment={"NUMERBAY_CHAIN_MAX_TIP": "900"}).max_tip == 900
    assert settings(home, environment={"NUMERBAY_CHAIN_MAX_FEE": "0.2 ether"}).max_fee == 2 * 10**17
    assert settings(home, max_fee="5 gwei").max_fee == 5 * 10**9
    assert settings(home, max_fee=7).max_fee == 7
    home.save_profile("seller", {"max_fee": "1 ether"})
    assert settings(home, "seller").max_fee == 10**18
    for wrong in ("0.2", "much", "0.2 USDC", "-1 ether", -1, True, 0.5):
        with pytest.raises(UsageError) as refused:
            settings(home, max_fee=wrong)
        assert refused.value.code == "bad-setting"
    with pytest.raises(UsageError) as refused:
        settings(home, max_fee="20 POL")
    assert "0.05 ether" in str(refused.value.hint), "how the coin is called is not known before the chain is"


def test_the_environment_can_name_the_profile_and_the_home(home: Home) -> None:
    home.save_profile("buyer", {"rpc": "http://node"})
    environment = {"NUMERBAY_CHAIN_HOME": str(home.path), "NUMERBAY_CHAIN_PROFILE": "buyer"}
    found = load_settings(environment=environment)
    assert (found.profile, found.rpc, found.home) == ("buyer", "http://node", home)


def test_without_a_home_the_platform_s_data_folder_is_it() -> None:
    assert Home.at(environment={}).path.name == "numerbay-chain"


def test_profiles_are_kept_beside_each_other(home: Home) -> None:
    home.save_profile("seller", {"rpc": "http://one"})
    path = home.save_profile("buyer", {"rpc": "http://two", "from_block": "7"})
    home.save_profile("seller", {"rpc": "http://three"})
    assert home.profiles() == {"seller": {"rpc": "http://three"}, "buyer": {"rpc": "http://two", "from_block": 7}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("[seller]\nrpx = 'x'", "bad-profiles", "rpx"),
        ("rpc = 'x'", "bad-profiles", "rpc"),
        ("[seller", "bad-profiles", "profiles.toml"),
        ("[seller]\nchain_id = 'one'", "bad-setting", "chain_id"),
        ("[seller]\nrpc = 5", "bad-setting", "rpc"),
    ],
)
def test_a_profile_that_can_t_be_used_is_refused(home: Home, text: str, code: str, value: str) -> None:
    (home.folder() / "profiles.toml").write_text(text)
    with fails_with(UsageError, code, value):
        settings(home, "seller")


def test_a_profile_that_does_not_exist_names_those_that_do(home: Home) -> None:
    home.save_profile("seller", {"rpc": "x"})
    with pytest.raises(UsageError) as refusal:
        settings(home, "sellr")
    assert refusal.value.hint == "profiles: seller"


def test_names_of_profiles_are_plain(home: Home) -> None:
    with fails_with(UsageError, "bad-setting"):
        home.save_profile("../x", {})
    with fails_with(UsageError, "bad-setting"):
        home.save_profile("x", {"rpx": "y"})


def test_a_setting_that_is_missing_says_how_to_give_it(home: Home) -> None:
    with fails_with(UsageError, "missing-setting") as refusal:
        settings(home).required("rpc")
    assert "--rpc" in str(refusal.value.hint)
    assert "NUMERBAY_CHAIN_RPC" in str(refusal.value.hint)


def test_the_address_of_a_node_is_not_shown(home: Home) -> None:
    assert "access-key" not in repr(settings(home, rpc="https://node/access-key"))


def test_folders_are_private(home: Home) -> None:
    old = os.umask(0)
    try:
        folder = home.folder("journal", "x")
    finally:
        os.umask(old)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (home.path, home.path / "journal", folder)}
    assert modes == {0o700}


def test_a_folder_of_other_things_stays_as_open_as_it_was(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    inner = Home(shared).folder("journal")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (shared, inner)] == [0o755, 0o700]


def test_a_home_that_can_t_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with fails_with(RefusedError, "unwritable"):
        Home(tmp_path / "file" / "home").folder()


def test_the_seller_secret_is_made_once_and_for_its_owner_alone(home: Home) -> None:
    secret, made = home.seller_secret()
    assert (len(secret), made) == (32, True)
    assert home.seller_secret() == (secret, False)
    assert stat.S_IMODE(home.secret_path.stat().st_mode) == 0o600
    assert home.export_seller_secret() == secret.hex()
    assert secret.hex() not in repr(home)


def test_a_backup_is_taken_in_where_there_is_no_other(home: Home, tmp_path: Path) -> None:
    assert home.import_seller_secret(f"0x{SECRET}\n") is True
    assert home.import_seller_secret(SECRET.upper()) is False
    assert home.export_seller_secret() == SECRET
    with fails_with(RefusedError, "another-secret"):
        home.import_seller_secret("ff" * 32)
    assert home.export_seller_secret() == SECRET


def test_what_is_no_secret_is_refused_without_repeating_it(home: Home) -> None:
    with pytest.raises(RefusedError) as refusal:
        home.import_seller_secret(SECRET[:-1])
    assert SECRET[:8] not in str(refusal.value)
    with fails_with(AccountError, "no-secret"):
        home.export_seller_secret()
    home.folder()
    home.secret_path.write_text(SECRET[:-2])
    with pytest.raises(AccountError) as damaged:
        home.seller_secret()
    assert SECRET[:8] not in str(damaged.value)


def test_a_secret_that_others_could_read_is_closed_to_them(home: Home) -> None:
    home.import_seller_secret(SECRET)
    home.secret_path.chmod(0o644)
    home.export_seller_secret()
    assert stat.S_IMODE(home.secret_path.stat().st_mode) == 0o600


def test_comments_in_profiles_stay_when_one_is_set(home: Home) -> None:
    path = home.save_profile("seller", {"rpc": "http://one"})
    path.write_text(f"# mine\n{path.read_text()}# behind\n")
    home.save_profile("seller", {"rpc": "http://two"}, merge=True)
    home.save_profile("buyer", {"rpc": "http://three"})
    assert path.read_text().splitlines()[:4] == ["# mine", "[seller]", 'rpc = "http://two"', "# behind"]
    assert set(home.profiles()) == {"seller", "buyer"}
