"""Settings: flags, then the environment, then the profile; options before the command and after it."""

import pytest

from tests.unit.cli.conftest import Run


@pytest.fixture
def profiles(run: Run) -> None:
    assert run("profile", "set", "seller", "--rpc", "http://user:key@127.0.0.1:1/key", "--account", "dev:1").code == 0
    assert run("profile", "set", "seller", "--chain-id", "5").code == 0
    assert run("profile", "set", "buyer", "--rpc", "http://127.0.0.1:2", "--store", "embedded:here").code == 0


@pytest.mark.usefixtures("profiles")
def test_a_profile_is_named_before_the_command_or_after_it(run: Run) -> None:
    before = run("-p", "seller", "--json", "profile", "show")
    after = run("profile", "show", "--profile", "seller", "--json")
    assert before.object == after.object
    assert before.object["account"] == "dev:1"
    assert before.object["chain_id"] == 5


@pytest.mark.usefixtures("profiles")
def test_flags_win_over_the_environment_which_wins_over_the_profile(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def account(*flags: str) -> object:
        return run("-p", "seller", "profile", "show", "--json", *flags).object["account"]

    assert account() == "dev:1"
    monkeypatch.setenv("NUMERBAY_CHAIN_ACCOUNT", "dev:2")
    assert account() == "dev:2"
    assert account("--account", "dev:3") == "dev:3"


@pytest.mark.usefixtures("profiles")
def test_an_access_key_in_a_nodes_address_is_not_shown(run: Run) -> None:
    shown = run("profile", "list").stdout + run("-p", "seller", "profile", "show", "--json").stdout
    assert "http://127.0.0.1:1" in shown
    assert "key@" not in shown
    assert "/key" not in shown


def test_the_profile_default_is_used_where_none_is_named_and_no_node_is(run: Run) -> None:
    assert run("profile", "set", "default", "--rpc", "http://127.0.0.1:3", "--chain-id", "7").code == 0
    assert run("profile", "show", "--json").object["chain_id"] == 7
    assert run("profile", "show", "--rpc", "http://127.0.0.1:4", "--json").object["chain_id"] is None


def test_a_profile_that_does_not_exist_is_named(run: Run) -> None:
    ended = run("-p", "nobody", "profile", "show")
    assert ended.code == 2
    assert "'nobody'" in ended.stderr


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--rpc", "sesame"), ("--account", "sesame"), ("--store", "sesame"), ("--read-back", "sesame"),
        ("--contract", "0x1"), ("--chain-id", "-4"),
    ],
)  # fmt: skip
def test_what_can_not_be_a_setting_is_not_written(run: Run, flag: str, value: str) -> None:
    ended = run("profile", "set", "bob", flag, value)
    assert ended.code == 2
    assert "numerbay-chain: hint: " in ended.stderr
    assert run("profile", "list", "--json").object["profiles"] == {}
