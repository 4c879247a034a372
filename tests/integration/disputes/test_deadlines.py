"""What has a deadline is compared with the chain's time right before it leaves, however long reading took."""

from dataclasses import replace
from pathlib import Path

import pytest

from numerbay_chain import Buyer
from numerbay_chain.chain.clock import Window
from numerbay_chain.chain.encoding import calls
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.progress import silent
from numerbay_chain.delivery.deliver import deliver
from numerbay_chain.delivery.options import Choices, DeliveryRequest
from numerbay_chain.delivery.results import Delivered
from numerbay_chain.ipfs import EmbeddedStore
from tests.support.adversary import ANOTHER_KEY, BOND, CONTENT, DAY, HOUR, Cheat, blind, sold
from tests.support.codes import fails_with, failure
from tests.support.nodes import watched
from tests.support.places import PRICE, Place
from tests.support.slowness import Slowly, Wire, advance_to, as_public
from tests.support.wrapped import meanwhile


def junk(place: Place, cheat: Cheat, **terms: object) -> tuple[int, int, bytes]:
    """A listing with an order whose content is not what was committed to, and the key that its buyer was given."""
    listing, (order,) = sold(place, **terms)
    _, key = cheat.release_junk(listing, CONTENT, chunk=4)
    cheat.hand_out(key, [order])
    return listing, order, key.reveal()


# --------------------------------------------------------------------------------------------------------------- proofs


@pytest.mark.parametrize("minutes", [16, 300])
def test_a_proof_works_however_long_reading_took(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    _, order, _ = junk(place, cheat)
    buyer = place.buyer()
    slow = Slowly(lambda: place.chain.advance(minutes * 60), len(CONTENT), reads=4).install(monkeypatch, place.store)
    as_public(place, monkeypatch)
    judged = buyer.judge(order)
    assert judged.kind == "wrong-content"
    assert buyer.prove(order, publish_key=True, judgement=judged).paid == PRICE
    assert len(slow.seen) >= 2


def test_a_proof_that_reading_made_late_is_not_sent(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, order, key = junk(place, cheat)
    buyer = place.buyer()
    matures = buyer.order(order).rounds[0].matures_at or 0
    advance_to(place, matures - 300)
    as_public(place, monkeypatch)
    Slowly(lambda: place.chain.advance(250), len(CONTENT)).install(monkeypatch, place.store)
    said = watched(monkeypatch)
    with fails_with(RefusedError, "too-late"):
        buyer.prove(order, publish_key=True)
    assert not any(key.hex() in line for line in said)


def test_a_proof_that_the_second_reading_made_late_is_not_sent(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, order, key = junk(place, cheat)
    buyer = place.buyer()
    matures = buyer.order(order).rounds[0].matures_at or 0
    advance_to(place, matures - 300)
    as_public(place, monkeypatch)
    slow = Slowly(lambda: len(slow.seen) == 2 and place.chain.advance(250), len(CONTENT), reads=2)
    slow.install(monkeypatch, place.store)
    said = watched(monkeypatch)
    with fails_with(RefusedError, "too-late"):
        buyer.prove(order, publish_key=True)
    assert not any(key.hex() in line for line in said)


def test_a_judgement_that_its_reader_thought_about_for_too_long_is_not_sent(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, order, key = junk(place, cheat)
    buyer = place.buyer()
    judged = buyer.judge(order)
    as_public(place, monkeypatch)
    advance_to(place, judged.until - 30)
    said = watched(monkeypatch)
    with fails_with(RefusedError, "too-late"):
        buyer.prove(order, publish_key=True, judgement=judged)
    assert not any(key.hex() in line for line in said)


def test_a_seller_who_answers_while_content_is_read_does_not_stop_the_proof(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    manifest, key = cheat.release_junk(listing, CONTENT, chunk=4)
    blind(place).open_dispute(order, unseen=True)
    cheat.hand_out(key, [order])
    slow = Slowly(lambda: cheat.answer(order, manifest, key), len(CONTENT)).install(monkeypatch, place.store)
    proven = place.buyer().prove(order, publish_key=True)
    assert (proven.kind, proven.paid) == ("wrong-content", PRICE + BOND)
    assert slow.seen


def test_a_proof_about_money_that_lies_elsewhere_by_now_is_told_to_nobody(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place, copies=True, decline_window=4)
    _, key = cheat.release_junk(listing, CONTENT, chunk=2, order=order)
    place.chain.advance(5)
    cheat.hand_out(key, [order])
    buyer = place.buyer()
    judged = buyer.judge(order)
    arguments = {**judged.call.arguments, "bucket": judged.call.arguments["bucket"] + 1}
    said = watched(monkeypatch)
    with fails_with(RefusedError, "changed-meanwhile"):
        buyer.prove(order, publish_key=True, judgement=replace(judged, call=replace(judged.call, arguments=arguments)))
    assert not any(key.reveal().hex() in line for line in said)
    assert buyer.prove(order, publish_key=True, judgement=judged).paid == PRICE


def test_a_proof_for_which_an_open_challenge_leaves_no_time_can_come_after_the_answer(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    manifest, key = cheat.release_junk(listing, CONTENT, chunk=4)
    deadline = blind(place).open_dispute(order, unseen=True).dispute.deadline or 0
    cheat.hand_out(key, [order])
    advance_to(place, deadline - 300)
    as_public(place, monkeypatch)
    Slowly(lambda: place.chain.advance(250), len(CONTENT)).install(monkeypatch, place.store)
    late = failure(lambda: place.buyer().prove(order, publish_key=True), "too-late")
    assert "dispute show" in (late.hint or "")
    cheat.answer(order, manifest, key)
    assert place.buyer().prove(order, publish_key=True).paid == PRICE + BOND


def test_a_password_that_is_typed_too_late_signs_no_proof(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, order, key = junk(place, cheat)
    buyer = place.buyer()
    judged = buyer.judge(order)
    monkeypatch.setattr(buyer.session.signer, "unlock", lambda: advance_to(place, judged.until + 1))
    said = watched(monkeypatch)
    with fails_with(RefusedError, "too-late"):
        buyer.prove(order, publish_key=True, judgement=judged)
    assert not any(key.hex() in line for line in said)


# ------------------------------------------------------------------------------------------------ keys with a release


def scheduled(place: Place, **terms: object) -> tuple[int, int, int]:
    """A listing whose first round is due in four hours, an order of it, and when it is due."""
    due = place.chain.connection.now() + 4 * HOUR
    asked = {"first_due": due, "period": DAY, "decline_window": 0, "notice_period": DAY, **terms}
    listing = place.seller.create_listing(PRICE, **asked).id  # type: ignore[arg-type]  # TermChanges' own names
    return listing, place.buyer().buy(listing).order.id, due


class SecondWay(EmbeddedStore):
    """Another way to the content, which hangs until `when` once envelopes are asked for."""

    def __init__(self, place: Place, meanwhile: object) -> None:
        super().__init__(place.folder / "store")
        self.name = "gateway https://slow.example"
        self._meanwhile = meanwhile

    def read_bytes(self, cid, size, *more, **rest):  # type: ignore[no-untyped-def]  # as the store's own
        if size == 88:
            self._meanwhile()
        return super().read_bytes(cid, size, *more, **rest)


def deliver_read_back(place: Place, listing: int, second: SecondWay) -> Delivered:
    choices = Choices(place.seller.session.finality(), second, False, silent)
    return deliver(place.session("seller", 0), DeliveryRequest(place.file(), listing), choices)


def test_keys_do_not_go_out_with_a_release_that_may_come_too_late(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, order, due = scheduled(place)
    advance_to(place, due - HOUR - 200)
    as_public(place, monkeypatch)
    second = SecondWay(place, lambda: advance_to(place, due - 120))
    wire = Wire.watch(place, monkeypatch)
    outcome = deliver_read_back(place, listing, second)
    assert wire.names()[0] == "release", "without the keys, which follow"
    assert wire.names()[1:] == ["deliver"]
    assert (outcome.state, outcome.newly_posted) == ("delivered", (order,))


def test_keys_go_out_with_a_release_that_is_early_enough(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, _, due = scheduled(place)
    advance_to(place, due - 2 * HOUR)
    as_public(place, monkeypatch)
    second = SecondWay(place, lambda: place.chain.advance(60))
    wire = Wire.watch(place, monkeypatch)
    deliver_read_back(place, listing, second)
    assert wire.names() == ["releaseAndDeliver"]


def test_who_cancels_while_envelopes_are_pinned_gets_no_key_with_the_release(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, order, _ = scheduled(place, notice_period=2 * HOUR)

    def leave() -> None:
        buyer = place.buyer()
        if not buyer.order(order).order.cancelled_at:
            buyer.cancel(order)
            place.chain.advance(HOUR + 60)

    second = SecondWay(place, leave)
    wire = Wire.watch(place, monkeypatch, delay=1)
    deliver_read_back(place, listing, second)
    assert "releaseAndDeliver" not in wire.names()


# ------------------------------------------------------------------------------------------------------ everything else


def test_copies_are_not_posted_after_the_half_of_their_window(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"copies": True, "decline_window": 600, "dispute_window": DAY, "response_window": HOUR}
    listing = place.seller.create_listing(PRICE, **asked).id
    order = place.buyer().buy(listing).order.id
    seller = place.seller
    session = seller.session
    meanwhile(session.sending, "resume", lambda label: label.startswith("copies-") and place.chain.advance(301))
    wire = Wire.watch(place, monkeypatch, delay=1)
    with fails_with(RefusedError, "too-late"):
        seller.deliver_copies(listing, {order: place.file()})
    assert wire.names() == ["release"]
    assert session.contract.hash_of(order, 0) == bytes(32)


@pytest.mark.parametrize(("seconds", "code"), [(590, None), (600, "too-late")])
def test_a_decline_is_measured_when_it_leaves(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch, seconds: int, code: str | None
) -> None:
    listing, (order,) = sold(place, decline_window=600)
    cheat.release(listing, str(place.file()))
    released = place.contract.listing(listing).last_turn
    buyer = place.buyer()
    meanwhile(place.contract, "token", lambda _: advance_to(place, released + seconds))
    if code is None:
        assert buyer.decline(order).paid == PRICE
        return
    with fails_with(RefusedError, code):
        buyer.decline(order)


def test_a_challenge_is_not_sent_for_money_that_matured_meanwhile(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    sealed = cheat.release(listing, str(place.file()))
    cheat.hand_out(ANOTHER_KEY, [order])
    buyer = place.buyer()
    matures = buyer.order(order).rounds[0].matures_at or 0
    Slowly(lambda: advance_to(place, matures + 1)).install(monkeypatch, place.store)
    wire = Wire.watch(place, monkeypatch)
    with fails_with(RefusedError, "too-late"):
        buyer.open_dispute(order)
    assert wire.sent == []
    assert sealed.key


def test_a_challenge_is_not_sent_for_a_key_that_was_posted_meanwhile(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    sealed = cheat.release(listing, str(place.file()))
    cheat.hand_out(ANOTHER_KEY, [order])
    buyer = place.buyer()
    Slowly(lambda: cheat.hand_out(sealed.key, [order])).install(monkeypatch, place.store)
    wire = Wire.watch(place, monkeypatch)
    with fails_with(RefusedError, "changed-meanwhile"):
        buyer.open_dispute(order)
    assert "challenge" not in wire.names()
    with fails_with(RefusedError, "nothing-to-prove"):
        buyer.open_dispute(order)


def test_a_permit_that_ran_out_buys_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = place.seller.create_listing(PRICE).id
    voucher = place.seller.sign_voucher(listing, price=1, valid_for=100)
    buyer: Buyer = place.buyer()
    quote = buyer.quote(listing, voucher=voucher)
    meanwhile(buyer.session.sending, "send", lambda *_: place.chain.advance(101))
    with fails_with(RefusedError, "too-late"):
        buyer.buy(listing, voucher=voucher, quote=quote)


def test_too_early_is_said_before_anything_is_signed(place: Place, tmp_path: Path) -> None:
    session = place.seller.session
    after = session.clock.now() + 100
    with fails_with(RefusedError, "too-early"):
        session.sending.send("skip-1", calls.skip(listing=1, round=0), window=Window(after))
    assert not [*(place.folder / "seller" / "outbox").glob("*/skip-*.json")]
