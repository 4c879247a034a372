"""What the sentences about disputes promise."""

import re

from numerbay_chain.core.units import parse_amount, parse_duration
from numerbay_chain.protocol import finality
from numerbay_chain.protocol.gas import BUYER_GAS
from tests.contracts.gas.__main__ import written
from tests.contracts.unit.words import refused
from tests.support.deals import Deal, Offer, says
from tests.support.evm.disputes import PAID_TO_SELLER, Dispute, spoiled

DEAR_GAS = 10**12  # wei

# ----------------------------------------------------------------------------------------------------------- disputes


@says(
    r"NOT ADJUDICATED: there is no challenge and no proof; a buyer who gets no key, a wrong one or other content can "
    r"only ask for a refund"
)
def not_adjudicated(deal: Deal, _: "re.Match[str]") -> None:
    content = spoiled()
    dispute = deal.dispute(content)
    for attempt in (dispute.challenge, dispute.prove_copy if deal.terms.copies else dispute.prove_content):
        with refused("NotAdjudicated", deal.listing):
            attempt()
    assert deal.moved(lambda: deal.market.refundRound(dispute.order, 0, dispute.bucket, sender=deal.world.seller)) == {
        "buyer": deal.price,
        "market": -deal.price,
    }


@says(
    r"the contract judges disputes: a buyer who gets no key, or a wrong one, challenges the round within (\w+) after "
    r"keys are due; the seller has (\w+) to answer with the right key, and the buyer at least (\w+) after that to "
    r"prove it wrong: without an answer, or with a wrong one, the buyer is paid back"
)
def judging(deal: Deal, said: "re.Match[str]") -> None:
    within, answer, proof = (parse_duration(said[number]) for number in (1, 2, 3))
    dispute = deal.dispute()
    paid = {"buyer": deal.price + dispute.bond, "market": -deal.price - dispute.bond}
    deal.world.chain.advance(within)  # the last moment that is promised
    dispute.challenge()
    deal.world.chain.at(dispute.state.challenged_at + answer + 1)
    with refused("TooLate"):
        dispute.respond()
    assert deal.moved(dispute.claim) == paid

    other = Deal(Offer(deal.terms, deal.price))
    orders = [other.buy(), other.buy()]
    other.release(None, *orders)
    other.world.chain.advance(other.terms.decline_window)
    wrong, right = (Dispute(other.world, order, 0) for order in orders)
    for one in (wrong, right):
        one.challenge()
    other.world.chain.advance(answer)
    wrong.respond_wrongly()
    right.respond()
    other.world.chain.advance(proof)
    assert other.moved(wrong.prove_key) == paid
    with refused("KeyIsRight"):
        right.prove_key()


@says(
    r"whoever proves that a file does not decrypt to what was committed to gets all buyers paid back whose money has "
    r"not matured; that proof makes the file public"
)
def wrong_content(deal: Deal, _: "re.Match[str]") -> None:
    content = spoiled()
    orders = {name: deal.buy(by=deal.world.accounts[name]) for name in ("buyer", "other")}
    deal.release(content)
    deal.world.chain.advance(deal.terms.decline_window)
    disputes = {name: Dispute(deal.world, order, 0, content) for name, order in orders.items()}
    deal.world.chain.at(disputes["buyer"].maturity - 1)
    disputes["buyer"].prove_content()
    assert content.key.secret.to_bytes(32, "big") in deal.world.chain.history[-1].data  # with it anybody opens the file
    for name, dispute in disputes.items():
        assert deal.moved(dispute.refund) == {name: deal.price, "market": -deal.price}

    late = Deal(Offer(deal.terms, deal.price))
    dispute = late.dispute(content)
    late.world.chain.at(dispute.maturity)
    dispute.prove_content()
    with refused("NotFaulty", late.listing, 0):
        dispute.refund()


@says(
    r"whoever proves that a copy does not decrypt to what was committed to gets that one order paid back, if its money "
    r"has not matured, and no other; that proof makes the copy public"
)
def wrong_copy(deal: Deal, _: "re.Match[str]") -> None:
    content = spoiled()
    first, second = deal.buy(), deal.buy(by=deal.world.other)
    deal.release(content, first, second)
    deal.world.chain.advance(deal.terms.decline_window)
    faulty, other = (Dispute(deal.world, order, 0, content) for order in (first, second))
    deal.world.chain.at(faulty.maturity - 1)
    assert deal.moved(faulty.prove_copy) == {"buyer": deal.price, "market": -deal.price}
    assert content.key.secret.to_bytes(32, "big") in deal.world.chain.history[-1].data
    with refused("NotFaulty", deal.listing, 0):
        other.refund()
    deal.world.chain.at(other.maturity)
    with refused("Matured"):
        other.prove_copy()
    assert deal.moved(other.withdraw) == {"payout": deal.price, "market": -deal.price}


def challenged(deal: Deal, bond: int) -> None:
    """One challenge that the buyer wins, one that they lose."""
    first, second = deal.buy(), deal.buy()
    deal.release(None, first, second)
    deal.world.chain.advance(deal.terms.decline_window)
    won, lost = (Dispute(deal.world, order, 0) for order in (first, second))
    taken = {"buyer": -bond, "market": bond} if bond else {}
    for dispute in (won, lost):
        assert deal.moved(dispute.challenge) == taken
    lost.respond()
    deal.world.chain.at(max(won.answer_until, lost.proof_until) + 1)
    both = deal.price + bond
    assert deal.moved(won.claim) == {"buyer": both, "market": -both}
    assert deal.moved(lost.settle) == {"payout": both, "market": -both}
    assert lost.settlement == PAID_TO_SELLER


@says(
    r"a challenge takes a bond of (.+?)( \(a tenth of the price, as the terms' (.+) are more\))?: it comes back with "
    r"the price, or the seller gets both"
)
def bond(deal: Deal, said: "re.Match[str]") -> None:
    if said[2]:
        assert parse_amount(said[1]) == deal.price // 10
        assert parse_amount(said[3]) == deal.terms.challenge_bond > deal.price // 10
    else:
        assert parse_amount(said[1]) == deal.terms.challenge_bond <= deal.price // 10
    challenged(deal, parse_amount(said[1]))


@says(r"a challenge takes no bond")
def no_bond(deal: Deal, _: "re.Match[str]") -> None:
    challenged(deal, 0)


@says(
    r"a dispute over a key takes about ([\d,]+) gas of its buyer, at most .+ today; a proof of wrong content takes "
    r"about ([\d,]+) gas"
)
def gas(deal: Deal, said: "re.Match[str]") -> None:
    key, content = (int(said[number].replace(",", "")) for number in (1, 2))
    measured = written()
    proof = measured["prove_wrong_copy" if deal.terms.copies else "prove_wrong_content_4kib"]
    assert 0.9 * key <= measured["challenge"] + measured["prove_wrong_key"] <= key
    assert 0.9 * content <= proof <= content


@says(r"NOT WORTH A DISPUTE: a round costs less than that gas, so that nobody would challenge for it")
def not_worth(deal: Deal, _: "re.Match[str]") -> None:
    assert deal.price < BUYER_GAS * DEAR_GAS


@says(r"SHORT: (\w+) to answer a challenge is less than the (.+)")
def short(deal: Deal, said: "re.Match[str]") -> None:
    needed = finality.FINALITY + deal.terms.decline_window // 2
    assert parse_duration(said[2].split(":")[0].split(" ")[0]) == needed > parse_duration(said[1])
    dispute = deal.dispute()
    dispute.challenge()
    deal.world.chain.advance(parse_duration(said[1]) + 1)
    with refused("TooLate"):
        dispute.respond()
