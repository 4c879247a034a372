"""Disputes by the roles, on real contracts in the process: who cheats pays, and no secret leaves without a reason."""

import re
from pathlib import Path

import pytest

from numerbay_chain import Buyer, Seller
from numerbay_chain.core.errors import AccountError, DecryptionError, RefusedError, WrongContentError
from numerbay_chain.core.home.home import Home
from numerbay_chain.crypto import secp256k1
from numerbay_chain.protocol.types import Ground, Settlement
from numerbay_chain.session import Session
from tests.support.adversary import ANOTHER_KEY, BOND, CONTENT, DAY, HOUR, Cheat, blind, sold
from tests.support.codes import fails_with
from tests.support.places import OPERATOR, PRICE, Place
from tests.support.told import Told


def kinds(buyer: Buyer, order: int) -> list[str]:
    return [problem.kind for problem in buyer.verify(order).problems]


# ---------------------------------------------------------------------------------------------------------- wrong key


def test_a_wrong_key_is_proven_and_price_and_bond_come_back(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    buyer = place.buyer()
    sealed = cheat.release(listing, str(place.file()))
    cheat.hand_out(ANOTHER_KEY, [order])
    (problem,) = buyer.verify(order).problems
    assert (problem.kind, problem.fault) == ("key", True)
    assert problem.remedy is not None
    assert (problem.remedy.kind, problem.remedy.bond, problem.remedy.returns) == ("dispute", BOND, PRICE + BOND)
    assert problem.remedy.fee > 0
    with fails_with(DecryptionError, "decryption") as refused:
        buyer.fetch(order, path=place.output())
    assert "dispute open" in (refused.value.hint or "")

    opened = buyer.open_dispute(order)
    assert (opened.dispute.state, opened.dispute.bond, opened.dispute.turn) == ("challenged", BOND, "seller")
    assert buyer.order(order).rounds[0].settlement is Settlement.CHALLENGED
    cheat.answer(order, sealed.manifest, ANOTHER_KEY)
    assert kinds(buyer, order) == ["answer"]
    judged = buyer.judge(order)
    assert (judged.kind, judged.publishes_key, judged.returns) == ("wrong-key", False, PRICE + BOND)
    assert str(judged.call) not in repr(judged)
    proven = buyer.prove(order)
    assert (proven.kind, proven.paid) == ("wrong-key", PRICE + BOND)
    assert buyer.show_dispute(order).ground is Ground.WRONG_KEY
    assert place.chain.connection.balance(place.contract.address) == 0
    assert not place.output().exists()


@pytest.mark.parametrize("number", ["0", "the order", "all ones"])
def test_an_answer_that_is_no_key_at_all_is_proven_too(place: Place, cheat: Cheat, number: str) -> None:
    listing, (order,) = sold(place)
    sealed = cheat.release(listing, str(place.file()))
    buyer = place.buyer()
    buyer.open_dispute(order)
    wanted = {"0": 0, "the order": secp256k1.N, "all ones": 2**256 - 1}[number]
    cheat.answer(order, sealed.manifest, sealed.key, flip=int.from_bytes(sealed.key.reveal()) ^ wanted)
    assert kinds(buyer, order) == ["answer"]
    assert buyer.prove(order).paid == PRICE + BOND


def test_an_answer_that_gives_the_key_away_by_its_proof_is_said_before(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    sealed = cheat.release(listing, str(place.file()))
    buyer = place.buyer()
    buyer.open_dispute(order)
    scalar = int.from_bytes(sealed.key.reveal())
    cheat.answer(order, sealed.manifest, sealed.key, flip=scalar ^ (secp256k1.N - scalar))
    assert buyer.judge(order).publishes_key
    with fails_with(RefusedError, "not-agreed"):
        buyer.prove(order)
    assert buyer.prove(order, publish_key=True).paid == PRICE + BOND


# -------------------------------------------------------------------------------------------------------- right answers


def test_the_answer_gives_the_file_to_who_never_got_an_envelope(place: Place) -> None:
    listing, (order,) = sold(place, decline_window=600, response_window=HOUR)
    place.seller.deliver(place.file(), listing)
    buyer = place.buyer()
    with fails_with(RefusedError, "too-early"):
        buyer.open_dispute(order)
    place.chain.advance(601)
    (problem,) = buyer.verify(order).problems
    assert problem.kind == "no-envelope"
    assert "dispute open" in (problem.advice or "")
    buyer.open_dispute(order)
    assert [(one.order, one.turn) for one in place.seller.disputes()] == [(order, "seller")]
    answers = place.seller.respond()
    assert [answer.order for answer in answers.answered] == [order]
    assert place.seller.disputes()[0].state == "answered"
    assert buyer.fetch(order, path=place.output()).size == 24
    assert place.output().read_bytes() == place.file().read_bytes()
    with fails_with(RefusedError, "nothing-to-prove"):
        buyer.prove(order, publish_key=True)
    place.chain.advance(2 * DAY)
    ended = place.seller.settle(order)
    assert (ended.ground, ended.paid, ended.receiver) == (
        Ground.NOTHING_PROVEN, PRICE + BOND, place.seller.session.account
    )  # fmt: skip
    assert buyer.fetch(order, path=place.output("later")).size == 24, "what was paid for can be read for good"


def test_a_seller_answers_with_nothing_but_chain_and_secret(place: Place, tmp_path: Path) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    bare = Session(
        home=Home(tmp_path / "bare"),
        connection=place.chain.connection,
        contract=place.contract,
        signer=place.chain.signer(0),
        store=None,
    )
    with fails_with(AccountError, "wrong-secret"):
        Seller(bare).respond(order)
    assert Seller(bare).respond().left[0].failed
    bare.home.import_seller_secret(place.seller.session.home.export_seller_secret())
    assert [one.order for one in Seller(bare).respond(order).answered] == [order]
    with fails_with(RefusedError, "nothing-to-prove"):
        place.buyer().judge(order)


def test_another_secret_is_never_answered_with(place: Place) -> None:
    listing, (order,) = sold(place, challenge_bond=0)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    place.seller.set_operator(listing, place.chain.signer(OPERATOR).address)
    operator = Seller(place.session("operator", OPERATOR))
    operator.session.home.import_seller_secret("ab" * 32)
    with fails_with(AccountError, "wrong-secret"):
        operator.respond(order)
    assert Told(place.contract).challenge(order, 0) is not None
    assert operator.respond().left == (), "nobody named the listing"
    assert [one.failed for one in operator.respond(listings=[listing]).left] == [True]


def test_no_answer_in_time_pays_the_buyer(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    buyer = place.buyer()
    buyer.open_dispute(order)
    with fails_with(RefusedError, "nothing-to-settle"):
        buyer.claim(order)
    with fails_with(RefusedError, "nothing-to-settle"):
        buyer.settle(order)
    place.chain.advance(HOUR + 2)
    assert buyer.disputes()[0].steps == ("dispute claim",)
    with fails_with(RefusedError, "nothing-to-answer"):
        place.seller.respond(order)
    ended = buyer.claim(order)
    assert (ended.paid, ended.ground, ended.receiver) == (PRICE + BOND, Ground.NO_RESPONSE, buyer.session.account)
    assert buyer.disputes() == []
    assert [one.state for one in buyer.disputes(ended=True)] == ["paid-to-buyer"]
    with fails_with(RefusedError, "nothing-to-settle"):
        buyer.claim(order)


# -------------------------------------------------------------------------------------------------------- wrong content


def test_one_proof_of_wrong_content_pays_back_everybody(place: Place, cheat: Cheat) -> None:
    listing, orders = sold(place, 3)
    reader, challenger, other = (place.buyer(number) for number in (1, 2, 3))
    _, key = cheat.release_junk(listing, CONTENT, chunk=3)
    challenger.open_dispute(orders[1])
    cheat.hand_out(key, [orders[0], orders[2]])
    (problem,) = reader.verify(orders[0]).problems
    assert (problem.kind, problem.remedy and problem.remedy.kind) == ("wrong-content", "prove")
    assert "3" in re.findall(r"\d+", problem.text)
    assert "public" in (problem.advice or "")
    with fails_with(WrongContentError, "wrong-content", 3) as refused:
        reader.fetch(orders[0], path=place.output())
    assert "dispute prove" in (refused.value.hint or "")
    with fails_with(RefusedError, "not-agreed"):
        reader.prove(orders[0])
    assert place.contract.faulty_at(listing, 0) == 0
    proven = reader.prove(orders[0], publish_key=True)
    assert (proven.kind, proven.chunk, proven.paid, len(proven.receipts)) == ("wrong-content", 3, PRICE, 2)

    assert [one.state for one in challenger.disputes()] == ["faulty"]
    assert [one.state for one in other.disputes()] == ["refundable"]
    assert other.order(orders[2]).rounds[0].refundable
    with fails_with(RefusedError, "already-proven"):
        other.prove(orders[2], publish_key=True)
    assert challenger.settle(orders[1]).paid == PRICE + BOND
    assert other.settle(orders[2]).paid == PRICE
    assert place.chain.connection.balance(place.contract.address) == 0
    assert place.seller.withdrawable(listing).pots == ()
    assert [view.rounds[0].ground for view in place.seller.orders(listing)] == 3 * [Ground.WRONG_CONTENT]


def test_frozen_money_is_not_offered_to_the_seller_nor_the_round_to_buyers(place: Place, cheat: Cheat) -> None:
    listing, orders = sold(place, 2, instant=True)
    _, key = cheat.release_junk(listing, CONTENT, chunk=0)
    cheat.hand_out(key, orders)
    place.buyer(1).prove(orders[0], publish_key=True)
    with fails_with(RefusedError, "faulty"):
        place.buyer(3).quote(listing, first_round=0)
    assert place.buyer(3).quote(listing).first_round == 1
    place.chain.advance(3 * DAY)
    ready = place.seller.withdraw(listing)
    assert (ready.amount, ready.receipts, [pot.amount for pot in ready.frozen]) == (0, (), [PRICE])
    assert place.buyer(2).settle(orders[1]).paid == PRICE


def test_a_challenged_buyer_proves_wrong_content_with_the_key_of_the_answer(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    cheat.release_junk(listing, CONTENT, chunk=4)
    buyer = place.buyer()
    buyer.open_dispute(order)
    assert len(place.seller.respond().answered) == 1, "the key is right, the content is not"
    assert kinds(buyer, order) == ["wrong-content"]
    proven = buyer.prove(order, publish_key=True)
    assert (proven.kind, proven.chunk, proven.paid) == ("wrong-content", 4, PRICE + BOND)


def test_a_wrong_copy_is_paid_back_at_once(place: Place, cheat: Cheat) -> None:
    listing, orders = sold(place, 2, copies=True, decline_window=600)
    _, key = cheat.release_junk(listing, CONTENT, chunk=1, order=orders[0])
    place.chain.advance(601)
    buyer = place.buyer(1)
    assert buyer.verify(orders[0]).problems[0].kind == "no-envelope"
    cheat.hand_out(key, [orders[0]])
    proven = buyer.prove(orders[0], publish_key=True)
    assert (proven.kind, proven.paid, len(proven.receipts)) == ("wrong-copy", PRICE, 1)
    without = place.buyer(2)
    assert without.verify(orders[1]).problems[0].kind == "no-copy"
    assert without.open_dispute(orders[1]).dispute.state == "challenged"
    (left,) = place.seller.respond().left
    assert left.error_code == "no-copy"


def test_a_seller_of_copies_answers_with_the_manifest_from_the_store(place: Place) -> None:
    listing, (order,) = sold(place, copies=True, decline_window=600)
    place.seller.deliver_copies(listing, {order: place.file()})
    place.chain.advance(601)
    place.buyer().open_dispute(order)
    elsewhere = Seller(place.session("elsewhere", 0))
    elsewhere.session.home.import_seller_secret(place.seller.session.home.export_seller_secret())
    assert [one.order for one in elsewhere.respond().answered] == [order]
    assert place.buyer().fetch(order, path=place.output()).size == 24


def test_what_a_proof_would_bring_nothing_for_is_not_proven(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    buyer = place.buyer()
    with fails_with(RefusedError, "not-released"):
        buyer.prove(order)
    with fails_with(RefusedError, "not-covered", 0, 7):
        buyer.prove(order, 7)
    _, key = cheat.release_junk(listing, CONTENT, chunk=0)
    with fails_with(RefusedError, "nothing-to-prove"):
        buyer.prove(order)
    cheat.hand_out(key, [order])
    place.chain.advance(3 * DAY)
    with fails_with(RefusedError, "too-late"):
        buyer.prove(order, publish_key=True)
    assert "matured" in (buyer.verify(order).problems[0].advice or "")
    assert place.contract.faulty_at(listing, 0) == 0
