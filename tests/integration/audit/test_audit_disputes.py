"""An audit knows of every dispute: what is held for it, how it ended, and what is off with it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from numerbay_chain.chain.encoding import calls
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.protocol.ledger import Ledger
from numerbay_chain.protocol.replay import replay
from numerbay_chain.protocol.types import ZERO_ADDRESS, Settlement
from tests.integration.audit.test_audit import audit_with
from tests.support.adversary import Dispute, sealed
from tests.support.evm.inside import InsideChain
from tests.support.fixtures import Says
from tests.support.nodes import Change, LyingContract, LyingIndex, changed, followed_by, told_twice, without
from tests.support.places import PRICE, Place
from tests.support.told import Told

HOUR, DAY, DECLINE = 3_600, 86_400, 600
BOND = PRICE // 10
GOOD, BAD, COPIES = 1, 2, 3  # listings


def order(listing: int, index: int) -> int:
    return listing << 32 | index


def send(place: Place, number: int, call: Any) -> None:
    (place.seller if number == 0 else place.buyer(number)).session.sending.sender.send(call)


@pytest.fixture(scope="module")
def disputed(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A dispute of every kind, ended in every way; some are still under way."""
    folder = tmp_path_factory.mktemp("disputed")
    place = Place.found(folder, InsideChain(), EmbeddedStore(folder / "store"))
    seller = place.seller.session.sending.sender
    for copies in (False, False, True):
        terms = {"dispute_window": DAY, "response_window": HOUR, "decline_window": DECLINE, "challenge_bond": PRICE}
        listing = place.seller.create_listing(PRICE, copies=copies, **terms).id
        for number in (1, 2, 3, 4):
            place.buyer(number).buy(listing, rounds=2 if number == 4 else 1)
    good, bad, wrong_copy = sealed(), sealed(bad_chunk=0), sealed(bad_chunk=0)
    send(place, 0, calls.release(listing=GOOD, round=0, manifest=good.manifest.encode()))
    send(place, 0, calls.release(listing=BAD, round=0, manifest=bad.manifest.encode()))
    send(place, 0, calls.release(listing=COPIES, round=0))
    place.store.add(wrong_copy.manifest.encode())
    copied, hashes = [order(COPIES, 0), order(COPIES, 1)], [wrong_copy.manifest.content_hash] * 2
    send(place, 0, calls.deliver_copies(listing=COPIES, round=0, orders=copied, hashes=hashes))
    place.chain.advance(DECLINE)

    def challenged(listing: int, index: int) -> Dispute:
        opened = Dispute(place.contract, order(listing, index))
        opened.open(place.buyer(index + 1).session.sending.sender, BOND)
        return opened

    unanswered, deceived, lost, answered = (challenged(GOOD, index) for index in range(4))
    deceived.wrong_answer(seller, good, 7)
    deceived.prove_key(place.buyer(2).session.sending.sender)
    lost.answer(seller, good)

    faulty = challenged(BAD, 0)
    proof = bad.proof(0).encode()
    send(place, 4, calls.prove_wrong_content(listing=BAD, round=0, manifest=bad.manifest.encode(), proof=proof))
    faulty.settle(place.buyer(4).session.sending.sender)
    for index in (1, 3):
        send(place, 4, calls.refund_faulty(order=order(BAD, index), round=0, bucket=faulty.bucket))

    copy = challenged(COPIES, 0)
    for index in (0, 1):
        manifest, proof = wrong_copy.manifest.encode(), wrong_copy.proof(0).encode()
        of = {"order": order(COPIES, index), "round": 0, "bucket": copy.bucket}
        send(place, 4, calls.prove_wrong_copy(**of, manifest=manifest, proof=proof))

    place.chain.advance(HOUR // 2)
    answered.answer(seller, good)
    place.chain.advance(HOUR)
    unanswered.claim(place.buyer(1).session.sending.sender)
    place.chain.advance(lost_until(place, lost) + 1 - place.chain.connection.now())
    lost.settle(seller)
    return place


def lost_until(place: Place, dispute: Dispute) -> int:
    return place.contract.listing(GOOD).terms.proof_deadline(dispute.challenge)


def test_an_honest_contract_with_disputes_is_in_order(disputed: Place) -> None:
    report = disputed.auditor.audit()
    assert (report.ok, report.findings) == (True, ())
    (balance,) = report.balances
    assert (balance.challenges, balance.surplus) == (2 * (PRICE + BOND), 0)
    assert balance.held == disputed.contract.holdings(ZERO_ADDRESS)
    assert [(one.order, one.challenge.responded, one.challenge.bond) for one in report.challenges] == [
        (order(GOOD, 3), True, BOND),
        (order(COPIES, 0), False, BOND),
    ]
    assert [(one.listing, one.round, one.frozen) for one in report.faulty_rounds] == [(BAD, 0, PRICE)]
    assert report.checked["challenges"] == 2


def test_the_command_lists_open_challenges_and_faulty_rounds(disputed: Place) -> None:
    from numerbay_chain.cli.commands.auditing.audit import report_data, report_text

    report = disputed.auditor.audit()
    text = " ".join(report_text(report).split())
    assert "open challenge: order 1-3, round 0" in text
    assert "about 0.011 ETH with its bond, answered 20" in text
    assert "about 0.011 ETH with its bond, not answered yet" in text
    assert "faulty round: round 0 of listing 2, proven 20" in text
    assert "0.01 ETH to be paid back" in text
    assert "everything adds up" in text
    data = json.loads(json.dumps(report_data(report)))
    assert [(one["name"], one["bond"], bool(one["responded_at"])) for one in data["challenges"]] == [
        ("1-3", str(BOND), True),
        ("3-0", str(BOND), False),
    ]
    assert [(one["listing"], one["frozen"]) for one in data["faulty_rounds"]] == [(BAD, str(PRICE))]
    assert data["balances"][0]["challenges"] == str(2 * (PRICE + BOND))


@pytest.mark.parametrize(
    ("question", "lie", "subject"),
    [
        ("challenge_of", lambda found: found[::-1], "order 1-3"),
        ("challenge_of", lambda _: bytes(32), "order 3-0"),
        ("settled", lambda _: Settlement.NONE, "order 1-0"),
        ("settled", lambda _: Settlement.PAID_BACK, "order 1-2"),
        ("faulty_at", lambda found: found and found + 1, "round 0 of listing 2"),
        ("faulty_at", lambda found: found or 5, "round 0 of listing 1"),
        ("copy_faulty_at", lambda _: 0, "order 3-0"),
        ("copy_faulty_at", lambda found: found or 5, "order 3-2"),
        ("order", lambda held: held, None),
    ],
)
def test_a_contract_that_lies_about_a_dispute_is_named(
    disputed: Place, question: str, lie: Callable[[Any], Any], subject: str | None
) -> None:
    report = audit_with(disputed, LyingContract(disputed.contract, question, lie))
    errors = [finding.subject for finding in report.findings if finding.severity == "error"]
    assert (subject in errors) if subject else not errors


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Challenged", 1), ("Challenged", 4), ("Responded", 1), ("Responded", 3), ("ChallengeEnded", 1),
        ("ChallengeEnded", 2), ("RoundFaulty", 1), ("CopyFaulty", 1), ("FaultyRefunded", 1), ("FaultyRefunded", 2),
    ],
)  # fmt: skip
def test_a_log_of_a_dispute_that_was_left_out_is_noticed(disputed: Place, name: str, number: int) -> None:
    assert not audit_with(disputed, disputed.contract, LyingIndex(disputed.contract, without(number, name))).ok


LATER = {"bucket": 9, "disputeKey": 1, "price": PRICE, "bond": BOND, "challengedAt": 1}


@pytest.mark.parametrize(
    ("change", "subject", "code"),
    [
        (changed("Challenged", lambda _: {"bond": 1}), "order 1-0", "wrong-stake"),
        (changed("Challenged", lambda _: {"price": 1}), "order 1-0", "wrong-stake"),
        (changed("Challenged", lambda _: {"round": 1}), "order 1-0", "challenge-unowed"),
        (told_twice("Challenged"), "order 1-0", "challenge-unowed"),
        (told_twice("Responded"), "order 1-1", "not-open"),
        (changed("Responded", lambda _: {"order": order(BAD, 2)}), "order 2-2", "not-open"),
        (told_twice("ChallengeEnded"), "order 1-1", "not-open"),
        (changed("ChallengeEnded", lambda _: {"ground": 0}), "order 1-1", "wrong-ground"),
        (changed("ChallengeEnded", lambda _: {"ground": 7}), "order 1-1", "wrong-ground"),
        (changed("ChallengeEnded", lambda _: {"ground": 2}), "order 1-1", "not-faulty"),
        (changed("ChallengeEnded", lambda _: {"ground": 3}), "order 1-1", "wrong-receiver"),
        (changed("ChallengeEnded", lambda _: {"receiver": ZERO_ADDRESS}), "order 1-1", "wrong-receiver"),
        (changed("ChallengeEnded", lambda told: {"paid": told["paid"] - 1}), "order 1-1", "wrong-amount"),
        (told_twice("RoundFaulty"), "round 0 of listing 2", "marked-twice"),
        (changed("RoundFaulty", lambda _: {"round": 5}), "round 5 of listing 2", "marked-twice"),
        (changed("RoundFaulty", lambda _: {"faultyAt": 2**40}), "order 2-1", "not-faulty"),
        (told_twice("CopyFaulty"), "order 3-0", "marked-twice"),
        (changed("CopyFaulty", lambda _: {"order": order(COPIES, 2)}), "order 3-2", "marked-twice"),
        (told_twice("FaultyRefunded"), "order 2-1", "refund-unowed"),
        (changed("FaultyRefunded", lambda _: {"end": 7}), "order 2-1", "refund-unowed"),
        (changed("FaultyRefunded", lambda told: {"paid": told["paid"] + 1}), "order 2-1", "wrong-amount"),
        (followed_by(("Challenged", LATER | {"order": 99 << 32, "round": 0})), "block", "unknown-subject"),
    ],
)  # fmt: skip
def test_an_event_of_a_dispute_that_those_before_do_not_explain_is_named(
    disputed: Place, change: Change, subject: str, code: str
) -> None:
    books = replay(change(list(Told(disputed.contract).events())), Ledger())
    doubts = [(doubt.subject, doubt.code) for doubt in books.discrepancies]
    assert any(found == subject or found.startswith(subject + " ") for found, _ in doubts), doubts
    assert any(found.startswith(subject) and of == code for found, of in doubts), doubts


def test_a_withdrawal_of_a_frozen_pot_is_named(disputed: Place) -> None:
    (frozen,) = [place for place, pot in books_of(disputed).books[BAD].pots.items() if pot.amount]
    taken = {"listing": BAD, "round": frozen[0], "bucket": frozen[1], "amount": PRICE}
    payout = disputed.contract.listing(BAD).payout
    books = replay(
        followed_by(("Withdrawn", taken | {"payout": payout}))(list(Told(disputed.contract).events())), Ledger()
    )
    (doubt,) = books.discrepancies
    assert (doubt.subject, doubt.code) == ("round 0 of listing 2", "frozen")


def books_of(place: Place) -> Ledger:
    return replay(Told(place.contract).events(), Ledger())


def test_a_purchase_of_a_faulty_round_is_named(disputed: Place) -> None:
    bought = next(event for event in Told(disputed.contract).events() if event.name == "Bought").arguments
    late = bought | {"order": order(BAD, 4), "first": 0, "rounds": 1, "bucket": 12345}
    books = replay(followed_by(("Bought", late))(list(Told(disputed.contract).events())), Ledger())
    (doubt,) = books.discrepancies
    assert (doubt.subject, doubt.code) == ("order 2-4", "faulty")


def test_disputes_are_told_at_the_terminal(disputed: Place, place: Place, nbc: Says) -> None:
    place.contract, place.chain, place.store, place.folder = (
        disputed.contract, disputed.chain, disputed.store, disputed.folder
    )  # fmt: skip
    assert "open challenge: order 3-0" in nbc("auditor", None, "audit").stdout
    assert json.loads(nbc("auditor", None, "audit", "--json").stdout)["ok"]
