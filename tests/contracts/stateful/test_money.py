"""Never a wei missing, stuck or paid twice."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contracts.stateful.campaign import EXAMPLES, STEPS
from tests.contracts.stateful.machine import OUTCOMES, REACHED
from tests.contracts.stateful.rules import Marketplace

CALLS = [
    "createListing",
    "changeOffer",
    "setPayout",
    "buy",
    "buyWith",
    "revokeVoucher",
    "release",
    "releaseAndDeliver",
    "skip",
    "deliver",
    "deliverCopies",
    "decline",
    "cancel",
    "reclaim",
    "refund",
    "refundRound",
    "refundMissed",
    "withdraw",
    "collect",
    "collectFor",
    "challenge",
    "respond",
    "claimTimeout",
    "proveWrongKey",
    "settleChallenge",
    "proveWrongContent",
    "proveWrongCopy",
    "refundFaulty",
]
STATES = [
    "challenge open",
    "challenge answered",
    "challenge with a bond",
    "challenge of a faulty round",
    "challenge of a faulty copy",
    "challenge lost",
    "frozen pot",
    "faulty too late",
]


@pytest.mark.slow
def test_model_and_bytecode_agree_whatever_people_do() -> None:
    OUTCOMES.clear()
    REACHED.clear()
    profile = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, derandomize=True, deadline=None, print_blob=True
    )
    run_state_machine_as_test(Marketplace, settings=profile)
    succeeded = {function for function, error in OUTCOMES if not error}
    assert not set(CALLS) - succeeded, "the run was too short to mean something: some call never went through"
    missed = {state for state in STATES if not REACHED[state]}
    assert not missed, "the run was too short to mean something: never in these states"
