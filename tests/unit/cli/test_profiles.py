"""Settings: flags, then the environment, then the profile; options before the command and after it."""

from pathlib import Path

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


def test_a_password_in_a_stores_address_is_not_shown(run: Run) -> None:
    stores = [
        "--store",
        "kubo:http://u:sesame@127.0.0.1:5001",
        "--read-back",
        "gateway:https://u:sesame@h.example/sesame",
    ]
    assert run("profile", "set", "x", "--rpc", "https://u:sesame@node.example/v3/sesame", *stores).code == 0
    texts = [run("profile", "list", "--json"), run("profile", "list"), run("-p", "x", "profile", "show")]
    found = run("-p", "x", "profile", "show", "--json")
    assert "sesame" not in "".join(result.stdout + result.stderr for result in [*texts, found])
    assert found.object["store"] == "kubo:http://127.0.0.1:5001"
    assert found.object["read_back"] == "gateway:https://h.example/…"


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


@pytest.mark.parametrize(("name", "value"), [("keep", "x"), ("operates", "1,x"), ("max-fee", "5"), ("max-tip", "-1")])
def test_a_setting_that_can_not_be_read_is_named(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    given = run("profile", "set", "x", f"--{name}", value, "--json").object["error"]
    assert given["code"] == "bad-setting"
    monkeypatch.setenv(f"NUMERBAY_CHAIN_{name.upper().replace('-', '_')}", value)
    told = run("profile", "show", "--json").object["error"]
    assert told["code"] == "bad-setting"
    assert f"{name.replace('-', '_')} in the environment" in told["message"]


def test_the_most_that_gas_may_cost_is_shown_with_its_unit_and_told_in_wei(run: Run) -> None:
    assert run("profile", "set", "x", "--max-fee", "0.05 ether", "--max-tip", "0").code == 0
    assert run("-p", "x", "profile", "show", "--json").object["max_fee"] == "50000000000000000"
    assert run("profile", "list", "--json").object["profiles"]["x"]["max_fee"] == "50000000000000000"
    shown = dict(line.split(maxsplit=1) for line in run("-p", "x", "profile", "show").stdout.splitlines())
    assert (shown["max-fee"], shown["max-tip"]) == ("0.05 ether", "0")


SECRETS = {"PW1", "KEY1", "PW2", "PW3", "KEY3", "PW4"}
NODE = "https://u:PW1@node.example/v3/KEY1"
STORES = "kubo:http://u:PW2@127.0.0.1:5001,gateway:https://host.example/KEY3"
READ_BACK = "gateway:https://u:PW4@host.example"


def test_no_secret_of_an_address_is_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["--rpc", NODE, "--store", STORES, "--read-back", READ_BACK]
    said = [run("profile", "set", "x", *given), run("profile", "list"), run("profile", "list", "--json")]
    said += [run("-p", "x", "profile", "show", *more) for more in ([], ["--json"])]
    said += [run("profile", "show", *given)]
    assert said[4].object["rpc"] == "https://node.example/…"
    assert said[4].object["store"] == "kubo:http://127.0.0.1:5001,gateway:https://host.example/…"
    for name, value in (("RPC", NODE), ("STORE", STORES), ("READ_BACK", READ_BACK)):
        monkeypatch.setenv(f"NUMERBAY_CHAIN_{name}", value)
    said += [run("profile", "show")]
    for ended in said:
        assert not {secret for secret in SECRETS if secret in ended.stdout + ended.stderr}


def test_no_secret_of_an_address_is_in_a_trace(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERBAY_CHAIN_DEBUG", "1")
    monkeypatch.setenv("NUMERBAY_CHAIN_PASSWORD", "PW-of-a-keystore")
    nodes = ["http://u:PW1@127.0.0.1:1/v3/KEY1", "http://u:PW1@x@127.0.0.1:1/KEY1", "http://127.0.0.1:1/?key=KEY1"]
    for rpc in nodes:
        ended = run("audit", "--rpc", rpc, "--contract", "0x" + 40 * "1", "--store", STORES)
        assert ended.code in {2, 3}
        assert not {secret for secret in SECRETS if secret in ended.stderr}, ended.stderr


def test_settings_do_not_show_their_secrets(home: Path) -> None:
    from numerbay_chain.core.home.config import load_settings

    shown = repr(load_settings(None, {"rpc": NODE, "store": STORES, "read_back": READ_BACK, "account": "0xKEY3"}))
    assert not {secret for secret in SECRETS if secret in shown}


def test_a_key_in_place_of_an_account_is_not_shown(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "profiles.toml").write_text('[x]\naccount = "0xPW1"\n')
    said = (
        run("profile", "list", "--json").stdout
        + run("profile", "list").stdout
        + run("-p", "x", "profile", "show").stdout
    )
    assert "PW1" not in said
    assert "(not an account)" in said


def test_a_profile_keeps_no_name_that_is_not_utf_8(run: Run) -> None:
    ended = run("profile", "set", "x", "--key", "\udcff", "--json")
    assert (ended.code, ended.object["error"]["code"]) == (2, "bad-setting")


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--rpc", "https://"),
        ("--account", "dev:99999"),
        ("--account", "env:1X"),
        ("--account", "keystore:"),
        ("--store", "embedded:a,nonsense"),
        ("--store", "kubo:http://[::1"),
        ("--read-back", "gateway:ftp://x"),
        ("--read-back", "gateway:https://[x"),
        ("--contract", "0x70997970C51812dc3A010C7d01b50e0d17dc79C9"),
        ("--contract", "0x" + 41 * "1"),
        ("--chain-id", ""),
        ("--chain-id", "1.0"),
        ("--chain-id", "\u0661"),
        ("--from-block", "9" * 30),
        ("--max-tip", "-1"),
        ("--store", "embedded:~nosuchuser/x"),
    ],
)
def test_what_would_fail_when_it_is_used_fails_when_it_is_written(run: Run, flag: str, value: str) -> None:
    ended = run("profile", "set", "bob", flag, value, "--json")
    assert ended.code == 2, ended.stderr
    assert run("profile", "list", "--json").object["profiles"] == {}


WRONG_NODES = [
    "node.example/v3/5ec2e7key0123456789",
    '"https://node.example/v3/5ec2e7key0123456789"',
    "http://127.0.0.1:85450/5ec2e7key0123456789",
    "http://user:5ec2e7key0123456789#ss@127.0.0.1:9/",
    "http://[::1/5ec2e7key0123456789",
]


@pytest.mark.parametrize("address", WRONG_NODES)
def test_a_node_s_address_that_can_t_be_used_is_never_shown_wherever_it_comes_from(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    by_flag = run("listing", "list", "--rpc", address, "--json")
    written = run("profile", "set", "other", "--rpc", address, "--json")
    home.mkdir(exist_ok=True)
    (home / "profiles.toml").write_text(f"[seller]\nrpc = '{address}'\n")
    by_profile = run("-p", "seller", "listing", "list", "--json")
    shown = [run("profile", "list", "--json"), run("profile", "list"), run("-p", "seller", "profile", "show")]
    monkeypatch.setenv("NUMERBAY_CHAIN_RPC", address)
    by_environment = run("listing", "list", "--json")
    for refused in (by_flag, written, by_profile, by_environment):
        assert (refused.code, refused.object["error"]["code"]) == (2, "bad-address")
    for said in (by_flag, written, by_profile, by_environment, *shown):
        assert "5ec2e7" not in said.stdout + said.stderr
    assert [one.code for one in shown] == [0, 0, 0]
