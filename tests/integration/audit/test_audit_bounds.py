"""What strangers can make an audit, and a list of listings, ask for and wait for."""

from collections import Counter
from collections.abc import Sequence

import pytest

from numerbay_chain import Seller
from numerbay_chain.auditor import Auditor
from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.batches import Read
from numerbay_chain.chain.encoding import abi, calls
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.snapshot import _NAMES, Reads
from numerbay_chain.cli.commands.auditing.audit import exit_code
from numerbay_chain.core.errors import ExitCode, NetworkError, RevertedError
from numerbay_chain.ipfs import Cid, EmbeddedStore
from numerbay_chain.ipfs.http import IdleError
from numerbay_chain.protocol.types import Offer
from tests.support.adversary import Cheat
from tests.support.codes import fails_with
from tests.support.nodes import LyingContract, LyingIndex, altering
from tests.support.noise import noise
from tests.support.places import PRICE, Place
from tests.support.wrapped import altered

DAY, HOUR = 86_400, 3_600


class Stalled:
    """Nothing comes for what the place's store does not have, as from a gateway: each wait is counted."""

    def __init__(self, place: Place, patch: pytest.MonkeyPatch) -> None:
        self.waits = 0
        real = EmbeddedStore._fetch

        def fetch(store: EmbeddedStore, cid: Cid) -> bytes:
            if not store.block_path(cid).exists():
                self.waits += 1
                raise IdleError("nothing came for a while")
            return real(store, cid)

        altered(patch, place.store, "_fetch", fetch)


@pytest.fixture
def stalled(place: Place, monkeypatch: pytest.MonkeyPatch) -> Stalled:
    return Stalled(place, monkeypatch)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the node was asked what of the contract, by the function's name."""
    asked: Counter[str] = Counter()
    names = {abi.selector(abi.functions()[solidity]): name for name, solidity in _NAMES.items()}
    real = Reads._answers

    def counted(self: Reads, questions: Sequence[Read]) -> list[bytes | RevertedError]:
        asked.update(names[one.data[:4]] for one in questions)
        return real(self, questions)

    monkeypatch.setattr(Reads, "_answers", counted)
    return asked


def test_an_audit_asks_for_orders_and_rounds_not_for_their_product(place: Place, questions: Counter[str]) -> None:
    now, rogue = place.chain.connection.now(), Seller(place.session("rogue", 3))
    orders, rounds = 9, 9
    terms = {"dispute_window": DAY, "response_window": HOUR, "copies": True, "decline_window": 4}
    evil = rogue.create_listing(0, max_rounds=65_535, first_due=now + 600, period=600, min_interval=60, **terms).id
    giver = place.buyer(4)
    for _ in range(orders):
        giver.buy(evil, 65_535, again=True)
    place.chain.advance(600 * (rounds + 2))
    for round in range(rounds):
        rogue.session.sending.sender.send(calls.skip(listing=evil, round=round))
    questions.clear()
    report = place.auditor.audit()
    assert (report.ok, report.checked["rounds of orders in all"]) == (True, orders * rounds)
    for function in ("settled", "hash_of", "challenge_of", "copy_faulty_at"):
        assert rounds <= questions[function] <= orders + rounds, function
    assert questions["is_missed"] == rounds
    assert report.checked["rounds of orders"] == questions["settled"]


def copies(place: Place, account: int, count: int) -> int:
    """A listing whose copies were posted with hashes of what nobody has."""
    rogue = Seller(place.session(f"rogue-{account}", account))
    terms = {"dispute_window": DAY, "response_window": HOUR, "copies": True, "decline_window": 4}
    evil = rogue.create_listing(0, min_interval=60, **terms).id
    orders = [place.buyer(4).buy(evil, again=True).order.id for _ in range(count)]
    Cheat(rogue.session).release_worthless_copies(evil, orders)
    return evil


def test_copies_that_nobody_has_are_waited_for_a_few_times_a_listing(place: Place, stalled: Stalled) -> None:
    evil = [copies(place, 3, 6), copies(place, 5, 6)]
    honest = place.seller.create_listing(PRICE, copies=True, decline_window=60, min_interval=60).id
    order = place.buyer(1).buy(honest).order.id
    place.seller.deliver_copies(honest, {order: place.file()})
    stalled.waits = 0
    report = place.auditor.audit()
    assert stalled.waits == 6
    assert (report.ok, report.unread, report.checked["manifests"]) == (True, False, 1)
    assert [one.severity for one in report.findings] == 8 * ["warning"]
    assert [one.subject for one in report.findings if one.subject.startswith("listing")] == [
        f"listing {listing}" for listing in evil
    ]


def test_of_all_listings_together_so_many_are_waited_for(
    place: Place, stalled: Stalled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numerbay_chain.audit.contents._WAITS", 4)
    for account in (3, 5, 6):
        copies(place, account, 3)
    stalled.waits = 0
    assert place.auditor.audit().ok
    assert stalled.waits == 4


def test_content_that_is_too_slow_is_unread_and_the_rest_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numerbay_chain.audit.contents._WAITS_A_LISTING", 0)
    listing = place.seller.create_listing(PRICE).id
    place.seller.deliver(place.file(), listing)
    report = place.auditor.audit(content=True)
    assert (report.ok, report.unread, report.checked.get("artifacts")) == (True, True, None)
    assert exit_code(report) == ExitCode.NETWORK


def test_descriptions_that_nobody_has_are_waited_for_a_few_times(place: Place, stalled: Stalled) -> None:
    mine = place.seller.create_listing(PRICE, name="mine").id
    place.buyer(1).buy(mine)
    rogue = Seller(place.session("rogue", 3))
    terms = rogue.create_listing(0).listing.terms
    account = rogue.session.account
    for number in range(6):
        offer = Offer(0, True, noise(32, number))
        rogue.session.sending.sender.send(
            calls.create_listing(terms=terms, offer=offer, operator=account, payout=account)
        )
    stalled.waits = 0
    views = place.buyer().listings()
    assert stalled.waits == 3
    assert len(views) == 8
    assert [view.description.name for view in views if view.description] == ["mine"]
    assert sum(view.trouble is not None for view in views) == 6
    stalled.waits = 0
    assert place.buyer().show(views[-1].id).trouble
    assert stalled.waits == 1


@pytest.mark.parametrize("code", ["60fe60005360016000f3", "600060005360016000f3"])
def test_a_token_that_tells_no_balance_keeps_nobody_from_an_audit(place: Place, code: str) -> None:
    """Its code is one invalid instruction, or a stop: it refuses, or answers nothing."""
    token = Sender(place.chain.connection, place.chain.signer(5)).deploy(bytes.fromhex(code)).created
    assert token is not None
    place.seller.create_listing(5, token=token)
    report = place.auditor.audit()
    assert [(one.severity, one.subject, one.code) for one in report.findings] == [
        ("note", f"token {token}", "no-balance")
    ]
    assert (report.ok, report.balances) == (True, ())


def test_a_token_that_tells_no_balance_is_an_error_where_some_is_owed(place: Place) -> None:
    place.buyer().buy(place.seller.create_listing(PRICE).id)

    def refuse(_: int) -> int:
        raise RevertedError("the contract refused")

    session = place.session("auditor", None)
    session.contract = LyingContract(place.contract, "holdings", refuse)
    report = Auditor(session).audit()
    assert [(one.severity, one.code) for one in report.findings] == [("error", "no-balance")]


def test_a_round_far_ahead_in_one_log_is_a_finding_and_costs_no_more(place: Place, questions: Counter[str]) -> None:
    listing = place.seller.create_listing(PRICE).id
    place.buyer().buy(listing)
    place.seller.deliver(place.file(), listing)
    session = place.session("auditor", None)
    session.index = LyingIndex(place.contract, altering("Released", round=(1 << 24) - 1))
    questions.clear()
    report = Auditor(session).audit()
    assert "wrong-round" in {one.code for one in report.findings}
    assert questions.total() < 100


def test_a_listing_that_is_counted_and_not_known_is_a_node_s_fault(place: Place) -> None:
    session = place.session("buyer", 1)
    session.contract = LyingContract(place.contract, "listing_count", lambda count: count + 1)
    with fails_with(NetworkError, "bad-answer"):
        Buyer(session).listings()
