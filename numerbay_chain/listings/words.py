"""What terms mean for seller and buyer, in plain words."""

from numerbay_chain.core.units import format_amount, format_duration, format_fee, format_time
from numerbay_chain.protocol.finality import FINALITY
from numerbay_chain.protocol.gas import BUYER_GAS, DISPUTE_GAS
from numerbay_chain.protocol.types import Terms, Token


def explain(terms: Terms, price: int, token: Token, gas_price: int = 0, coin: str = "ETH") -> list[str]:
    """What the terms mean for seller and buyer, one sentence each. `price` per round; `gas_price`: the most that a unit
    of gas costs now, in wei of the `coin` (0: unknown), for what a dispute would take."""
    amount = format_amount(price, token.symbol, token.decimals)
    covers = f"1 to {terms.max_rounds} rounds" if terms.max_rounds > 1 else "1 round"
    lines = [f"a round costs {amount}; an order covers {covers}, paid in advance"]
    if terms.supply:
        lines.append(f"at most {terms.supply} orders are sold, not counting those that ended before their first round")
    if terms.scheduled:
        lines.append(
            f"round 0 is due by {format_time(terms.first_due)}, each later one {format_duration(terms.period)} after "
            "the one before; a seller who is late is not paid for that round, and every buyer can get it back"
        )
    else:
        lines.append("there is no schedule: a buyer who does not want to wait any longer cancels")
    lines.append(f"between two releases lie at least {format_duration(terms.min_interval)}")
    if terms.instant:
        lines.append(
            "the round that is out can be bought, unless it was skipped or proven faulty, and read as soon as the "
            "seller has sealed the key to that buyer"
        )
        if terms.decline_window:
            lines.append("a round that was out when it was bought can't be declined")
    if terms.copies:
        lines.append("every order gets a copy of its own, sealed for it alone")
    lines.append(_decline_words(terms))
    lines.append(
        "a buyer may cancel at any time: all rounds after the next one are paid back at once; the next one stays owed "
        f"for {format_duration(terms.notice_period)}, and can be taken back then if it did not come"
    )
    lines += _dispute_words(terms, price, token, gas_price, coin)
    lines.append(_withdraw_words(terms))
    return lines


def _withdraw_words(terms: Terms) -> str:
    """Money matures in buckets: at the end of the one in which its windows end."""
    windows = terms.decline_window + terms.dispute_window
    earliest, latest = format_duration(windows), format_duration(windows + terms.bucket_length)
    words = f"the seller can withdraw a round's money {earliest} to {latest} after it was released or, if later, bought"
    return f"{words}, unless it is disputed by then" if terms.adjudicated else words


def _decline_words(terms: Terms) -> str:
    if not terms.decline_window:
        return (
            "keys go out with the release, or right after it: nobody can decline, and a buyer trusts the seller that "
            "the ciphertext is there to be fetched"
        )
    window = format_duration(terms.decline_window)
    return (
        f"keys go out {window} after a release at the earliest; until then a buyer who can't fetch the content, or "
        "finds that it is not what was promised, declines and gets that round and all later ones back; silence accepts"
    )


def _content_words(terms: Terms) -> str:
    if terms.copies:
        return (
            "whoever proves that a copy does not decrypt to what was committed to gets that one order paid back, if "
            "its money has not matured, and no other; that proof makes the copy public"
        )
    return (
        "whoever proves that a file does not decrypt to what was committed to gets all buyers paid back whose money "
        "has not matured; that proof makes the file public"
    )


def _dispute_words(terms: Terms, price: int, token: Token, gas_price: int, coin: str) -> list[str]:
    if not terms.adjudicated:
        return [
            "NOT ADJUDICATED: there is no challenge and no proof; a buyer who gets no key, a wrong one or other "
            "content can only ask for a refund"
        ]
    held, answer = format_duration(terms.dispute_window), format_duration(terms.response_window)
    bond = format_amount(terms.bond(price), token.symbol, token.decimals)
    lines = [
        "the contract judges disputes: a buyer who gets no key, or a wrong one, challenges the round within "
        f"{held} after keys are due; the seller has {answer} to answer with the right key, and the buyer at least "
        f"{held} after that to prove it wrong: without an answer, or with a wrong one, the buyer is paid back",
        _content_words(terms),
    ]
    if terms.bond(price):
        given = format_amount(terms.challenge_bond, token.symbol, token.decimals)
        tenth = f" (a tenth of the price, as the terms' {given} are more)" if terms.challenge_bond * 10 > price else ""
        lines.append(
            f"a challenge takes a bond of {bond}{tenth}: it comes back with the price, or the seller gets both"
        )
    else:
        lines.append("a challenge takes no bond")
    if gas_price:
        fee = BUYER_GAS * gas_price
        proof = DISPUTE_GAS["proveWrongCopy" if terms.copies else "proveWrongContent"]
        lines.append(
            f"a dispute over a key takes about {BUYER_GAS:,} gas of its buyer, at most {format_fee(fee, coin)} today; "
            f"a proof of wrong content takes about {proof:,} gas"
        )
        if terms.native and fee > price:
            lines.append("NOT WORTH A DISPUTE: a round costs less than that gas, so that nobody would challenge for it")
    visits = terms.decline_window // 2
    needed = FINALITY + visits
    if terms.response_window < needed:
        sure = f"{format_duration(FINALITY)} that it takes to be sure of one, off a development chain"
        both = f"{format_duration(needed)}: the {sure}, and {format_duration(visits)} between two looks at it"
        lines.append(f"SHORT: {answer} to answer a challenge is less than the {both if visits else sure}")
    return lines
