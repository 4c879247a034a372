"""Filters of events: what a node is asked for, and what can't be asked in one question."""

from typing import Any

import pytest

from numerbay_chain.core.errors import UsageError
from numerbay_chain.index.node import NodeEvents
from numerbay_chain.index.questions import envelopes_in, read_rounds
from tests.support.chains.stage import Stage
from tests.support.codes import fails_with
from tests.support.evm.inside import InsideChain


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(InsideChain())


@pytest.fixture(scope="module")
def events(stage: Stage) -> NodeEvents:
    return NodeEvents(stage.connection, stage.session.address, stage.session.from_block)


def test_arguments_of_different_events_share_a_place(stage: Stage, events: NodeEvents) -> None:
    listing = stage.new_listing()
    order, other = stage.order(listing, rounds=2), stage.order(listing, rounds=2)
    for round in (0, 1):
        stage.release(listing, round)
        stage.advance(3_600)
    names, buyer = ["Bought", "Released"], stage.buyer.account
    told = [*events.events(names, about=[listing, order], round=1, buyer=buyer)]
    assert [(event.name, event.arguments.get("round")) for event in told] == [("Bought", None), ("Released", 1)]
    assert [event["order"] for event in told if event.name == "Bought"] == [order]
    assert [*events.events(names, about=[listing, order], round=7, buyer=stage.seller.account)] == []
    held = stage.session.orders([order, other])
    facts = read_rounds(events, [(held[0], 0), (held[1], 1)])
    assert facts.listing(listing).releases.keys() == {0, 1}
    assert {facts.order(id).sold for id in (order, other)} == {*held}
    assert envelopes_in(facts, held[0], 0) == []


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (["Bought", "Released"], {"round": 1}),
        (["Bought"], {"round": 1}),
        (["Released", "Bought"], {"buyer": "0x" + "11" * 20}),
        (["Released"], {"listing": 1, "about": 1}),
        (["Bought", "VoucherUsed"], {"order": 1}),
        (["Released"], {"round": []}),
        (["Released"], {"round": range(501)}),
        (["Bought", "Released"], {"round": range(500), "buyer": ["0x" + "11" * 20]}),
    ],
    ids=["one alone", "none", "the other alone", "twice in a place", "in two places", "no value", "many", "together"],
)  # fmt: skip
def test_what_is_no_filter_is_refused(events: NodeEvents, names: list[str], asked: dict[str, Any]) -> None:
    with fails_with(UsageError, "usage"):
        list(events.events(names, **asked))
