"""Stores are named by a short text, read in order, and loaded only when they are used."""

import json
import subprocess
import sys
from base64 import b64encode

import pytest

from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError, RefusedError, UsageError
from numerbay_chain.ipfs import LEAF_SIZE, EmbeddedStore, FallbackStore, GatewayStore, KuboStore, open_store
from tests.support.codes import fails_with

CONTENT = bytes(range(256)) * 4096 * 3 + b"end"


def embedded(tmp_path, name, content=b""):
    store = EmbeddedStore(tmp_path / name)
    return store, store.add(content)


@pytest.mark.parametrize(
    ("spec", "kind", "name"),
    [
        ("embedded:/some/where", EmbeddedStore, "embedded store at /some/where"),
        ("kubo:http://127.0.0.1:5001", KuboStore, "kubo at http://127.0.0.1:5001"),
        ("kubo:http://127.0.0.1:5001/api/v0/", KuboStore, "kubo at http://127.0.0.1:5001"),
        ("kubo:https://me:hunter2@node.example/rpc", KuboStore, "kubo at https://node.example:443/…"),
        ("kubo:/ip4/127.0.0.1/tcp/5001", KuboStore, "kubo at http://127.0.0.1:5001"),
        ("kubo:/ip6/::1/tcp/5001/http", KuboStore, "kubo at http://[::1]:5001"),
        ("kubo:/dns4/node.example/tcp/443/https", KuboStore, "kubo at https://node.example:443"),
        ("gateway:https://gateway.example/ipfs/", GatewayStore, "gateway https://gateway.example"),
        ("gateway:https://me:hunter2@gateway.example/KEY/ipfs", GatewayStore, "gateway https://gateway.example/…"),
    ],
)
def test_a_store_is_named_by_its_kind_and_place(spec, kind, name):
    store = open_store(spec)
    assert isinstance(store, kind)
    assert store.name == name


def test_a_folder_under_the_home_folder_can_be_named(monkeypatch):
    monkeypatch.setenv("HOME", "/home/seller")
    assert open_store("embedded:~/blocks").name == "embedded store at /home/seller/blocks"


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "embedded",
        "embedded:",
        "ftp:here",
        "/a/path",
        "gateway:ipfs.io",
        "kubo:127.0.0.1:5001",
        "kubo:/ip4/127.0.0.1",
        "kubo:/ip4/127.0.0.1/udp/5001",
        "kubo:/ip4/127.0.0.1/tcp/x",
        "kubo:http://h:99999",
        "kubo:/unix/a/b",
    ],
)
def test_what_names_no_store_is_refused_with_a_hint(spec):
    with pytest.raises(UsageError) as caught:
        open_store(spec)
    assert caught.value.hint


def test_the_next_store_is_read_where_the_first_has_nothing(tmp_path):
    empty, _ = embedded(tmp_path, "empty")
    full, root = embedded(tmp_path, "full", CONTENT)
    store = FallbackStore([empty, full])
    assert store.read_bytes(root.cid, root.size) == CONTENT
    assert store.read_bytes(root.cid, root.size, 5, 10) == CONTENT[5:15]


def test_the_next_store_goes_on_where_the_first_fails(tmp_path):
    damaged, root = embedded(tmp_path, "damaged", CONTENT)
    full, _ = embedded(tmp_path, "full", CONTENT)
    last = damaged.add(CONTENT[-3:])
    damaged.block_path(last.cid).write_bytes(b"???")
    pieces = list(FallbackStore([damaged, full]).read(root.cid, root.size, 1, root.size - 1))
    assert b"".join(pieces) == CONTENT[1:]
    assert len(pieces[0]) == LEAF_SIZE - 1


def test_the_next_store_goes_on_where_the_disk_of_the_first_fails(tmp_path):
    broken, root = embedded(tmp_path, "broken", CONTENT)
    small = broken.add(b"block")
    full, _ = embedded(tmp_path, "full", CONTENT)
    full.add(b"block")
    for cid in (root.cid, small.cid):
        broken.block_path(cid).unlink()
        broken.block_path(cid).mkdir()  # reading it is an error of the file system's
    with pytest.raises(RefusedError) as refused:
        broken.read_block(small.cid)
    assert refused.value.code == "unreadable"
    store = FallbackStore([broken, full])
    assert store.read_bytes(root.cid, root.size) == CONTENT
    assert store.read_block(small.cid) == b"block"


def test_the_last_stores_error_is_told_when_all_fail(tmp_path):
    empty, _ = embedded(tmp_path, "empty")
    damaged, root = embedded(tmp_path, "damaged", b"block")
    damaged.block_path(root.cid).write_bytes(b"blocc")
    for read in (lambda store: store.read_bytes(root.cid, 5), lambda store: store.read_block(root.cid)):
        with pytest.raises(ContentError):
            read(FallbackStore([empty, damaged]))
        with pytest.raises(NotFoundError):
            read(FallbackStore([damaged, empty]))


def test_writing_goes_to_the_first_store_that_takes_it(tmp_path):
    gateway = GatewayStore("http://127.0.0.1:9")
    target = EmbeddedStore(tmp_path / "target")
    root = FallbackStore([gateway, target]).add(b"kept")
    assert target.read_block(root.cid) == b"kept"
    with fails_with(UsageError, "read-only-store"):
        FallbackStore([gateway]).add(b"x")


def test_several_specs_are_read_in_order(tmp_path):
    _, root = embedded(tmp_path, "full", b"found")
    store = open_store(f"embedded:{tmp_path}/empty", f"embedded:{tmp_path}/full")
    assert store.read_block(root.cid) == b"found"
    assert store.writable


def test_a_daemon_that_is_not_there_is_a_network_error_before_anything_is_sent():
    with fails_with(NetworkError, "network", "http://127.0.0.1:9") as caught:
        KuboStore("http://127.0.0.1:9").writer("never")
    assert "ipfs daemon" in caught.value.hint


def test_naming_the_embedded_store_loads_no_http_library():
    code = """
import sys, numerbay_chain.ipfs as ipfs
assert "numerbay_chain.ipfs.unixfs" not in sys.modules
ipfs.open_store("embedded:/nowhere"), ipfs.Importer, ipfs.Cid
print([name for name in ("requests", "urllib3", "ipfshttpclient", "asyncio") if name in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("status", [401, 500])
def test_what_a_daemon_repeats_of_its_address_is_not_shown(status):
    store = KuboStore("http://me:longpassword@127.0.0.1:1/secretpath")
    header = b64encode(b"me:longpassword").decode()
    words = f"not allowed: Basic {header} longpassword /secretpath"
    body = json.dumps({"Message": words}) if status == 500 else words
    shown = str(store._refusal(status, body.encode()))
    assert "not allowed" in shown
    assert not any(secret in shown for secret in (header.rstrip("="), "longpassword", "secretpath"))
