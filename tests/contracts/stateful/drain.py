"""No money is ever stuck: from any state the contract is emptied, with the seller's help or without it."""

from typing import Any

from tests.support.model.ledger import challenge_tuple
from tests.support.model.wallets import NATIVE

HAVEN = "0x" + "5a" * 20  # receives what others refuse; nobody blocks it


def drain(machine: Any) -> None:
    """Calls that anybody would make who wants his money, none of which may fail. `machine` is the stateful test."""
    people = {str(person): person for person in machine.cast.everybody}
    stranger = machine.cast.keyless
    with_seller = len(machine.ledger.orders) % 2 == 0
    _end_orders(machine, people, with_seller)
    for order, listing_rounds in list(machine.ledger.cells.items()):
        missed = machine.state_of(order)["missed"]
        for round_ in listing_rounds:
            if round_ in missed and machine.model.held(order, round_) == "ahead":
                done = machine.call(
                    lambda o=order, r=round_: machine.model.refund_missed(o, r), stranger, "refundMissed", order, round_
                )
                assert done, "a missed round is paid back"
    _end_challenges(machine, stranger)
    frozen = machine.in_frozen_pots()
    machine.wait(
        max([machine.chain.now, *(machine.ledger.maturity(order >> 32, bucket) for order, _, bucket in frozen)])
    )
    for order, round_, bucket in frozen:
        withdrawn = machine.call(
            lambda o=order, r=round_, b=bucket: machine.model.withdraw(o >> 32, [r], [b]),
            stranger, "withdraw", order >> 32, [round_], [bucket],
        )  # fmt: skip
        assert not withdrawn, "a frozen pot is nobody's to withdraw"
        done = machine.call(
            lambda o=order, r=round_, b=bucket: machine.model.refund_faulty(o, r, b),
            stranger, "refundFaulty", order, round_, bucket,
        )  # fmt: skip
        assert done, "a faulty round is paid back"
    _withdraw_everything(machine, stranger)
    _collect_everything(machine, people, stranger)


def _end_orders(machine: Any, people: dict[str, Any], with_seller: bool) -> None:
    ahead = [
        order for order, state in machine.ledger.orders.items() if state["end"] > machine.state_of(order)["nextRound"]
    ]
    if with_seller:
        for order in ahead:
            seller = people[machine.state_of(order)["seller"]]
            done = machine.call(lambda o=order, s=seller: machine.model.refund(str(s), o), seller, "refund", order)
            assert done, "a seller can always give back"
        return
    for order in ahead:
        buyer = people[machine.ledger.orders[order]["buyer"]]
        if not machine.ledger.orders[order]["cancelledAt"]:
            done = machine.call(lambda o=order, b=buyer: machine.model.cancel(str(b), o), buyer, "cancel", order)
            assert done, "a buyer can always cancel"
    machine.wait(machine.chain.now + max(state["terms"]["noticePeriod"] for state in machine.ledger.listings.values()))
    for order in ahead:
        buyer = people[machine.ledger.orders[order]["buyer"]]
        done = machine.call(lambda o=order, b=buyer: machine.model.reclaim(str(b), o), buyer, "reclaim", order)
        assert done, "a buyer can reclaim after the notice period"


def _end_challenges(machine: Any, stranger: Any) -> None:
    """Those that nobody answers are the buyers', the others settle; each as soon as it may, so that nothing is late."""
    for (order, round_), opened in sorted(machine.ledger.challenges.items()):
        state, given = machine.state_of(order), challenge_tuple(opened)
        faulty = machine.ledger.copy_faulty.get((order, round_)) or state["faulty"].get(round_)
        if opened["respondedAt"] or faulty:
            end = machine.ledger.proof_end(order, opened)
            if not faulty or (opened["respondedAt"] and faulty > end):
                machine.wait(end + 1)
                _name_a_payout_that_accepts(machine, order >> 32)
            done = machine.call(
                lambda o=order, r=round_, c=dict(opened): machine.model.settle_challenge(o, r, c),
                stranger, "settleChallenge", order, round_, given,
            )  # fmt: skip
        else:
            machine.wait(opened["challengedAt"] + state["terms"]["responseWindow"] + 1)
            done = machine.call(
                lambda o=order, r=round_, c=dict(opened): machine.model.claim_timeout(o, r, c),
                stranger, "claimTimeout", order, round_, given,
            )  # fmt: skip
        assert done, "a challenge ends"


def _withdraw_everything(machine: Any, stranger: Any) -> None:
    pots = {listing: machine.model.in_pots(listing) for listing in machine.ledger.listings}
    ripe = [machine.ledger.maturity(listing, bucket) for listing, entries in pots.items() for _, bucket in entries]
    machine.wait(max([machine.chain.now + 1, *ripe]))
    for listing, entries in pots.items():
        if sum(machine.ledger.pot(listing, *entry) for entry in entries):
            rounds, buckets = [r for r, _ in entries], [b for _, b in entries]
            _name_a_payout_that_accepts(machine, listing)
            done = machine.call(
                lambda n=listing, r=rounds, b=buckets: machine.model.withdraw(n, r, b),
                stranger, "withdraw", listing, rounds, buckets,
            )  # fmt: skip
            assert done, "matured money can be withdrawn"


def _name_a_payout_that_accepts(machine: Any, listing: int) -> None:
    state = machine.ledger.listings[listing]
    if (state["terms"]["token"], state["payout"]) in machine.cast.wallets.refusing:
        seller = machine.people[state["seller"]]
        done = machine.call(
            lambda: machine.model.set_payout(str(seller), listing, HAVEN), seller, "setPayout", listing, HAVEN
        )
        assert done, "a seller can name another payout address"


def _collect_everything(machine: Any, people: dict[str, Any], stranger: Any) -> None:
    """Anybody pays a credit to an account that takes it by now; one that still refuses collects it elsewhere."""
    if len(machine.ledger.orders) % 4 < 2:
        machine.cast.accept_again()
    for (account, token), amount in list(machine.ledger.credits.items()):
        if not amount:
            continue
        if (token, account) in machine.cast.wallets.refusing:
            done = machine.call(
                lambda a=account, t=token: machine.model.collect(a, t, HAVEN), people[account], "collect", token, HAVEN
            )
        else:
            done = machine.call(
                lambda a=account, t=token: machine.model.collect_for(a, t), stranger, "collectFor", account, token
            )
        assert done, "a credit can be collected"
    assert all(machine.ledger.owed(token) == 0 for token in [NATIVE, *map(str, machine.cast.tokens.values())])
