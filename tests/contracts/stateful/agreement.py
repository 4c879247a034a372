"""Model and bytecode agree: every view, every balance, and the ledger that the events alone give."""

from typing import Any

from tests.support.evm import Contract
from tests.support.evm.chain import Chain
from tests.support.model import Ledger, Model
from tests.support.model.ledger import CHALLENGED
from tests.support.model.terms import TERMS
from tests.support.model.wallets import NATIVE


def _word(value: Any) -> int:
    if isinstance(value, str):
        return int(value, 16)
    return int.from_bytes(value, "big") if isinstance(value, bytes) else int(value)


class Views:
    """The marketplace's views as lists of 32-byte words: all are of fixed layout, and decoding them in full is slow."""

    def __init__(self, chain: Chain, market: Contract) -> None:
        self._chain, self._market = chain, market
        self._selectors = {name: function.selector for name, function in market.kind.functions.items()}

    def words(self, name: str, *arguments: Any) -> list[int]:
        data = self._selectors[name] + b"".join(_word(argument).to_bytes(32, "big") for argument in arguments)
        output = self._chain.call(self._market.address, data)
        return [int.from_bytes(output[i : i + 32], "big") for i in range(0, len(output), 32)]

    def balance(self, token: str, account: str) -> int:
        if token == NATIVE:
            return self._chain.balance(account)
        data = bytes.fromhex("70a08231") + _word(account).to_bytes(32, "big")
        return int.from_bytes(self._chain.call(token, data), "big")


def check_views(views: Views, model: Model) -> None:
    ledger = model.ledger
    assert views.words("listingCount") == [len(ledger.listings)]
    for listing in ledger.listings:
        assert views.words("getListing", listing) == _listing_words(ledger, listing), f"listing {listing}"
        _check_listing_parts(views, model, listing)
    for order in ledger.orders:
        assert views.words("getOrder", order) == _order_words(ledger, order), f"order {order}"
    for digest, uses in ledger.vouchers.items():
        assert views.words("voucherUses", digest) == [uses]
    for owner, keys in ledger.keys.items():
        assert views.words("currentKey", owner) == [len(keys), _word(keys[-1]) if keys else 0]


def _listing_words(ledger: Ledger, listing: int) -> list[int]:
    state = ledger.listings[listing]
    fields = [state["seller"], state["operator"], state["payout"], *(state["terms"][name] for name in TERMS)]
    fields += [*state["offer"].values(), state["version"], state["nextRound"], state["orders"], state["voided"]]
    return [_word(field) for field in (*fields, state["lastTurn"], ledger.active(listing))]


def _order_words(ledger: Ledger, order: int) -> list[int]:
    state = ledger.orders[order]
    names = ("buyer", "first", "end", "price", "version", "epoch", "bucket", "cancelledAt")
    words = [_word(state[name]) for name in names]
    words[2] -= state["first"]
    return words


def _check_listing_parts(views: Views, model: Model, listing: int) -> None:
    """What lies in maps of a listing: leaving, pots, marks of rounds; hashes, settlements, challenges of its orders."""
    ledger, state = model.ledger, model.ledger.listings[listing]
    last = max([state["nextRound"] + 1, *(ledger.orders[order]["end"] for order in state["ids"])])
    for round_ in range(last + 1):
        assert views.words("leaving", listing, round_) == [ledger.leaving(listing, round_)], f"leaving {round_}"
        assert views.words("isMissed", listing, round_) == [round_ in state["missed"]]
        if state["terms"]["disputeWindow"]:
            assert views.words("faultyAt", listing, round_) == [state["faulty"].get(round_, 0)], f"faulty {round_}"
    for round_, bucket in ledger.pots(listing):
        pot = [ledger.pot(listing, round_, bucket), ledger.is_flagged(listing, round_, bucket)]
        assert views.words("pot", listing, round_, bucket) == pot
        assert views.words("maturityOf", listing, bucket) == [ledger.maturity(listing, bucket)]
    for order in state["ids"]:
        for round_ in ledger.cells[order]:
            if ledger.covers(order, round_):
                assert views.words("hashOf", order, round_) == [_word(ledger.hash_of(order, round_))]
            settled = ledger.settled.get((order, round_), 0)
            assert views.words("settled", order, round_) == [settled], f"order {order} in round {round_}"
            if state["terms"]["disputeWindow"] and round_ < state["nextRound"]:
                opened = ledger.settlement_word(order, round_) if settled == CHALLENGED else 0
                assert views.words("challengeOf", order, round_) == [opened], f"order {order} in round {round_}"
            if state["terms"]["copies"]:
                assert views.words("copyFaultyAt", order, round_) == [ledger.copy_faulty.get((order, round_), 0)]


def check_balances(views: Views, model: Model, market: str, tokens: list[str]) -> None:
    """Solvency to the wei, and everybody holds what the model says."""
    for token in tokens:
        assert views.balance(token, market) == model.ledger.owed(token), f"the marketplace owes another sum of {token}"
        for account, amount in model.wallets.balances[token].items():
            assert views.balance(token, account) == amount, f"balance of {account}"
    for (account, token), amount in model.ledger.credits.items():
        assert views.words("credit", account, token) == [amount]


def check_replayed(model: Model, replayed: Ledger) -> None:
    """The logs alone tell the whole state."""
    ledger = model.ledger
    for name in ("listings", "orders", "cells", "settled", "copies", "challenges", "copy_faulty"):
        assert getattr(replayed, name) == getattr(ledger, name), f"{name} rebuilt from logs"
    for name in ("credits", "vouchers", "keys"):
        rebuilt, known = getattr(replayed, name), getattr(ledger, name)
        for key in rebuilt.keys() | known.keys():
            assert rebuilt[key] == known[key], f"{name} rebuilt from logs"
