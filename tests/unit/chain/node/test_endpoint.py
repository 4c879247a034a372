"""Addresses of nodes as people type them, right and wrong: what is said of them never holds a key."""

import socket
from pathlib import Path
from urllib.parse import quote

import pytest
from requests import Request

from numerbay_chain.chain.connection import connect
from numerbay_chain.chain.node.endpoint import parse_endpoint
from numerbay_chain.core.errors import UsageError
from tests.support.codes import fails_with

KEY = "5ec2e7key0123456789"

NAMES = {
    f"https://Node.Example/v3/{KEY}": ("https://node.example", False),
    f"https://user:{KEY}@node.example:8545/?key={KEY}": ("https://node.example:8545", False),
    f"  https://node.example/{KEY}\n": ("https://node.example", False),
    "http://[::1]:9": ("http://[::1]:9", True),
    "http://[2001:db8::1]/": ("http://[2001:db8::1]", False),
    "HTTP://127.0.0.1:8545": ("http://127.0.0.1:8545", True),
    "http://localhost.:8545": ("http://localhost.:8545", True),
    "http://0.0.0.0:8545": ("http://0.0.0.0:8545", True),
    "http://127.1:8545": ("http://127.1:8545", True),
    "http://10.0.0.7:8545": ("http://10.0.0.7:8545", False),
    "http://geth_1:8545": ("http://geth_1:8545", False),
}


@pytest.mark.parametrize("address", NAMES)
def test_a_node_is_named_by_its_host_and_port(address: str) -> None:
    found = parse_endpoint(address)
    assert (found.name, found.local) == NAMES[address]
    assert KEY not in repr(found)
    assert found.address == address.strip()


WRONG = [
    f"http://user:{KEY}#ss@127.0.0.1:9/",
    f"http://user:{KEY}/ss@127.0.0.1:9/",
    f"http://127.0.0.1:85450/{KEY}",
    f"http://127.0.0.1:0/{KEY}",
    f"http://127.0.0.1:abc/{KEY}",
    f"http://127.0.0.1:-1/{KEY}",
    f"http://[::1/{KEY}",
    f"http://::1:8545/{KEY}",
    f"http://[{KEY}]/",
    f"http:///{KEY}",
    f"http://:8545/{KEY}",
    f"http://a..b/{KEY}",
    f"http://{'a' * 64}.example/{KEY}",
    f"node.example/v3/{KEY}",
    f"node.example:8545/{KEY}",
    f'"https://node.example/v3/{KEY}"',
    f"'https://node.example/v3/{KEY}'",
    f"\u201chttps://node.example/v3/{KEY}\u201d",
    f"https://node.example/v3/ {KEY}",
    f"https://node.example/v3/\x1b[2J{KEY}",
    f"wss://node.example/{KEY}",
    f"ftp://node.example/{KEY}",
    f"{KEY}://node.example/",
    f"//node.example/{KEY}",
    KEY,
    "",
]


@pytest.mark.parametrize("address", WRONG)
def test_an_address_that_can_t_be_used_is_a_usage_error_without_its_key(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(address)
    assert caught.value.code == "bad-address"
    assert caught.value.hint
    assert KEY not in f"{caught.value}{caught.value.hint}"
    assert caught.value.__cause__ is None


def test_an_ipc_socket_must_be_there_unless_it_is_only_written_down(tmp_path: Path) -> None:
    path = tmp_path / "geth.ipc"
    with fails_with(UsageError, "bad-address") as caught:
        parse_endpoint(str(path))
    assert caught.value.code == "bad-address"
    assert parse_endpoint(str(path), running=False).is_socket
    path.write_text("no socket")
    with pytest.raises(UsageError):
        parse_endpoint(str(path))
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        found = parse_endpoint(str(path))
    assert (found.name, found.local, found.is_socket) == (str(path), True, True)


def test_what_a_node_repeats_of_its_address_is_cut_out() -> None:
    found = parse_endpoint(f"https://me:p%40ss@node.example/v3/{KEY}/mainnet?token=abcdefgh12")
    said = found.redacted(f"no such key: {KEY} of me with p@ss or p%40ss and abcdefgh12 on v3 mainnet")
    assert said == "no such key: … of me with … or … and … on v3 mainnet"


@pytest.mark.parametrize(("user", "password"), [("me", "p@ss"), ("user", KEY), ("ü", "päss")])
def test_the_header_with_user_and_password_is_cut_out(user: str, password: str) -> None:
    address = f"https://{quote(user)}:{quote(password)}@node.example/"
    header = str(Request("POST", address).prepare().headers["Authorization"])
    assert parse_endpoint(address).redacted(f"not allowed: {header}").rstrip("=") == "not allowed: Basic …"
