"""Every sentence with which a command or a call ends, once: other tests tell errors apart by codes and values.

A sentence that is meant to change: `python -m pytest tests/integration/sentences --snapshot-update`, then read what
changed.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from eth_account import Account
from syrupy.assertion import SnapshotAssertion

from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.encoding.sentences import SENTENCES, sentence
from numerbay_chain.core.errors import kebab
from numerbay_chain.core.home import keyfile
from numerbay_chain.delivery import deliver
from tests.integration.sentences.telling import BUYER, OTHER, SELLER, STRANGER, Telling
from tests.support.adversary import ANOTHER_KEY, CONTENT, DAY, HOUR, blind, sold
from tests.support.dying import KilledError, death
from tests.support.fixtures import Says
from tests.support.places import PRICE, Place
from tools.error_codes import found

Scene = Callable[[Telling], None]
SCENES: list[Scene] = []
ELSEWHERE: dict[str, set[str]] = {
    "nodes that lie, lag or are busy: tests/system/anvil, tests/unit/chain": {
        "bad-answer", "node-behind", "node-busy", "node-incomplete", "node-refused", "node-timeout",
        "nodes-disagree", "stale-node",
    },
    "transactions on their way: tests/system/anvil, tests/integration/sending": {
        "bad-transaction", "earlier-pending", "earlier-transaction", "nonce-gap", "nonce-held", "not-taken", "replaced",
        "unconfirmed",
    },
    "time that passes within a command: tests/integration/disputes/test_deadlines.py": {
        "changed-meanwhile",
    },
    "chains and tokens of another kind: tests/system/anvil, tests/integration/cli, tests/unit/chain": {
        "bad-deployment", "bad-signature", "no-clock", "no-permits", "no-proxy", "no-read-back", "no-store",
        "not-approved", "not-read-back", "out-of-range", "test-account",
    },
    "stores that lie or refuse: tests/unit/ipfs, tests/system/kubo": {
        "bad-redirect", "not-a-cid", "read-only-store", "slow-source", "store-busy", "store-refused",
        "unsafe-address",
    },
    "files and disks that refuse: tests/unit/core, tests/unit/artifacts": {
        "bad-journal", "busy", "disk-full", "file-changed", "not-utf-8", "small-order-key", "too-many", "unreadable",
        "unwritable",
    },
    "the program's own end: tests/unit/cli, tests/system": {
        "anvil-failed", "bug", "closed-stream", "interrupted", "missing-extra", "missing-program", "no-recipient",
        "output-lost", "port-taken", "system",
    },
    "where no narrower code is known: tests/unit/crypto, tests/support/chains": {
        "account", "refused", "reverted",
    },
    "a round proven faulty, out in an instant listing: tests/integration/disputes": {
        "faulty",
    },
}  # fmt: skip
"""Which codes are not said here, by why; and where they are asserted."""


def scene(one: Scene) -> Scene:
    SCENES.append(one)
    return one


@pytest.fixture
def telling(place: Place, nbc: Says) -> Telling:
    return Telling(place, nbc)


@pytest.mark.parametrize("play", SCENES, ids=lambda play: play.__name__)
def test_what_is_said(play: Scene, telling: Telling, snapshot: SnapshotAssertion) -> None:
    play(telling)
    assert "\n".join(telling.lines) == snapshot


def test_what_the_contract_s_errors_mean(snapshot: SnapshotAssertion) -> None:
    example = {"address": "<address>", "bytes32": bytes(32), "string": "<text>"}
    lines = []
    for item in abi.errors().values():
        if item["name"] in SENTENCES:
            arguments = {one["name"]: example.get(one["type"], 7) for one in item["inputs"]}
            said = sentence(item["name"], arguments)
            lines += [kebab(item["name"]), *(f"    {text}" for text in said if text)]
    assert "\n".join(lines) == snapshot


def test_every_code_is_said_here_or_it_is_known_why_not() -> None:
    text = (Path(__file__).parent / "__snapshots__" / "test_sentences.ambr").read_text("utf-8")
    said = set(re.findall(r"^  ([a-z0-9-]+) \(\d+\)$", text, re.MULTILINE))
    assert found().keys() - said == set().union(*ELSEWHERE.values())
    assert said - found().keys() <= set(map(kebab, SENTENCES))


# ---------------------------------------------------------------------------------------------------- what is typed


@scene
def amounts_times_and_names(t: Telling) -> None:
    for price in ("five", "1", "5 dollars", "0.0000000000000000001 ether", f"{2**256} wei"):
        t.told(SELLER, "listing", "create", "--price", price)
    t.told(SELLER, "listing", "create", "--price", 0, "--min-interval", "soon")
    t.told(SELLER, "listing", "create", "--price", 0, "--min-interval", f"{2**40}s")
    t.told(SELLER, "listing", "create", "--price", 0, "--first-due", "tomorrow")
    t.told(SELLER, "listing", "create", "--price", 0, "--first-due", "2030-01-31T18:00")
    t.told(BUYER, "buy", 1, "--recipient", "0x12")
    t.told(BUYER, "buy", 1, "--recipient", "0x" + t.place.chain.signer(0).address[2:].swapcase())
    t.told(BUYER, "orders", "five")
    t.told(BUYER, "buy", "one")
    t.told(BUYER, "buy")
    t.told(BUYER, "buy", 1, "--round", 3)
    t.told(BUYER, "open", t.place.folder, "-o", t.place.output(), "--content-hash", "0x12")


@scene
def terms(t: Telling) -> None:
    create = SELLER, "listing", "create", "--price", "0.01 ether"
    t.told(*create, "--decline-window", "400d")
    t.told(*create, "--dispute-window", "1m")
    t.told(*create, "--name", "n" * 201)
    t.told(*create, "--description", "d" * 60_001)
    t.told(*create, "--media-type", "csv")
    t.told(*create, "--token", t.place.chain.signer(0).address)


@scene
def settings(t: Telling) -> None:
    t.told(BUYER, "orders", "--account", "me")
    t.told(BUYER, "orders", "--account", "env:NOBODY_S_KEY")
    t.told(BUYER, "orders", "--rpc", "nowhere")
    t.told(BUYER, "orders", "--rpc", "http://127.0.0.1:1")
    t.told(BUYER, "orders", "--network", "nowhere")
    t.told(BUYER, "orders", NUMERBAY_CHAIN_RPC="", NUMERBAY_CHAIN_NETWORK="polygon")
    t.told(BUYER, "orders", NUMERBAY_CHAIN_RPC="")
    t.told(BUYER, "orders", "--chain-id", "5")
    t.told(BUYER, "orders", "--chain-id", "five")
    t.told(BUYER, "orders", "--contract", t.place.chain.signer(3).address)
    t.told(BUYER, "orders", "--max-tip", "lots")
    t.told(BUYER, "orders", "-p", "nobody")
    t.told(BUYER, "profile", "set", "../x", "--rpc", "http://127.0.0.1:1")
    t.told(BUYER, "buy", 1, NUMERBAY_CHAIN_ACCOUNT="")
    t.told(BUYER, "orders", NUMERBAY_CHAIN_CONTRACT="")
    for text in ("no TOML", 'rpc = "x"', '[buyer]\ncolor = "red"'):
        (t.place.folder / "profiles").mkdir(exist_ok=True)
        (t.place.folder / "profiles" / "profiles.toml").write_text(text)
        t.told(("profiles", 1), "profile", "list")


# -------------------------------------------------------------------------------------------------------------- keys


@scene
def accounts(t: Telling) -> None:
    t.place.seller.create_listing(PRICE)
    path = t.place.folder / "keystore"
    path.write_text(json.dumps(Account.encrypt(b"\x3c" * 32, "correct horse", kdf="pbkdf2", iterations=100)))
    t.place.chain.node.fund(Account.from_key(b"\x3c" * 32).address, 10**18)
    create = SELLER, "listing", "create", "--price", 0, "--account", f"keystore:{path}"
    t.told(*create, NUMERBAY_CHAIN_PASSWORD="battery staple")
    t.told(*create)
    path.write_text("{}")
    t.told(*create)
    path.unlink()
    t.told(*create)
    os.environ["A_KEY"] = "no key"
    try:
        t.told(SELLER, "listing", "create", "--price", 0, "--account", "env:A_KEY")
    finally:
        del os.environ["A_KEY"]
    t.told(("poor", 1), "listing", "create", "--price", 0, "--account", "dev:99")


@scene
def encryption_keys(t: Telling) -> None:
    place = t.place
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    fetch = "fetch", f"{listing}-0", "-o", place.output()
    t.told(("elsewhere", 1), *fetch)
    other = place.folder / "other.json"
    keyfile.save(keyfile.generate(), other)
    t.told(("elsewhere", 1), *fetch, "--key", other)
    other.write_text("{}")
    t.told(("elsewhere", 1), *fetch, "--key", other)
    t.told(BUYER, "keys", "show", other)
    t.told(BUYER, "keys", "show", place.folder / "nothing.json")
    t.told(BUYER, "keys", "new", "-o", other)
    t.told(STRANGER, "buy", listing)
    assert order == listing << 32


@scene
def seller_secrets(t: Telling) -> None:
    place = t.place
    t.raised(place.session(*STRANGER).home.export_seller_secret)
    text = place.folder / "secret.txt"
    text.write_text("no secret")
    t.told(STRANGER, "seller-secret", "import", text)
    place.seller.session.home.seller_secret()
    text.write_text("ab" * 32)
    t.told(SELLER, "seller-secret", "import", text)
    listing, (order,) = sold(place)
    t.cheat.release(listing, str(place.file()))
    place.seller.set_operator(listing, place.chain.signer(STRANGER[1]).address)
    place.buyer().open_dispute(order)
    place.session(*STRANGER).home.import_seller_secret("ab" * 32)
    t.told(STRANGER, "dispute", "respond", f"{listing}-0")
    (place.folder / STRANGER[0] / "seller-secret").write_text("damaged")
    t.raised(place.session(*STRANGER).home.export_seller_secret)


# ------------------------------------------------------------------------------------------------------------- money


@scene
def buying(t: Telling) -> None:
    place = t.place
    listing = place.seller.create_listing(PRICE, supply=1, max_rounds=2, min_interval=60).id
    closed = place.seller.create_listing(PRICE, opened=False).id
    dear = place.seller.create_listing("20000 ether").id
    place.buyer(1), place.buyer(2)
    t.told(BUYER, "buy", 9)
    t.told(STRANGER, "buy", listing)
    t.told(BUYER, "buy", listing, "--max-price", "0.001 ether")
    t.told(BUYER, "buy", listing, "--rounds", 3)
    t.told(BUYER, "buy", listing, "--first-round", 4)
    t.told(BUYER, "buy", listing, "--max-fee", "1 wei")
    t.told(BUYER, "buy", closed)
    t.told(BUYER, "buy", dear)
    quote = place.buyer().quote(listing)
    place.seller.edit_listing(listing, price="0.02 ether")
    t.raised(lambda: place.buyer().buy(listing, quote=quote))
    place.buyer().buy(listing)
    plain = place.seller.create_listing(PRICE).id
    place.buyer().buy(plain)
    t.told(BUYER, "buy", plain)
    t.told(OTHER, "buy", listing)
    t.told(BUYER, "reclaim", f"{listing}-0")


@scene
def vouchers(t: Telling) -> None:
    place = t.place
    listing, other = (place.seller.create_listing(PRICE, opened=False).id for _ in range(2))
    place.buyer()
    path = place.folder / "voucher.json"
    t.told(STRANGER, "voucher", "sign", listing, "--price", 0, "-o", path)
    path.write_text("{}")
    t.told(BUYER, "buy", listing, "--voucher", path)
    path.unlink()
    t.nbc(*SELLER, "voucher", "sign", listing, "--price", 0, "-o", path)
    t.told(BUYER, "buy", other, "--voucher", path)
    t.nbc(*SELLER, "voucher", "revoke", path)
    t.told(BUYER, "buy", listing, "--voucher", path)


@scene
def selling(t: Telling) -> None:
    place, path = t.place, t.place.file()
    listing = place.seller.create_listing(PRICE, min_interval=60).id
    copies = place.seller.create_listing(PRICE, copies=True, decline_window=60, min_interval=60).id
    order = place.buyer().buy(listing, 2).order.id
    t.told(STRANGER, "deliver", path, "--listing", listing)
    t.told(SELLER, "deliver", path, "--listing", copies)
    t.told(SELLER, "deliver", "--copy", f"{listing}-0={path}")
    t.told(SELLER, "deliver", place.folder / "nothing.csv", "--listing", listing)
    with death([(deliver, "release_round")], 1), pytest.raises(KilledError):
        place.seller.deliver(path, listing)
    t.told(SELLER, "deliver", place.file("other.csv", b"other"), "--listing", listing)
    place.seller.deliver(path, listing)
    t.told(SELLER, "deliver", path, "--listing", listing)
    t.told(SELLER, "deliver", place.file("second.csv", b"second"), "--listing", listing)
    t.told(STRANGER, "refund", f"{listing}-0")
    t.told(STRANGER, "skip", copies)
    assert order == listing << 32


# ---------------------------------------------------------------------------------------------------------- deadlines


@scene
def a_schedule(t: Telling) -> None:
    place = t.place
    now = place.chain.connection.now()
    listing = place.seller.create_listing(PRICE, first_due=now + DAY, period=DAY, min_interval=60).id
    place.buyer().buy(listing, 2)
    place.buyer(2)
    place.chain.advance(DAY + 61)
    t.told(SELLER, "deliver", place.file(), "--listing", listing)
    t.told(OTHER, "buy", listing)
    t.nbc(*SELLER, "skip", listing)
    t.told(BUYER, "fetch", f"{listing}-0", "--round", 0, "-o", place.output())
    t.told(BUYER, "fetch", f"{listing}-0", "--round", 1, "-o", place.output())
    t.told(BUYER, "fetch", f"{listing}-0", "--round", 7, "-o", place.output())


@scene
def declining(t: Telling) -> None:
    place = t.place
    without, (first,) = sold(place)
    listing = place.seller.create_listing(PRICE, decline_window=600, min_interval=600).id
    order = place.buyer().buy(listing).order.id
    t.told(BUYER, "decline", f"{without}-0")
    t.told(BUYER, "decline", f"{listing}-0")
    t.cheat.release(listing, str(place.file()))
    t.told(BUYER, "fetch", f"{listing}-0", "-o", place.output())
    place.chain.advance(601)
    t.told(BUYER, "decline", f"{listing}-0")
    assert (first, order) == (without << 32, listing << 32)


@scene
def a_dispute_about_a_key(t: Telling) -> None:
    place = t.place
    listing, (order, other) = sold(place, buyers=2, decline_window=600, min_interval=600)
    name = f"{listing}-0"
    t.told(BUYER, "dispute", "open", name)
    artifact = t.cheat.release(listing, str(place.file()))
    t.told(BUYER, "dispute", "open", name)
    t.told(BUYER, "dispute", "prove", name)
    place.chain.advance(601)
    t.told(STRANGER, "dispute", "open", name)
    t.told(BUYER, "dispute", "claim", name)
    t.told(SELLER, "dispute", "respond", name)
    place.buyer().open_dispute(order)
    t.told(BUYER, "dispute", "claim", name)
    t.told(BUYER, "dispute", "settle", name)
    t.told(STRANGER, "dispute", "respond", name)
    t.cheat.answer(order, artifact.manifest, ANOTHER_KEY)
    t.told(BUYER, "dispute", "claim", name)
    t.told(SELLER, "dispute", "settle", name)
    t.told(SELLER, "dispute", "respond", name)
    t.told(("elsewhere", 1), "dispute", "prove", name)
    t.cheat.hand_out(ANOTHER_KEY, [order])
    t.told(BUYER, "fetch", name, "-o", place.output())
    t.cheat.hand_out(artifact.key, [other])
    t.told(OTHER, "dispute", "open", f"{listing}-1")
    t.told(OTHER, "dispute", "prove", f"{listing}-1")
    place.chain.advance(3 * DAY)
    t.told(OTHER, "dispute", "open", f"{listing}-1")
    t.told(OTHER, "dispute", "prove", f"{listing}-1")
    t.told(BUYER, "dispute", "prove", name)


@scene
def a_dispute_about_content(t: Telling) -> None:
    place = t.place
    listing, orders = sold(place, buyers=2)
    _, key = t.cheat.release_junk(listing, CONTENT, chunk=2)
    t.cheat.hand_out(key, orders)
    t.told(BUYER, "fetch", f"{listing}-0", "-o", place.output())
    t.raised(lambda: place.buyer().prove(orders[0]))
    place.buyer().prove(orders[0], publish_key=True)
    t.told(OTHER, "dispute", "prove", f"{listing}-1")
    t.told(OTHER, "dispute", "open", f"{listing}-1")
    unjudged, _ = sold(place, dispute_window=0, response_window=0, challenge_bond=0)
    t.cheat.release(unjudged, str(place.file()))
    t.told(BUYER, "dispute", "open", f"{unjudged}-0")
    t.told(BUYER, "dispute", "prove", f"{unjudged}-0")
    t.told(("auditor", None), "audit", "--from-block", 5)


@scene
def copies(t: Telling) -> None:
    place = t.place
    terms = {"copies": True, "decline_window": 600, "min_interval": 600, "dispute_window": DAY, "response_window": HOUR}
    listing, (order, _) = sold(place, buyers=2, **terms)
    place.seller.deliver_copies(listing, {order: place.file()})
    t.told(OTHER, "fetch", f"{listing}-1", "-o", place.output())
    place.chain.advance(601)
    place.buyer(2).open_dispute(order + 1, unseen=True)
    t.told(SELLER, "dispute", "respond", f"{listing}-1")
    again = place.file("again.csv", b"another")
    t.told(SELLER, "deliver", "--copy", f"{listing}-0={again}", "--copy", f"{listing}-9={again}")


# -------------------------------------------------------------------------------------------------- files and stores


@scene
def sealing_without_a_chain(t: Telling) -> None:
    folder = t.place.folder
    alice, mallory = folder / "alice.json", folder / "mallory.json"
    for path in (alice, mallory):
        keyfile.save(keyfile.generate(), path)
    path = t.place.file()
    t.told(BUYER, "seal", path, "-o", folder / "bundle")
    t.told(BUYER, "seal", path, "--to", "nobody", "-o", folder / "bundle")
    t.told(BUYER, "seal", folder / "nothing", "--to", alice, "-o", folder / "bundle")
    t.told(BUYER, "seal", folder, "--to", alice, "-o", folder / "inside")
    os.mkfifo(folder / "pipe")
    t.told(BUYER, "cid", folder / "pipe")
    (folder / "tree").mkdir()
    (folder / "tree" / "link").symlink_to("/etc")
    t.told(BUYER, "cid", folder / "tree")
    t.nbc(*BUYER, "seal", path, "--to", alice, "-o", folder / "bundle")
    t.told(BUYER, "seal", path, "--to", alice, "-o", folder / "bundle")
    unseal = "open", folder / "bundle", "-o", t.place.output()
    t.told(BUYER, *unseal, "--key", mallory)
    t.told(BUYER, *unseal, "--key", alice, "--content-hash", "0x" + 64 * "0")
    t.told(BUYER, "open", folder / "nothing", "-o", t.place.output(), "--key", alice)
    t.told(BUYER, "open", folder / "bundle", "-o", path, "--key", alice)
    (folder / "bundle" / "manifest").write_bytes(b"cut off")
    t.told(BUYER, *unseal, "--key", alice)


@scene
def stores(t: Telling) -> None:
    place = t.place
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    t.raised(lambda: blind(place).open_dispute(order))
    t.told(BUYER, "dispute", "open", f"{listing}-0")
    fetch = "fetch", f"{listing}-0", "-o", place.output()
    t.told(BUYER, *fetch, "--store", "disk:here")
    t.told(BUYER, *fetch, "--store", f"embedded:{place.folder / 'empty'}")
    t.told(BUYER, *fetch, "--store", "gateway:http://127.0.0.1:1")
    t.told(BUYER, *fetch, "--store", "kubo:http://127.0.0.1:1")
    t.told(
        SELLER, "deliver", place.file("more", b"more"), "--listing", listing, "--store", "gateway:http://127.0.0.1:1"
    )
