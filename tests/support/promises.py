"""What the sentences about price, schedule, declining, cancelling and withdrawing promise."""

import re
from datetime import UTC, datetime

from numerbay_chain.core.units import parse_amount, parse_duration
from tests.contracts.unit.words import refused
from tests.support.deals import Deal, Offer, says
from tests.support.evm.disputes import seal, spoiled

# -------------------------------------------------------------------------------------------------- price and schedule


@says(r"a round costs (.+); an order covers (?:1 round|1 to (\d+) rounds), paid in advance")
def price_and_rounds(deal: Deal, said: "re.Match[str]") -> None:
    price, most = parse_amount(said[1]), int(said[2] or 1)
    assert deal.moved(lambda: deal.buy(most)) == {"buyer": -most * price, "market": most * price}
    for rounds in (0, most + 1):
        with refused("RoundsOutOfBounds", rounds, most):
            deal.buy(rounds)


@says(r"at most (\d+) orders are sold, not counting those that ended before their first round")
def supply(deal: Deal, said: "re.Match[str]") -> None:
    most = int(said[1])
    orders = [deal.buy() for _ in range(most)]
    with refused("SoldOut", deal.listing, most):
        deal.buy()
    deal.market.refund(orders[0], sender=deal.world.seller)
    deal.buy()
    deal.release()
    bucket = deal.world.bucket(deal.listing)
    deal.market.refundRound(orders[1], 0, bucket, sender=deal.world.seller)
    with refused("SoldOut", deal.listing, most):
        deal.buy()


@says(
    r"round 0 is due by (.+) UTC, each later one (\w+) after the one before; a seller who is late is not paid for that "
    r"round, and every buyer can get it back"
)
def schedule(deal: Deal, said: "re.Match[str]") -> None:
    due = int(datetime.strptime(said[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp())
    rounds = min(2, deal.terms.max_rounds)
    orders = {name: deal.buy(rounds, by=deal.world.accounts[name]) for name in ("buyer", "other")}
    deal.world.chain.at(due)
    deal.release()
    late = due + parse_duration(said[2])
    deal.world.chain.at(late + 1)
    with refused("Overdue", deal.listing, 1, late):
        deal.release()
    deal.market.skip(deal.listing, 1, sender=deal.world.stranger)
    for name, order in orders.items():
        back = deal.moved(lambda one=order: deal.market.refundMissed(one, 1, sender=deal.world.stranger))
        assert back == {name: deal.price, "market": -deal.price}


@says(r"there is no schedule: a buyer who does not want to wait any longer cancels")
def no_schedule(deal: Deal, _: "re.Match[str]") -> None:
    order = deal.buy()
    deal.world.chain.advance(10 * 365 * 86_400)
    with refused("NotOperator"):
        deal.market.skip(deal.listing, 0, sender=deal.world.buyer)
    deal.market.cancel(order, sender=deal.world.buyer)
    deal.world.chain.advance(deal.terms.notice_period)
    back = deal.moved(lambda: deal.market.reclaim(order, sender=deal.world.buyer))
    assert back == {"buyer": deal.price, "market": -deal.price}


@says(r"between two releases lie at least (\w+)")
def interval(deal: Deal, said: "re.Match[str]") -> None:
    deal.release()
    released = deal.world.chain.now
    if deal.terms.period:
        deal.world.reach(deal.terms.first_due)  # then the schedule is no reason
        deal.release()
        released = deal.world.chain.now
    deal.world.chain.at(released + parse_duration(said[1]) - 1)
    with refused("TooEarly"):
        deal.market.release(deal.listing, deal.next, deal.manifest(), sender=deal.world.seller)
    assert deal.reach_turn() > 0
    deal.release()


# ----------------------------------------------------------------------------------------------------- what is bought


@says(
    r"the round that is out can be bought, unless it was skipped or proven faulty, and read as soon as the seller has "
    r"sealed the key to that buyer"
)
def instant(deal: Deal, _: "re.Match[str]") -> None:
    deal.release()
    order = deal.world.order(deal.buy(out=True))
    assert (order["first"], order["rounds"]) == (0, 1)
    deal.market.deliver(deal.listing, 0, bytes(32), 1, sender=deal.world.seller)
    deal.market.skip(deal.listing, deal.reach_turn(), sender=deal.world.seller)
    with refused("NotReleased"):
        deal.buy(out=True)
    if deal.terms.adjudicated and not deal.terms.copies:
        round_ = deal.release(spoiled(2))
        deal.market.proveWrongContent(
            deal.listing, round_, spoiled(2).manifest, spoiled(2).proof(), sender=deal.world.stranger
        )
        with refused("Faulty", deal.listing, round_, deal.world.chain.now):
            deal.buy(out=True)


@says(r"a round that was out when it was bought can't be declined")
def not_declined(deal: Deal, _: "re.Match[str]") -> None:
    deal.release()
    order = deal.buy(out=True)
    with refused("BoughtWhenOut", order, 0):
        deal.market.decline(order, 0, sender=deal.world.buyer)


@says(r"every order gets a copy of its own, sealed for it alone")
def copies(deal: Deal, _: "re.Match[str]") -> None:
    orders = [deal.buy(), deal.buy(by=deal.world.other)]
    deal.release()
    contents = [seal(b"one", 1).content_hash, seal(b"another", 2).content_hash]
    deal.market.deliverCopies(deal.listing, 0, orders, contents, sender=deal.world.seller)
    assert [deal.market.hashOf(order, 0) for order in orders] == contents


@says(
    r"keys go out with the release, or right after it: nobody can decline, and a buyer trusts the seller that the "
    r"ciphertext is there to be fetched"
)
def no_declining(deal: Deal, _: "re.Match[str]") -> None:
    order = deal.buy()
    deal.release()
    with refused("TooLate", deal.world.chain.now):
        deal.market.decline(order, 0, sender=deal.world.buyer)


@says(
    r"keys go out (\w+) after a release at the earliest; until then a buyer who can't fetch the content, or finds that "
    r"it is not what was promised, declines and gets that round and all later ones back; silence accepts"
)
def declining(deal: Deal, said: "re.Match[str]") -> None:
    rounds = min(3, deal.terms.max_rounds)
    orders = [deal.buy(rounds), deal.buy(rounds)]
    round_ = deal.release()
    end = deal.world.chain.now + parse_duration(said[1])
    deal.world.chain.at(end - 1)
    back = deal.moved(lambda: deal.market.decline(orders[0], round_, sender=deal.world.buyer))
    assert back == {"buyer": rounds * deal.price, "market": -rounds * deal.price}
    deal.world.chain.at(end)
    with refused("TooLate", end):
        deal.market.decline(orders[1], round_, sender=deal.world.buyer)


@says(
    r"a buyer may cancel at any time: all rounds after the next one are paid back at once; the next one stays owed for "
    r"(\w+), and can be taken back then if it did not come"
)
def cancelling(deal: Deal, said: "re.Match[str]") -> None:
    rounds = deal.terms.max_rounds
    owed, taken = deal.buy(rounds), deal.buy(rounds)
    later = (rounds - 1) * deal.price
    for order in (owed, taken):
        back = deal.moved(lambda one=order: deal.market.cancel(one, sender=deal.world.buyer))
        assert back == ({"buyer": later, "market": -later} if later else {})
    deal.world.chain.advance(parse_duration(said[1]) - 1)
    with refused("TooEarly"):
        deal.market.reclaim(taken, sender=deal.world.buyer)
    deal.world.chain.advance(1)
    back = deal.moved(lambda: deal.market.reclaim(taken, sender=deal.world.buyer))
    assert back == {"buyer": deal.price, "market": -deal.price}
    if not deal.terms.period:  # else it is too late by now
        deal.release()
        with refused("NothingLeft", owed):
            deal.market.reclaim(owed, sender=deal.world.buyer)


@says(
    r"the seller can withdraw a round's money (\w+) to (\w+) after it was released or, if later, bought(, unless it is "
    r"disputed by then)?"
)
def withdrawing(deal: Deal, said: "re.Match[str]") -> None:
    earliest, latest = parse_duration(said[1]), parse_duration(said[2])
    order = deal.buy()
    deal.release(None, order)
    times = [deal.world.chain.now]
    if deal.terms.instant:
        deal.world.chain.advance(deal.terms.bucket_length + 1)
        deal.buy(out=True)
        times.append(deal.world.chain.now)
    buckets = [int(deal.market.bucketAt(deal.listing, moment)) for moment in times]
    for moment, bucket in zip(times, buckets, strict=True):
        deal.world.reach(moment + earliest)
        with refused("NotMatured"):
            deal.market.withdraw(deal.listing, [0], [bucket], sender=deal.world.seller)
        deal.world.reach(moment + latest)
        taken = deal.moved(lambda b=bucket: deal.market.withdraw(deal.listing, [0], [b], sender=deal.world.seller))
        assert taken == {"payout": deal.price, "market": -deal.price}
    assert bool(said[3]) == deal.terms.adjudicated
    if said[3]:
        disputed = Deal(Offer(deal.terms, deal.price))
        dispute = disputed.dispute()
        dispute.challenge()
        disputed.world.chain.at(dispute.maturity)
        with refused("NothingToPay"):
            dispute.withdraw()
