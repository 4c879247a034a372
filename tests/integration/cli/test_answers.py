"""What the command line answers to sound questions in unhappy moments."""

from pathlib import Path

import pytest

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.ipfs import EmbeddedStore
from tests.support.codes import fails_with
from tests.support.fixtures import Says
from tests.support.places import PRICE, Place
from tests.support.told import Told


def test_a_good_round_whose_key_is_to_come_is_verified(place: Place, nbc: Says) -> None:
    """`verify || decline` must not decline it."""
    listing = place.seller.create_listing(PRICE, decline_window=600)
    place.buyer().buy(listing.id)
    place.seller.deliver(place.file(), listing.id)
    said = nbc("buyer-1", 1, "verify", "1-0")
    assert "no problems found" in said.stdout
    assert "keys go out when the decline window is over" in said.stdout.replace("\n  ", " ")


def test_a_round_in_the_decline_window_that_is_not_as_promised_is_not(place: Place, nbc: Says) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    place.buyer().buy(listing.id)
    place.seller.deliver(place.file(), listing.id)
    assert isinstance(place.store, EmbeddedStore)
    manifest = Manifest.decode(Told(place.contract).releases(listing.id)[0].manifest)
    place.store.block_path(manifest.ciphertext_cid).unlink()
    assert "2 problems:" in nbc("buyer-1", 1, "verify", "1-0", code=1).stdout


def test_a_key_that_is_to_come_is_refused_as_a_round_that_is(place: Place, nbc: Says, tmp_path: Path) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    place.buyer().buy(listing.id)
    nbc("buyer-1", 1, "fetch", "1-0", "-o", tmp_path / "p.csv", code=1)
    place.seller.deliver(place.file(), listing.id)
    nbc("buyer-1", 1, "fetch", "1-0", "-o", tmp_path / "p.csv", code=1)


def test_a_voucher_is_revoked_and_paid_for_once(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    voucher = place.seller.sign_voucher(listing.id, price=0)
    assert place.seller.revoke_voucher(voucher) is not None
    assert place.seller.revoke_voucher(voucher) is None
    assert len([*Told(place.contract).events(["VoucherRevoked"])]) == 1


def test_a_voucher_says_how_many_rounds_it_buys(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    voucher = place.seller.sign_voucher(listing.id, price=0, max_rounds=3)
    words = place.buyer().quote(listing.id, voucher=voucher).words
    assert any("1 to 3 rounds" in line for line in words)


def test_where_nothing_can_be_declined_that_is_said(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    order = place.buyer().buy(listing.id).order
    with fails_with(RefusedError, "no-decline-window"):
        place.buyer().decline(order.id)


def test_orders_say_what_their_buyer_can_do(place: Place, nbc: Says) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600, min_interval=600)
    place.buyer().buy(listing.id, rounds=3)
    assert nbc("buyer-1", 1, "orders").stdout.rstrip().endswith("cancel")
    place.seller.deliver(place.file(), listing.id)
    assert "decline (" in nbc("buyer-1", 1, "orders").stdout, "with the time that is left"
    assert "decline until 20" in nbc("buyer-1", 1, "orders", "1-0").stdout
    place.chain.advance(601)
    place.seller.serve(listing.id)
    place.seller.skip(listing.id)
    place.buyer().cancel(1 << 32)
    said = nbc("buyer-1", 1, "orders", "1-0").stdout
    assert "reclaim --missed" in said
    assert "reclaim from 20" in said
    assert "fetch" in said


def test_an_audit_names_the_round_whose_content_is_not_to_be_had(place: Place, nbc: Says) -> None:
    listing = place.seller.create_listing(PRICE)
    place.buyer().buy(listing.id)
    place.seller.deliver(place.file(), listing.id)
    assert isinstance(place.store, EmbeddedStore)
    manifest = Manifest.decode(Told(place.contract).releases(listing.id)[0].manifest)
    place.store.block_path(manifest.ciphertext_cid).unlink()
    assert nbc("auditor", 5, "audit").stdout.endswith("everything adds up\n")
    said = nbc("auditor", 5, "audit", "--content", code=1).stdout
    assert "round 0" in said
    assert "everything adds up" not in said
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments",
    [
        ("collect", "--to", "0x12"),
        ("listing", "create", "--price", "1 gwei", "--operator", "0x123"),
        ("listing", "edit", "1", "--payout", "nobody"),
        ("buy", "1", "--recipient", "0x1"),
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_asked(
    place: Place, nbc: Says, arguments: tuple[str, ...]
) -> None:
    assert nbc("seller", 0, *arguments, "--json", code=2).error == "not-an-address"


def test_a_listing_that_is_closed_is_listed_so(place: Place, nbc: Says) -> None:
    place.seller.create_listing(PRICE, opened=False)
    assert nbc("seller", 0, "listing", "list").stdout.rstrip().endswith("closed")
