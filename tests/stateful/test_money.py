"""Never a wei missing, stuck or paid twice."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.campaign import EXAMPLES, STEPS
from tests.stateful.machine import OUTCOMES
from tests.stateful.rules import Marketplace

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
]


def test_model_and_bytecode_agree_whatever_people_do() -> None:
    OUTCOMES.clear()
    profile = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, derandomize=True, deadline=None, print_blob=True
    )
    run_state_machine_as_test(Marketplace, settings=profile)
    succeeded = {function for function, error in OUTCOMES if not error}
    assert succeeded >= set(CALLS), "the run was too short to mean something: some call never went through"
