"""What a dispute reveals leaves the machine once, in the transaction that wins by it; and a crash loses nothing."""

from collections.abc import Callable

import pytest

from numerbay_chain import Buyer, Seller
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.node.fees import Fees
from numerbay_chain.chain.sending.plan import Planned
from numerbay_chain.core.errors import AccountError, NetworkError, RefusedError
from numerbay_chain.protocol.gas import DISPUTE_GAS
from tests.support.adversary import ANOTHER_KEY, BOND, CONTENT, HOUR, Cheat, blind, sold
from tests.support.codes import fails_with
from tests.support.dying import WRITES, KilledError, death
from tests.support.nodes import watched
from tests.support.places import PRICE, Place
from tests.support.told import Told
from tests.support.wrapped import altered, with_policy


def test_a_lying_buyer_tells_no_node_his_one_time_key(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    liar = blind(place)
    liar.open_dispute(order, unseen=True)
    place.seller.respond(order)
    said = watched(monkeypatch)
    before = place.balance(1)
    for attempt in (lambda: place.buyer().prove(order, publish_key=True), lambda: place.buyer().judge(order)):
        with fails_with(RefusedError, "nothing-to-prove"):
            attempt()
    selectors = [abi.selector(abi.functions()[name]).hex() for name in ("proveWrongKey", "proveWrongContent")]
    assert said
    assert not any(selector in line for line in said for selector in selectors)
    assert place.balance(1) == before


def test_a_dry_run_tells_neither_node_nor_terminal_what_a_proof_reveals(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    _, key = cheat.release_junk(listing, CONTENT, chunk=2)
    cheat.hand_out(key, [order])
    place.buyer()
    said = watched(monkeypatch)
    dry = Buyer(place.session("buyer-1", 1, dry_run=True))
    with pytest.raises(Planned) as planned:
        dry.prove(order, publish_key=True)
    plan = planned.value.plan
    assert (plan.function, plan.gas > 21_000, plan.fee > 0) == ("proveWrongContent", True, True)
    assert plan.arguments["proof"] == "kept back until it is sent"
    assert not any(key.reveal().hex() in line for line in said)


def test_a_dry_run_shows_neither_node_nor_terminal_an_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    said = watched(monkeypatch)
    for round in (0, None):
        with pytest.raises(Planned) as planned:
            Seller(place.session("seller", 0, dry_run=True)).respond(order if round == 0 else None, round)
        plan = planned.value.plan
        assert (plan.function, plan.gas > 21_000, plan.fee > 0) == ("respond", True, True)
        assert {plan.arguments["sealedKey"], plan.arguments["manifest"]} == {"kept back until it is sent"}
    selector = abi.selector(abi.functions()["respond"]).hex()
    assert not any(selector in line for line in said)
    place.seller.respond(order)
    assert any(selector in line for line in said), "what leaves the machine is seen here"


def test_who_can_t_pay_the_gas_tells_no_node_a_proof(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    _, key = cheat.release_junk(listing, CONTENT, chunk=2)
    cheat.hand_out(key, [order])
    buyer = place.buyer()
    said = watched(monkeypatch)
    price = place.chain.connection.fees().most
    with monkeypatch.context() as poor:
        # as much as the proof takes, but not the limit that it is sent with
        altered(poor, place.chain.connection, "balance", lambda *_: DISPUTE_GAS["proveWrongContent"] * price)
        with pytest.raises(AccountError) as refused:
            buyer.prove(order, publish_key=True)
    assert refused.value.code == "insufficient-funds"
    assert not any(key.reveal().hex() in line for line in said)
    buyer.prove(order, publish_key=True)
    assert any(key.reveal().hex() in line for line in said), "what leaves the machine is seen here"


def test_who_can_t_pay_the_gas_tells_no_node_an_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    said = watched(monkeypatch)
    price = place.chain.connection.fees().most
    with monkeypatch.context() as poor:
        altered(poor, place.chain.connection, "balance", lambda *_: DISPUTE_GAS["respond"] * price)
        for dry_run in (True, False):
            with pytest.raises(AccountError) as refused:
                Seller(place.session("seller", 0, dry_run=dry_run)).respond(order)
            assert refused.value.code == "insufficient-funds"
    selector = abi.selector(abi.functions()["respond"]).hex()
    assert not any(selector in line for line in said)
    assert len(place.seller.respond(order).answered) == 1


DEAR = PRICE  # of a unit of gas: more for any step than all that is at stake


def test_a_step_that_would_cost_more_than_is_at_stake_is_told_to_no_node(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    _, key = cheat.release_junk(listing, CONTENT, chunk=2)
    cheat.hand_out(key, [order])
    buyer = place.buyer()
    said = watched(monkeypatch)
    altered(monkeypatch, place.chain.connection, "fees", lambda *_, **__: Fees(DEAR, None))
    with pytest.raises(RefusedError) as refused:
        buyer.prove(order, publish_key=True)
    assert refused.value.code == "fee-too-high"
    assert not any(key.reveal().hex() in line for line in said)


def test_a_proof_is_sent_though_the_node_asks_for_more_than_the_highest_tip(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    _, key = cheat.release_junk(listing, CONTENT, chunk=2)
    cheat.hand_out(key, [order])
    buyer = place.buyer()
    limits = place.chain.connection.limits
    altered(monkeypatch, place.chain.node, "_max_priority_fee_per_gas", lambda _: hex((limits.max_tip + 1) * 10**9))
    assert buyer.prove(order, publish_key=True).kind == "wrong-content"


def until_done(step: Callable[[], object], after: bool) -> None:
    """Runs a step that dies at each place in turn, until it has nothing left to do."""
    for strike in range(1, 20):
        try:
            with death(WRITES, strike, after=after) as run:
                step()
        except KilledError:
            continue
        except RefusedError as error:
            if not str(error).startswith(("nothing can be proven any more", "there is nothing to answer")):
                raise
        assert run.passed < strike
        return
    raise AssertionError("it never ended")


@pytest.mark.parametrize("after", [False, True])
def test_a_dispute_that_dies_anywhere_is_taken_up(place: Place, cheat: Cheat, after: bool) -> None:
    listing, (order,) = sold(place)
    sealed = cheat.release(listing, str(place.file()))
    buyer = place.buyer()
    until_done(lambda: buyer.open_dispute(order), after)
    assert len([*Told(place.contract).events(["Challenged"], order=order)]) == 1
    cheat.answer(order, sealed.manifest, ANOTHER_KEY)
    until_done(lambda: buyer.prove(order), after)
    assert (buyer.show_dispute(order).state, buyer.show_dispute(order).paid) == ("paid-to-buyer", PRICE + BOND)
    assert place.chain.connection.balance(place.contract.address) == 0


@pytest.mark.parametrize("after", [False, True])
def test_an_answer_that_dies_anywhere_is_given_once(place: Place, after: bool) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    until_done(lambda: place.seller.respond(order), after)
    assert len([*Told(place.contract).events(["Responded"], order=order)]) == 1


def test_an_ending_that_died_under_one_name_is_found_under_the_other(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    buyer = place.buyer()
    buyer.open_dispute(order)
    place.chain.advance(HOUR + 2)
    with death([(Connection, "send_raw")], 1, after=True), pytest.raises(KilledError):
        buyer.claim(order)
    ended = buyer.settle(order)
    assert (ended.resumed, ended.paid) == (True, PRICE + BOND)


def test_a_proof_that_was_mined_is_told_although_its_money_did_not_come(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    _, key = cheat.release_junk(listing, CONTENT, chunk=0)
    cheat.hand_out(key, [order])
    buyer, sent = place.buyer(), []
    send_raw = Connection.send_raw

    def only_once(connection: Connection, raw: bytes) -> str:
        sent.append(raw)
        if len(sent) > 1:
            raise NetworkError("the node is gone")
        return send_raw(connection, raw)

    with monkeypatch.context() as patch:
        altered(patch, place.chain.connection, "send_raw", only_once)
        proven = buyer.prove(order, publish_key=True)
    assert (proven.kind, proven.paid, len(proven.receipts)) == ("wrong-content", 0, 1)
    assert place.noted[-1] == "not-settled"
    assert buyer.settle(order).paid == PRICE


# ----------------------------------------------------------------------------------------- what could still vanish


def test_what_could_still_vanish_is_neither_answered_nor_proven_wrong(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    sealed = cheat.release(listing, str(place.file()))
    buyer = place.buyer()
    buyer.open_dispute(order)
    with_policy(monkeypatch, place.chain.connection, confirmations=3)
    (left,) = place.seller.respond().left
    assert (left.failed, left.error_code) == (False, "too-early")
    cheat.answer(order, sealed.manifest, ANOTHER_KEY)
    with fails_with(RefusedError, "too-early"):
        buyer.prove(order)
    for _ in range(3):
        place.chain.advance(1)
    assert buyer.prove(order).paid == PRICE + BOND


def test_a_challenge_near_its_deadline_is_answered_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place, dispute_window=1_200, response_window=600)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    with_policy(monkeypatch, place.chain.connection, confirmations=3)
    assert [one.order for one in place.seller.respond().answered] == [order]


def test_an_answer_that_could_come_too_late_is_not_given(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    until = blind(place).open_dispute(order, unseen=True).dispute.deadline
    assert until is not None
    place.chain.advance(until - 40 - place.chain.connection.now())
    said = watched(monkeypatch)
    with monkeypatch.context() as public:
        with_policy(public, place.chain.connection, trial=False)  # where blocks take their time
        with fails_with(RefusedError, "too-late"):
            place.seller.respond(order)
        assert [one.failed for one in place.seller.respond().left] == [True]
    selector = abi.selector(abi.functions()["respond"]).hex()
    assert not any(selector in line for line in said)
    assert len(place.seller.respond(order).answered) == 1, "here a block comes at once"


def test_a_content_key_is_not_given_away_when_it_is_nearly_too_late(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    _, key = cheat.release_junk(listing, CONTENT, chunk=0)
    cheat.hand_out(key, [order])
    buyer = place.buyer()
    matures_at = buyer.order(order).rounds[0].matures_at
    assert matures_at is not None
    place.chain.advance(matures_at - 40 - place.chain.connection.now())
    with_policy(monkeypatch, place.chain.connection, trial=False)  # where blocks take their time
    with fails_with(RefusedError, "too-late"):
        buyer.prove(order, publish_key=True)
    assert place.contract.faulty_at(listing, 0) == 0
