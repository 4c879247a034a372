"""An audit agrees with an honest contract in every state, and names what is off in any other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.auditor import Auditor
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.units import format_order_id
from numerbay_chain.index.events import EventSource
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.ipfs import Cid, EmbeddedStore, open_store
from numerbay_chain.protocol.ledger import Ledger
from numerbay_chain.protocol.replay import replay
from numerbay_chain.protocol.types import ZERO_ADDRESS, Listing, Order, Pot, Settlement
from tests.support.codes import fails_with
from tests.support.evm.inside import InsideChain
from tests.support.fixtures import Says
from tests.support.nodes import Change, LyingContract, LyingIndex, changed, followed_by, told_twice, without
from tests.support.places import PRICE, Place
from tests.support.told import Told

DAY = 86_400


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A bit of everything: vouchers, a skip, a decline, a cancellation, refunds, late buyers, a withdrawal."""
    folder = tmp_path_factory.mktemp("busy")
    place = Place.found(folder, InsideChain(), EmbeddedStore(folder / "store"))
    seller, buyers = place.seller, [place.buyer(number) for number in (1, 2, 3)]
    weekly = seller.create_listing(PRICE, period=DAY, min_interval=3_600, decline_window=600, supply=9)
    plain = seller.create_listing(2 * PRICE, instant=True)
    for number, buyer in enumerate(buyers, 1):
        buyer.buy(weekly.id, rounds=number + 1)
    voucher = seller.sign_voucher(plain.id, price=1, max_rounds=3)
    buyers[0].buy(plain.id, 3, voucher=voucher)
    seller.deliver(place.file("one", b"one"), weekly.id)
    seller.deliver(place.file("two", b"two"), plain.id)
    buyers[1].buy(plain.id, 2)
    buyers[0].decline(1 << 32)
    place.chain.advance(DAY)
    seller.serve(weekly.id)
    seller.edit_listing(plain.id, price=3 * PRICE)
    buyers[2].buy(plain.id)
    buyers[1].cancel(1 << 32 | 1)
    seller.skip(weekly.id)
    buyers[1].collect_missed(1 << 32 | 1)
    seller.refund(2 << 32 | 2, round=0)
    seller.refund(2 << 32)
    place.chain.advance(2 * DAY)
    seller.withdraw(plain.id)
    return place


def test_an_honest_contract_is_in_order(busy: Place) -> None:
    report = busy.auditor.audit(content=True)
    assert (report.ok, report.findings) == (True, ())
    (balance,) = report.balances
    assert (balance.surplus, balance.held) == (0, busy.contract.holdings(ZERO_ADDRESS))
    assert balance.missed > 0
    assert balance.unreleased > 0
    assert balance.pots > 0
    assert report.checked["orders"] == 6
    assert report.checked["artifacts"] == 2
    assert report.checked["vouchers"] == 1


def test_an_audit_tells_how_far_it_is_in_blocks_listings_and_bytes(busy: Place) -> None:
    told: dict[str, tuple[int, int, str]] = {}

    def tell(label: str, done: int, total: int, unit: str = "bytes", /) -> None:
        told[label] = (done, total, unit)

    report = busy.auditor.audit(content=True, progress=tell)
    blocks = report.to_block - report.from_block + 1
    assert told["read logs"] == (blocks, blocks, "blocks")
    assert told["compare listings"] == (2, 2, "listings")
    assert told["check content"] == (3, 3, "bytes")


def test_money_sent_in_by_mistake_is_a_note(busy: Place) -> None:
    report = audit_with(busy, LyingContract(busy.contract, "holdings", lambda found: found + 5))
    assert report.ok
    assert [(finding.severity, finding.subject) for finding in report.findings] == [("note", f"token {ZERO_ADDRESS}")]


def audit_with(place: Place, contract: MarketplaceContract, index: EventSource | None = None) -> Any:
    session = place.session("auditor", None)
    session.contract, session.index = contract, index or session.index
    return Auditor(session).audit()


def _order(change: dict[str, Any]) -> Callable[[Order], Order]:
    return lambda order: replace(order, **change) if order.id == 1 << 32 | 1 else order


def _listing(change: dict[str, Any]) -> Callable[[Listing], Listing]:
    return lambda listing: replace(listing, **change) if listing.id == 2 else listing


@pytest.mark.parametrize(
    ("question", "lie", "subject"),
    [
        ("holdings", lambda found: found - 1, f"token {ZERO_ADDRESS}"),
        ("order", _order({"price": 1}), "order 1-1"),
        ("order", _order({"rounds": 9}), "order 1-1"),
        ("order", _order({"buyer": ZERO_ADDRESS}), "order 1-1"),
        ("listing", _listing({"active": 7}), "listing 2"),
        ("listing", _listing({"payout": ZERO_ADDRESS}), "listing 2"),
        ("listing", _listing({"next_round": 9}), "listing 2"),
        ("pot", lambda pot: Pot(pot.amount + 1, pot.released), "round 0 of listing 1"),
        ("settled", lambda _: Settlement.PAID_TO_SELLER, "order 1-1"),
        ("hash_of", lambda found: bytes(31) + found[-1:], "order 1-1"),
        ("is_missed", lambda missed: not missed, "round 0 of listing 1"),
        ("leaving", lambda amount: amount + 1, "listing 1"),
        ("key_at", lambda key: key[::-1], "account"),
        ("voucher_uses", lambda uses: uses + 1, "voucher"),
        ("listing_count", lambda count: count + 1, "contract"),
    ],
)
def test_a_contract_that_lies_is_named(busy: Place, question: str, lie: Callable[[Any], Any], subject: str) -> None:
    report = audit_with(busy, LyingContract(busy.contract, question, lie))
    assert not report.ok
    assert any(finding.subject.startswith(subject) for finding in report.findings if finding.severity == "error")


@pytest.mark.parametrize(
    "name",
    [
        "ListingCreated", "KeyRegistered", "Bought", "Released", "Skipped", "Declined", "Cancelled", "OfferChanged",
        "MissedRefunded", "RoundRefunded", "Refunded", "Withdrawn", "VoucherUsed",
    ],
)  # fmt: skip
def test_a_log_that_was_left_out_is_noticed(busy: Place, name: str) -> None:
    assert not audit_with(busy, busy.contract, LyingIndex(busy.contract, without(1, name))).ok


ORDER = 1 << 32 | 2  # of four rounds, and still running


COPY = {"order": ORDER, "round": 0, "contentHash": bytes(32)}
CREDIT = {"account": ZERO_ADDRESS, "token": ZERO_ADDRESS, "amount": 5}


@pytest.mark.parametrize(
    ("change", "subject", "code"),
    [
        (changed("ListingCreated", lambda _: {"listing": 7}), "listing 7", "wrong-number"),
        (changed("OfferChanged", lambda _: {"version": 5}), "listing 2", "wrong-version"),
        (changed("Bought", lambda _: {"order": 1 << 32 | 9}), "order 1-9", "wrong-number"),
        (changed("Bought", lambda _: {"epoch": 2}), "order 1-0", "no-key"),
        (changed("Bought", lambda _: {"first": 1}), "order 1-0", "wrong-round"),
        (changed("Released", lambda _: {"round": 5}), "listing 1", "wrong-round"),
        (changed("Skipped", lambda _: {"round": 9}), "listing 1", "wrong-round"),
        (followed_by(("CopyDelivered", COPY), ("CopyDelivered", COPY)), "order 1-2", "copy-unowed"),
        (followed_by(("CopyDelivered", COPY | {"round": 50})), "order 1-2", "copy-unowed"),
        (changed("Declined", lambda _: {"round": 7}), "order 1-0", "not-covered"),
        (changed("Declined", lambda told: {"paid": told["paid"] + 1}), "order 1-0", "wrong-amount"),
        (changed("MissedRefunded", lambda _: {"round": 0}), "order 1-1", "not-missed"),
        (told_twice("MissedRefunded"), "order 1-1", "refund-unowed"),
        (changed("RoundRefunded", lambda _: {"round": 7}), "order 2-2", "refund-unowed"),
        (changed("Withdrawn", lambda told: {"amount": told["amount"] - 1}), "round 0 of listing 2", "wrong-amount"),
        (changed("Withdrawn", lambda told: {"amount": told["amount"] + 1}), "round 0 of listing 2", "pot-short"),
        (changed("Withdrawn", lambda _: {"payout": ZERO_ADDRESS}), "round 0 of listing 2", "wrong-receiver"),
        (followed_by(("Credited", CREDIT), ("Collected", CREDIT | {"amount": 6})), f"account {ZERO_ADDRESS}",
         "no-credit"),
        (followed_by(("OperatorChanged", {"listing": 99})), "block", "unknown-subject"),
    ],
)  # fmt: skip
def test_an_event_that_those_before_do_not_explain_is_named(
    busy: Place, change: Change, subject: str, code: str
) -> None:
    books = replay(change(list(Told(busy.contract).events())), Ledger())
    doubts = [(doubt.subject, doubt.code) for doubt in books.discrepancies]
    assert any(found.startswith(subject) and of == code for found, of in doubts), doubts


def test_content_that_is_not_to_be_had_or_altered_is_an_error_for_who_asks_for_it(busy: Place) -> None:
    store = busy.store
    assert isinstance(store, EmbeddedStore)
    manifest = Manifest.decode(Told(busy.contract).releases(1)[0].manifest)
    path = store.block_path(manifest.ciphertext_cid)
    good = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(good + b"x")
    report = busy.auditor.audit(content=True)
    assert [(one.severity, one.subject) for one in report.findings] == [("error", "round 0 of listing 1")]
    path.unlink()
    report = busy.auditor.audit(content=True)
    assert [(one.severity, one.subject) for one in report.findings] == [("error", "round 0 of listing 1")]
    assert report.findings[0].code == "ciphertext-missing"
    assert busy.auditor.audit().findings == (), "without content, the store is not asked"
    path.write_bytes(good)


def test_an_audit_of_content_ends_as_what_it_found(place: Place, nbc: Says) -> None:
    listings = [place.seller.create_listing(PRICE, copies=copies, dispute_window=0) for copies in (False, True)]
    file, (order, own) = place.file(), [place.buyer().buy(listing.id).order for listing in listings]
    place.seller.deliver(file, order.listing)
    place.seller.deliver_copies(own.listing, {own.id: place.file("own.csv", b"own")})
    assert "everything adds up" in nbc("auditor", None, "audit", "--content").stdout

    assert isinstance(place.store, EmbeddedStore)
    first = Told(place.contract).releases(order.listing)[0]
    disk, ciphertext = place.store, Manifest.decode(first.manifest).ciphertext_cid
    copy = Cid.raw(Told(place.contract).copies_of(own.listing, 0)[0].content_hash)
    for cid in (ciphertext, copy):
        disk.block_path(cid).unlink()
    off = nbc("auditor", None, "audit", "--content", code=1)
    assert f"error: round 0 of listing {order.listing}: ciphertext not available" in off.stdout
    assert f"error: the copy of round 0 for order {own}: its manifest is not available" in off.stdout
    assert "SOMETHING IS OFF" in off.stdout
    assert "1 thing could not be checked" in nbc("auditor", None, "audit").stdout, "books alone: the copy's manifest"

    nowhere = "--store", "gateway:http://127.0.0.1:1"
    unread = nbc("auditor", None, "audit", "--content", *nowhere, code=3)
    assert "the books add up, but not all content could be read" in unread.stdout
    assert unread.stdout.count("warning: ") == 1, "it is asked once"
    nbc("auditor", None, "audit", *nowhere)


def test_the_manifest_of_every_copy_is_read_from_the_store(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, dispute_window=0)
    orders = [place.buyer(number).buy(listing.id).order for number in (1, 2)]
    place.seller.deliver_copies(listing.id, {one.id: place.file(f"{one.id}.csv", b"%d" % one.id) for one in orders})
    report = place.auditor.audit()
    assert (report.findings, report.checked["manifests"]) == ((), 2)

    assert isinstance(place.store, EmbeddedStore)
    first = Told(place.contract).copies_of(listing.id, 0)[0]
    path = place.store.block_path(Cid.raw(first.content_hash))
    path.unlink()
    report = place.auditor.audit()
    assert report.ok
    assert [(one.severity, one.subject) for one in report.findings] == [
        ("warning", f"the copy of round 0 for order {format_order_id(first.order)}")
    ]
    assert report.checked["manifests"] == 1


def test_a_store_that_is_down_does_not_keep_the_books_from_being_audited(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, dispute_window=0)
    orders = [place.buyer(number).buy(listing.id).order for number in (1, 2)]
    place.seller.deliver_copies(listing.id, {one.id: place.file(f"{one.id}.csv", b"%d" % one.id) for one in orders})
    report = Auditor(place.session("auditor", None, open_store("gateway:http://127.0.0.1:1"))).audit()
    assert report.ok
    assert [finding.severity for finding in report.findings] == ["warning"], "it is asked once"
    assert report.findings[0].code == "store-failed"
    assert report.balances[0].held == 2 * PRICE


@pytest.mark.parametrize("late_by", [1, 10_000])
def test_logs_that_begin_after_the_deployment_are_refused_instead_of_called_a_lie(busy: Place, late_by: int) -> None:
    session = busy.session("auditor", None)
    session.index = NodeEvents(busy.chain.connection, busy.contract.address, busy.contract.from_block + late_by)
    with fails_with(UsageError, "wrong-first-block") as refused:
        Auditor(session).audit()
    assert "from_block" in str(refused.value.hint)
