"""What a client believes in a dispute: a node whose logs and contract disagree, that is far behind, or leaves something
out; and which of several disputes is meant."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from numerbay_chain import Buyer, Seller
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.signers.signer import KeystoreSigner
from numerbay_chain.core.errors import AccountError, ExitCode, NetworkError, RefusedError
from numerbay_chain.core.home import keyfile
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.ipfs import ContentStore, EmbeddedStore
from numerbay_chain.protocol.events import Event
from tests.support.adversary import ANOTHER_KEY, CONTENT, DAY, HOUR, Cheat, blind, sold
from tests.support.codes import fails_with
from tests.support.fixtures import Says
from tests.support.nodes import LyingIndex, altering, leaving_out, watched
from tests.support.noise import noise
from tests.support.places import PRICE, Place
from tests.support.slowness import as_public
from tests.support.told import Told
from tests.support.wrapped import altered, with_policy


def challenge(place: Place, order: int, round: int | None = None, number: int = 1) -> None:
    """By a buyer who has not seen the key that he was given."""
    blind(place, number).open_dispute(order, round, unseen=True)


def seller_over(place: Place, logs: Callable[[Iterator[Event]], Iterator[Event]]) -> Seller:
    """The seller, over a node whose logs are altered, its state not."""
    session = place.session("seller", 0)
    session.index = LyingIndex(place.contract, logs)
    return Seller(session)


# --------------------------------------------------------------------------------------- whose key a key is sealed with


def test_no_key_is_sealed_to_a_key_that_only_the_logs_know(place: Place) -> None:
    listing, _ = sold(place)
    thief = keyfile.generate()
    with fails_with(NetworkError, "node-incomplete", "1-0"):
        seller_over(place, altering("KeyRegistered", publicKey=thief.public_key)).deliver(place.file(), listing)
    assert Told(place.contract).deliveries(listing, 0) == []


def test_no_key_is_sealed_to_a_buyer_whom_only_the_logs_know(place: Place) -> None:
    listing, _ = sold(place)
    thief = place.buyer(2).session.account
    with fails_with(NetworkError, "node-incomplete", "1-0"):
        seller_over(place, altering("Bought", buyer=thief)).deliver(place.file(), listing)
    assert Told(place.contract).deliveries(listing, 0) == []


# ----------------------------------------------------------------------------------- nothing is told that can't be sent


def locked(place: Place, number: int, folder: Path) -> KeystoreSigner:
    """The account's keystore, for which a wrong password is typed."""
    key = place.chain.signer(number)._key  # type: ignore[attr-defined]  # a test account's, known to everybody
    path = folder / f"keystore-{number}.json"
    path.write_text(json.dumps(Account.encrypt(key, "right", iterations=2)))
    return KeystoreSigner(path, lambda: "wrong")


def test_a_proof_is_told_to_no_node_before_the_keystore_opens(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listing, (order,) = sold(place)
    _, key = cheat.release_junk(listing, CONTENT, chunk=2)
    cheat.hand_out(key, [order])
    session = place.session("buyer-1", 1)
    session.signer = locked(place, 1, tmp_path)
    heard = watched(monkeypatch)
    with fails_with(AccountError, "wrong-password"):
        Buyer(session).prove(order, publish_key=True)
    assert heard
    assert not any(key.reveal().hex() in line for line in heard)


def test_an_answer_is_told_to_no_node_before_the_keystore_opens(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    challenge(place, order)
    session = place.session("seller", 0)
    session.signer = locked(place, 0, tmp_path)
    heard = watched(monkeypatch)
    with fails_with(AccountError, "wrong-password"):
        Seller(session).respond(order)
    selector = abi.selector(abi.functions()["respond"]).hex()
    assert heard
    assert not any(selector in line for line in heard)


# -------------------------------------------------------------------------------------------- which of several is meant


@pytest.fixture
def two_rounds(place: Place) -> int:
    """An order that covers two released rounds."""
    terms = {"max_rounds": 2, "min_interval": 60, "challenge_bond": PRICE}
    listing = place.seller.create_listing(PRICE, dispute_window=DAY, response_window=HOUR, **terms)  # type: ignore[arg-type]  # TermChanges' own names
    order = place.buyer().buy(listing.id, rounds=2).order.id
    place.seller.deliver(place.file(), listing.id)
    place.chain.advance(61)
    place.seller.deliver(place.file("next.csv", b"next"), listing.id)
    return order


def test_the_challenge_that_waits_is_answered_not_the_newest(place: Place, nbc: Says, two_rounds: int) -> None:
    for round in (0, 1):
        challenge(place, two_rounds, round)
    place.seller.respond(two_rounds, 1)
    nbc("seller", 0, "dispute", "respond", two_rounds)
    assert Told(place.contract).challenge(two_rounds, 0).responded


def test_what_was_not_answered_in_time_is_claimed_not_the_newest(place: Place, nbc: Says, two_rounds: int) -> None:
    challenge(place, two_rounds, 0)
    place.chain.advance(HOUR + 1)
    challenge(place, two_rounds, 1)
    assert "went to" in nbc("buyer-1", 1, "dispute", "claim", two_rounds).stdout
    assert [(one.round, one.state) for one in place.buyer().disputes(ended=True)] == [
        (1, "challenged"), (0, "paid-to-buyer")
    ]  # fmt: skip


def test_the_wrong_answer_is_proven_not_the_newest_challenge(place: Place, cheat: Cheat) -> None:
    listing = place.seller.create_listing(PRICE, min_interval=60, dispute_window=DAY, response_window=HOUR)
    buyer = place.buyer()
    order = buyer.buy(listing.id, rounds=2).order.id
    sealed = cheat.release(listing.id, str(place.file()))
    place.chain.advance(61)
    cheat.release(listing.id, str(place.file()))
    buyer.open_dispute(order, 0)
    cheat.answer(order, sealed.manifest, ANOTHER_KEY)
    buyer.open_dispute(order, 1)
    assert buyer.prove(order).round == 0


# ------------------------------------------------------------------------------------------- no challenge is overlooked


def test_a_challenge_made_just_before_maturity_is_not_overlooked(place: Place) -> None:
    """Nor when the seller has withdrawn what was left of the pot."""
    listing, orders = sold(place, 2)
    place.seller.deliver(place.file(), listing)
    matures_at = place.buyer().order(orders[0]).rounds[0].matures_at
    assert matures_at is not None
    place.chain.advance(matures_at - 5 - place.chain.connection.now())
    challenge(place, orders[0])
    place.chain.advance(20)
    for withdraws in (False, True):
        if withdraws:
            place.seller.withdraw(listing)
        with fails_with(NetworkError, "node-incomplete"):
            seller_over(place, leaving_out("Challenged")).require_all_challenges()
        place.seller.require_all_challenges()
    place.chain.advance(2 * HOUR)
    seller_over(place, leaving_out("Challenged")).require_all_challenges()


def test_a_listing_that_the_node_leaves_out_is_noticed(place: Place) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    challenge(place, order)
    forgetful = seller_over(place, leaving_out("ListingCreated"))
    for asked in (forgetful.disputes, forgetful.respond):
        with pytest.raises(NetworkError) as refused:
            asked()
        assert refused.value.code == "node-incomplete"
    assert [one.order for one in forgetful.disputes(listing)] == [order], "a listing that is named is looked up"


def test_a_dispute_that_cant_be_read_does_not_keep_the_others_from_an_answer(place: Place) -> None:
    listing, (odd, plain) = sold(place, 2)
    place.seller.deliver(place.file(), listing)
    challenge(place, odd, number=1)
    challenge(place, plain, number=2)
    deadline = place.buyer().show_dispute(odd).deadline

    class Odd(NodeEvents):
        def events(self, *asked: Any, **more: Any) -> Iterator[Event]:
            if "round" in more and odd in more["about"]:
                raise NetworkError("the node left out the challenge")
            return super().events(*asked, **more)

    session = place.session("seller", 0)
    session.index = Odd(place.contract.connection, place.contract.address, place.contract.from_block)
    answers = Seller(session).respond()
    assert [one.order for one in answers.answered] == [plain]
    assert [(one.order, one.code) for one in answers.left] == [(odd, ExitCode.NETWORK)]
    assert answers.left[0].deadline == deadline, "the logs tell it"


def test_one_reason_is_the_exit_code_with_or_without_an_order(
    place: Place, nbc: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = {"copies": True, "decline_window": 600, "dispute_window": DAY, "response_window": HOUR}
    listing = place.seller.create_listing(PRICE, **terms)  # type: ignore[arg-type]  # TermChanges' own names
    order = place.buyer().buy(listing.id).order.id
    place.seller.deliver_copies(listing.id, {order: place.file()})
    place.chain.advance(601)
    challenge(place, order)
    for entry in (place.folder / "seller" / "journal").rglob("*.json"):
        entry.unlink()

    def gone(self: ContentStore, cid: object) -> bytes:
        raise NetworkError("the store can't be reached")

    altered(monkeypatch, place.store, "read_block", gone)
    for which in ([], [order]):
        nbc("seller", 0, "dispute", "respond", *which, code=ExitCode.NETWORK)


# ---------------------------------------------------------------------------------------------------- clocks and values


def test_over_a_node_that_is_days_behind_nothing_is_revealed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    challenge(place, order)
    with_policy(monkeypatch, place.chain.connection, trial=False)
    here = place.chain.connection.now()
    with_policy(monkeypatch, place.chain.connection, time=lambda: here + 3 * DAY)
    with fails_with(NetworkError, "stale-node", "3d"):
        place.seller.respond(order)
    assert not Told(place.contract).challenge(order, 0).responded
    with_policy(monkeypatch, place.chain.connection, time=lambda: here + 60)
    assert place.seller.respond(order).answered


def test_a_response_window_of_a_minute_leaves_time_to_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place, dispute_window=240, response_window=60)
    place.seller.deliver(place.file(), listing)
    challenge(place, order)
    as_public(place, monkeypatch)
    place.chain.advance(12)
    assert place.seller.respond(order).answered


def test_a_value_that_the_contract_does_not_have_is_the_nodes_mistake() -> None:
    item = abi.functions()["settled"]
    assert abi.decode(item["outputs"], (3).to_bytes(32, "big"), "the answer") == [3]
    with fails_with(NetworkError, "bad-answer"):
        abi.decode(item["outputs"], (7).to_bytes(32, "big"), "the answer")


def test_a_challenge_that_came_back_after_a_reorganisation_is_answered_anew(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    restore = place.chain.snapshot()  # type: ignore[attr-defined]  # which a devnet has not
    challenge(place, order)
    place.seller.respond(order)
    restore()
    place.chain.advance(100)
    challenge(place, order)
    assert [one.order for one in place.seller.respond().answered] == [order]
    assert Told(place.contract).challenge(order, 0).responded


# ----------------------------------------------------------------------------------------- what can't be proven, or had


def test_a_seller_cant_let_time_run_out_with_envelopes_that_nobody_has(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    for number in range(20):
        cheat.post(listing, noise(32, number))
    asked: list[object] = []
    fetch = EmbeddedStore._fetch

    def counting(self: EmbeddedStore, cid: Any) -> bytes:
        asked.append(cid)
        return fetch(self, cid)

    altered(monkeypatch, place.store, "_fetch", counting)
    place.buyer().open_dispute(order, unseen=True)
    assert len(asked) == 16


def test_wrong_content_that_nothing_leads_to_is_not_advised_to_be_proven(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    _, key = cheat.release_junk(listing, CONTENT, chunk=2, data_root=bytes([7]) * 32)
    cheat.hand_out(key, [order])
    assert [problem.kind for problem in place.buyer().verify(order).problems] == ["content"]
    with fails_with(RefusedError, "nothing-to-prove"):
        place.buyer().judge(order)


def test_what_cost_nothing_is_not_proven_at_all(place: Place, cheat: Cheat) -> None:
    listing = place.seller.create_listing(0, dispute_window=DAY, response_window=HOUR)
    order = place.buyer().buy(listing.id).order.id
    sealed = cheat.release(listing.id, str(place.file()))
    place.buyer().open_dispute(order)
    cheat.answer(order, sealed.manifest, ANOTHER_KEY)
    with fails_with(RefusedError, "nothing-to-prove"):
        place.buyer().judge(order)
