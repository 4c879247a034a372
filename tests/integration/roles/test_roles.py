"""What sellers and buyers do, from beginning to end, on real contracts in the process."""

import pytest

from numerbay_chain.chain.sending.plan import Planned
from numerbay_chain.core.errors import AccountError, RefusedError, RevertedError, UsageError
from numerbay_chain.core.units import format_order_id
from numerbay_chain.protocol.types import Settlement
from numerbay_chain.seller import Seller
from tests.support.codes import fails_with
from tests.support.places import OPERATOR, PRICE, Place
from tests.support.told import Told

HOUR, DAY = 3_600, 86_400


def test_a_file_reaches_its_buyer_and_the_money_its_seller(place: Place) -> None:
    listing = place.seller.create_listing("0.01 ether", name="predictions", media_type="text/csv")
    buyer = place.buyer()
    order = buyer.buy(listing.id, rounds=3).order
    delivered = place.seller.deliver(place.file(), listing.id, note="first one")

    assert delivered.state == "delivered"
    assert delivered.newly_posted == (order.id,)
    assert delivered.release is not None
    assert delivered.release.event("Delivered") is not None, "release and keys in one transaction"
    verification = buyer.verify(order.id)
    assert (verification.problems, verification.checked_content, verification.key_opened) == ((), True, True)
    fetched = buyer.fetch(order.id, path=place.output())
    assert place.output().read_bytes() == place.file().read_bytes()
    assert fetched.sha256 == delivered.sha256
    assert (fetched.details.name, fetched.details.note) == ("predictions.csv", "first one")

    place.chain.advance(3 * DAY)
    withdrawal = place.seller.withdraw(listing.id)
    assert withdrawal.amount == PRICE
    assert place.seller.withdraw(listing.id).receipts == (), "nothing is left to take"
    assert place.chain.connection.balance(place.contract.address) == 2 * PRICE
    assert place.auditor.audit(content=True).ok


def test_keys_go_out_when_the_decline_window_is_over(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    buyer = place.buyer()
    order = buyer.buy(listing.id).order
    waiting = place.seller.deliver(place.file(), listing.id)

    assert waiting.state == "waiting"
    assert waiting.waiting_until == Told(place.contract).releases(listing.id)[0].released_at + 600
    problem = buyer.verify(order.id).problems[0]
    assert problem.kind == "no-envelope"
    assert "decline window" in (problem.advice or "")
    with fails_with(RefusedError, "no-envelope", "1-0"):
        buyer.fetch(order.id, path=place.output())

    place.chain.advance(601)
    resumed = place.seller.deliver(place.file(), listing.id)
    assert (resumed.state, resumed.resumed, resumed.release) == ("delivered", True, None)
    assert buyer.verify(order.id).problems == ()
    assert len(Told(place.contract).releases(listing.id)) == 1


def test_who_declines_is_paid_back_and_gets_no_key(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    unhappy, content = place.buyer(1), place.buyer(2)
    declined, kept = unhappy.buy(listing.id, rounds=2).order, content.buy(listing.id).order
    place.seller.deliver(place.file(), listing.id)
    assert unhappy.verify(declined.id).declinable_until is not None
    done = unhappy.decline(declined.id)
    assert done.paid == 2 * PRICE

    place.chain.advance(601)
    served = place.seller.serve(listing.id).rounds
    assert [one.newly_posted for one in served] == [(kept.id,)]
    assert [problem.kind for problem in unhappy.verify(declined.id, 0).problems] == ["not-covered"]
    assert content.fetch(kept.id, path=place.output()).size == 24
    assert place.auditor.audit().ok


def test_who_buys_a_round_that_is_out_is_served_later(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, instant=True)
    early = place.buyer(1)
    first = early.buy(listing.id).order
    place.seller.deliver(place.file(), listing.id)
    late = place.buyer(2)
    purchase = late.buy(listing.id)

    assert purchase.order.first == 0
    assert [problem.kind for problem in late.verify(purchase.id).problems] == ["no-envelope"]
    served = place.seller.serve(listing.id)
    assert [one.newly_posted for one in served.rounds] == [(purchase.id,)]
    assert place.seller.serve(listing.id).rounds == (), "nobody waits any more"
    assert late.fetch(purchase.id, path=place.output()).size == 24
    assert early.verify(first.id).problems == (), "the newest envelopes hold the early buyer too"
    place.chain.advance(3 * DAY)
    assert place.seller.withdraw(listing.id).amount == 2 * PRICE


def test_a_machine_without_the_journal_reads_who_has_an_envelope_from_the_store(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, operator=place.chain.signer(OPERATOR).address)
    place.buyer().buy(listing.id)
    place.seller.deliver(place.file(), listing.id)
    operator = Seller(place.session("operator", OPERATOR))
    operator.session.home.import_seller_secret(place.seller.session.home.export_seller_secret())
    assert operator.serve(listing.id).rounds == ()
    assert len(Told(place.contract).deliveries(listing.id, 0)) == 1


def test_another_machine_needs_the_seller_secret(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, operator=place.chain.signer(OPERATOR).address, instant=True)
    place.buyer(1).buy(listing.id)
    place.seller.deliver(place.file(), listing.id)
    place.buyer(2).buy(listing.id)
    operator = Seller(place.session("operator", OPERATOR))
    with fails_with(AccountError, "no-secret"):
        operator.serve(listing.id)
    operator.session.home.import_seller_secret("ab" * 32)
    with fails_with(AccountError, "wrong-secret"):
        operator.serve(listing.id)


def test_copies_are_sealed_for_one_order_each(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, decline_window=600)
    buyers = [place.buyer(number) for number in (1, 2, 3)]
    orders = [buyer.buy(listing.id).order for buyer in buyers]
    files = {order.id: place.file(f"copy-{order.id}.csv", b"copy %d" % order.id) for order in orders[:2]}
    waiting = place.seller.deliver_copies(listing.id, files)

    assert waiting.state == "waiting"
    assert waiting.newly_posted == tuple(order.id for order in orders[:2])
    assert [left.order for left in waiting.left] == [orders[2].id]
    assert [problem.kind for problem in buyers[2].verify(orders[2].id).problems] == ["no-copy"]
    assert buyers[2].decline(orders[2].id).paid == PRICE
    place.chain.advance(601)
    assert place.seller.deliver_copies(listing.id, files).state == "delivered"
    for buyer, order in zip(buyers[:2], orders[:2], strict=True):
        buyer.fetch(order.id, path=place.output(str(order.id)))
        assert place.output(str(order.id)).read_bytes() == b"copy %d" % order.id
    hashes = {place.contract.hash_of(order.id, 0) for order in orders[:2]}
    assert len(hashes) == 2, "a content hash each"
    assert place.auditor.audit(content=True).ok


def test_a_second_round_of_copies_and_the_same_ones_again(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, dispute_window=0)
    order = place.buyer().buy(listing.id, rounds=2).order
    files = {order.id: place.file()}
    place.seller.deliver_copies(listing.id, files)
    place.chain.advance(DAY)
    with fails_with(RefusedError, "same-file", 0):
        place.seller.deliver_copies(listing.id, files)
    assert place.seller.deliver_copies(listing.id, files, again=True).round == 1
    assert place.buyer().verify(order.id, 1).problems == ()


def test_a_missed_round_is_paid_back(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, period=DAY, min_interval=HOUR)
    buyer = place.buyer()
    order = buyer.buy(listing.id, rounds=2).order
    assert "due in" in (buyer.verify(order.id).problems[0].advice or "")
    place.chain.advance(DAY + 60)
    with fails_with(RefusedError, "too-late", 0):
        place.seller.deliver(place.file(), listing.id)
    paid = buyer.collect_missed(order.id)
    assert [done.paid for done in paid] == [PRICE]
    assert buyer.collect_missed(order.id) == []
    view = buyer.order(order.id)
    assert (view.rounds[0].missed, view.rounds[0].settlement) == (True, Settlement.PAID_BACK)
    assert [problem.kind for problem in buyer.verify(order.id, 0).problems] == ["missed"]
    assert place.seller.deliver(place.file(), listing.id).round == 1
    assert place.auditor.audit().ok


def test_who_cancels_gets_the_next_round_and_the_rest_back(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, notice_period=HOUR)
    buyer = place.buyer()
    order = buyer.buy(listing.id, rounds=5).order
    assert buyer.cancel(order.id).paid == 4 * PRICE
    view = buyer.order(order.id)
    assert (view.status, view.reclaimable_from) == ("cancelled", view.order.cancelled_at + HOUR)
    with pytest.raises(RevertedError):
        buyer.reclaim(order.id)
    place.chain.advance(HOUR)
    assert buyer.reclaim(order.id).paid == PRICE
    assert buyer.order(order.id).status == "ended"
    assert place.auditor.audit().ok


def test_an_order_that_could_be_reclaimed_gets_its_key_after_the_release(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, notice_period=3 * HOUR)
    leaver, stayer = place.buyer(1), place.buyer(2)
    left = leaver.buy(listing.id).order
    kept = stayer.buy(listing.id).order
    leaver.cancel(left.id)
    place.chain.advance(2 * HOUR)
    delivered = place.seller.deliver(place.file(), listing.id)
    first, second = Told(place.contract).deliveries(listing.id, 0)
    assert (first.count, second.count) == (1, 2)
    assert first.transaction == delivered.release.transaction if delivered.release else False
    assert second.transaction != first.transaction
    assert set(delivered.newly_posted) == {left.id, kept.id}


def test_a_round_that_is_nearly_due_is_released_without_its_keys(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, period=DAY, min_interval=HOUR)
    order = place.buyer().buy(listing.id).order
    place.chain.advance(DAY - 600)
    delivered = place.seller.deliver(place.file(), listing.id)
    assert delivered.release is not None
    assert delivered.delivery is not None
    assert delivered.release.transaction != delivered.delivery.transaction
    assert place.buyer().verify(order.id).problems == ()


def test_orders_that_could_vanish_wait_for_confirmations(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    old = place.buyer(1).buy(listing.id).order
    for _ in range(4):
        place.chain.advance(1)
    young = place.buyer(2).buy(listing.id).order
    delivered = place.seller.deliver(place.file(), listing.id, confirmations=3)
    assert delivered.newly_posted == (old.id,)
    assert [left.order for left in delivered.left] == [young.id]
    assert delivered.left[0].code == "too-early"
    for _ in range(4):
        place.chain.advance(1)
    assert [one.newly_posted for one in place.seller.serve(listing.id, confirmations=3).rounds] == [(young.id,)]


def test_the_seller_gives_money_back(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    buyer = place.buyer()
    order = buyer.buy(listing.id, rounds=3).order
    place.seller.deliver(place.file(), listing.id)
    assert place.seller.refund(order.id, round=0).paid == PRICE
    assert place.seller.refund(order.id).paid == 2 * PRICE
    with pytest.raises(RevertedError):
        place.seller.refund(order.id)
    place.chain.advance(3 * DAY)
    assert place.seller.withdraw(listing.id).amount == 0
    assert place.auditor.audit().ok


def test_a_refunded_round_gets_no_key(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    order = place.buyer().buy(listing.id).order
    place.seller.deliver(place.file(), listing.id)
    place.seller.refund(order.id, round=0)
    place.chain.advance(601)
    assert place.seller.deliver(place.file(), listing.id).newly_posted == ()
    assert Told(place.contract).deliveries(listing.id, 0) == []
    assert [problem.kind for problem in place.buyer().verify(order.id, 0).problems] == ["paid-back"]


def test_only_the_seller_or_the_operator_delivers(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    stranger = Seller(place.session("stranger", OPERATOR))
    with fails_with(RefusedError, "not-operator"):
        stranger.deliver(place.file(), listing.id)
    place.seller.set_operator(listing.id, stranger.session.account)
    assert stranger.deliver(place.file(), listing.id).state == "delivered"


def test_the_payout_address_receives_the_money(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    place.buyer().buy(listing.id)
    place.seller.deliver(place.file(), listing.id)
    place.seller.set_payout(listing.id, place.chain.signer(8).address)
    place.chain.advance(3 * DAY)
    before = place.balance(8)
    assert place.seller.withdraw(listing.id).payout == place.chain.signer(8).address
    assert place.balance(8) - before == PRICE


def test_a_key_is_made_once_and_registered_once(place: Place) -> None:
    buyer = place.buyer(registered=False)
    first = buyer.register_key()
    assert (first.created, first.epoch) == (True, 1)
    again = buyer.register_key()
    assert (again.created, again.receipt, again.public_key) == (False, None, first.public_key)
    other = buyer.register_key(place.folder / "other.json")
    assert other.epoch == 2


def test_an_old_order_opens_with_its_old_key(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    buyer = place.buyer()
    order = buyer.buy(listing.id).order
    buyer.register_key(buyer.session.home.folder("keys") / "newer.json")
    place.seller.deliver(place.file(), listing.id)
    assert buyer.fetch(order.id, path=place.output()).size == 24


def test_the_description_is_pinned_and_can_be_edited(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, name="a model", description="weekly", media_type="text/csv")
    assert place.seller.edit_listing(listing.id, name="a model") is None, "it is so already"
    assert place.seller.edit_listing(listing.id, description="every week") is not None
    view = place.buyer().show(listing.id)
    assert view.description is not None
    assert (view.description.name, view.description.description) == ("a model", "every week")
    assert [one.id for one in place.seller.listings()] == [listing.id]
    assert place.buyer().listings()[0].listing.version == 1


def test_a_dry_run_plans_and_changes_nothing(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    place.buyer()
    dry = type(place.buyer())(place.session("buyer-1", 1, dry_run=True))
    before = place.balance(1)
    with pytest.raises(Planned) as planned:
        dry.buy(listing.id, 2)
    plan = planned.value.plan
    assert (plan.function, plan.value, plan.arguments["rounds"]) == ("buy", 2 * PRICE, 2)
    assert plan.gas > 21_000
    assert place.balance(1) == before
    with fails_with(UsageError, "usage"):
        Seller(place.session("seller", 0, dry_run=True)).deliver(place.file(), listing.id)


def test_the_seller_sees_all_orders(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    for number in (1, 2):
        place.buyer(number).buy(listing.id, rounds=number)
    place.seller.deliver(place.file(), listing.id)
    views = place.seller.orders(listing.id)
    assert [format_order_id(view.id) for view in views] == ["1-0", "1-1"]
    assert [view.status for view in views] == ["ended", "active"]
    assert all(view.rounds[0].declinable_until for view in views)
