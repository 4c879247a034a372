"""A permit is asked of the token before anybody relies on it."""

import pytest

from numerbay_chain.chain import tokens
from numerbay_chain.core.errors import RefusedError
from tests.support.chains.stage import PRICE, Stage
from tests.support.codes import fails_with

pytestmark = pytest.mark.anvil


def test_a_token_whose_permit_is_of_another_kind_takes_none(stage: Stage) -> None:
    token = stage.deploy_contract("DaiStyleToken")
    assert tokens.permit_domain(stage.connection, token), "it looks as if it did"
    with fails_with(RefusedError, "no-permits", token):
        tokens.sign_permit(
            stage.connection, stage.buyer.signer, token, stage.session.address, PRICE, stage.connection.now() + 600
        )


def test_one_that_takes_permits_is_not_changed_by_the_question(stage: Stage) -> None:
    token = stage.deploy_contract("StandardToken")
    permits = [
        tokens.sign_permit(stage.connection, stage.buyer.signer, token, stage.session.address, PRICE, 2**40 - 1)
        for _ in range(2)
    ]
    assert permits[0] == permits[1], "the nonce is free still"
    assert tokens.allowance(stage.connection, token, stage.buyer.account, stage.session.address) == 0
